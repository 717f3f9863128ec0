/* SPDX-License-Identifier: MIT */
#include "media/segmenter.h"
#include "base/clock.h"
#include <string.h>

/* A part target may move away from the configured one between half and four times of it. */
#define TARGET_MAX_FACTOR 4

void segmenter_init(struct segmenter *s, const struct segmenter_config *c)
{
    *s = (struct segmenter){.config = *c, .target_us = c->part_us};
}

void segmenter_start(struct segmenter *s, bool has_video, int64_t audio_us)
{
    s->video = (struct segmenter_lane){.used = has_video};
    s->audio = (struct segmenter_lane){.used = audio_us > 0};
    s->audio_us = audio_us;
    s->n_cuts = 0;
    s->n_steps = 0;
}

/* --- frame durations -------------------------------------------------------------------------- */

static unsigned steps_known(const struct segmenter *s)
{
    return s->n_steps < SEGMENTER_STEPS ? s->n_steps : SEGMENTER_STEPS;
}

/* A frame that was dropped before us makes one long step; it says nothing of the next. */
static bool outlier(int64_t step_us, int64_t least_us)
{
    return step_us > least_us + least_us / 4 + 2 * US_PER_MS;
}

static int64_t least_step(const struct segmenter *s)
{
    int64_t least = INT64_MAX;
    for (unsigned i = 0; i < steps_known(s); i++) {
        if (s->steps[i] < least && s->steps[i] > 0) least = s->steps[i];
    }
    return least == INT64_MAX ? 0 : least;
}

int64_t segmenter_step_us(const struct segmenter *s)
{
    const int64_t least = least_step(s);
    int64_t most = least;
    for (unsigned i = 0; i < steps_known(s); i++) {
        if (s->steps[i] > most && !outlier(s->steps[i], least)) most = s->steps[i];
    }
    return most;
}

static int64_t mean_step(const struct segmenter *s)
{
    const int64_t least = least_step(s);
    int64_t sum = 0, n = 0;
    for (unsigned i = 0; i < steps_known(s); i++) {
        if (s->steps[i] <= 0 || outlier(s->steps[i], least)) continue;
        sum += s->steps[i];
        n++;
    }
    return n ? sum / n : 0;
}

/* --- part target ------------------------------------------------------------------------------ */

/* Whether frames of that duration make parts between 85 % and all of the target, a millisecond of
 * rounding included. 0: no such frames. */
static bool fits(int64_t target_us, int64_t frame_us)
{
    if (frame_us == 0) return true;
    const int64_t filled = target_us / frame_us * frame_us;
    return (filled - US_PER_MS) * 100 >= target_us * SEGMENTER_PART_MIN_PERCENT;
}

/* A millisecond more than that: few steps are known yet, and each is rounded. */
static int64_t whole_frames(int64_t frame_us, int64_t n)
{
    return ((frame_us * n + US_PER_MS - 1) / US_PER_MS + 1) * US_PER_MS;
}

static void settle(struct segmenter *s, int64_t video_us, int64_t audio_us)
{
    const int64_t part_us = s->config.part_us, lead_us = video_us ? video_us : audio_us;
    s->settled = true;
    if (lead_us == 0 || (fits(part_us, video_us) && fits(part_us, audio_us))) return;
    for (int64_t n = part_us / lead_us; n > 0; n--) {
        const int64_t t = whole_frames(lead_us, n);
        if (t < part_us / 2) break;
        if (t > part_us || !fits(t, audio_us)) continue;
        s->target_us = t;
        return;
    }
    for (int64_t n = part_us / lead_us + 1;; n++) {
        const int64_t t = whole_frames(lead_us, n);
        if (t > part_us * TARGET_MAX_FACTOR) return;
        if (!fits(t, audio_us)) continue;
        s->target_us = t;
        return;
    }
}

/* --- lanes ------------------------------------------------------------------------------------ */

static void begin_segment(struct segmenter_lane *l, int64_t t_us, bool independent)
{
    l->open = true;
    l->independent = independent;
    l->segment_us = l->part_us = t_us;
}

static void push_cut(struct segmenter *s, int64_t t_us)
{
    if (!s->audio.used) return;
    if (s->n_cuts < SEGMENTER_CUTS)
        s->cuts[s->n_cuts++] = t_us;
    else
        s->cuts[s->n_cuts - 1] = t_us; /* the owner gave audio up long before */
}

