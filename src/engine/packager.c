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
#include "base/limits.h"
#include "base/xalloc.h"
#include "engine/packager_lane.h"
#include "engine/track_config.h"
#include "media/segmenter.h"
#include "wire/opus.h"

#define PART_BYTES_MAX (32u << 20) /* a part is closed at this, whatever its duration */
/* Audio's cut may be half of this later than video's, and must round to the target too. */
#define AUDIO_FRAME_MAX_US (100 * US_PER_MS)
#define PART_FRAMES_MAX    4096
#define HELD_AUDIO_MAX     2048 /* frames of a configuration that has to wait for a key frame */

/* A frame that is not placed yet, under the configuration in force when it came. */
struct item {
    struct frame *f;
    struct track *t;
    int64_t pushed_us;
};

struct queue {
    struct item *v;
    unsigned head, len, cap;
    size_t bytes;
};

/* What is known of one kind since the last break. */
struct source {
    struct track *given; /* as packager_track() got it; owned */
    struct track *track; /* with what key frames say; owned */
    bool expected, lost;
    struct queue q;
};

enum state { IDLE, WAIT, RUN, DRAIN };

struct packager {
    enum state state;
    bool forced;   /* flushing: nothing is waited for */
    bool first;    /* no period yet */
    bool switched; /* the period before ended by itself: wait only for what was in it */
    bool pending_break;
    int64_t since_us; /* of WAIT or DRAIN */
    int64_t deadline_us;
    int64_t start_us, drain_us;
    struct source video, audio;
    struct packager_lane v, a;
    struct packager_events events;
    struct segmenter cut;
    uint64_t dropped;
};

/* --- queues ------------------------------------------------------------------------------ */

static void queue_push(struct queue *q, struct frame *f, struct track *t, int64_t now_us)
{
    if (q->head == q->len) q->head = q->len = 0;
    if (q->len == q->cap && q->head > q->cap / 2) {
        memmove(q->v, q->v + q->head, (q->len - q->head) * sizeof *q->v);
        q->len -= q->head;
        q->head = 0;
    }
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 64;
        q->v = xrealloc(q->v, q->cap * sizeof *q->v);
    }
    q->v[q->len++] = (struct item){frame_ref(f), track_ref(t), now_us};
    q->bytes += f->len;
}

static struct item *queue_head(struct queue *q)
{
    return q->head < q->len ? &q->v[q->head] : NULL;
}

/* Moves the head's frame out; the track goes. */
static struct frame *queue_take(struct queue *q)
{
    struct item *i = &q->v[q->head++];
    q->bytes -= i->f->len;
    track_unref(i->t);
    return i->f;
}

static void queue_drop(struct queue *q)
{
    frame_unref(queue_take(q));
}

static void source_fini(struct source *s)
{
    while (queue_head(&s->q)) queue_drop(&s->q);
    free(s->q.v);
    track_unref(s->given);
    track_unref(s->track);
    *s = (struct source){0};
}

/* --- times ------------------------------------------------------------------------------- */

static int64_t video_us(const struct packager *p, const struct frame *f)
{
    return f->dts_us + p->v.shift_us;
}

static unsigned audio_samples(const struct track *t, const struct frame *f)
{
    unsigned n = t->samples_per_frame;
    if (t->codec == CODEC_OPUS && opus_packet_samples(frame_span(f), &n) != E_OK) n = 0;
    return n;
}

static int64_t audio_us(const struct track *t, const struct frame *f)
{
    return packager_us(audio_samples(t, f), t->timescale);
}

static bool middle_after(const struct item *i, int64_t t_us)
{
    return i->f->pts_us + audio_us(i->t, i->f) / 2 > t_us;
}

static void wait_until(struct packager *p, int64_t t_us)
{
    if (t_us < p->deadline_us) p->deadline_us = t_us;
}

static void enter(struct packager *p, enum state s, int64_t now_us)
{
    p->state = s;
    p->since_us = now_us;
}

/* --- the beginning of a period ----------------------------------------------------------- */

