/* SPDX-License-Identifier: MIT */
/* hub/feed_cache.h - what a newcomer to a feed gets first: references to messages, in order, the
 * pinned ones before the others. One loop's; not shared. */
#pragma once
#include "hub/feed.h"

struct feed_cache {
    feed_keep_fn *keep;
    size_t max_weight, max_len;
    struct feed_msg **at;
    size_t len, cap, n_pinned; /* at[0 .. n_pinned) are the pinned ones */
    size_t weight;
    bool waiting; /* it overflowed: empty until the next FRESH message */
};

void feed_cache_init(struct feed_cache *c, feed_keep_fn *keep, size_t max_weight, size_t max_len);
void feed_cache_add(struct feed_cache *c, struct feed_msg *m);
/* *out is a cache of its own, with references to the same messages. */
void feed_cache_copy(const struct feed_cache *c, struct feed_cache *out);
void feed_cache_clear(struct feed_cache *c);
