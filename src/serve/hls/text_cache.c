/* SPDX-License-Identifier: MIT */
/* Subtitles that were read a moment ago, shared by the loops: viewers ask for piece after piece. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "serve/hls/hls_priv.h"
#include <pthread.h>
#include <stdio.h>

#define SLOTS   64
#define LIFE_US HLS_BELIEVE_US /* a track that is deleted can be had so long */

struct slot {
    char key[2 * HLS_ID_CAP];
    struct text_doc *doc;
    int64_t until_us;
};

struct text_cache {
    pthread_mutex_t lock;
    struct slot slots[SLOTS];
    size_t bytes;
};

struct text_doc *text_doc_new(struct subtitles *s)
{
    struct text_doc *d = NEW(struct text_doc);
    d->refs = 1;
    d->s = *s;
    *s = (struct subtitles){0};
    return d;
}

void text_doc_unref(struct text_doc *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1) return;
    subtitles_fini(&d->s);
    free(d);
}

static size_t size_of(const struct text_doc *d)
{
    return sizeof *d + d->s.cap * sizeof *d->s.cues + d->s.text.cap;
}

struct text_cache *text_cache_new(void)
{
    struct text_cache *c = NEW(struct text_cache);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

/* With the lock held, as in what follows. */
static void clear(struct text_cache *c, struct slot *s)
{
    if (s->doc) c->bytes -= size_of(s->doc);
    text_doc_unref(s->doc);
    *s = (struct slot){0};
}

void text_cache_free(struct text_cache *c)
{
    for (unsigned i = 0; i < SLOTS; i++) clear(c, &c->slots[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void make_key(char key[2 * HLS_ID_CAP], const char *playback_id, const char *track_id)
{
    snprintf(key, 2 * HLS_ID_CAP, "%s/%s", playback_id, track_id);
}

struct text_doc *text_cache_get(struct text_cache *c, const char *playback_id, const char *track_id)
{
    char key[2 * HLS_ID_CAP];
    struct text_doc *found = NULL;
    const int64_t now = clock_mono_us();
    make_key(key, playback_id, track_id);
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *s = &c->slots[i];
        if (s->doc && s->until_us <= now) clear(c, s);
        if (!s->doc || strcmp(s->key, key) != 0) continue;
        found = s->doc;
        atomic_fetch_add_explicit(&found->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* The one that ends first, or an empty one. */
static struct slot *oldest(struct text_cache *c, bool full)
{
    struct slot *best = NULL;
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *s = &c->slots[i];
        if (full && !s->doc) continue;
        if (!best || s->until_us < best->until_us) best = s;
    }
    return best;
}

void text_cache_put(struct text_cache *c, const char *playback_id, const char *track_id,
                    struct text_doc *d)
{
    const size_t size = size_of(d);
    if (size > LIMIT_TEXT_CACHE_BYTES) return;
    pthread_mutex_lock(&c->lock);
    while (c->bytes + size > LIMIT_TEXT_CACHE_BYTES) clear(c, oldest(c, true));
    struct slot *s = oldest(c, false);
    clear(c, s);
    make_key(s->key, playback_id, track_id);
    s->doc = d;
    s->until_us = clock_mono_us() + LIFE_US;
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    c->bytes += size;
    pthread_mutex_unlock(&c->lock);
}
