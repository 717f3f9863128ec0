/* SPDX-License-Identifier: MIT */
#include "hub/feed_cache.h"
#include "base/xalloc.h"
#include <string.h>

void feed_cache_init(struct feed_cache *c, feed_keep_fn *keep, size_t max_weight, size_t max_len)
{
    *c = (struct feed_cache){.keep = keep, .max_weight = max_weight, .max_len = max_len};
}

static void append(struct feed_cache *c, struct feed_msg *m)
{
    if (c->len == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 8;
        c->at = xrealloc(c->at, c->cap * sizeof(struct feed_msg *));
    }
    c->at[c->len++] = feed_msg_ref(m);
    c->weight += m->weight;
}

static void drop_unpinned(struct feed_cache *c)
{
    while (c->len > c->n_pinned) {
        struct feed_msg *m = c->at[--c->len];
        c->weight -= m->weight;
        feed_msg_unref(m);
    }
}

/* In front of what is not pinned. */
static void pin(struct feed_cache *c, struct feed_msg *m)
{
    for (size_t i = 0; i < c->n_pinned; i++) {
        if (c->at[i]->kind != m->kind) continue;
        c->weight += m->weight - c->at[i]->weight;
        feed_msg_unref(c->at[i]);
        c->at[i] = feed_msg_ref(m);
        return;
    }
    append(c, m);
    memmove(c->at + c->n_pinned + 1, c->at + c->n_pinned,
            (c->len - 1 - c->n_pinned) * sizeof(struct feed_msg *));
    c->at[c->n_pinned++] = m;
}

void feed_cache_add(struct feed_cache *c, struct feed_msg *m)
{
    const enum feed_keep k = c->keep(m);
    if (k == FEED_KEEP_NOT) return;
    if (k == FEED_KEEP_LATEST) {
        pin(c, m);
        return;
    }
    if (k != FEED_KEEP) drop_unpinned(c);
    if (k == FEED_KEEP_PINNED) {
        pin(c, m);
        c->waiting = true;
        return;
    }
    if (k == FEED_KEEP_FRESH) c->waiting = false;
    if (c->waiting) return;
    append(c, m);
    if (c->weight > c->max_weight || c->len - c->n_pinned > c->max_len) {
        drop_unpinned(c);
        c->waiting = true;
    }
}

void feed_cache_copy(const struct feed_cache *c, struct feed_cache *out)
{
    feed_cache_init(out, c->keep, c->max_weight, c->max_len);
    for (size_t i = 0; i < c->len; i++) append(out, c->at[i]);
    out->n_pinned = c->n_pinned;
    out->waiting = c->waiting;
}

void feed_cache_clear(struct feed_cache *c)
{
    for (size_t i = 0; i < c->len; i++) feed_msg_unref(c->at[i]);
    free(c->at);
    feed_cache_init(c, c->keep, c->max_weight, c->max_len);
}
