/* SPDX-License-Identifier: MIT */
/* serve/hls/audience.h - who is watching: distinct viewers of each stream in the last seconds.
 *
 * A viewer is known by a 64-bit hash; each loop keeps who it has just reported, so that the lock
 * is taken once in AUDIENCE_QUIET_US for each viewer. Any thread; bounded by
 * LIMIT_HLS_AUDIENCE. */
#pragma once
#include "base/span.h"
#include "serve/hls/hls_service.h"

#define AUDIENCE_QUIET_US (4 * INT64_C(1000000))

struct hls_audience; /* all streams; shared */
/* `seed`: viewers keep their hash over a restart when it is the same. */
struct hls_audience *hls_audience_new(uint64_t seed);
/* Told of a viewer who was not there, on any thread, without the lock. Before the first one. */
void hls_audience_on_new(struct hls_audience *b, hls_new_viewer_fn *fn, void *ctx);
void hls_audience_free(struct hls_audience *b);
unsigned hls_audience_count(struct hls_audience *b, const char *stream_id, int64_t now_us);

/* What a viewer is known by; never 0. */
uint64_t hls_audience_who(const struct hls_audience *b, const char *stream_id, struct span address,
                          struct span program);
/* The same viewer is gone; when it is seen again it is counted again, some seconds later. */
void hls_audience_forget(struct hls_audience *b, const char *stream_id, uint64_t who);

/* As if it had been seen for the first time, without counting it. */
void hls_audience_tell(const struct hls_audience *b, const char *stream_id, uint64_t who);

struct hls_audience_seen { /* one loop's; zeroed memory is empty */
    struct {
        uint64_t who;
        int64_t at_us;
    } slots[1024];
};
void hls_audience_see(struct hls_audience *b, struct hls_audience_seen *seen, const char *stream_id,
                      struct span address, struct span program, int64_t now_us);
