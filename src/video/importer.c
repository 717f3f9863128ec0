/* SPDX-License-Identifier: MIT */
#include "video/importer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "bridge/transcoder.h"
#include "io/child.h"
#include "record/folder_writer.h"
#include "video/import_judge.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM      (LIMIT_WORKER_MSG_BYTES + (1u << 20))
#define SOCKET    (1 << 20)
#define SILENCE_S 120 /* a worker that says nothing for so long hangs */
#define LOOK_S    1   /* between two questions whether to go on */
/* Computing time: nothing of this size takes longer that is what it seems to be. */
#define CPU_S              300
#define CPU_BYTES_A_SECOND 5000
#define PART_MS_MAX        2000
#define FIRST_US           US_PER_SEC /* the packager's time, where the media begins */

struct import {
    const struct importer_cfg *cfg;
    struct import_result *out;
    int pid, fd;
    uint8_t *room;
    size_t begin, end;
    struct import_judge judge;
    struct packager *packager;
    struct folder_writer *writer;
    uint64_t size;
    int64_t now_us, looked_us;
    unsigned per_mille;
    bool ready, done;
    int64_t offset_us; /* UTC minus the media's clock, with `timed` */
    bool pictures, timed, moved;
};

static enum err fail(struct import *i, enum err e, const char *words)
{
    snprintf(i->out->problem, sizeof i->out->problem, "%s", words);
    for (char *c = i->out->problem; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) *c = ' ';
    return e;
}

/* --- packaging --- */

static enum err disk_words(struct import *i, enum err e)
{
    return fail(i, e,
                e == E_FULL    ? "The disk of the server is full."
                : e == E_LIMIT ? "The file is too long."
                               : "The disk of the server cannot be written to.");
}

static enum err drain(struct import *i)
{
    struct packager_event ev;
    enum err e = E_OK;
    while (packager_next(i->packager, &ev)) {
        if (e == E_OK) e = folder_writer_event(i->writer, &ev);
        packager_event_fini(&ev);
    }
    return e == E_OK ? E_OK : disk_words(i, e);
}

static enum err on_track(struct import *i, const struct worker_msg *m)
{
    struct track *t = NULL;
    enum err e = import_judge_track(&i->judge, m, &t);
    if (e != E_OK) return e;
    if (t->kind == MEDIA_AUDIO)
        i->out->channels = t->channels;
    else
        i->out->fps_milli = t->fps_milli;
    i->pictures = i->pictures || t->kind == MEDIA_VIDEO;
    e = packager_track(i->packager, t, i->now_us);
    track_unref(t);
    return e;
}

/* Where the source's clocks part, the recording has a discontinuity, at the next key picture: that
 * sets its programme time anew. */
static void put_time(struct import *i, struct frame *f)
{
    const struct importer_cfg *c = i->cfg;
    const bool leads = !i->pictures || codec_kind(f->codec) == MEDIA_VIDEO;
    if (leads && c->wall_at) {
        const int64_t offset = c->wall_at(c->ctx, f->dts_us) - f->dts_us;
        i->moved = i->moved || (i->timed && offset != i->offset_us);
        i->offset_us = offset;
        i->timed = true;
    }
    f->wall_us = (i->timed ? i->offset_us : c->started_wall_us) + f->pts_us;
    if (!leads || !i->moved || !f->key) return;
    f->discontinuity = true;
    i->moved = false;
}

static enum err on_frame(struct import *i, const struct worker_msg *m)
{
    struct frame *f = NULL;
    const enum err e = import_judge_frame(&i->judge, m, &f);
    if (e == E_MORE) return E_OK; /* a broken one */
    if (e != E_OK) return e;
    put_time(i, f);
    if (FIRST_US + f->dts_us > i->now_us) i->now_us = FIRST_US + f->dts_us;
    if (packager_deadline_us(i->packager) <= i->now_us) packager_tick(i->packager, i->now_us);
    packager_frame(i->packager, f, i->now_us);
    frame_unref(f);
    return drain(i);
}

/* --- from the worker --- */

static enum err ask_to_go_on(struct import *i)
{
    i->looked_us = clock_mono_us();
    if (!i->cfg->on_progress || i->cfg->on_progress(i->cfg->ctx, i->per_mille)) return E_OK;
    return fail(i, E_CLOSED, "stopped");
}

static enum err on_message(struct import *i, const struct worker_msg *m)
{
    char text[LIMIT_WORKER_TEXT + 1];
    switch (m->type) {
    case WORKER_READY:
        i->ready = true;
        return m->version == WORKER_VERSION ? E_OK : E_PROTO;
    case WORKER_INPUT:
        return import_judge_input(m->data, &i->out->input);
    case WORKER_TRACK:
        return on_track(i, m);
    case WORKER_FRAME:
        return on_frame(i, m);
    case WORKER_PROGRESS:
        i->per_mille = m->per_mille;
        return E_OK;
    case WORKER_FAILED:
        (void)span_cstr(m->data, text, sizeof text);
        return fail(i, E_UNSUPPORTED, text);
    case WORKER_END:
        i->done = true;
        return E_OK;
    default:
        return E_PROTO;
    }
}

static enum err take_messages(struct import *i)
{
    struct span rest = span_of(i->room + i->begin, i->end - i->begin);
    struct worker_msg m;
    enum err e = E_OK, got;
    while (e == E_OK && !i->done && (got = worker_msg_next(&rest, &m)) != E_MORE)
        e = got == E_OK ? on_message(i, &m) : got;
    i->begin = i->end - rest.len;
    if (e != E_OK && !i->out->problem[0])
        return fail(i, e == E_LIMIT ? E_LIMIT : E_IO,
                    e == E_LIMIT ? "The file is longer, or unpacks to more, than the server takes."
                                 : "The file confuses the decoder.");
    return e;
}

