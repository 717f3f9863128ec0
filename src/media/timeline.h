/* SPDX-License-Identifier: MIT */
/* media/timeline.h - from a source's 32-bit millisecond timestamps to the stream clock.
 *
 * One timeline for one source (one RTMP connection); the stream clock goes on from source to
 * source. Pure and embedded by value; one owner, no threads, nothing allocated.
 *
 * - All tracks of a source share one origin, so audio and video stay as far apart as the source
 *   says; they may start seconds apart.
 * - 32 bits wrap after 49.7 days; the difference to the newest timestamp is taken modulo 2^32.
 * - A step back of at most TIMELINE_BACK_MS is clamped: dts never decreases within a track. It is
 *   one second because encoders that shuffle their queues do it by a few frames, and because
 *   clamping longer would freeze the picture for as long.
 * - A larger step back, or one forward of more than TIMELINE_FORWARD_MS beyond the newest frame of
 *   the source, is a jump: the stream clock continues right after the newest dts, with
 *   `discontinuity` set. Ten seconds forward because a gap up to that is an encoder that stalled
 *   and kept its clock (the viewer shall see the gap), and because a picture every ten seconds is
 *   still a slide show.
 * - Tracks jump one after another. Frames of the old time that still come from the other track
 *   keep the old origin until that track jumps too; then it joins the new origin. */
#pragma once
#include "base/limits.h"
#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_BACK_MS    1000
#define TIMELINE_FORWARD_MS 10000

struct timeline_track {
    bool seen;
    int64_t offset_ms; /* stream clock minus source clock, before the base is added */
    int64_t dts_us;    /* newest */
    int64_t back_us;   /* a step back up to this is clamped */
    int64_t step_us;   /* newest difference, 1 ms to 100 ms */
};

struct timeline {
    int64_t base_us;   /* stream clock of the source's first timestamp; nothing comes before it */
    bool seen;         /* any frame */
    bool continued;    /* an earlier source has been there */
    int64_t last_ms;   /* newest source timestamp, unwrapped */
    int64_t offset_ms; /* of the newest origin */
    int64_t dts_us;    /* newest of all tracks */
    int64_t step_us;   /* of the track with the newest dts */
    struct timeline_track tracks[LIMIT_TRACKS];
};

struct timeline_stamp {
    int64_t dts_us, pts_us; /* pts >= dts */
    bool discontinuity;     /* the first frame of its track after the source changed or jumped */
};

/* `base_us` is where this source begins on the stream clock: 0 for the first, and
 * timeline_end_us() of the one before for the next (`continued`: flags its first frames). */
void timeline_init(struct timeline *tl, int64_t base_us, bool continued);
/* `track` < LIMIT_TRACKS. cts_ms is pts minus dts; a negative one counts as 0. */
struct timeline_stamp timeline_map(struct timeline *tl, uint8_t track, uint32_t ts_ms,
                                   int32_t cts_ms);
/* Right after the newest frame: the base for the source that comes next. */
int64_t timeline_end_us(const struct timeline *tl);
