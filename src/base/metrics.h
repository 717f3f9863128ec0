/* SPDX-License-Identifier: MIT */
/* base/metrics.h - counters and gauges, from the one table metrics.def. Any thread. */
#pragma once
#include "base/str.h"
#include <stdatomic.h>

enum metric {
#define X(name, kind, prom, labels, help) name,
#include "base/metrics.def"
#undef X
    METRIC_COUNT
};

extern _Atomic int64_t metric_values[METRIC_COUNT];

static inline void metric_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&metric_values[m], n, memory_order_relaxed);
}

static inline int64_t metric_get(enum metric m)
{
    return atomic_load_explicit(&metric_values[m], memory_order_relaxed);
}

/* The Prometheus text exposition format, version 0.0.4; adds process memory and start time. */
void metrics_text(struct str *out);
