/* SPDX-License-Identifier: MIT */
#include "engine/packager_lane.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wire/opus.h"

/* --- events ------------------------------------------------------------------------------ */

struct packager_event *packager_event_add(struct packager_events *q)
{
    if (q->head == q->len) q->head = q->len = 0;
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 16;
        q->v = xrealloc(q->v, q->cap * sizeof *q->v);
    }
    struct packager_event *e = &q->v[q->len++];
    *e = (struct packager_event){0};
    return e;
}

bool packager_event_take(struct packager_events *q, struct packager_event *out)
{
    if (q->head == q->len) return false;
    *out = q->v[q->head++];
    return true;
}

void packager_event_fini(struct packager_event *ev)
{
    buf_unref(ev->buf);
    track_unref((struct track *)ev->track);
    *ev = (struct packager_event){0};
}

/* --- time -------------------------------------------------------------------------------- */

uint64_t packager_ticks(int64_t us, uint32_t timescale)
{
    if (us <= 0) return 0;
    const uint64_t u = (uint64_t)us, s = US_PER_SEC;
    return u / s * timescale + (u % s * timescale + s / 2) / s;
}

int64_t packager_us(uint64_t ticks, uint32_t timescale)
{
    const uint64_t s = US_PER_SEC;
    return (int64_t)(ticks / timescale * s + (ticks % timescale * s + timescale / 2) / timescale);
}

/* --- lane -------------------------------------------------------------------------------- */

uint64_t packager_lane_tick(const struct packager_lane *l, int64_t us)
{
    return packager_ticks(us - l->shift_us, l->timescale);
}

int64_t packager_lane_us(const struct packager_lane *l, uint64_t tick)
{
    return packager_us(tick, l->timescale) + l->shift_us;
}

void packager_lane_init(struct packager_lane *l, char name, uint8_t number)
{
    *l = (struct packager_lane){.name = name, .number = number};
}

void packager_lane_fini(struct packager_lane *l)
{
    for (unsigned i = 0; i < l->n; i++) frame_unref(l->frames[i]);
    free(l->frames);
    free(l->ticks);
    free(l->samples);
    track_unref(l->track);
}

bool packager_lane_begun(const struct packager_lane *l)
{
    return l->n > 0 || l->parts > 0;
}

static const enum fmp4_entry ENTRY[CODEC_COUNT] = {
    [CODEC_H264] = FMP4_AVC1, [CODEC_H265] = FMP4_HVC1, [CODEC_AV1] = FMP4_AV01,
    [CODEC_VP9] = FMP4_VP09,  [CODEC_AAC] = FMP4_MP4A,  [CODEC_OPUS] = FMP4_OPUS,
};

static struct buf *build_init(const struct track *t)
{
    struct fmp4_track f = {
        .entry = ENTRY[t->codec],
        .timescale = t->timescale,
        .width = t->width,
        .height = t->height,
        .sample_rate = t->sample_rate,
        .channels = t->channels,
        .config = buf_span(t->config),
    };
    struct str s = {0}, dops = {0};
    if (t->codec == CODEC_OPUS) {
        struct opus_head h;
        str_reserve(&dops, f.config.len);
        struct wr w = wr_to(dops.p, dops.cap);
        CHECK(opus_head_parse(f.config, &h) == E_OK); /* track_from_config() has read it before */
        opus_dops_build(&h, &w);
        f.config = wr_span(&w);
    }
    fmp4_init_write(&f, &s);
    str_fini(&dops);
    return str_take_buf(&s);
}

bool packager_same_init(const struct track *a, const struct track *b)
{
    return track_same(a, b) && a->width == b->width && a->height == b->height;
}

void packager_lane_start(struct packager_lane *l, struct packager_events *q, struct track *t,
                         int64_t start_us, int64_t shift_us, int64_t wall_offset_us)
{
    l->used = l->existed = true;
    l->shift_us = shift_us;
    l->start_us = start_us;
    l->wall_offset_us = wall_offset_us;
    const bool same = l->track && packager_same_init(l->track, t);
    track_ref(t);
    track_unref(l->track);
    l->track = t; /* the very object: it is how the owner knows its frames */
    if (same) return;
    /* Another time scale: the clock is the same, its numbers are not. */
    if (l->timescale && l->timescale != t->timescale) {
        l->end = packager_ticks(packager_us(l->end, l->timescale), t->timescale);
    }
    l->timescale = t->timescale;
    l->init_id++;
    struct packager_event *e = packager_event_add(q);
    e->kind = PACKAGER_INIT;
    e->rendition = l->name;
    e->number = l->number;
    e->init_id = l->init_id;
    e->timescale = l->timescale;
    e->buf = build_init(t);
    e->track = track_ref(t);
}

