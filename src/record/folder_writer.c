/* SPDX-License-Identifier: MIT */
#include "record/folder_writer.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "io/file.h"
#include "record/index.h"
#include "record/summary.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RUN_CHARS  10
#define LOOK_BYTES (64u << 20) /* between two looks at how much room the disk has */

/* One rendition. */
struct lane {
    int fd;
    uint64_t len, flushed; /* written; of it, what the disk has begun with */
    struct archive_segment open;
    unsigned open_parts;
    bool begun, discontinuity;
    struct hls_segment *gaps; /* not written before media follows: there is none at the end */
    size_t n_gaps;
};

struct folder_writer {
    struct folder_writer_cfg cfg;
    char *dir;
    struct archive *archive;
    struct str index;
    uint64_t dsn, unlooked;
    struct lane lane[LIMIT_RECORD_RENDITIONS];
};

static enum err disk_err(const struct folder_writer *w, const char *what)
{
    const int no = errno;
    log_error("record", "dir=%s %s: %s", w->dir, what, strerror(no));
    return no == ENOSPC || no == EDQUOT || no == EFBIG ? E_FULL : E_IO;
}

/* --- bytes --- */

static int open_new(const struct folder_writer *w, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
}

static enum err write_all(struct folder_writer *w, int fd, struct span s)
{
    while (s.len) {
        const ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return disk_err(w, "write");
        s = span_skip(s, (size_t)n);
    }
    return E_OK;
}

static enum err look_for_room(struct folder_writer *w, size_t len)
{
    struct statvfs v;
    w->unlooked += len;
    if (w->unlooked < LOOK_BYTES && w->unlooked > len) return E_OK;
    w->unlooked = 1;
    if (w->cfg.min_free_bytes <= 0 || statvfs(w->dir, &v) < 0) return E_OK;
    const uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
    return left < (uint64_t)w->cfg.min_free_bytes + len ? E_FULL : E_OK;
}

static enum err append(struct folder_writer *w, unsigned r, struct span s)
{
    struct lane *l = &w->lane[r];
    enum err e = look_for_room(w, s.len);
    if (e == E_OK && l->fd < 0) {
        char name[HLS_NAME_CAP + 8];
        snprintf(name, sizeof name, "%s.mp4", w->archive->r[r].name);
        l->fd = open_new(w, name);
        if (l->fd < 0) e = disk_err(w, name);
    }
    if (e == E_OK) e = write_all(w, l->fd, s);
    if (e != E_OK) return e;
    l->len += s.len;
    file_write_behind(l->fd, &l->flushed, l->len);
    return E_OK;
}

/* --- events --- */

static enum err add_rendition(struct folder_writer *w, const char *name, int *out)
{
    *out = archive_add_rendition(w->archive, name, name[0] == 'v' ? MEDIA_VIDEO : MEDIA_AUDIO);
    if (*out < 0) return E_LIMIT;
    struct index_entry e = {.kind = INDEX_RENDITION, .rendition = (unsigned)*out};
    e.s.dsn = w->dsn;
    snprintf(e.name, sizeof e.name, "%s", name);
    index_write(&w->index, &e);
    return E_OK;
}

static enum err find_rendition(struct folder_writer *w, const struct packager_event *ev, int *out)
{
    const char name[] = {ev->rendition, (char)('0' + ev->number), 0};
    *out = archive_find(w->archive, span_str(name));
    return *out < 0 ? add_rendition(w, name, out) : E_OK;
}

static enum err on_init(struct folder_writer *w, unsigned r, const struct packager_event *ev)
{
    const struct track *t = ev->track;
    struct index_entry e = {
        .kind = INDEX_INIT, .rendition = r, .off = w->lane[r].len, .len = (uint32_t)ev->buf->len};
    e.init = (struct archive_init){.id = ev->init_id,
                                   .codec = t->codec,
                                   .width = t->width,
                                   .height = t->height,
                                   .fps_milli = t->fps_milli,
                                   .sample_rate = t->sample_rate,
                                   .channels = t->channels,
                                   .off = e.off,
                                   .len = e.len,
                                   .bytes = ev->buf};
    memcpy(e.init.codecs, t->codecs, sizeof e.init.codecs);
    const enum err err = archive_add_init(w->archive, r, &e.init);
    if (err != E_OK) return err;
    index_write(&w->index, &e);
    return append(w, r, buf_span(ev->buf));
}

static struct hls_segment segment_of(const struct folder_writer *w, const struct lane *l,
                                     const struct packager_event *ev)
{
    return (struct hls_segment){
        .msn = ev->msn,
        .dsn = w->dsn,
        .dur_us = ev->duration_us,
        .wall_us = ev->wall_us,
        .init_id = ev->init_id,
        .discontinuity = l->discontinuity,
        .gap = ev->kind == PACKAGER_SEGMENT_END && ev->gap,
        .independent = ev->independent,
    };
}

static enum err write_segment(struct folder_writer *w, unsigned r,
                              const struct archive_segment *seg)
{
    const struct index_entry e = {
        .kind = INDEX_SEGMENT, .rendition = r, .s = seg->s, .off = seg->off, .len = seg->len};
    index_write(&w->index, &e);
    return archive_add_segment(w->archive, r, seg);
}

static enum err write_gaps(struct folder_writer *w, unsigned r)
{
    struct lane *l = &w->lane[r];
    enum err e = E_OK;
    for (size_t i = 0; i < l->n_gaps && e == E_OK; i++)
        e = write_segment(w, r, &(struct archive_segment){.s = l->gaps[i], .off = l->len});
    free(l->gaps);
    l->gaps = NULL;
    l->n_gaps = 0;
    return e;
}

