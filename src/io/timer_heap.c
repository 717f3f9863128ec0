/* SPDX-License-Identifier: MIT */
#include "io/timer_heap.h"
#include "base/xalloc.h"

static void place(struct timer_heap *h, size_t i, struct timer *t)
{
    h->at[i] = t;
    t->slot = i;
}

static void rise(struct timer_heap *h, size_t i, struct timer *t)
{
    for (; i > 1 && h->at[i / 2]->at_us > t->at_us; i /= 2) place(h, i, h->at[i / 2]);
    place(h, i, t);
}

static void sink(struct timer_heap *h, size_t i, struct timer *t)
{
    for (size_t child; (child = 2 * i) <= h->len; i = child) {
        if (child < h->len && h->at[child + 1]->at_us < h->at[child]->at_us) child++;
        if (h->at[child]->at_us >= t->at_us) break;
        place(h, i, h->at[child]);
    }
    place(h, i, t);
}

void timer_heap_put(struct timer_heap *h, struct timer *t)
{
    if (t->slot) timer_heap_remove(h, t);
    if (h->len + 2 > h->cap) {
        h->cap = h->cap ? 2 * h->cap : 16;
        h->at = xrealloc(h->at, h->cap * sizeof(struct timer *));
    }
    rise(h, ++h->len, t);
}

void timer_heap_remove(struct timer_heap *h, struct timer *t)
{
    const size_t i = t->slot;
    CHECK(i && i <= h->len && h->at[i] == t);
    struct timer *last = h->at[h->len--];
    t->slot = 0;
    if (last == t) return;
    if (i > 1 && h->at[i / 2]->at_us > last->at_us)
        rise(h, i, last);
    else
        sink(h, i, last);
}

struct timer *timer_heap_first(const struct timer_heap *h)
{
    return h->len ? h->at[1] : NULL;
}

struct timer *timer_heap_due(const struct timer_heap *h, int64_t now_us)
{
    return h->len && h->at[1]->at_us <= now_us ? h->at[1] : NULL;
}

void timer_heap_fini(struct timer_heap *h)
{
    for (size_t i = 1; i <= h->len; i++) h->at[i]->slot = 0;
    free(h->at);
    *h = (struct timer_heap){0};
}