static void grow(struct packager_lane *l)
{
    if (l->n < l->cap) return;
    l->cap = l->cap ? 2 * l->cap : 64;
    l->frames = xrealloc(l->frames, l->cap * sizeof *l->frames);
    l->ticks = xrealloc(l->ticks, l->cap * sizeof *l->ticks);
    l->samples = xrealloc(l->samples, l->cap * sizeof *l->samples);
}

void packager_lane_add(struct packager_lane *l, struct frame *f, uint64_t tick, int64_t offset)
{
    grow(l);
    if (tick < l->end) {
        offset -= (int64_t)(l->end - tick);
        tick = l->end;
    }
    if (l->n > 0) l->samples[l->n - 1].duration = (uint32_t)(tick - l->ticks[l->n - 1]);
    if (!packager_lane_begun(l)) {
        l->segment_tfdt = tick;
        l->segment_independent = f->key;
    }
    l->frames[l->n] = f;
    l->ticks[l->n] = tick;
    l->samples[l->n] =
        (struct fmp4_sample){.size = (uint32_t)f->len, .offset = (int32_t)offset, .key = f->key};
    l->bytes += f->len;
    l->end = tick + 1;
    l->n++;
}

/* The times of an event, from `tfdt` to `end`. */
static struct packager_event *add_event(struct packager_lane *l, struct packager_events *q,
                                        enum packager_event_kind kind, uint64_t tfdt, uint64_t end)
{
    struct packager_event *e = packager_event_add(q);
    e->kind = kind;
    e->rendition = l->name;
    e->number = l->number;
    e->init_id = l->init_id;
    e->msn = l->msn;
    e->part = l->parts;
    e->timescale = l->timescale;
    e->tfdt = tfdt;
    e->duration = end - tfdt;
    e->start_us = packager_lane_us(l, tfdt);
    e->duration_us = packager_lane_us(l, end) - e->start_us;
    e->wall_us = e->start_us + l->wall_offset_us;
    return e;
}

/* The one copy of a frame's bytes: the first n samples, which go. */
static struct buf *build_part(struct packager_lane *l, unsigned n)
{
    size_t bytes = fmp4_chunk_head_bytes(l->samples, n);
    for (unsigned i = 0; i < n; i++) bytes += l->samples[i].size;
    struct buf *b = buf_new(bytes);
    struct wr w = wr_to(b->data, b->len);
    fmp4_chunk_head_write(++l->sequence, l->ticks[0], l->samples, n, &w);
    for (unsigned i = 0; i < n; i++) {
        wr_str(&w, frame_span(l->frames[i]));
        l->bytes -= l->frames[i]->len;
        frame_unref(l->frames[i]);
    }
    CHECK(!w.overflow && wr_used(&w) == b->len);
    l->n -= n;
    memmove(l->frames, l->frames + n, l->n * sizeof *l->frames);
    memmove(l->ticks, l->ticks + n, l->n * sizeof *l->ticks);
    memmove(l->samples, l->samples + n, l->n * sizeof *l->samples);
    return b;
}

static void emit_part(struct packager_lane *l, struct packager_events *q, unsigned n, uint64_t tick,
                      bool last)
{
    struct packager_event *e = add_event(l, q, PACKAGER_PART, l->ticks[0], tick);
    e->independent = l->samples[0].key;
    e->last = last;
    e->buf = build_part(l, n);
    l->parts++;
}

void packager_lane_close_part(struct packager_lane *l, struct packager_events *q, uint64_t tick,
                              bool last)
{
    if (l->n == 0) return;
    if (tick < l->end) tick = l->end;
    l->samples[l->n - 1].duration = (uint32_t)(tick - l->ticks[l->n - 1]);
    l->end = tick;
    emit_part(l, q, l->n, tick, last);
}

bool packager_lane_fit_part(struct packager_lane *l, struct packager_events *q, uint64_t tick,
                            int64_t most_us)
{
    if (l->n < 2) return false;
    if (packager_us(tick, l->timescale) - packager_us(l->ticks[0], l->timescale) <= most_us) {
        return false;
    }
    emit_part(l, q, l->n - 1, l->ticks[l->n - 1], false);
    return true;
}

void packager_lane_close_segment(struct packager_lane *l, struct packager_events *q, uint64_t tick)
{
    packager_lane_close_part(l, q, tick, true);
    const bool gap = l->parts == 0;
    uint64_t start = l->segment_tfdt;
    if (gap) {
        const uint64_t period = packager_lane_tick(l, l->start_us);
        start = l->end > period ? l->end : period;
        l->end = tick > start ? tick : start;
    }
    struct packager_event *e = add_event(l, q, PACKAGER_SEGMENT_END, start, l->end);
    e->gap = gap;
    e->independent = !gap && l->segment_independent;
    l->msn++;
    l->parts = 0;
}
