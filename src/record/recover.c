/* SPDX-License-Identifier: MIT */
/* Finished recordings: reading them from disk, and finishing those that a crash interrupted. */
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "record/index.h"
#include "record/summary.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void summary_of(const struct archive *a, struct recording_info *out)
{
    struct recording_info i = {.started_wall_us = a->started_wall_us,
                               .ended_wall_us = a->ended_wall_us};
    for (unsigned n = 0; n < a->n_renditions; n++) {
        const struct archive_rendition *r = &a->r[n];
        const struct archive_init *init = r->inits;
        if (r->media_us > i.duration_us) i.duration_us = r->media_us;
        i.bytes += r->bytes;
        if (!init || !r->n) continue;
        if (r->kind == MEDIA_AUDIO) {
            i.audio = init->codec;
            continue;
        }
        /* Of several layers the largest is what the recording is. */
        if ((uint32_t)init->width * init->height < (uint32_t)i.width * i.height) continue;
        i.video = init->codec;
        i.width = init->width;
        i.height = init->height;
        i.fps_milli = init->fps_milli;
    }
    *out = i;
}

struct folder {
    const char *dir;
    void *map;
    struct span index;
};

static void path_in(const char *dir, const char *name, const char *suffix, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s%s", dir, name, suffix);
}

static uint64_t size_of(void *ctx, const char *name)
{
    char path[4096];
    struct stat st;
    path_in(ctx, name, ".mp4", path, sizeof path);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* The index, mapped. */
static enum err folder_open(struct folder *f, const char *dir)
{
    char path[4096];
    struct stat st;
    *f = (struct folder){.dir = dir};
    path_in(dir, INDEX_FILE, "", path, sizeof path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? E_NOTFOUND : E_IO;
    enum err e = fstat(fd, &st) < 0 ? E_IO : E_OK;
    if (e == E_OK && st.st_size == 0) e = E_NOTFOUND;
    if (e == E_OK && st.st_size > (off_t)LIMIT_RECORD_INDEX_BYTES) e = E_LIMIT;
    if (e == E_OK) {
        f->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (f->map == MAP_FAILED)
            e = E_IO;
        else
            f->index = span_of(f->map, (size_t)st.st_size);
    }
    close(fd);
    return e;
}

static void folder_close(struct folder *f)
{
    if (f->index.p) munmap(f->map, f->index.len);
}

static enum err folder_load(const char *dir, struct folder *f, struct index_state *st)
{
    enum err e = folder_open(f, dir);
    if (e == E_OK) e = index_load(f->index, size_of, (void *)(uintptr_t)dir, st);
    if (e == E_NOTFOUND && f->index.p) e = E_PROTO;
    if (e != E_OK) folder_close(f);
    return e;
}

/* --- recovery ----------------------------------------------------------------------------------
 */

static enum err cut(const char *dir, const char *name, const char *suffix, uint64_t len)
{
    char path[4096];
    struct stat st;
    path_in(dir, name, suffix, path, sizeof path);
    if (stat(path, &st) < 0 && errno == ENOENT && len == 0) return E_OK;
    if ((uint64_t)st.st_size == len) return E_OK;
    return truncate(path, (off_t)len) == 0 ? E_OK : E_IO;
}

static enum err append_lines(const char *dir, struct span lines)
{
    char path[4096];
    path_in(dir, INDEX_FILE, "", path, sizeof path);
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return E_IO;
    const bool ok = write(fd, lines.p, lines.len) == (ssize_t)lines.len && fdatasync(fd) == 0;
    return close(fd) == 0 && ok ? E_OK : E_IO;
}

/* Lines for the segments that were open and for the end. */
static void closing_lines(struct index_state *st, struct str *out)
{
    struct archive *a = st->archive;
    int64_t end = a->started_wall_us;
    struct index_entry e;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        if (index_close_open(st, i, &e)) index_write(out, &e);
        const struct archive_rendition *r = &a->r[i];
        if (!r->n) continue;
        const struct hls_segment *last = &archive_segment(r, r->n - 1)->s;
        if (last->wall_us + last->dur_us > end) end = last->wall_us + last->dur_us;
    }
    a->ended = true;
    a->ended_wall_us = end;
    index_write(out, &(struct index_entry){.kind = INDEX_END, .wall_us = end});
}

enum err recording_recover(const char *dir, struct recording_info *out)
{
    struct folder f;
    struct index_state *st = NEW(struct index_state);
    enum err e = folder_load(dir, &f, st);
    if (e != E_OK) {
        free(st);
        return e;
    }
    struct archive *a = st->archive;
    const bool whole = a->ended && st->good_bytes == f.index.len;
    folder_close(&f);
    if (!whole) {
        struct str lines = {0};
        const bool marked = a->ended;
        if (!marked) closing_lines(st, &lines);
        e = cut(dir, INDEX_FILE, "", st->good_bytes);
        for (unsigned i = 0; e == E_OK && i < a->n_renditions; i++)
            e = cut(dir, a->r[i].name, ".mp4", st->r[i].data_bytes);
        if (e == E_OK && !marked) e = append_lines(dir, str_span(&lines));
        str_fini(&lines);
        log_debug("recover", "run=%s result=%s", a->run, err_label(e));
    }
    if (e == E_OK) summary_of(a, out);
    archive_unref(a);
    free(st);
    return e;
}

/* --- playing -----------------------------------------------------------------------------------
 */

static enum err read_inits(const struct archive_rendition *r)
{
    for (const struct archive_init *it = r->inits; it; it = it->older) {
        struct archive_init *init = (struct archive_init *)(uintptr_t)it;
        init->bytes = buf_new(init->len);
        if (pread(r->file->fd, init->bytes->data, init->len, (off_t)init->off) !=
            (ssize_t)init->len)
            return E_IO;
    }
    return E_OK;
}

/* A rendition whose last segments hold nothing ends before them. */
static void drop_gaps(struct archive_rendition *r)
{
    while (r->n > 0 && archive_segment(r, r->n - 1)->s.gap)
        r->media_us -= archive_segment(r, --r->n)->s.dur_us;
}

enum err recording_load(const char *dir, struct archive **out)
{
    struct folder f;
    struct index_entry e;
    struct index_state *st = NEW(struct index_state);
    enum err err = folder_load(dir, &f, st);
    if (err != E_OK) {
        free(st);
        return err;
    }
    folder_close(&f);
    struct archive *a = st->archive;
    bool media = false;
    for (unsigned i = 0; err == E_OK && i < a->n_renditions; i++) {
        char path[4096];
        struct archive_rendition *r = &a->r[i];
        (void)index_close_open(st, i, &e);
        drop_gaps(r);
        if (!r->n && !r->inits) continue;
        path_in(dir, r->name, ".mp4", path, sizeof path);
        err = file_open(path, &r->file);
        if (err == E_OK) err = read_inits(r);
        media = media || r->n > 0;
    }
    if (err == E_OK && !media) err = E_NOTFOUND;
    if (err == E_OK)
        *out = a;
    else
        archive_unref(a);
    free(st);
    return err;
}