/* UTC minus stream clock: of the frame that came soonest, because the others were delayed. */
static int64_t wall_offset(const struct queue *v, const struct queue *a)
{
    const struct queue *const all[] = {v, a};
    int64_t least = INT64_MAX;
    for (int k = 0; k < 2; k++) {
        for (unsigned i = all[k]->head; i < all[k]->len; i++) {
            const struct frame *f = all[k]->v[i].f;
            if (f->wall_us - f->dts_us < least) least = f->wall_us - f->dts_us;
        }
    }
    return least;
}

static void begin_period(struct packager *p, bool video, bool audio)
{
    const int64_t wall_us = wall_offset(&p->video.q, &p->audio.q);
    if (!p->first) {
        struct packager_event *e = packager_event_add(&p->events);
        e->kind = PACKAGER_DISCONTINUITY;
        e->msn = video ? p->v.msn : p->a.msn;
    }
    p->first = p->switched = p->pending_break = false;
    p->start_us = INT64_MIN;
    p->v.used = p->a.used = false;
    int64_t audio_frame_us = 0;
    const struct frame *lead = queue_head(video ? &p->video.q : &p->audio.q)->f;
    if (video) {
        p->video.lost = false;
        p->start_us = lead->pts_us;
        packager_lane_start(&p->v, &p->events, queue_head(&p->video.q)->t, lead->pts_us,
                            lead->pts_us - lead->dts_us, wall_us);
    }
    if (audio) {
        const struct item *i = queue_head(&p->audio.q);
        audio_frame_us = audio_us(i->t, i->f);
        if (audio_frame_us == 0) audio_frame_us = 20 * US_PER_MS;
        p->audio.lost = false;
        packager_lane_start(&p->a, &p->events, i->t, lead->pts_us, 0, wall_us);
    }
    segmenter_start(&p->cut, video, audio_frame_us);
    p->state = RUN;
}

/* --- frame rate ------------------------------------------------------------------------------ */

/* Frames a second of those at the head that have the same track, 0: too few. Timestamps are in
 * milliseconds, so what is within a fiftieth of a whole number is that number. */
static uint32_t measure_fps(const struct queue *q)
{
    const struct track *t = q->v[q->head].t;
    int64_t least_us = INT64_MAX, sum_us = 0;
    unsigned n = 0;
    for (int pass = 0; pass < 2; pass++) { /* the second leaves out steps over a missing frame */
        for (unsigned i = q->head + 1; i < q->len && q->v[i].t == t; i++) {
            const int64_t step_us = q->v[i].f->dts_us - q->v[i - 1].f->dts_us;
            if (step_us <= 0) continue;
            if (pass == 0 && step_us < least_us) least_us = step_us;
            if (pass == 0 || step_us > least_us * 3 / 2) continue;
            sum_us += step_us;
            n++;
        }
    }
    if (n == 0) return 0;
    const uint32_t milli = (uint32_t)(n * INT64_C(1000) * US_PER_SEC / sum_us);
    const uint32_t whole = (milli + 500) / 1000 * 1000;
    const uint32_t off = milli > whole ? milli - whole : whole - milli;
    return off * 50 <= whole ? whole : milli;
}

/* Whether a part's worth of pictures should be held to measure: it costs no time, because nothing
 * comes out before the first part is full. */
static bool fps_wanted(const struct packager *p)
{
    const struct queue *q = &p->video.q;
    const struct item *i = &q->v[q->head];
    const int64_t span_us = q->v[q->len - 1].f->dts_us - i->f->dts_us;
    const bool known = i->t->fps_milli || (p->v.track && packager_same_init(p->v.track, i->t));
    return !known && span_us < p->cut.config.part_us;
}

static void set_fps(struct packager *p)
{
    struct queue *q = &p->video.q;
    struct track *old = q->v[q->head].t;
    const uint32_t fps = old->fps_milli ? 0 : measure_fps(q);
    if (fps == 0) return;
    struct track *t = track_copy(old);
    t->fps_milli = fps;
    track_ref(old);
    for (unsigned i = q->head; i < q->len && q->v[i].t == old; i++) {
        track_unref(q->v[i].t);
        q->v[i].t = track_ref(t);
    }
    if (p->video.track == old) {
        track_unref(old);
        p->video.track = track_ref(t);
    }
    track_unref(old);
    track_unref(t);
}

