/* SPDX-License-Identifier: MIT */
#include "serve/hls/audience.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/xalloc.h"
#include <pthread.h>

struct viewer {
    uint64_t who; /* 0: free */
    int64_t at_us;
};

/* Open addressing; grows, and forgets the old ones when it does. */
struct audience {
    struct viewer *v;
    size_t cap, used;
    int64_t at_us;
};

struct hls_audience {
    pthread_mutex_t lock;
    struct map streams; /* by stream id */
    uint64_t seed;
    hls_new_viewer_fn *on_new;
    void *on_new_ctx;
};

struct hls_audience *hls_audience_new(uint64_t seed)
{
    struct hls_audience *b = NEW(struct hls_audience);
    pthread_mutex_init(&b->lock, NULL);
    b->seed = seed;
    return b;
}

void hls_audience_on_new(struct hls_audience *b, hls_new_viewer_fn *fn, void *ctx)
{
    b->on_new = fn;
    b->on_new_ctx = ctx;
}

static void audience_free(struct audience *a)
{
    free(a->v);
    free(a);
}

void hls_audience_free(struct hls_audience *b)
{
    size_t pos = 0;
    struct span key;
    void *value;
    while (map_next(&b->streams, &pos, &key, &value)) audience_free(value);
    map_fini(&b->streams);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static uint64_t mix(uint64_t h, struct span s)
{
    for (size_t i = 0; i < s.len; i++) h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static struct viewer *slot_of(struct viewer *v, size_t cap, uint64_t who)
{
    size_t i = who & (cap - 1);
    while (v[i].who && v[i].who != who) i = (i + 1) & (cap - 1);
    return &v[i];
}

static void make_room(struct audience *a, int64_t now_us)
{
    size_t alive = 0;
    for (size_t i = 0; i < a->cap; i++)
        alive += a->v[i].who && now_us - a->v[i].at_us < HLS_VIEWER_US;
    const size_t cap = alive * 2 < 16 ? 32 : alive * 2 < a->cap / 2 ? a->cap : a->cap * 2;
    struct viewer *old = a->v;
    const size_t old_cap = a->cap;
    a->v = xcalloc(cap, sizeof *a->v);
    a->cap = cap;
    a->used = 0;
    for (size_t i = 0; i < old_cap; i++) {
        if (!old[i].who || now_us - old[i].at_us >= HLS_VIEWER_US) continue;
        *slot_of(a->v, cap, old[i].who) = old[i];
        a->used++;
    }
    free(old);
}

/* True: it was not there. */
static bool add(struct audience *a, uint64_t who, int64_t now_us)
{
    if (a->used * 2 >= a->cap) make_room(a, now_us);
    struct viewer *v = slot_of(a->v, a->cap, who);
    const bool is_new = !v->who;
    if (is_new && a->used >= LIMIT_HLS_AUDIENCE) return false;
    a->used += is_new;
    *v = (struct viewer){who, now_us};
    a->at_us = now_us;
    return is_new;
}

/* Streams that nobody watches any more. */
static void forget_quiet(struct hls_audience *b, int64_t now_us)
{
    size_t pos = 0;
    struct span key;
    void *value;
    while (map_next(&b->streams, &pos, &key, &value)) {
        const struct audience *a = value;
        if (now_us - a->at_us >= HLS_VIEWER_US) audience_free(map_del(&b->streams, key));
    }
}

uint64_t hls_audience_who(const struct hls_audience *b, const char *stream_id, struct span address,
                          struct span program)
{
    const uint64_t who = mix(mix(mix(b->seed, span_str(stream_id)), address), program);
    return who ? who : 1;
}

/* Its place stays taken until the table is next made anew: others may have been put behind it. */
void hls_audience_forget(struct hls_audience *b, const char *stream_id, uint64_t who)
{
    pthread_mutex_lock(&b->lock);
    struct audience *a = map_get(&b->streams, span_str(stream_id));
    struct viewer *v = a && a->cap ? slot_of(a->v, a->cap, who) : NULL;
    if (v && v->who) v->at_us = INT64_MIN / 2;
    pthread_mutex_unlock(&b->lock);
}

void hls_audience_tell(const struct hls_audience *b, const char *stream_id, uint64_t who)
{
    if (b->on_new) b->on_new(b->on_new_ctx, stream_id, who);
}

void hls_audience_see(struct hls_audience *b, struct hls_audience_seen *seen, const char *stream_id,
                      struct span address, struct span program, int64_t now_us)
{
    const struct span stream = span_str(stream_id);
    const uint64_t who = hls_audience_who(b, stream_id, address, program);
    const size_t i = who % (sizeof seen->slots / sizeof *seen->slots);
    if (seen->slots[i].who == who && now_us - seen->slots[i].at_us < AUDIENCE_QUIET_US) return;
    seen->slots[i].who = who;
    seen->slots[i].at_us = now_us;

    pthread_mutex_lock(&b->lock);
    struct audience *a = map_get(&b->streams, stream);
    if (!a) {
        forget_quiet(b, now_us);
        a = NEW(struct audience);
        map_put(&b->streams, stream, a);
    }
    const bool is_new = add(a, who, now_us);
    pthread_mutex_unlock(&b->lock);
    if (is_new) hls_audience_tell(b, stream_id, who);
}

unsigned hls_audience_count(struct hls_audience *b, const char *stream_id, int64_t now_us)
{
    unsigned n = 0;
    pthread_mutex_lock(&b->lock);
    const struct audience *a = map_get(&b->streams, span_str(stream_id));
    for (size_t i = 0; a && i < a->cap; i++)
        n += a->v[i].who && now_us - a->v[i].at_us < HLS_VIEWER_US;
    pthread_mutex_unlock(&b->lock);
    return n;
}
