/* SPDX-License-Identifier: MIT */
#include "io/peer_limit.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/net_addr.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include <stdatomic.h>

#define PLACES 16384

struct peer_limit {
    uint8_t key[16];
    int64_t step_us, ahead_us; /* what asking costs, and how far the bucket reaches */
    unsigned held;
    struct {
        _Atomic int64_t full_us; /* when the bucket is full again */
        _Atomic uint32_t held;
    } places[PLACES];
};

struct peer_limit *peer_limit_new(unsigned burst, unsigned per_s, unsigned held)
{
    struct peer_limit *l = NEW(struct peer_limit);
    rand_bytes(l->key, sizeof l->key);
    l->step_us = US_PER_SEC / per_s;
    l->ahead_us = l->step_us * burst;
    l->held = held;
    return l;
}

void peer_limit_free(struct peer_limit *l)
{
    free(l);
}

static uint32_t place_of(const struct peer_limit *l, const char *peer)
{
    struct net_addr a;
    uint8_t digest[SHA256_LEN];
    struct span id = span_str(peer);
    if (net_addr_parse(id, 0, &a)) {
        static const uint8_t loopback[16] = {[15] = 1};
        const bool v4 = net_addr_is_v4(&a);
        if (v4 ? a.ip[12] == 127 : memcmp(a.ip, loopback, sizeof loopback) == 0)
            return PEER_LIMIT_NONE;
        id = v4 ? span_of(a.ip + 12, 4) : span_of(a.ip, 8);
    }
    hash_hmac_sha256(span_of(l->key, sizeof l->key), id, digest);
    return ((uint32_t)digest[0] << 8 | digest[1]) % PLACES;
}

bool peer_limit_ask(struct peer_limit *l, const char *peer, int64_t now_us, unsigned *retry_s)
{
    const uint32_t place = place_of(l, peer);
    if (place == PEER_LIMIT_NONE) return true;
    _Atomic int64_t *const full = &l->places[place].full_us;
    int64_t was = atomic_load(full), then;
    do {
        then = (was > now_us ? was : now_us) + l->step_us;
        if (then - now_us > l->ahead_us) {
            *retry_s = (unsigned)((then - now_us - l->ahead_us + US_PER_SEC - 1) / US_PER_SEC);
            return false;
        }
    } while (!atomic_compare_exchange_weak(full, &was, then));
    return true;
}

bool peer_limit_enter(struct peer_limit *l, const char *peer, uint32_t *place)
{
    *place = place_of(l, peer);
    if (*place == PEER_LIMIT_NONE) return true;
    if (atomic_fetch_add(&l->places[*place].held, 1) < l->held) return true;
    atomic_fetch_sub(&l->places[*place].held, 1);
    *place = PEER_LIMIT_NONE;
    return false;
}

void peer_limit_leave(struct peer_limit *l, uint32_t place)
{
    if (place != PEER_LIMIT_NONE) atomic_fetch_sub(&l->places[place].held, 1);
}