static enum err wait_for_bytes(struct import *i)
{
    const int64_t until = clock_mono_us() + SILENCE_S * US_PER_SEC;
    for (;;) {
        struct pollfd p = {.fd = i->fd, .events = POLLIN};
        const int n = poll(&p, 1, LOOK_S * 1000);
        if (n > 0) return E_OK;
        if (n < 0 && errno != EINTR) return fail(i, E_IO, "The server cannot wait.");
        const enum err e = ask_to_go_on(i);
        if (e != E_OK) return e;
        if (clock_mono_us() > until) return fail(i, E_IO, "The decoder hangs on this file.");
    }
}

static enum err read_some(struct import *i)
{
    if (i->begin && ROOM - i->end < SOCKET) {
        memmove(i->room, i->room + i->begin, i->end - i->begin);
        i->end -= i->begin;
        i->begin = 0;
    }
    ssize_t n;
    do {
        n = recv(i->fd, i->room + i->end, ROOM - i->end, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            const enum err e = wait_for_bytes(i);
            if (e != E_OK) return e;
        }
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    if (n <= 0) return E_MORE; /* its end; why, its exit says */
    i->end += (size_t)n;
    return E_OK;
}

/* E_MORE: it ended before it said so. */
static enum err listen_to(struct import *i)
{
    enum err e = E_OK;
    while (e == E_OK && !i->done) {
        e = read_some(i);
        if (e == E_OK) e = take_messages(i);
        if (e == E_OK && clock_mono_us() > i->looked_us + LOOK_S * US_PER_SEC) e = ask_to_go_on(i);
    }
    return e;
}

/* --- its life --- */

static enum err how_it_ended(struct import *i, int sig, const char *how)
{
    metric_add(M_WORKER_DEATHS, 1);
    log_warn("import-worker", "how=\"%s\" file_bytes=%llu", how, (unsigned long long)i->size);
    if (sig == SIGXCPU) return fail(i, E_LIMIT, "The file takes too long to process.");
    return fail(i, E_IO, "The decoder crashes on this file.");
}

static enum err start(struct import *i)
{
    char path[4096], cpu[24], from[24], to[24], n[8], lines[16];
    enum err e = transcoder_program(path, sizeof path);
    if (e != E_OK) return fail(i, E_NOTFOUND, "The server has no bspnode-worker.");
    const int64_t start_us = i->cfg->start_us, end_us = i->cfg->end_us;
    snprintf(cpu, sizeof cpu, "%llu", CPU_S + (unsigned long long)(i->size / CPU_BYTES_A_SECOND));
    snprintf(from, sizeof from, "%lld", (long long)(start_us > 0 ? start_us : 0));
    if (end_us < INT64_MAX)
        snprintf(to, sizeof to, "%lld", (long long)end_us);
    else
        snprintf(to, sizeof to, "-");
    snprintf(n, sizeof n, "%u", i->cfg->n_files);
    snprintf(lines, sizeof lines, "%u", i->cfg->lines);
    const char *const argv[] = {
        path, "import", cpu, from, to, n, lines, i->cfg->convert ? "convert" : "keep", NULL};
    e = child_start(argv, i->cfg->files, i->cfg->n_files, &i->pid, &i->fd);
    if (e != E_OK) return fail(i, E_IO, "The server cannot start its decoder.");
    const int bytes = SOCKET;
    (void)setsockopt(i->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return E_OK;
}

static enum err run_worker(struct import *i)
{
    char how[32];
    enum err e = start(i);
    if (e != E_OK) return e;
    i->room = xmalloc(ROOM);
    e = listen_to(i);
    close(i->fd);
    const int sig = child_wait(i->pid, e != E_OK && e != E_MORE, how, sizeof how);
    free(i->room);
    return e == E_MORE ? how_it_ended(i, sig, how) : e;
}

static enum err finish(struct import *i)
{
    packager_end(i->packager, i->now_us);
    enum err e = drain(i);
    if (e != E_OK) return e;
    e = folder_writer_finish(i->writer, &i->out->info);
    if (e == E_NOTFOUND)
        return fail(i, E_UNSUPPORTED, "There is no picture and no sound in the file.");
    return e == E_OK ? E_OK : disk_words(i, e);
}

static uint64_t size_of(const struct importer_cfg *cfg)
{
    uint64_t n = 0;
    struct stat st;
    for (unsigned k = 0; k < cfg->n_files; k++)
        if (fstat(cfg->files[k], &st) == 0) n += (uint64_t)st.st_size;
    return n;
}

enum err importer_run(const struct importer_cfg *cfg, struct import_result *out)
{
    struct import i = {.cfg = cfg, .out = out, .now_us = FIRST_US, .size = size_of(cfg)};
    const int64_t part_ms = cfg->segment_ms < PART_MS_MAX ? cfg->segment_ms : PART_MS_MAX;
    memset(out, 0, sizeof *out);
    import_judge_init(&i.judge, i.size);
    i.packager = packager_new(&(struct packager_config){.part_ms = (uint32_t)part_ms,
                                                        .segment_ms = (uint32_t)cfg->segment_ms,
                                                        .target_s = (uint32_t)cfg->target_s});
    i.writer =
        folder_writer_new(&(struct folder_writer_cfg){.dir = cfg->dir,
                                                      .target_s = cfg->target_s,
                                                      .min_free_bytes = cfg->min_free_bytes,
                                                      .started_wall_us = cfg->started_wall_us});
    enum err e = run_worker(&i);
    if (e == E_OK) e = finish(&i);
    folder_writer_free(i.writer);
    packager_free(i.packager);
    import_judge_fini(&i.judge);
    return e;
}
