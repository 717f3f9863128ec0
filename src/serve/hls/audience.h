/* SPDX-License-Identifier: MIT */
/* serve/hls/audience.h - who is watching: distinct viewers of each stream in the last seconds.
 *
 * A viewer is known by a 64-bit hash; each loop keeps who it has just reported, so that the lock
 * is taken once in AUDIENCE_QUIET_US for each viewer. Any thread; bounded by
 * LIMIT_HLS_AUDIENCE. */
#pragma once
#include "base/span.h"

#define AUDIENCE_QUIET_US (4 * INT64_C(1000000))

struct audience_book; /* all streams; shared */
struct audience_book *audience_book_new(void);
void audience_book_free(struct audience_book *b);
unsigned audience_count(struct audience_book *b, const char *stream_id, int64_t now_us);

struct audience_seen { /* one loop's; zeroed memory is empty */
    struct {
        uint64_t who;
        int64_t at_us;
    } slots[1024];
};
void audience_see(struct audience_book *b, struct audience_seen *seen, const char *stream_id,
                  struct span address, struct span program, int64_t now_us);