/* How long to wait for a kind of which there is no frame. */
static int64_t patience(const struct packager *p, const struct source *s,
                        const struct packager_lane *l)
{
    if (p->switched) return l->used && !s->lost ? PACKAGER_AUDIO_HOLD_US : 0;
    return s->given || s->expected ? PACKAGER_WAIT_ANNOUNCED_US : PACKAGER_WAIT_US;
}

static bool step_wait(struct packager *p, int64_t now_us)
{
    struct queue *v = &p->video.q, *a = &p->audio.q;
    while (queue_head(v) && !queue_head(v)->f->key) {
        queue_drop(v);
        p->dropped++;
    }
    const bool video = queue_head(v), audio = queue_head(a);
    if (!video && !audio) return false;
    if (!video || !audio) {
        const int64_t until =
            p->since_us + (video ? patience(p, &p->audio, &p->a) : patience(p, &p->video, &p->v));
        if (now_us < until && !p->forced && v->bytes + a->bytes < PACKAGER_HOLD_BYTES) {
            wait_until(p, until);
            return false;
        }
    }
    if (video && fps_wanted(p) && !p->forced && v->bytes < PACKAGER_HOLD_BYTES) {
        const int64_t until = p->since_us + PACKAGER_WAIT_US;
        if (now_us < until) {
            wait_until(p, until);
            return false;
        }
    }
    if (video) set_fps(p);
    begin_period(p, video, audio);
    return true;
}

/* --- the end of a period ----------------------------------------------------------------- */

/* A rendition that has been there before and has nothing now keeps step with the one that has: a
 * gap over the segment just closed. */
static void keep_step(struct packager *p, struct packager_lane *other,
                      const struct packager_lane *lead)
{
    if (!other->existed) {
        other->msn = lead->msn;
        return;
    }
    const int64_t start_us = packager_lane_us(lead, lead->segment_tfdt);
    const int64_t end_us = packager_lane_us(lead, lead->end);
    const uint64_t start = packager_lane_tick(other, start_us);
    if (start > other->end) other->end = start;
    while (other->msn < lead->msn) {
        packager_lane_close_segment(other, &p->events, packager_lane_tick(other, end_us));
    }
}

static void close_video(struct packager *p, int64_t t_us)
{
    const uint64_t tick = packager_lane_tick(&p->v, t_us);
    (void)packager_lane_fit_part(&p->v, &p->events, tick, p->cut.target_us);
    packager_lane_close_segment(&p->v, &p->events, tick);
    if (!p->a.used) keep_step(p, &p->a, &p->v);
}

static void close_audio(struct packager *p, uint64_t tick)
{
    (void)packager_lane_fit_part(&p->a, &p->events, tick, p->cut.target_us);
    packager_lane_close_segment(&p->a, &p->events, tick);
    if (!p->v.used || p->state == DRAIN) keep_step(p, &p->v, &p->a);
}

/* When the newest picture ends by itself, if none follows. */
static int64_t video_end_us(const struct packager *p)
{
    const int64_t step_us = segmenter_step_us(&p->cut);
    const uint64_t newest = p->v.n ? p->v.ticks[p->v.n - 1] : p->v.end;
    return packager_lane_us(&p->v, newest) + (step_us ? step_us : 33 * US_PER_MS);
}

/* Video stops here; audio up to here is still wanted. A picture is not stretched over a gap. */
static void end_video(struct packager *p, int64_t t_us, int64_t now_us)
{
    const int64_t end_us = video_end_us(p);
    const bool gap = t_us - end_us > p->cut.target_us;
    /* The next period's shift may be another: decoding times must not overlap either. */
    const struct item *next = queue_head(&p->video.q);
    int64_t close_us = gap ? end_us : t_us;
    if (next && next->f->key && next->f->dts_us + p->v.shift_us < close_us) {
        close_us = next->f->dts_us + p->v.shift_us;
    }
    const int64_t longest_us = p->cut.video.segment_us + p->cut.config.longest_us;
    if (close_us > longest_us) close_us = longest_us;
    if (packager_lane_begun(&p->v)) close_video(p, close_us);
    p->drain_us = t_us;
    enter(p, DRAIN, now_us);
}

