/* SPDX-License-Identifier: MIT */
#include "video/clip_clock.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/file.h"
#include "record/recording.h"
#include "wire/fmp4_read.h"
#include <unistd.h>

/* A part is some pictures: its moof is small. */
enum { HEAD_BYTES = 256 << 10 };

static const struct archive_rendition *lead_of(const struct archive *a)
{
    for (unsigned i = 0; i < a->n_renditions; i++)
        if (a->r[i].kind == MEDIA_VIDEO) return &a->r[i];
    return a->n_renditions ? &a->r[0] : NULL;
}

static enum err timescale_of(const struct archive_rendition *r, uint32_t init_id, uint32_t *out)
{
    struct fmp4_init init;
    const struct archive_init *in = archive_init_find(r->inits, init_id);
    if (!in || !in->bytes || fmp4_init_parse(buf_span(in->bytes), &init) != E_OK) return E_PROTO;
    *out = init.n_tracks ? init.tracks[0].timescale : 0;
    return *out ? E_OK : E_PROTO;
}

static enum err media_time(const struct archive_rendition *r, const struct archive_segment *seg,
                           uint8_t *room, int64_t *out)
{
    uint64_t units;
    uint32_t scale;
    enum err e = timescale_of(r, seg->s.init_id, &scale);
    if (e != E_OK) return e;
    const size_t want = seg->len < HEAD_BYTES ? seg->len : HEAD_BYTES;
    const ssize_t got = pread(r->file->fd, room, want, (off_t)seg->off);
    if (got <= 0) return E_IO;
    e = fmp4_first_time(span_of(room, (size_t)got), &units);
    if (e != E_OK) return E_PROTO;
    *out = (int64_t)((double)units * (double)US_PER_SEC / scale);
    return E_OK;
}

static enum err read_periods(const struct archive_rendition *r, uint8_t *room,
                             struct clip_clock *out)
{
    uint64_t dsn = 0;
    int64_t media = 0, zero = 0;
    for (uint64_t i = 0; i < r->n && out->n < LIMIT_CLIP_PERIODS; i++) {
        const struct archive_segment *seg = archive_segment(r, i);
        if (seg->s.gap || (out->n && seg->s.dsn == dsn && !seg->s.discontinuity)) continue;
        const enum err e = media_time(r, seg, room, &media);
        if (e != E_OK) return e;
        if (!out->n) zero = media;
        dsn = seg->s.dsn;
        out->period = xrealloc(out->period, (out->n + 1) * sizeof *out->period);
        out->period[out->n++] = (struct clip_period){media - zero, seg->s.wall_us};
    }
    return out->n ? E_OK : E_NOTFOUND;
}

enum err clip_clock_read(const char *dir, struct clip_clock *out)
{
    struct archive *a;
    *out = (struct clip_clock){0};
    enum err e = recording_load(dir, &a);
    if (e != E_OK) return e;
    const struct archive_rendition *r = lead_of(a);
    uint8_t *room = xmalloc(HEAD_BYTES);
    e = r && r->file ? read_periods(r, room, out) : E_NOTFOUND;
    free(room);
    archive_unref(a);
    if (e != E_OK) clip_clock_fini(out);
    return e;
}

void clip_clock_fini(struct clip_clock *c)
{
    free(c->period);
    *c = (struct clip_clock){0};
}

int64_t clip_clock_wall(const struct clip_clock *c, int64_t media_us)
{
    size_t k = c->n - 1;
    while (k > 0 && c->period[k].media_us > media_us) k--;
    return c->period[k].wall_us + media_us - c->period[k].media_us;
}
