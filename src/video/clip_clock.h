/* SPDX-License-Identifier: MIT */
/* video/clip_clock.h - when what a recording shows was sent: programme time by the media's own.
 *
 * A part of a recording that is made into one of its own keeps the programme times of its source,
 * so that a chat is replayed at its moments beside the part, too. Within a period of the broadcast
 * both clocks go alike; between two (an encoder that came back) they are set anew, so the first
 * segment of each period is looked at. Blocks. At most LIMIT_CLIP_PERIODS are known; what follows
 * goes on as the last of them. */
#pragma once
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct clip_clock {
    size_t n;
    struct clip_period {
        int64_t media_us; /* since the media's beginning */
        int64_t wall_us;
    } * period; /* owned; the first at 0 */
};

/* The recording in `dir`. E_NOTFOUND: there is none, or no media in it; E_PROTO, E_IO. */
enum err clip_clock_read(const char *dir, struct clip_clock *out)
    __attribute__((warn_unused_result));
void clip_clock_fini(struct clip_clock *c);
/* Microseconds since 1970. */
int64_t clip_clock_wall(const struct clip_clock *c, int64_t media_us);
