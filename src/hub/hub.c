/* SPDX-License-Identifier: MIT */
/* The registry: channels by id. Its lock is for coming, going and looking up, never for media. */
#include "hub/hub.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "hub/channel_priv.h"
#include <pthread.h>

struct hub {
    pthread_mutex_t lock;
    struct map channels; /* id -> channel, one reference each */
    struct loop *const *loops;
    unsigned n_loops;
    unsigned load[LIMIT_LOOPS_MAX]; /* channels at home on each loop */
};

struct hub *hub_new(struct loop *const *loops, unsigned n_loops)
{
    CHECK(n_loops && n_loops <= LIMIT_LOOPS_MAX);
    struct hub *h = NEW(struct hub);
    pthread_mutex_init(&h->lock, NULL);
    h->loops = loops;
    h->n_loops = n_loops;
    return h;
}

void hub_free(struct hub *h)
{
    size_t pos = 0;
    void *c;
    while (map_next(&h->channels, &pos, NULL, &c)) channel_unref(c);
    map_fini(&h->channels);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

struct loop *const *hub_loops(const struct hub *h, unsigned *n)
{
    *n = h->n_loops;
    return h->loops;
}

static unsigned least_loaded(const struct hub *h)
{
    unsigned best = 0;
    for (unsigned i = 1; i < h->n_loops; i++)
        if (h->load[i] < h->load[best]) best = i;
    return best;
}

enum err channel_open(struct hub *h, const char *id, struct channel **out)
{
    const struct span key = span_str(id);
    if (key.len == 0 || key.len >= CHANNEL_ID_CAP) return E_INVALID;
    pthread_mutex_lock(&h->lock);
    if (map_get(&h->channels, key)) {
        pthread_mutex_unlock(&h->lock);
        return E_CONFLICT;
    }
    const unsigned home = least_loaded(h);
    h->load[home]++;
    struct channel *c = channel_new(h, id, h->loops[home]);
    map_put(&h->channels, key, channel_ref(c));
    pthread_mutex_unlock(&h->lock);
    *out = c;
    return E_OK;
}

struct channel *hub_find(struct hub *h, struct span id)
{
    pthread_mutex_lock(&h->lock);
    struct channel *c = channel_ref(map_get(&h->channels, id));
    pthread_mutex_unlock(&h->lock);
    return c;
}

void hub_forget(struct hub *h, struct channel *c)
{
    const struct span key = span_str(channel_id(c));
    pthread_mutex_lock(&h->lock);
    const bool was_there = map_get(&h->channels, key) == c;
    if (was_there) {
        map_del(&h->channels, key);
        h->load[loop_id(channel_home(c))]--;
    }
    pthread_mutex_unlock(&h->lock);
    if (was_there) channel_unref(c);
}
