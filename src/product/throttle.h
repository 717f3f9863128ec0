/* SPDX-License-Identifier: MIT */
/* product/throttle.h - "not so often": token buckets by name, in memory, bounded.
 *
 * A bucket begins full with `burst` tokens and gains one each `refill_us`. Any thread; one short
 * lock. At most LIMIT_THROTTLE_ENTRIES buckets: full ones are forgotten first. */
#pragma once
#include "base/span.h"

struct throttle;

struct throttle_rule {
    const char *name;
    unsigned burst;
    int64_t refill_us;
};

struct throttle *throttle_new(void);
void throttle_free(struct throttle *t);
/* Takes a token of the bucket (rule, key). False when there is none: *retry_s says when there will
 * be one (at least 1). */
bool throttle_take(struct throttle *t, const struct throttle_rule *rule, const char *key,
                   int64_t now_us, int64_t *retry_s);
/* Gives a taken token back: the attempt turned out to be fine. */
void throttle_give_back(struct throttle *t, const struct throttle_rule *rule, const char *key);

/* What an address is counted as: itself, or the /64 of an IPv6 address, which one person has. */
#define THROTTLE_PEER_CAP 64
void throttle_peer(const char *peer, char out[THROTTLE_PEER_CAP]);
