/* SPDX-License-Identifier: MIT */
#include "media/timeline.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define STEP_MIN_US US_PER_MS
#define STEP_MAX_US (100 * US_PER_MS)

void timeline_init(struct timeline *tl, int64_t base_us, bool continued)
{
    *tl = (struct timeline){
        .base_us = base_us, .continued = continued, .dts_us = base_us, .step_us = STEP_MIN_US};
}

int64_t timeline_end_us(const struct timeline *tl)
{
    return tl->seen ? tl->dts_us + tl->step_us : tl->base_us;
}

/* The tracks of a source are unwrapped against one line, the newest timestamp of any of them, so
 * that they agree on which side of the wrap they are. */
static int64_t unwrap(struct timeline *tl, uint32_t ts_ms)
{
    if (!tl->seen) {
        tl->last_ms = ts_ms;
        tl->offset_ms = -(int64_t)ts_ms;
    }
    const int64_t ms = tl->last_ms + (int32_t)(ts_ms - (uint32_t)tl->last_ms);
    tl->last_ms = ms;
    return ms;
}

static int64_t place(const struct timeline *tl, int64_t ms, int64_t offset_ms)
{
    return tl->base_us + (ms + offset_ms) * US_PER_MS;
}

/* Whether a frame of `t` at `us` has nothing special to say. */
static bool continues(const struct timeline *tl, const struct timeline_track *t, int64_t us)
{
    return us >= t->dts_us - t->back_us && us <= tl->dts_us + TIMELINE_FORWARD_MS * US_PER_MS;
}

/* A track whose timestamps jumped: joins the origin that another track has already found, or
 * makes a new one right after everything so far. */
static int64_t jump(struct timeline *tl, struct timeline_track *t, int64_t ms)
{
    const int64_t joined = place(tl, ms, tl->offset_ms);
    if (t->offset_ms != tl->offset_ms && continues(tl, t, joined)) {
        t->offset_ms = tl->offset_ms;
        return joined;
    }
    const int64_t next_ms = (timeline_end_us(tl) - tl->base_us + US_PER_MS - 1) / US_PER_MS;
    t->offset_ms = tl->offset_ms = next_ms - ms;
    return place(tl, ms, t->offset_ms);
}

/* A late track is no jump, however long the others have been there. One that begins before the
 * source's first frame keeps the common origin too: its first frames are clamped to the base. Only
 * a track from another time altogether (a clock for each track) gets an origin of its own. */
static int64_t first_of_track(struct timeline *tl, struct timeline_track *t, int64_t ms)
{
    t->seen = true;
    t->step_us = STEP_MIN_US;
    t->offset_ms = tl->offset_ms;
    t->dts_us = tl->base_us;
    t->back_us = TIMELINE_FORWARD_MS * US_PER_MS;
    int64_t us = place(tl, ms, t->offset_ms);
    if (!continues(tl, t, us)) {
        t->offset_ms = (timeline_end_us(tl) - tl->base_us) / US_PER_MS - ms;
        us = place(tl, ms, t->offset_ms);
    }
    t->back_us = TIMELINE_BACK_MS * US_PER_MS + (us < tl->base_us ? tl->base_us - us : 0);
    return us;
}

struct timeline_stamp timeline_map(struct timeline *tl, uint8_t track, uint32_t ts_ms,
                                   int32_t cts_ms)
{
    CHECK(track < LIMIT_TRACKS);
    struct timeline_track *t = &tl->tracks[track];
    struct timeline_stamp out = {0};
    const bool first = !t->seen;
    const int64_t ms = unwrap(tl, ts_ms);
    int64_t us;
    if (first) {
        us = first_of_track(tl, t, ms);
        out.discontinuity = tl->continued;
    } else {
        us = place(tl, ms, t->offset_ms);
        if (!continues(tl, t, us)) {
            us = jump(tl, t, ms);
            out.discontinuity = true;
        }
    }
    const int64_t pts_us = us + (cts_ms > 0 ? cts_ms : 0) * US_PER_MS;
    if (us < t->dts_us) us = t->dts_us;
    const int64_t step = us - t->dts_us;
    if (!first && step >= STEP_MIN_US && step <= STEP_MAX_US) t->step_us = step;
    t->dts_us = us;
    if (us >= tl->dts_us) {
        tl->dts_us = us;
        tl->step_us = t->step_us;
    }
    tl->seen = true;
    out.dts_us = us;
    out.pts_us = pts_us > us ? pts_us : us;
    return out;
}
