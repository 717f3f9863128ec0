/* SPDX-License-Identifier: MIT */
/* tests/unit/packager_check.h - takes the events of a packager and holds them against its
 * promises (engine/packager.h) and the rules of HLS; keeps what tests want to count. */
#pragma once
#include "base/limits.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "engine/packager.h"
#include "wire/fmp4_read.h"
#include <inttypes.h>
#include <stdio.h>

struct seg_seen {
    uint64_t msn;
    int64_t start_us, duration_us, wall_us;
    uint32_t init_id, parts;
    bool gap, independent, discontinuity;
};

struct lane_check {
    struct buf *init_buf;
    struct fmp4_init init;
    uint32_t init_id, n_inits, timescale;
    bool began;       /* the open segment is the first of a period */
    bool open, fresh; /* fresh: a period has begun, tfdt may jump forward */
    uint64_t end, segment_tfdt;
    uint32_t parts;
    int64_t prev_part_us; /* the part before, of the same segment; 0: none */
    struct seg_seen *segs;
    unsigned n_segs;
    unsigned samples, keys, short_parts, long_parts, n_parts;
    uint64_t bytes;
    int64_t first_pts_us, last_pts_us; /* of samples */
    struct str file;                   /* init and parts since the newest INIT, when kept */
};

struct check {
    const struct packager *p;
    uint32_t target_s;
    int64_t audio_frame_us; /* alignment: half of it is allowed */
    bool irregular;         /* frame rate: parts may be short */
    bool short_ok;          /* parts may be short, not long */
    bool keep;
    bool trace; /* print every event, for the eye */
    unsigned n_discontinuities;
    struct lane_check v, a;
    struct lane_check layers[3]; /* v1 and up */
};

static inline struct lane_check *check_lane(struct check *c, const struct packager_event *e)
{
    return e->rendition == 'a' ? &c->a : e->number == 0 ? &c->v : &c->layers[e->number - 1];
}

/* All renditions, v0 first. */
static inline struct lane_check *check_nth(struct check *c, unsigned i)
{
    return i == 0 ? &c->v : i == 1 ? &c->a : &c->layers[i - 2];
}
#define CHECK_LANES 5

#define SAY(cond)                                                                                  \
    do {                                                                                           \
        if (cond) break;                                                                           \
        fprintf(stderr,                                                                            \
                "%s: at %c msn %" PRIu64 " part %u start %" PRId64 " for %" PRId64 " us\n", #cond, \
                e->rendition, e->msn, e->part, e->start_us, e->duration_us);                       \
        abort();                                                                                   \
    } while (0)

static inline void check_samples(struct check *c, struct lane_check *l,
                                 const struct packager_event *e)
{
    struct span rest = buf_span(e->buf);
    struct fmp4_fragment f;
    struct fmp4_walk w;
    struct fmp4_sample_info s = {0};
    SAY(fmp4_fragment_next(&rest, &f) == E_OK && rest.len == 0);
    fmp4_walk_init(&w, &l->init, &f);
    uint64_t t = e->tfdt;
    enum err err;
    bool first = true;
    while ((err = fmp4_sample_next(&w, &s)) == E_OK) {
        SAY(s.dts == t);
        SAY(!first || s.key == e->independent);
        const int64_t pts_us = ((int64_t)s.dts + s.offset) * 1000000 / e->timescale;
        if (l->samples == 0) l->first_pts_us = pts_us;
        l->last_pts_us = pts_us;
        l->samples++;
        l->keys += s.key;
        l->bytes += s.data.len;
        t += s.duration;
        first = false;
    }
    (void)c;
    SAY(err == E_NOTFOUND && !first);
    SAY(t == e->tfdt + e->duration);
}

static inline void check_part(struct check *c, struct lane_check *l, const struct packager_event *e)
{
    SAY(l->init_buf && e->init_id == l->init_id);
    SAY(e->msn == (l->n_segs ? l->segs[l->n_segs - 1].msn + 1 : e->msn));
    SAY(e->part == l->parts);
    SAY(e->rendition == 'v' || e->independent);
    if (l->fresh)
        SAY(e->tfdt >= l->end);
    else
        SAY(e->tfdt == l->end);
    if (l->parts == 0) l->segment_tfdt = e->tfdt;
    if (l->parts == 0) l->began = l->fresh;
    l->fresh = false;
    l->end = e->tfdt + e->duration;
    l->parts++;
    l->n_parts++;
    check_samples(c, l, e);
    const int64_t target_us = packager_part_target_us(c->p);
    if (e->duration_us > target_us + 1) l->long_parts++;
    if (!e->last && e->duration_us * 100 < target_us * 85) l->short_parts++;
    if (!c->irregular) {
        SAY(e->duration_us <= target_us + 1);
        SAY(e->last || c->short_ok || e->duration_us * 100 >= target_us * 85);
    }
    if (c->keep) str_add(&l->file, buf_span(e->buf));
    l->open = !e->last;
}

