/* SPDX-License-Identifier: MIT */
#include "record/mp4_file.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wire/fmp4_read.h"
#include "wire/mp4.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ENTRIES_MAX 32 /* configurations of one track */

/* A chunk, and where its bytes are now. */
struct piece {
    uint64_t off, len; /* in the data file */
    int64_t at_us;     /* of its first sample */
};

struct gathered {
    const struct archive_rendition *r;
    struct mp4_track t;
    struct mp4_sample *samples;
    size_t n_samples, cap_samples;
    struct mp4_chunk *chunks;
    struct piece *pieces;
    size_t n_chunks, cap_chunks;
    struct span entries[ENTRIES_MAX];
    uint32_t entry_ids[ENTRIES_MAX]; /* of the initialisation segments */
    uint64_t last_dts;
    int64_t first_us;
};

/* --- reading --- */

static enum err read_at(const struct file *f, uint64_t off, uint8_t *to, size_t len)
{
    while (len) {
        const ssize_t n = pread(f->fd, to, len, (off_t)off);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return E_IO;
        to += n;
        off += (uint64_t)n;
        len -= (size_t)n;
    }
    return E_OK;
}

static void grow(void *p, size_t *cap, size_t n, size_t each)
{
    void **at = p;
    if (n < *cap) return;
    *cap = *cap ? *cap * 2 : 256;
    *at = xrealloc(*at, *cap * each);
}

static enum err add_sample(struct gathered *g, const struct fmp4_sample_info *s)
{
    if (g->n_samples == LIMIT_MP4_SAMPLES) return E_LIMIT;
    grow(&g->samples, &g->cap_samples, g->n_samples, sizeof *g->samples);
    if (g->n_samples) { /* what lies between two is the first one's */
        const uint64_t between = s->dts - g->last_dts;
        if (s->dts > g->last_dts && between < INT32_MAX)
            g->samples[g->n_samples - 1].duration = (uint32_t)between;
    }
    g->samples[g->n_samples++] =
        (struct mp4_sample){s->duration, (uint32_t)s->data.len, s->offset, s->key};
    g->last_dts = s->dts;
    return E_OK;
}

static int64_t time_us(const struct gathered *g, uint64_t dts, int32_t offset)
{
    return (int64_t)(((double)dts + offset) * 1e6 / g->t.timescale);
}

/* The samples of a fragment: one chunk, unless there is something between them. */
static enum err add_fragment(struct gathered *g, const struct fmp4_init *init,
                             const struct fmp4_fragment *f, const uint8_t *base, uint64_t off,
                             uint32_t entry)
{
    struct fmp4_walk w;
    struct fmp4_sample_info s;
    const uint8_t *next = NULL;
    enum err e;
    fmp4_walk_init(&w, init, f);
    while ((e = fmp4_sample_next(&w, &s)) == E_OK) {
        if (!g->n_samples) g->first_us = time_us(g, s.dts, s.offset);
        if (s.data.p != next || !next) {
            size_t cap = g->cap_chunks;
            grow(&g->chunks, &g->cap_chunks, g->n_chunks, sizeof *g->chunks);
            grow(&g->pieces, &cap, g->n_chunks, sizeof *g->pieces);
            g->chunks[g->n_chunks] = (struct mp4_chunk){.entry = entry};
            g->pieces[g->n_chunks++] = (struct piece){.off = off + (uint64_t)(s.data.p - base),
                                                      .at_us = time_us(g, s.dts, 0)};
        }
        g->chunks[g->n_chunks - 1].n_samples++;
        g->pieces[g->n_chunks - 1].len += s.data.len;
        next = s.data.p + s.data.len;
        e = add_sample(g, &s);
        if (e != E_OK) return e;
    }
    return e == E_NOTFOUND ? E_OK : e;
}

/* Which entry decodes what needs this initialisation segment. */
static enum err find_entry(struct gathered *g, uint32_t id, struct fmp4_init *init, uint32_t *entry)
{
    const struct archive_init *in = archive_init_find(g->r->inits, id);
    if (!in || fmp4_init_parse(buf_span(in->bytes), init) != E_OK || !init->n_tracks)
        return E_PROTO;
    for (unsigned i = 0; i < g->t.n_entries; i++) {
        *entry = i;
        if (g->entry_ids[i] == id) return E_OK;
    }
    if (g->t.n_entries == ENTRIES_MAX) return E_LIMIT;
    if (!g->t.n_entries) {
        g->t.timescale = init->tracks[0].timescale;
        g->t.width = in->width;
        g->t.height = in->height;
    }
    /* One track has one time scale. */
    if (!g->t.timescale || init->tracks[0].timescale != g->t.timescale) return E_UNSUPPORTED;
    *entry = g->t.n_entries;
    g->entries[*entry] = mp4_entries_of(buf_span(in->bytes));
    g->entry_ids[*entry] = id;
    g->t.n_entries++;
    return g->entries[*entry].p ? E_OK : E_PROTO;
}

static enum err add_segment(struct gathered *g, const struct archive_segment *seg, struct str *room)
{
    struct fmp4_init init;
    struct fmp4_fragment f;
    uint32_t entry;
    if (seg->s.gap || !seg->len) return E_OK;
    enum err e = find_entry(g, seg->s.init_id, &init, &entry);
    room->len = 0;
    str_reserve(room, seg->len);
    if (e == E_OK) e = read_at(g->r->file, seg->off, room->p, seg->len);
    struct span rest = span_of(room->p, seg->len);
    while (e == E_OK) {
        e = fmp4_fragment_next(&rest, &f);
        if (e == E_OK) e = add_fragment(g, &init, &f, room->p, seg->off, entry);
    }
    return e == E_NOTFOUND ? E_OK : e;
}

