/* SPDX-License-Identifier: MIT */
/* bridge/worker_gop.h - the pictures since the last key frame, by reference: what a new worker must
 * see before it can go on where the last one died. Embedded, zeroed is empty; one loop's. Too long
 * a GOP (WORKER_GOP_BYTES, LIMIT_GOP_CACHE_FRAMES) is given up until the next key frame. */
#pragma once
#include "base/limits.h"
#include "media/frame.h"

#define WORKER_GOP_BYTES (LIMIT_WORKER_QUEUE / 2)

struct worker_gop {
    struct frame **at;
    unsigned n, cap;
    size_t bytes;
};

void worker_gop_add(struct worker_gop *g, const struct frame *f); /* takes its own reference */
void worker_gop_clear(struct worker_gop *g);
void worker_gop_fini(struct worker_gop *g);