/* Audio stops: cuts that it has not reached, then the rest. */
static void end_period(struct packager *p, int64_t now_us)
{
    int64_t t_us;
    while (p->a.used && segmenter_take_cut(&p->cut, &t_us)) {
        close_audio(p, packager_ticks(t_us, p->a.timescale));
    }
    if (p->a.used && (packager_lane_begun(&p->a) || (p->v.used && p->a.msn < p->v.msn))) {
        const uint64_t video_end =
            p->v.used ? packager_lane_tick(&p->a, packager_lane_us(&p->v, p->v.end)) : 0;
        close_audio(p, packager_lane_begun(&p->a) ? p->a.end : video_end);
    }
    p->switched = true;
    p->pending_break = false;
    enter(p, WAIT, now_us);
}

/* --- video ------------------------------------------------------------------------------- */

/* A frame that belongs to the next period, and can begin it. */
static bool video_breaks(const struct packager *p, const struct item *i)
{
    if (!i->f->key) return false;
    if (!p->v.used || i->t != p->v.track) return true;
    return p->cut.video.open && (i->f->discontinuity || p->pending_break);
}

/* A part ends at `tick`, where a frame of about step_us begins. */
static void close_part(struct packager *p, struct packager_lane *l, struct segmenter_lane *cut,
                       uint64_t tick, int64_t step_us)
{
    const int64_t t_us = packager_lane_us(l, tick);
    if (packager_lane_fit_part(l, &p->events, tick, p->cut.target_us)) {
        const int64_t began_us = packager_lane_us(l, l->ticks[0]);
        segmenter_part_began(cut, began_us);
        if (t_us + step_us - began_us <= p->cut.target_us) return;
    }
    packager_lane_close_part(l, &p->events, tick, false);
    segmenter_part_began(cut, t_us);
}

static bool part_full(const struct packager_lane *l, const struct frame *f)
{
    return l->n >= PART_FRAMES_MAX || (l->n > 0 && l->bytes + f->len > PART_BYTES_MAX);
}

static void place_video(struct packager *p, enum seg_cut cut, int64_t t_us)
{
    struct frame *f = queue_take(&p->video.q);
    const uint64_t tick = packager_lane_tick(&p->v, t_us);
    if (cut == SEG_SEGMENT)
        close_video(p, t_us);
    else if (cut == SEG_PART || part_full(&p->v, f))
        close_part(p, &p->v, &p->cut.video, tick, segmenter_step_us(&p->cut));
    const int64_t pts = (int64_t)packager_ticks(f->pts_us, p->v.timescale);
    packager_lane_add(&p->v, f, tick, pts - (int64_t)tick);
}

/* Nothing of audio, held or placed, for so long. */
static bool audio_is_lost(struct packager *p, int64_t t_us)
{
    return p->a.used && !queue_head(&p->audio.q) &&
           t_us - packager_us(p->a.end, p->a.timescale) > PACKAGER_AUDIO_LOST_US &&
           p->cut.n_cuts > 0;
}

static bool step_video(struct packager *p, int64_t now_us)
{
    struct item *i = queue_head(&p->video.q);
    if (!i) return false;
    if (video_breaks(p, i)) {
        /* Alone, audio ends where the picture begins. */
        if (p->v.used)
            end_video(p, i->f->pts_us, now_us);
        else {
            p->drain_us = i->f->pts_us;
            enter(p, DRAIN, now_us);
        }
        return true;
    }
    if (!p->v.used || i->t != p->v.track) {
        queue_drop(&p->video.q); /* undecodable before a key frame */
        p->dropped++;
        return true;
    }
    if (i->f->discontinuity && p->cut.video.open) p->pending_break = true;
    const int64_t t_us = video_us(p, i->f);
    const enum seg_cut cut = segmenter_video(&p->cut, t_us, i->f->key);
    if (cut == SEG_BREAK) {
        end_video(p, p->cut.video.segment_us + p->cut.config.longest_us, now_us);
        return true;
    }
    if (cut == SEG_SEGMENT && i->f->key && audio_is_lost(p, t_us)) {
        p->audio.lost = true;
        end_video(p, t_us, now_us);
        return true;
    }
    place_video(p, cut, t_us);
    return true;
}

/* --- audio ------------------------------------------------------------------------------- */

/* A small gap waits until a part has room for it: it would end one that is long enough too late or
 * one frame too early. */
