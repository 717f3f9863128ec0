/* SPDX-License-Identifier: MIT */
/* Sound. It is placed behind the pictures, so that it is known where they were cut. */
#include "base/clock.h"
#include "engine/packager_priv.h"
#include "wire/opus.h"

static unsigned audio_samples(const struct track *t, const struct frame *f)
{
    unsigned n = t->samples_per_frame;
    if (t->codec == CODEC_OPUS && opus_packet_samples(frame_span(f), &n) != E_OK) n = 0;
    return n;
}

int64_t packager_audio_us(const struct track *t, const struct frame *f)
{
    return packager_us(audio_samples(t, f), t->timescale);
}

static bool middle_after(const struct item *i, int64_t t_us)
{
    return i->f->pts_us + packager_audio_us(i->t, i->f) / 2 > t_us;
}

void packager_close_audio(struct packager *p, uint64_t tick)
{
    (void)packager_lane_fit_part(&p->a, &p->events, tick, p->cut.target_us);
    packager_lane_close_segment(&p->a, &p->events, tick);
    if (packager_has_video(p) && p->state != DRAIN) return;
    for (unsigned i = 0; i < p->n_v; i++) packager_keep_step(p, &p->v[i].l, &p->a);
}

bool packager_audio_lost(struct packager *p, int64_t t_us)
{
    return p->a.used && !queue_head(&p->audio.q) &&
           t_us - packager_us(p->a.end, p->a.timescale) > PACKAGER_AUDIO_LOST_US &&
           p->cut.n_cuts > 0;
}

/* A small gap waits until a part has room for it: it would end one that is long enough too late or
 * one frame too early. */
static bool gap_has_room(const struct packager *p, const struct item *i, uint64_t at)
{
    const int64_t end_us = packager_us(p->a.end, p->a.timescale);
    const int64_t at_us = packager_us(at, p->a.timescale);
    const int64_t after_us = at_us + packager_audio_us(i->t, i->f) - p->cut.audio.part_us;
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
        packager_close_audio(p, there ? packager_ticks(p->cut.cut_us, rate) : tick);
        if (begun && !more && tick > p->a.end) tick = p->a.end; /* where the segment has to begin */
    }
    /* Video has stopped, and nothing of it will cut here any more. */
    if (p->state == DRAIN && packager_lane_begun(&p->a) && audio_too_long(p, t_us + duration_us)) {
        packager_close_audio(p, p->a.end);
        tick = p->a.end;
    }
    struct frame *f = queue_take(&p->audio.q);
    if (cut == SEG_PART || packager_part_full(&p->a, f)) {
        const int64_t began_us = p->a.n ? packager_end_part(p, &p->a, tick, duration_us) : t_us;
        segmenter_part_began(&p->cut.audio, began_us);
    }
    packager_lane_add(&p->a, f, tick, 0);
    p->a.end = tick + samples;
}

/* Audio that cannot be placed in this period waits for the next, which a video key frame begins. */
static bool hold_audio(struct packager *p)
{
    p->pending_break = true;
    bool dropped = false;
    for (; p->audio.q.len - p->audio.q.head > PACKAGER_AUDIO_FRAMES_MAX; dropped = true) {
        queue_drop(p, &p->audio.q);
    }
    return dropped;
}

bool packager_step_audio(struct packager *p, int64_t now_us)
{
    struct item *i = queue_head(&p->audio.q);
    if (!i) return false;
    const bool draining = p->state == DRAIN;
    if (draining && (!p->a.used || i->t != p->a.track || middle_after(i, p->drain_us)))
        return false;
    if (!p->a.used) return hold_audio(p);
    const bool changed = i->t != p->a.track;
    if (changed || (i->f->discontinuity && p->cut.audio.open)) {
        if (!packager_has_video(p)) {
            packager_end_audio_only(p, now_us);
            return true;
        }
        p->pending_break = true;
        if (changed) return hold_audio(p);
    }
    const int64_t duration_us = packager_audio_us(i->t, i->f);
    uint64_t tick;
    const bool early = !p->cut.audio.open && !middle_after(i, p->start_us);
    if (early || duration_us == 0 || !audio_tick(p, i, &tick)) {
        queue_drop(p, &p->audio.q);
        return true;
    }
    const int64_t t_us = packager_us(tick, p->a.timescale);
    if (!draining && !segmenter_audio_ready(&p->cut, t_us, duration_us)) {
        if (packager_video_waits(p)) return false; /* it may be what is waited for */
        const int64_t until = i->pushed_us + PACKAGER_AUDIO_HOLD_US;
        if (now_us < until && !p->forced) {
            packager_wait_until(p, until);
            return false;
        }
    }
    if (!draining && segmenter_video_stalled(&p->cut, t_us + duration_us)) {
        for (unsigned k = 0; k < p->n_v; k++) p->v[k].s.lost = true;
        packager_end_video(p, t_us, now_us);
        return true;
    }
    if (!packager_has_video(p) && segmenter_audio_gap(&p->cut, t_us)) {
        packager_end_audio_only(p, now_us);
        return true;
    }
    place_audio(p, i, tick);
    return true;
}