static enum err on_part(struct folder_writer *w, unsigned r, const struct packager_event *ev)
{
    struct lane *l = &w->lane[r];
    enum err err = write_gaps(w, r);
    if (err != E_OK) return err;
    if (ev->buf->len > UINT32_MAX - l->open.len) return E_LIMIT;
    if (!l->open_parts) {
        l->open = (struct archive_segment){.s = segment_of(w, l, ev), .off = l->len};
    }
    struct index_entry e = {.kind = INDEX_PART,
                            .rendition = r,
                            .part = l->open_parts,
                            .off = l->len,
                            .len = (uint32_t)ev->buf->len};
    e.s = segment_of(w, l, ev);
    e.s.discontinuity = l->open.s.discontinuity;
    index_write(&w->index, &e);
    l->open.len += (uint32_t)ev->buf->len;
    l->open_parts++;
    return append(w, r, buf_span(ev->buf));
}

static enum err on_segment_end(struct folder_writer *w, unsigned r, const struct packager_event *ev)
{
    struct lane *l = &w->lane[r];
    const struct hls_segment s = segment_of(w, l, ev);
    l->discontinuity = false;
    if (ev->gap) {
        l->gaps = xrealloc(l->gaps, (l->n_gaps + 1) * sizeof *l->gaps);
        l->gaps[l->n_gaps++] = s;
        return l->n_gaps > LIMIT_RECORD_SEGMENTS ? E_LIMIT : E_OK;
    }
    if (!l->open_parts) return E_OK;
    l->open.s.dur_us = ev->duration_us;
    l->open_parts = 0;
    const struct archive_segment seg = l->open;
    l->open = (struct archive_segment){0};
    return write_segment(w, r, &seg);
}

static void on_discontinuity(struct folder_writer *w)
{
    bool more = false; /* two without media between them are one */
    for (unsigned i = 0; i < w->archive->n_renditions; i++) {
        more = more || (w->lane[i].begun && !w->lane[i].discontinuity);
        w->lane[i].discontinuity = w->lane[i].begun;
    }
    w->dsn += more;
}

enum err folder_writer_event(struct folder_writer *w, const struct packager_event *ev)
{
    int r;
    if (ev->kind == PACKAGER_DISCONTINUITY) {
        on_discontinuity(w);
        return E_OK;
    }
    const enum err e = find_rendition(w, ev, &r);
    if (e != E_OK) return e;
    if (w->index.len > LIMIT_RECORD_INDEX_BYTES - LIMIT_RECORD_LINE_BYTES) return E_LIMIT;
    if (ev->kind == PACKAGER_INIT) return on_init(w, (unsigned)r, ev);
    w->lane[r].begun = true;
    return ev->kind == PACKAGER_PART ? on_part(w, (unsigned)r, ev)
                                     : on_segment_end(w, (unsigned)r, ev);
}

/* --- life --- */

static enum err write_index(struct folder_writer *w)
{
    const int fd = open_new(w, INDEX_FILE);
    if (fd < 0) return disk_err(w, INDEX_FILE);
    enum err e = write_all(w, fd, str_span(&w->index));
    if (e == E_OK && fdatasync(fd) < 0) e = disk_err(w, "sync");
    close(fd);
    return e;
}

enum err folder_writer_finish(struct folder_writer *w, struct recording_info *out)
{
    enum err e = E_OK;
    summary_of(w->archive, out);
    if (out->duration_us == 0) return E_NOTFOUND;
    w->archive->ended_wall_us = w->archive->started_wall_us + out->duration_us;
    out->ended_wall_us = w->archive->ended_wall_us;
    index_write(&w->index,
                &(struct index_entry){.kind = INDEX_END, .wall_us = w->archive->ended_wall_us});
    for (unsigned i = 0; i < w->archive->n_renditions && e == E_OK; i++)
        if (w->lane[i].fd >= 0 && fdatasync(w->lane[i].fd) < 0) e = disk_err(w, "sync");
    return e == E_OK ? write_index(w) : e;
}

struct folder_writer *folder_writer_new(const struct folder_writer_cfg *cfg)
{
    char path[4096];
    struct folder_writer *w = NEW(struct folder_writer);
    w->cfg = *cfg;
    w->dir = xstrdup(cfg->dir);
    w->archive = archive_new();
    rand_id(w->archive->run, RUN_CHARS);
    w->archive->started_wall_us = cfg->started_wall_us;
    w->archive->target_s = cfg->target_s;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) w->lane[i].fd = -1;
    (void)mkdir(w->dir, 0750); /* what went wrong shows at the first file */
    snprintf(path, sizeof path, "%s/%s", w->dir, INDEX_FILE);
    unlink(path);
    struct index_entry e = {
        .kind = INDEX_HEAD, .wall_us = cfg->started_wall_us, .target_s = cfg->target_s};
    snprintf(e.name, sizeof e.name, "%s", w->archive->run);
    index_write(&w->index, &e);
    return w;
}

void folder_writer_free(struct folder_writer *w)
{
    if (!w) return;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) {
        if (w->lane[i].fd >= 0) close(w->lane[i].fd);
        free(w->lane[i].gaps);
    }
    archive_unref(w->archive);
    str_fini(&w->index);
    free(w->dir);
    free(w);
}
