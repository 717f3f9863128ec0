/* SPDX-License-Identifier: MIT */
/* io/timer_heap.h - a binary heap of timers, earliest first. One loop's; not shared. */
#pragma once
#include "io/loop.h"

struct timer_heap {
    struct timer **at; /* at[1..len]; a timer's slot is its index */
    size_t len, cap;
};

void timer_heap_put(struct timer_heap *h, struct timer *t); /* in, or moved */
void timer_heap_remove(struct timer_heap *h, struct timer *t);
struct timer *timer_heap_first(const struct timer_heap *h);               /* or NULL */
struct timer *timer_heap_due(const struct timer_heap *h, int64_t now_us); /* or NULL */
void timer_heap_fini(struct timer_heap *h);
