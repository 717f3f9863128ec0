/* SPDX-License-Identifier: MIT */
/* serve/hls/audience.h - who is watching: distinct viewers of each stream in the last seconds.
 *
 * A viewer is known by a 64-bit hash; each loop keeps who it has just reported, so that the lock
 * is taken once in AUDIENCE_QUIET_US for each viewer. Any thread; bounded by
 * LIMIT_HLS_AUDIENCE. */
#pragma once
#include "base/span.h"

#define AUDIENCE_QUIET_US (4 * INT64_C(1000000))

struct hls_audience; /* all streams; shared */
struct hls_audience *hls_audience_new(void);
void hls_audience_free(struct hls_audience *b);
unsigned hls_audience_count(struct hls_audience *b, const char *stream_id, int64_t now_us);

/* The same viewer is gone; when it is seen again it is counted again, some seconds later. */
void hls_audience_forget(struct hls_audience *b, const char *stream_id, struct span address,
                         struct span program);

struct hls_audience_seen { /* one loop's; zeroed memory is empty */
    struct {
        uint64_t who;
        int64_t at_us;
    } slots[1024];
};
void hls_audience_see(struct hls_audience *b, struct hls_audience_seen *seen, const char *stream_id,
                      struct span address, struct span program, int64_t now_us);