static inline void check_segment(struct check *c, struct lane_check *l,
                                 const struct packager_event *e)
{
    SAY(!l->open);
    SAY(e->part == l->parts && e->gap == (l->parts == 0));
    if (l->n_segs) SAY(e->msn == l->segs[l->n_segs - 1].msn + 1);
    if (!e->gap) {
        SAY(e->tfdt == l->segment_tfdt && e->tfdt + e->duration == l->end);
    } else {
        l->end = e->tfdt + e->duration;
        l->fresh = true; /* media may begin anywhere after it */
    }
    SAY((e->duration_us + 500000) / 1000000 <=
        c->target_s); /* EXTINF rounds to at most the target */
    l->segs = xrealloc(l->segs, (l->n_segs + 1) * sizeof *l->segs);
    l->segs[l->n_segs++] = (struct seg_seen){
        .msn = e->msn,
        .start_us = e->start_us,
        .duration_us = e->duration_us,
        .wall_us = e->wall_us,
        .init_id = e->init_id,
        .parts = e->part,
        .gap = e->gap,
        .independent = e->independent,
        .discontinuity = l->began,
    };
    l->parts = 0;
}

static inline void check_event(struct check *c, const struct packager_event *e)
{
    static const char *const NAMES[] = {"init", "part", "segment end", "discontinuity"};
    if (c->trace) {
        fprintf(stderr, "%s %c%u msn %" PRIu64 " part %u at %" PRId64 " for %" PRId64 "%s\n",
                NAMES[e->kind], e->rendition ? e->rendition : 0x2d, e->number, e->msn, e->part,
                e->start_us, e->duration_us, e->gap ? " gap" : "");
    }
    struct lane_check *l = check_lane(c, e);
    switch (e->kind) {
    case PACKAGER_DISCONTINUITY:
        for (unsigned i = 0; i < CHECK_LANES; i++) {
            struct lane_check *k = check_nth(c, i);
            SAY(!k->open);
            SAY(!k->n_segs || k->segs[k->n_segs - 1].msn + 1 == e->msn);
            k->fresh = true;
        }
        c->n_discontinuities++;
        break;
    case PACKAGER_INIT:
        SAY(!l->open && e->init_id == l->init_id + 1);
        if (l->timescale) l->end = (uint64_t)((double)l->end * e->timescale / l->timescale);
        l->timescale = e->timescale;
        l->init_id = e->init_id;
        l->n_inits++;
        buf_unref(l->init_buf);
        l->init_buf = buf_ref(e->buf);
        SAY(fmp4_init_parse(buf_span(l->init_buf), &l->init) == E_OK);
        SAY(l->init.n_tracks == 1 && l->init.tracks[0].timescale == e->timescale);
        SAY(l->init.tracks[0].width == e->track->width);
        l->fresh = l->fresh || l->n_inits == 1;
        if (c->keep) {
            l->file.len = 0;
            str_add(&l->file, buf_span(e->buf));
        }
        break;
    case PACKAGER_PART:
        check_part(c, l, e);
        break;
    case PACKAGER_SEGMENT_END:
        check_segment(c, l, e);
        break;
    }
}

static inline void check_drain(struct check *c, struct packager *p)
{
    struct packager_event e;
    c->p = p;
    while (packager_next(p, &e)) {
        check_event(c, &e);
        packager_event_fini(&e);
    }
}

/* Segments of the same number begin at the same time, but for half an audio frame. */
static inline void check_aligned(const struct check *c)
{
    unsigned k = 0;
    for (unsigned i = 0; i < c->v.n_segs; i++) {
        const struct seg_seen *v = &c->v.segs[i];
        while (k < c->a.n_segs && c->a.segs[k].msn < v->msn) k++;
        if (k == c->a.n_segs) break;
        const struct seg_seen *a = &c->a.segs[k];
        if (v->gap || a->gap || a->msn != v->msn) continue;
        int64_t apart = v->start_us - a->start_us;
        if (apart < 0) apart = -apart;
        /* Sound that was alone has gone on by a frame when the picture comes. */
        const int64_t most = v->discontinuity ? c->audio_frame_us : c->audio_frame_us / 2;
        if (apart > most + 1000) {
            fprintf(stderr, "msn %" PRIu64 ": v %" PRId64 " a %" PRId64 "\n", v->msn, v->start_us,
                    a->start_us);
            CHECK(!"aligned");
        }
    }
}

/* Renditions of the picture begin their segments together, and show the same gap-free time. */
static inline void check_layers_aligned(struct check *c, int64_t most_us)
{
    for (unsigned n = 0; n < 3; n++) {
        const struct lane_check *l = &c->layers[n];
        for (unsigned i = 0; i < l->n_segs; i++) {
            const struct seg_seen *s = &l->segs[i];
            if (s->msn < c->v.segs[0].msn || s->msn - c->v.segs[0].msn >= c->v.n_segs) continue;
            const struct seg_seen *v = &c->v.segs[s->msn - c->v.segs[0].msn];
            if (s->gap || v->gap) continue;
            const int64_t apart = s->start_us - v->start_us;
            if (apart >= -most_us && apart <= most_us) continue;
            fprintf(stderr, "v%u msn %" PRIu64 ": %" PRId64 " us apart\n", n + 1, s->msn, apart);
            CHECK(!"layers aligned");
        }
    }
}

static inline void check_fini(struct check *c)
{
    for (unsigned i = 0; i < CHECK_LANES; i++) {
        struct lane_check *l = check_nth(c, i);
        buf_unref(l->init_buf);
        free(l->segs);
        str_fini(&l->file);
    }
}
