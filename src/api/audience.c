/* SPDX-License-Identifier: MIT */
#include "api/audience.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include <pthread.h>
#include <stdio.h>

enum {
    PEAK_EVERY_S = 10, /* a growing peak is written this often */
};

struct entry {
    char id[ID_CAP];
    bool live;
    unsigned readers;
    unsigned pages; /* viewers with a page */
    unsigned open;  /* their pages, of which one may have several */
    unsigned told_open;
    struct map viewers; /* those of them who are known -> how many pages */
    unsigned count;     /* as last told */
    unsigned peak, peak_written;
    int64_t peak_due_us;
    struct stream_viewer *came; /* since the last tick */
    size_t n_came, came_cap;
    unsigned n_origins;
    char origins[LIMIT_SSE_ORIGINS][300];
};

struct audience {
    struct api_config cfg;
    pthread_mutex_t lock;
    struct map entries;
};

static void entry_free(struct entry *e)
{
    map_fini(&e->viewers);
    free(e->came);
    free(e);
}

struct audience *audience_new(const struct api_config *cfg)
{
    struct audience *a = NEW(struct audience);
    a->cfg = *cfg;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void audience_free(struct audience *a)
{
    size_t pos = 0;
    void *e;
    while (map_next(&a->entries, &pos, NULL, &e)) entry_free(e);
    map_fini(&a->entries);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static struct entry *find(struct audience *a, const char *id)
{
    return map_get(&a->entries, span_str(id));
}

static struct entry *find_or_add(struct audience *a, const char *id)
{
    struct entry *e = find(a, id);
    if (e) return e;
    e = NEW(struct entry);
    snprintf(e->id, sizeof e->id, "%s", id);
    map_put(&a->entries, span_str(id), e);
    return e;
}

static void drop_idle(struct audience *a, struct entry *e)
{
    if (e->live || e->readers) return;
    map_del(&a->entries, span_str(e->id));
    entry_free(e);
}

static unsigned origin_slot(struct entry *e, const char *origin)
{
    for (unsigned i = 0; i < e->n_origins; i++)
        if (strcmp(e->origins[i], origin) == 0) return i;
    if (e->n_origins == LIMIT_SSE_ORIGINS) return LIMIT_SSE_ORIGINS;
    snprintf(e->origins[e->n_origins], sizeof e->origins[0], "%s", origin);
    return e->n_origins++;
}

unsigned audience_join(struct audience *a, const char *stream_id, const char *origin)
{
    pthread_mutex_lock(&a->lock);
    struct entry *e = find_or_add(a, stream_id);
    e->readers++;
    const unsigned slot = origin_slot(e, origin);
    pthread_mutex_unlock(&a->lock);
    return slot;
}

void audience_leave(struct audience *a, const char *stream_id)
{
    pthread_mutex_lock(&a->lock);
    struct entry *e = find(a, stream_id);
    CHECK(e && e->readers);
    /* Places of origins are handed out while anybody reads, and begin anew afterwards. */
    if (--e->readers == 0) e->n_origins = 0;
    drop_idle(a, e);
    pthread_mutex_unlock(&a->lock);
}

/* --- who comes ------------------------------------------------------------------------------- */

/* The hash of what a page is known by, which is random itself. */
static uint64_t hash_of(struct span s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.len; i++) h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void note(struct entry *e, uint64_t who, bool page)
{
    if (!e->live || e->n_came == LIMIT_AUDIENCE_CAME) return;
    if (e->n_came == e->came_cap) {
        e->came_cap = e->came_cap ? 2 * e->came_cap : 16;
        e->came = xrealloc(e->came, e->came_cap * sizeof *e->came);
    }
    e->came[e->n_came++] = (struct stream_viewer){who, page};
}

static void page_comes(struct entry *e, struct span viewer)
{
    const uintptr_t n = (uintptr_t)map_get(&e->viewers, viewer);
    if (viewer.len) map_put(&e->viewers, viewer, (void *)(n + 1)); /* NOLINT: a number */
    if (n) return;
    e->pages++;
    note(e, viewer.len ? hash_of(viewer) : rand_u64(), true);
}

static void page_goes(struct entry *e, struct span viewer)
{
    const uintptr_t n = viewer.len ? (uintptr_t)map_get(&e->viewers, viewer) : 1;
    CHECK(n && e->pages);
    if (n > 1) {
        map_put(&e->viewers, viewer, (void *)(n - 1)); /* NOLINT: a number */
        return;
    }
    if (viewer.len) map_del(&e->viewers, viewer);
    e->pages--;
}

void audience_pages(struct audience *a, const char *stream_id, const char *viewer, int n)
{
    pthread_mutex_lock(&a->lock);
    struct entry *e = find(a, stream_id);
    CHECK(e);
    e->open += (unsigned)n;
    if (n > 0)
        page_comes(e, span_str(viewer));
    else
        page_goes(e, span_str(viewer));
    pthread_mutex_unlock(&a->lock);
}

void audience_player(struct audience *a, const char *stream_id, uint64_t who)
{
    pthread_mutex_lock(&a->lock);
    struct entry *e = find(a, stream_id);
    if (e) note(e, who, false);
    pthread_mutex_unlock(&a->lock);
}

/* Pages that were open before the stream went live. */
static void note_waiting(struct entry *e)
{
    size_t pos = 0;
    struct span viewer;
    void *v;
    while (map_next(&e->viewers, &pos, &viewer, &v)) note(e, hash_of(viewer), true);
}

bool audience_origins(struct audience *a, const char *stream_id, struct audience_origins *out)
{
    pthread_mutex_lock(&a->lock);
    const struct entry *e = find(a, stream_id);
    out->n = e && e->readers ? e->n_origins : 0;
    for (unsigned i = 0; i < out->n; i++) memcpy(out->text[i], e->origins[i], sizeof out->text[i]);
    const bool any = e && e->readers;
    pthread_mutex_unlock(&a->lock);
    return any;
}

unsigned audience_set_live(struct audience *a, const char *stream_id, bool live)
{
    unsigned peak = 0;
    pthread_mutex_lock(&a->lock);
    struct entry *e = live ? find_or_add(a, stream_id) : find(a, stream_id);
    if (e && e->live != live) {
        if (!live && e->peak > e->peak_written) peak = e->peak;
        /* Each broadcast is counted on its own. */
        e->peak = e->peak_written = 0;
        e->live = live;
        if (live) note_waiting(e);
    }
    if (e) drop_idle(a, e);
    pthread_mutex_unlock(&a->lock);
    return peak;
}

static unsigned count_now(const struct audience *a, const char *id, unsigned pages)
{
    const struct api_config *c = &a->cfg;
    const unsigned hls = c->hls_viewers ? c->hls_viewers(c->viewers_ctx, id) : 0;
    const unsigned rtc = c->rtc_viewers ? c->rtc_viewers(c->viewers_ctx, id) : 0;
    const unsigned rtmp = c->rtmp_viewers ? c->rtmp_viewers(c->viewers_ctx, id) : 0;
    const unsigned players = hls + rtc;
    return (pages > players ? pages : players) + rtmp;
}

unsigned audience_count(struct audience *a, const char *stream_id)
{
    pthread_mutex_lock(&a->lock);
    const struct entry *e = find(a, stream_id);
    const unsigned pages = e ? e->pages : 0;
    pthread_mutex_unlock(&a->lock);
    return count_now(a, stream_id, pages);
}

unsigned audience_open(struct audience *a, const char *stream_id)
{
    pthread_mutex_lock(&a->lock);
    const struct entry *e = find(a, stream_id);
    const unsigned n = e ? e->open : 0;
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* What there is to tell about an entry; false: nothing. */
static bool look(struct audience *a, struct entry *e, int64_t now_us, struct audience_news *t)
{
    *t = (struct audience_news){.count = count_now(a, e->id, e->pages)};
    memcpy(t->id, e->id, sizeof t->id);
    t->open = e->open;
    t->changed = t->count != e->count || t->open != e->told_open;
    e->count = t->count;
    e->told_open = t->open;
    if (e->live && t->count > e->peak) e->peak = t->count;
    if (e->peak > e->peak_written && now_us >= e->peak_due_us) {
        t->peak = e->peak_written = e->peak;
        e->peak_due_us = now_us + PEAK_EVERY_S * US_PER_SEC;
    }
    t->came = e->came;
    t->n_came = e->n_came;
    e->came = NULL;
    e->n_came = e->came_cap = 0;
    return t->changed || t->peak || t->n_came;
}

void audience_tick(struct audience *a, audience_fn *fn, void *ctx)
{
    const int64_t now_us = clock_mono_us();
    struct audience_news *ticks = NULL;
    size_t n = 0, pos = 0;
    void *e;
    pthread_mutex_lock(&a->lock);
    if (a->entries.len) ticks = xcalloc(a->entries.len, sizeof *ticks);
    while (map_next(&a->entries, &pos, NULL, &e)) n += look(a, e, now_us, &ticks[n]);
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < n; i++) fn(ctx, &ticks[i]);
    free(ticks);
}
