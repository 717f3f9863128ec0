/* SPDX-License-Identifier: MIT */
/* tests/unit/bridge/rig.h - a transcoder on a running loop, and what came out of it. */
#pragma once
#include "../media_file.h"
#include "../test.h"
#include "../two_loops.h"
#include "base/str.h"
#include "bridge/transcoder.h"
#include <time.h>

#define RIG_FRAMES 4096

struct rig {
    struct transcoder *t;
    struct transcoder_spec spec;
    enum err opened;
    struct track *track[2];
    unsigned n_tracks, n_keys_asked;
    struct frame *frames[RIG_FRAMES];
    unsigned n[2], n_frames;
    bool failed;
    enum err why;
    char reason[256];
    struct transcoder *next; /* every frame is handed on to it, when there is one */
};

static struct two_loops loops;

static void rig_track(void *ctx, struct track *t)
{
    struct rig *r = ctx;
    track_unref(r->track[t->kind]);
    r->track[t->kind] = track_ref(t);
    r->n_tracks++;
}

static void rig_frame(void *ctx, struct frame *f)
{
    struct rig *r = ctx;
    assert_non_null(r->track[codec_kind(f->codec)]);
    assert_true(r->n_frames < RIG_FRAMES);
    r->frames[r->n_frames++] = f;
    r->n[codec_kind(f->codec)]++;
    if (r->next) transcoder_frame(r->next, f);
}

static void rig_want_key(void *ctx)
{
    ((struct rig *)ctx)->n_keys_asked++;
}

static void rig_failed(void *ctx, enum err why, const char *reason)
{
    struct rig *r = ctx;
    r->failed = true;
    r->why = why;
    snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static void rig_open_there(void *arg)
{
    static const struct transcoder_ops OPS = {.on_track = rig_track,
                                              .on_frame = rig_frame,
                                              .on_want_key = rig_want_key,
                                              .on_failed = rig_failed};
    struct rig *r = arg;
    r->opened = transcoder_open(loops.loops[0], &r->spec, &OPS, r, &r->t);
}

static inline enum err rig_open(struct rig *r)
{
    on_loop(&loops, 0, rig_open_there, r);
    return r->opened;
}

static void rig_close_there(void *arg)
{
    struct rig *r = arg;
    if (r->t) transcoder_close(r->t);
    r->t = NULL;
}

/* Nothing comes any more: what came may be looked at from here. */
static inline void rig_stop(struct rig *r)
{
    on_loop(&loops, 0, rig_close_there, r);
}

static inline void rig_close(struct rig *r)
{
    rig_stop(r);
    for (unsigned i = 0; i < r->n_frames; i++) frame_unref(r->frames[i]);
    for (unsigned k = 0; k < 2; k++) track_unref(r->track[k]);
}

struct rig_feed {
    struct rig *rig;
    const struct media_file *m;
    unsigned from, to;
    int64_t shift_us;
};

static void rig_feed_there(void *arg)
{
    const struct rig_feed *a = arg;
    for (unsigned i = a->from; i < a->to; i++) {
        const struct media_sample *s = &a->m->samples[i];
        struct frame *f = frame_new(s->data.len);
        memcpy(f->data, s->data.p, s->data.len);
        f->track = a->m->track->id;
        f->codec = a->m->codec;
        f->key = s->key;
        f->dts_us = s->dts_us + a->shift_us;
        f->pts_us = s->pts_us + a->shift_us;
        f->wall_us = INT64_C(1767225600000000) + f->pts_us;
        transcoder_frame(a->rig->t, f);
        frame_unref(f);
    }
}

static inline void rig_feed(struct rig *r, const struct media_file *m, unsigned from, unsigned to,
                            int64_t shift_us)
{
    struct rig_feed a = {r, m, from, to, shift_us};
    on_loop(&loops, 0, rig_feed_there, &a);
}

struct rig_ask {
    bool (*is)(struct rig *r, unsigned n);
    struct rig *rig;
    unsigned n;
    bool yes;
};

static void rig_ask_there(void *arg)
{
    struct rig_ask *a = arg;
    a->yes = a->is(a->rig, a->n);
}

/* Waits; fails after five minutes: under a sanitizer, on a machine with more to do, a minute of
 * media takes long. */
static inline void rig_until(struct rig *r, bool (*is)(struct rig *r, unsigned n), unsigned n)
{
    struct rig_ask a = {.is = is, .rig = r, .n = n};
    for (unsigned i = 0; i < 30000; i++) {
        on_loop(&loops, 0, rig_ask_there, &a);
        if (a.yes) return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    printf("frames %u+%u, tracks %u, failed %d %s\n", r->n[0], r->n[1], r->n_tracks, r->failed,
           r->reason);
    fail();
}

static void rig_count_there(void *arg)
{
    struct rig_ask *a = arg;
    a->n = a->rig->n_frames;
}

static inline unsigned rig_count(struct rig *r)
{
    struct rig_ask a = {.rig = r};
    on_loop(&loops, 0, rig_count_there, &a);
    return a.n;
}

static inline bool rig_has_frames(struct rig *r, unsigned n)
{
    return r->n_frames >= n;
}

static inline bool rig_has_failed(struct rig *r, unsigned n)
{
    (void)n;
    return r->failed;
}
