/* SPDX-License-Identifier: MIT */
/* media/frame.h - one access unit of one track, shared read-only between threads.
 *
 * Lifetime: frame_new() returns the only reference with the payload to be filled; once handed to
 *   the hub it is const for everyone. The last frame_unref() frees it, on any thread.
 * Limits: payload at most LIMIT_FRAME_BYTES. */
#pragma once
#include "base/buf.h"
#include "media/codec.h"

struct frame {
    _Atomic uint32_t refs;
    uint8_t track; /* track id */
    enum codec codec;
    bool key;           /* a decoder can start here; true for every audio frame */
    bool discontinuity; /* first frame of its track after the source changed or time jumped */
    int64_t dts_us;     /* stream clock: starts near 0, never decreases within a track */
    int64_t pts_us;     /* >= dts_us */
    int64_t wall_us;    /* when it arrived, UTC: program date time is made of it */
    size_t len;
    uint8_t data[]; /* see enum codec for the layout */
};

struct frame *frame_new(size_t len);
struct frame *frame_ref(struct frame *f); /* returns f; NULL is fine */
void frame_unref(struct frame *f);        /* NULL is fine */

static inline struct span frame_span(const struct frame *f)
{
    return (struct span){f->data, f->len};
}
