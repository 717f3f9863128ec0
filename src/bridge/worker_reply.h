/* SPDX-License-Identifier: MIT */
/* bridge/worker_reply.h - what a worker says, judged: it has decoded hostile bytes and may be in
 * their hands. Pure functions; E_PROTO and others mean that the worker is to be replaced. */
#pragma once
#include "base/err.h"
#include "media/frame.h"
#include "media/track.h"
#include "wire/worker_msg.h"

/* What is known of an output track. */
struct worker_output {
    enum codec codec;
    uint8_t id;
    struct track *track; /* NULL: not told yet */
    bool begun;
    int64_t last_us;          /* pts of the last frame out */
    int64_t first_us, top_us; /* pts of the input, to which the output must keep */
    int64_t wall_offset_us;   /* wall clock minus pts, of the newest frame in */
};

/* A new track, the caller's. */
enum err worker_reply_track(const struct worker_output *o, const struct worker_msg *m,
                            struct track **out) WARN_UNUSED;
/* A new frame, the caller's. E_MORE: before its time, to be left out. */
enum err worker_reply_frame(struct worker_output *o, const struct worker_msg *m,
                            struct frame **out) WARN_UNUSED;
