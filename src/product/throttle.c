/* SPDX-License-Identifier: MIT */
#include "product/throttle.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/xalloc.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>

struct bucket {
    int64_t at_us; /* when `tokens` was true */
    double tokens;
    int64_t refill_us;
    unsigned burst;
};

struct throttle {
    pthread_mutex_t lock;
    struct map buckets;
};

struct throttle *throttle_new(void)
{
    struct throttle *t = NEW(struct throttle);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t) return;
    size_t pos = 0;
    void *b;
    while (map_next(&t->buckets, &pos, NULL, &b)) free(b);
    map_fini(&t->buckets);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void fill(struct bucket *b, int64_t now_us)
{
    b->tokens += (double)(now_us - b->at_us) / (double)b->refill_us;
    if (b->tokens > b->burst) b->tokens = b->burst;
    b->at_us = now_us;
}

/* Full buckets say nothing. When that is not enough, an eighth of the others goes too: somebody
 * with that many addresses is not stopped by remembering them. */
static void make_room(struct throttle *t, int64_t now_us)
{
    for (int pass = 0; pass < 2 && t->buckets.len >= LIMIT_THROTTLE_ENTRIES; pass++) {
        size_t pos = 0, seen = 0;
        struct span key;
        void *v;
        while (map_next(&t->buckets, &pos, &key, &v)) {
            struct bucket *b = v;
            fill(b, now_us);
            if (b->tokens < b->burst && (pass == 0 || seen++ % 8)) continue;
            map_del(&t->buckets, key);
            free(b);
        }
    }
}

static struct span key_of(const struct throttle_rule *rule, const char *key, char *buf, size_t cap)
{
    const int n = snprintf(buf, cap, "%s %s", rule->name, key);
    return span_of(buf, (size_t)n < cap ? (size_t)n : cap - 1);
}

bool throttle_take(struct throttle *t, const struct throttle_rule *rule, const char *key,
                   int64_t now_us, int64_t *retry_s)
{
    char text[512];
    const struct span k = key_of(rule, key, text, sizeof text);
    pthread_mutex_lock(&t->lock);
    struct bucket *b = map_get(&t->buckets, k);
    if (!b) {
        if (t->buckets.len >= LIMIT_THROTTLE_ENTRIES) make_room(t, now_us);
        b = NEW(struct bucket);
        *b = (struct bucket){now_us, rule->burst, rule->refill_us, rule->burst};
        map_put(&t->buckets, k, b);
    }
    fill(b, now_us);
    const bool ok = b->tokens >= 1;
    if (ok)
        b->tokens -= 1;
    else
        *retry_s = 1 + (int64_t)((1 - b->tokens) * (double)b->refill_us / US_PER_SEC);
    pthread_mutex_unlock(&t->lock);
    return ok;
}

void throttle_give_back(struct throttle *t, const struct throttle_rule *rule, const char *key)
{
    char text[512];
    pthread_mutex_lock(&t->lock);
    struct bucket *b = map_get(&t->buckets, key_of(rule, key, text, sizeof text));
    if (b) b->tokens += 1;
    pthread_mutex_unlock(&t->lock);
}

void throttle_peer(const char *peer, char out[THROTTLE_PEER_CAP])
{
    struct in6_addr a;
    if (inet_pton(AF_INET6, peer, &a) == 1) {
        memset(a.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &a, out, THROTTLE_PEER_CAP);
    } else {
        snprintf(out, THROTTLE_PEER_CAP, "%s", peer);
    }
}
