/* SPDX-License-Identifier: MIT */
/* States:
 *
 *   IDLE   nothing has come since the start or the last break
 *   WAIT   frames are held until it is known what the period consists of
 *   RUN    frames are placed, audio behind video
 *   DRAIN  video has ended the period at drain_us; audio of before is still placed
 *
 *   IDLE -> WAIT -> RUN -> DRAIN -> WAIT ...        packager_break(): -> IDLE
 *
 * Every change goes through pump(), which takes one step after the other until none can be taken.
 * A step that has to wait for wall clock leaves its time in `deadline_us`. */
#include "engine/packager.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/packager_priv.h"
#include "engine/track_config.h"

/* Audio's cut may be half of this later than video's, and must round to the target too. */
#define AUDIO_FRAME_MAX_US (100 * US_PER_MS)

void packager_wait_until(struct packager *p, int64_t t_us)
{
    if (t_us < p->deadline_us) p->deadline_us = t_us;
}

void packager_enter(struct packager *p, enum packager_state s, int64_t now_us)
{
    p->state = s;
    p->since_us = now_us;
}

static bool step(struct packager *p, int64_t now_us)
{
    switch (p->state) {
    case IDLE:
        return false;
    case WAIT:
        return packager_step_wait(p, now_us);
    case RUN:
        return packager_step_audio(p, now_us) || packager_step_video(p, now_us);
    case DRAIN:
        return packager_step_drain(p, now_us);
    }
    return false;
}

static void pump(struct packager *p, int64_t now_us)
{
    do p->deadline_us = INT64_MAX;
    while (step(p, now_us));
}

/* --- life -------------------------------------------------------------------------------- */

struct packager *packager_new(const struct packager_config *c)
{
    struct packager *p = NEW(struct packager);
    const struct segmenter_config s = {
        .part_us = c->part_ms * US_PER_MS,
        .segment_us = c->segment_ms * US_PER_MS,
        .longest_us = c->target_s * US_PER_SEC + US_PER_SEC / 2 - AUDIO_FRAME_MAX_US,
    };
    p->first = true;
    p->deadline_us = INT64_MAX;
    segmenter_init(&p->cut, &s);
    packager_lane_init(&p->a, 'a', 0);
    return p;
}

void packager_free(struct packager *p)
{
    if (!p) return;
    struct packager_event e;
    while (packager_event_take(&p->events, &e)) packager_event_fini(&e);
    free(p->events.v);
    for (unsigned i = 0; i < p->n_v; i++) {
        source_fini(p, &p->v[i].s);
        packager_lane_fini(&p->v[i].l);
    }
    source_fini(p, &p->audio);
    packager_lane_fini(&p->a);
    free(p);
}

/* --- tracks ------------------------------------------------------------------------------ */

static struct video *video_of(struct packager *p, uint8_t id)
{
    for (unsigned i = 0; i < p->n_v; i++)
        if (p->v[i].id == id) return &p->v[i];
    return NULL;
}

static struct video *new_video(struct packager *p, uint8_t id)
{
    struct video *v = &p->v[p->n_v];
    if (p->n_v == PACKAGER_VIDEOS) return NULL;
    *v = (struct video){.id = id};
    packager_lane_init(&v->l, 'v', (uint8_t)p->n_v);
    const struct packager_lane *like = p->n_v ? &p->v[0].l : &p->a;
    v->l.msn = like->msn;
    p->n_v++;
    return v;
}

static struct source *source_of(struct packager *p, enum media_kind kind, uint8_t id)
{
    struct video *v = kind == MEDIA_VIDEO ? video_of(p, id) : NULL;
    return kind == MEDIA_AUDIO ? &p->audio : v ? &v->s : NULL;
}

void packager_expect(struct packager *p, enum media_kind kind)
{
    if (kind == MEDIA_VIDEO && p->n_v == 0) (void)new_video(p, TRACK_ID_VIDEO);
    (kind == MEDIA_VIDEO ? &p->v[0].s : &p->audio)->expected = true;
}

static void forget_tracks(struct source *s)
{
    track_unref(s->given);
    track_unref(s->track);
    s->given = s->track = NULL;
}

enum err packager_track(struct packager *p, struct track *t, int64_t now_us)
{
    struct source *s = source_of(p, t->kind, t->id);
    if (s && s->given && track_same(s->given, t)) return E_OK;
    const bool fits = t->codec == CODEC_H264 || t->codec == CODEC_H265 || t->codec == CODEC_AV1 ||
                      t->codec == CODEC_VP9 || t->codec == CODEC_AAC || t->codec == CODEC_OPUS;
    if (s) forget_tracks(s);
    if (!fits) return E_UNSUPPORTED;
    if (!s) {
        struct video *v = new_video(p, t->id);
        if (!v) return E_LIMIT;
        s = &v->s;
    }
    s->given = track_ref(t);
    s->track = track_ref(t);
    pump(p, now_us);
    return E_OK;
}

void packager_untrack(struct packager *p, enum media_kind kind, uint8_t id, int64_t now_us)
{
    struct source *s = source_of(p, kind, id);
    if (!s) return;
    forget_tracks(s);
    pump(p, now_us);
}

/* --- frames ------------------------------------------------------------------------------ */

/* False: a key frame that cannot be read and without which the size is not known. */
static bool refine(struct source *s, const struct frame *f)
{
    struct track *t = NULL;
    if (f->key && s->track->kind == MEDIA_VIDEO &&
        track_refine(s->track, frame_span(f), &t) == E_OK) {
        track_unref(s->track);
        s->track = t;
    }
    return s->track->kind == MEDIA_AUDIO || s->track->width > 0;
}

void packager_frame(struct packager *p, struct frame *f, int64_t now_us)
{
    struct source *s = source_of(p, codec_kind(f->codec), f->track);
    if (!s || !s->track || s->track->codec != f->codec || f->len == 0 || !refine(s, f)) {
        p->dropped++;
        return;
    }
    if (p->state == IDLE) packager_enter(p, WAIT, now_us);
    queue_push(&s->q, f, s->track, now_us);
    pump(p, now_us);
}

void packager_tick(struct packager *p, int64_t now_us)
{
    pump(p, now_us);
}

int64_t packager_deadline_us(const struct packager *p)
{
    return p->deadline_us;
}

/* --- ends -------------------------------------------------------------------------------- */

static void flush(struct packager *p, int64_t now_us)
{
    p->forced = true;
    pump(p, now_us);
    while (p->state == RUN) { /* once, and once more for audio that belonged to a next period */
        if (packager_has_video(p)) {
            packager_end_video(p, packager_video_end_us(p), now_us);
            p->drain_us = INT64_MAX;
        } else {
            packager_end_audio_only(p, now_us);
        }
        pump(p, now_us);
    }
    p->forced = false;
}

void packager_break(struct packager *p, int64_t now_us)
{
    flush(p, now_us);
    for (unsigned i = 0; i < p->n_v; i++) source_fini(p, &p->v[i].s);
    source_fini(p, &p->audio);
    p->switched = p->pending_break = false;
    p->state = IDLE;
    p->deadline_us = INT64_MAX;
}

void packager_end(struct packager *p, int64_t now_us)
{
    packager_break(p, now_us);
}

bool packager_next(struct packager *p, struct packager_event *out)
{
    return packager_event_take(&p->events, out);
}

int64_t packager_part_target_us(const struct packager *p)
{
    return p->cut.target_us;
}
