/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "record/recording.h"
#include "serve/hls/hls_priv.h"
#include <pthread.h>

#define SLOTS 32

struct vod_cache {
    pthread_mutex_t lock;
    struct {
        char *dir;
        struct archive *archive;
        uint64_t used;
    } slots[SLOTS];
    uint64_t turn;
};

struct vod_cache *vod_cache_new(void)
{
    struct vod_cache *c = NEW(struct vod_cache);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void vod_cache_free(struct vod_cache *c)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        free(c->slots[i].dir);
        archive_unref(c->slots[i].archive);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* With the lock held. */
static struct archive *look_up(struct vod_cache *c, const char *dir)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!c->slots[i].dir || strcmp(c->slots[i].dir, dir) != 0) continue;
        c->slots[i].used = ++c->turn;
        return archive_ref(c->slots[i].archive);
    }
    return NULL;
}

static void keep(struct vod_cache *c, const char *dir, struct archive *a)
{
    unsigned oldest = 0;
    for (unsigned i = 1; i < SLOTS; i++)
        if (c->slots[i].used < c->slots[oldest].used) oldest = i;
    free(c->slots[oldest].dir);
    archive_unref(c->slots[oldest].archive);
    c->slots[oldest].dir = xstrdup(dir);
    c->slots[oldest].archive = archive_ref(a);
    c->slots[oldest].used = ++c->turn;
}

enum err vod_cache_get(struct vod_cache *c, const char *dir, struct archive **out)
{
    pthread_mutex_lock(&c->lock);
    struct archive *a = look_up(c, dir);
    pthread_mutex_unlock(&c->lock);
    if (!a) {
        const enum err e = recording_load(dir, &a);
        if (e != E_OK) return e;
        pthread_mutex_lock(&c->lock);
        struct archive *other = look_up(c, dir); /* somebody was faster */
        if (!other) keep(c, dir, a);
        pthread_mutex_unlock(&c->lock);
        archive_unref(other);
    }
    *out = a;
    return E_OK;
}