static bool gap_has_room(const struct packager *p, const struct item *i, uint64_t at)
{
    const int64_t end_us = packager_us(p->a.end, p->a.timescale);
    const int64_t at_us = packager_us(at, p->a.timescale);
    const int64_t after_us = at_us + audio_us(i->t, i->f) - p->cut.audio.part_us;
    return after_us <= p->cut.target_us || (at_us - end_us) * 2 > p->cut.target_us;
}

/* The sample-exact place of a frame: right behind the one before it, unless the source is too far
 * away from that. False: it comes too early to be placed at all. */
static bool audio_tick(const struct packager *p, const struct item *i, uint64_t *tick)
{
    const struct frame *f = i->f;
    const uint32_t rate = p->a.timescale;
    const uint64_t at = packager_ticks(f->pts_us, rate);
    const uint64_t limit = packager_ticks(PACKAGER_AUDIO_DRIFT_US, rate);
    const bool first = !packager_lane_begun(&p->a) && p->cut.audio.open == false;
    *tick = p->a.end;
    if (first) {
        *tick = at > p->a.end ? at : p->a.end;
        return true;
    }
    if (at > p->a.end + limit && gap_has_room(p, i, at)) *tick = at;
    return at + limit >= p->a.end;
}

/* The segment, going on to t_us, would be longer than allowed. */
static bool audio_too_long(const struct packager *p, int64_t t_us)
{
    return t_us - packager_us(p->a.segment_tfdt, p->a.timescale) > p->cut.config.longest_us;
}

static void place_audio(struct packager *p, struct item *i, uint64_t tick)
{
    const unsigned samples = audio_samples(i->t, i->f);
    const uint32_t rate = p->a.timescale;
    const int64_t t_us = packager_us(tick, rate), duration_us = packager_us(samples, rate);
    enum seg_cut cut;
    while ((cut = segmenter_audio(&p->cut, t_us, duration_us)) == SEG_SEGMENT) {
        /* A hole over several segments: those in it end where video's do, the last one here,
         * unless that makes it too long. */
        const bool begun = packager_lane_begun(&p->a);
        const bool more = p->cut.n_cuts > 0 && t_us + duration_us / 2 > p->cut.cuts[0];
        const bool there = !begun || more || audio_too_long(p, t_us);
        close_audio(p, there ? packager_ticks(p->cut.cut_us, rate) : tick);
        if (begun && !more && tick > p->a.end) tick = p->a.end; /* where the segment has to begin */
    }
    /* Video has stopped, and nothing of it will cut here any more. */
    if (p->state == DRAIN && packager_lane_begun(&p->a) && audio_too_long(p, t_us + duration_us)) {
        close_audio(p, p->a.end);
        tick = p->a.end;
    }
    struct frame *f = queue_take(&p->audio.q);
    if (cut == SEG_PART || part_full(&p->a, f)) {
        close_part(p, &p->a, &p->cut.audio, tick, duration_us);
    }
    packager_lane_add(&p->a, f, tick, 0);
    p->a.end = tick + samples;
}

static void end_audio_only(struct packager *p, int64_t now_us)
{
    p->drain_us = INT64_MIN;
    enter(p, DRAIN, now_us);
}

/* Audio that cannot be placed in this period waits for the next, which a video key frame begins. */
static bool hold_audio(struct packager *p)
{
    p->pending_break = true;
    bool dropped = false;
    for (; p->audio.q.len - p->audio.q.head > HELD_AUDIO_MAX; dropped = true) {
        queue_drop(&p->audio.q);
        p->dropped++;
    }
    return dropped;
}