static enum seg_cut video_cut(const struct segmenter *s, int64_t t_us, bool key)
{
    const struct segmenter_lane *l = &s->video;
    const int64_t lasted = t_us - l->segment_us, longest = s->config.longest_us;
    if (lasted > longest) return SEG_BREAK;
    if (key && (!l->independent || lasted >= s->config.segment_us - SEGMENTER_EARLY_US)) {
        return SEG_SEGMENT;
    }
    if (lasted + segmenter_step_us(s) > longest) return SEG_SEGMENT;
    if (t_us == l->part_us) return SEG_NONE; /* nothing to close yet */
    return t_us + segmenter_step_us(s) - l->part_us > s->target_us ? SEG_PART : SEG_NONE;
}

enum seg_cut segmenter_video(struct segmenter *s, int64_t t_us, bool key)
{
    struct segmenter_lane *l = &s->video;
    if (!l->open) {
        begin_segment(l, t_us, key);
        l->last_us = t_us;
        return SEG_NONE;
    }
    s->steps[s->n_steps++ % SEGMENTER_STEPS] = t_us - l->last_us;
    l->last_us = t_us;
    enum seg_cut cut = video_cut(s, t_us, key);
    if (cut == SEG_PART && !s->settled) {
        settle(s, mean_step(s), s->audio_us);
        cut = video_cut(s, t_us, key);
    }
    if (cut == SEG_SEGMENT) {
        begin_segment(l, t_us, key);
        push_cut(s, t_us);
    }
    if (cut == SEG_PART) l->part_us = t_us;
    return cut;
}

void segmenter_part_began(struct segmenter_lane *l, int64_t t_us)
{
    l->part_us = t_us;
}

bool segmenter_video_stalled(const struct segmenter *s, int64_t t_us)
{
    return s->video.open && t_us - s->video.segment_us > s->config.longest_us;
}

bool segmenter_audio_gap(const struct segmenter *s, int64_t t_us)
{
    return s->audio.open && t_us - s->audio.segment_us > s->config.longest_us;
}

bool segmenter_audio_ready(const struct segmenter *s, int64_t t_us, int64_t duration_us)
{
    return !s->video.used || t_us + duration_us / 2 <= s->video.last_us || s->n_cuts > 0;
}

bool segmenter_take_cut(struct segmenter *s, int64_t *t_us)
{
    if (s->n_cuts == 0) return false;
    *t_us = s->cuts[0];
    memmove(&s->cuts[0], &s->cuts[1], --s->n_cuts * sizeof s->cuts[0]);
    return true;
}

static bool audio_cut(struct segmenter *s, int64_t t_us, int64_t duration_us)
{
    const int64_t middle_us = t_us + duration_us / 2;
    if (s->video.used) {
        return s->n_cuts > 0 && middle_us > s->cuts[0] && segmenter_take_cut(s, &s->cut_us);
    }
    s->cut_us = s->audio.segment_us + s->config.segment_us;
    return s->audio.open && middle_us > s->cut_us;
}

enum seg_cut segmenter_audio(struct segmenter *s, int64_t t_us, int64_t duration_us)
{
    struct segmenter_lane *l = &s->audio;
    if (audio_cut(s, t_us, duration_us)) {
        begin_segment(l, t_us, true);
        return SEG_SEGMENT;
    }
    if (!l->open) begin_segment(l, t_us, true);
    l->last_us = t_us;
    if (t_us + duration_us - l->part_us <= s->target_us) return SEG_NONE;
    if (!s->settled) {
        /* Pictures may be so slow that sound comes this far before the second one. */
        const int64_t patience_us = s->config.part_us * TARGET_MAX_FACTOR;
        if (s->video.used && t_us + duration_us - l->part_us <= patience_us) return SEG_NONE;
        settle(s, mean_step(s), duration_us);
        if (t_us + duration_us - l->part_us <= s->target_us) return SEG_NONE;
    }
    if (t_us == l->part_us) return SEG_NONE; /* one frame longer than a part: nothing to close */
    l->part_us = t_us;
    return SEG_PART;
}