/* Moves it to where it is to begin. */
static void move(struct gathered *g, int64_t begins_us)
{
    const int64_t by = begins_us - g->first_us;
    for (size_t i = 0; i < g->n_chunks; i++) g->pieces[i].at_us += by;
    g->first_us = begins_us;
}

static enum err gather(const struct mp4_source *from, bool video, struct gathered *g)
{
    struct str room = {0};
    enum err e = E_OK;
    g->r = from->r;
    g->t.video = video;
    if (!g->r->file) return E_NOTFOUND;
    for (uint64_t i = 0; i < g->r->n && e == E_OK; i++)
        e = add_segment(g, archive_segment(g->r, i), &room);
    str_fini(&room);
    g->t.samples = g->samples;
    g->t.n_samples = g->n_samples;
    g->t.chunks = g->chunks;
    g->t.n_chunks = g->n_chunks;
    g->t.entries = g->entries;
    if (e == E_OK && !g->n_samples) return E_NOTFOUND;
    if (e == E_OK && from->begins_us != MP4_AS_IT_IS) move(g, from->begins_us);
    return e;
}

/* --- writing --- */

static enum err write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        const ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
        p += n;
        len -= (size_t)n;
    }
    return E_OK;
}

/* The track whose next chunk is the earlier one; n: none is left. */
static unsigned next_track(const struct gathered *g, unsigned n, const size_t *done)
{
    unsigned best = n;
    for (unsigned i = 0; i < n; i++)
        if (done[i] < g[i].n_chunks &&
            (best == n || g[i].pieces[done[i]].at_us < g[best].pieces[done[best]].at_us))
            best = i;
    return best;
}

/* Sound and picture side by side, as they are played. */
static uint64_t place(struct gathered *g, unsigned n)
{
    size_t done[2] = {0};
    uint64_t at = 0;
    for (unsigned i; (i = next_track(g, n, done)) < n; done[i]++) {
        g[i].chunks[done[i]].at = at;
        at += g[i].pieces[done[i]].len;
    }
    return at;
}

static enum err write_media(const struct gathered *g, unsigned n, int fd)
{
    size_t done[2] = {0};
    struct str room = {0};
    enum err e = E_OK;
    for (unsigned i; e == E_OK && (i = next_track(g, n, done)) < n; done[i]++) {
        const struct piece *p = &g[i].pieces[done[i]];
        room.len = 0;
        str_reserve(&room, p->len);
        e = read_at(g[i].r->file, p->off, room.p, p->len);
        if (e == E_OK) e = write_all(fd, room.p, p->len);
    }
    str_fini(&room);
    return e;
}

static enum err check_room(int fd, uint64_t bytes, int64_t min_free_bytes)
{
    struct statvfs v;
    if (fstatvfs(fd, &v) != 0) return E_IO;
    const uint64_t have = (uint64_t)v.f_bavail * v.f_frsize;
    return have > bytes && have - bytes >= (uint64_t)min_free_bytes ? E_OK : E_FULL;
}

static enum err write_file(struct gathered *g, unsigned n, const char *path, int64_t min_free_bytes,
                           uint64_t *bytes)
{
    char part[4100];
    struct str head = {0};
    struct mp4_track t[2];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) return E_LIMIT;
    const uint64_t media = place(g, n);
    for (unsigned i = 0; i < n; i++) {
        t[i] = g[i].t;
        if (n == 2) t[i].delay_us = g[i].first_us - g[1 - i].first_us;
    }
    const int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) return errno == ENOSPC ? E_FULL : E_IO;
    mp4_head_write(t, n, media, &head);
    enum err e = check_room(fd, head.len + media, min_free_bytes);
    if (e == E_OK) e = write_all(fd, head.p, head.len);
    if (e == E_OK) e = write_media(g, n, fd);
    if (e == E_OK && fdatasync(fd) != 0) e = errno == ENOSPC ? E_FULL : E_IO;
    if (close(fd) != 0 && e == E_OK) e = E_IO;
    if (e == E_OK && rename(part, path) != 0) e = E_IO;
    if (e != E_OK) unlink(part);
    *bytes = head.len + media;
    str_fini(&head);
    return e;
}

static void set_begins(const struct gathered *g, unsigned n, struct mp4_made *out)
{
    for (unsigned i = 0; i < n; i++)
        *(g[i].t.video ? &out->video_begins_us : &out->audio_begins_us) = g[i].first_us;
}

enum err mp4_file_make(const struct mp4_source *video, const struct mp4_source *audio,
                       const char *path, int64_t min_free_bytes, struct mp4_made *out)
{
    struct gathered *g = xcalloc(2, sizeof *g);
    unsigned n = 0;
    enum err e = !video && !audio ? E_NOTFOUND : E_OK;
    *out = (struct mp4_made){0};
    if (e == E_OK && video) e = gather(video, true, &g[n++]);
    if (e == E_OK && audio) e = gather(audio, false, &g[n++]);
    if (e == E_NOTFOUND && n == 2) { /* one without the other */
        e = E_OK;
        n = 1;
    }
    if (e == E_OK) set_begins(g, n, out);
    if (e == E_OK) e = write_file(g, n, path, min_free_bytes, &out->bytes);
    for (unsigned i = 0; i < 2; i++) {
        free(g[i].samples);
        free(g[i].chunks);
        free(g[i].pieces);
    }
    free(g);
    return e;
}