static bool step_audio(struct packager *p, int64_t now_us)
{
    struct item *i = queue_head(&p->audio.q);
    if (!i) return false;
    const bool draining = p->state == DRAIN;
    if (draining && (!p->a.used || i->t != p->a.track || middle_after(i, p->drain_us)))
        return false;
    if (!p->a.used) return hold_audio(p);
    const bool changed = i->t != p->a.track;
    if (changed || (i->f->discontinuity && p->cut.audio.open)) {
        if (!p->v.used) {
            end_audio_only(p, now_us);
            return true;
        }
        if (p->v.used) p->pending_break = true;
        if (changed) return hold_audio(p);
    }
    const int64_t duration_us = audio_us(i->t, i->f);
    uint64_t tick;
    const bool early = !p->cut.audio.open && !middle_after(i, p->start_us);
    if (early || duration_us == 0 || !audio_tick(p, i, &tick)) {
        queue_drop(&p->audio.q);
        p->dropped++;
        return true;
    }
    const int64_t t_us = packager_us(tick, p->a.timescale);
    if (!draining && !segmenter_audio_ready(&p->cut, t_us, duration_us)) {
        if (queue_head(&p->video.q)) return false; /* it may be what is waited for */
        const int64_t until = i->pushed_us + PACKAGER_AUDIO_HOLD_US;
        if (now_us < until && !p->forced) {
            wait_until(p, until);
            return false;
        }
    }
    if (!draining && segmenter_video_stalled(&p->cut, t_us + duration_us)) {
        p->video.lost = true;
        end_video(p, t_us, now_us);
        return true;
    }
    if (!p->v.used && segmenter_audio_gap(&p->cut, t_us)) {
        end_audio_only(p, now_us);
        return true;
    }
    place_audio(p, i, tick);
    return true;
}

static bool step_drain(struct packager *p, int64_t now_us)
{
    if (p->a.used && step_audio(p, now_us)) return true;
    const int64_t until = p->since_us + PACKAGER_AUDIO_HOLD_US;
    if (p->a.used && !p->audio.lost && !queue_head(&p->audio.q) && now_us < until && !p->forced) {
        wait_until(p, until);
        return false;
    }
    end_period(p, now_us);
    return true;
}

/* --- the engine -------------------------------------------------------------------------- */

static bool step(struct packager *p, int64_t now_us)
{
    switch (p->state) {
    case IDLE:
        return false;
    case WAIT:
        return step_wait(p, now_us);
    case RUN:
        return step_audio(p, now_us) || step_video(p, now_us);
    case DRAIN:
        return step_drain(p, now_us);
    }
    return false;
}

static void pump(struct packager *p, int64_t now_us)
{
    do p->deadline_us = INT64_MAX;
    while (step(p, now_us));
}

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
    packager_lane_init(&p->v, 'v');
    packager_lane_init(&p->a, 'a');
    return p;
}

void packager_free(struct packager *p)
{
    if (!p) return;
    struct packager_event e;
    while (packager_event_take(&p->events, &e)) packager_event_fini(&e);
    free(p->events.v);
    source_fini(&p->video);
    source_fini(&p->audio);
    packager_lane_fini(&p->v);
    packager_lane_fini(&p->a);
    free(p);
}

static struct source *source_of(struct packager *p, enum media_kind kind)
{
    return kind == MEDIA_VIDEO ? &p->video : &p->audio;
}

void packager_expect(struct packager *p, enum media_kind kind)
{
    source_of(p, kind)->expected = true;
}

enum err packager_track(struct packager *p, struct track *t, int64_t now_us)
{
    struct source *s = source_of(p, t->kind);
    if (s->given && track_same(s->given, t)) return E_OK;
    const bool fits = t->codec == CODEC_H264 || t->codec == CODEC_H265 || t->codec == CODEC_AV1 ||
                      t->codec == CODEC_VP9 || t->codec == CODEC_AAC || t->codec == CODEC_OPUS;
    track_unref(s->given);
    track_unref(s->track);
    s->given = s->track = NULL;
    if (!fits) return E_UNSUPPORTED;
    s->given = track_ref(t);
    s->track = track_ref(t);
    pump(p, now_us);
    return E_OK;
}

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
    struct source *s = source_of(p, codec_kind(f->codec));
    if (!s->track || s->track->codec != f->codec || f->len == 0 || !refine(s, f)) {
        p->dropped++;
        return;
    }
    if (p->state == IDLE) enter(p, WAIT, now_us);
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

static void flush(struct packager *p, int64_t now_us)
{
    p->forced = true;
    pump(p, now_us);
    while (p->state == RUN) { /* once, and once more for audio that belonged to a next period */
        if (p->v.used) {
            end_video(p, video_end_us(p), now_us);
            p->drain_us = INT64_MAX;
        } else {
            end_audio_only(p, now_us);
        }
        pump(p, now_us);
    }
    p->forced = false;
}

void packager_break(struct packager *p, int64_t now_us)
{
    flush(p, now_us);
    source_fini(&p->video);
    source_fini(&p->audio);
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
