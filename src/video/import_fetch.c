/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/limits.h"
#include "client/http_client.h"
#include "video/import_priv.h"
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define CONNECT_MS 30000
#define TOTAL_MS   (12 * 3600 * INT64_C(1000))
#define IDLE_MS    60000
#define REDIRECTS  5

struct fetch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    struct http_answer answer; /* without its body */
    _Atomic bool cancel;
    _Atomic uint64_t received, expected;
};

static void on_done(void *arg, const struct http_answer *a)
{
    struct fetch *f = arg;
    pthread_mutex_lock(&f->lock);
    f->answer = *a;
    f->done = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static int percent_of(struct fetch *f)
{
    const uint64_t have = atomic_load(&f->received), all = atomic_load(&f->expected);
    return all ? (int)(have >= all ? 100 : have / (all / 100 + 1)) : -1;
}

/* It asks without the lock: rows are written there. */
static void wait_for(struct fetch *f, bool (*go_on)(void *ctx, int percent), void *ctx)
{
    pthread_mutex_lock(&f->lock);
    while (!f->done) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec += 1;
        pthread_cond_timedwait(&f->changed, &f->lock, &t);
        if (f->done) break;
        pthread_mutex_unlock(&f->lock);
        if (!go_on(ctx, percent_of(f))) atomic_store(&f->cancel, true);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
}

/* Servers that are overloaded or being mended may do later. */
static enum err judge_status(int status)
{
    if (status == 200) return E_OK;
    return status >= 500 || status == 408 || status == 429 ? E_TIMEOUT : E_NOTFOUND;
}

static enum err judge(struct fetch *f, char *problem, size_t cap)
{
    const struct http_answer *a = &f->answer;
    if (atomic_load(&f->cancel)) return E_CLOSED;
    if (a->err != E_OK) {
        snprintf(problem, cap, "The file cannot be fetched: %s", a->why);
        return a->err;
    }
    const enum err e = judge_status(a->status);
    if (e != E_OK) snprintf(problem, cap, "The address answered with status %d.", a->status);
    if (e != E_OK || a->bytes) return e;
    snprintf(problem, cap, "The address answered with an empty file.");
    return E_NOTFOUND;
}

enum err import_fetch(struct imports *i, const char *url, int fd,
                      const struct import_fetch_limits *limits,
                      bool (*go_on)(void *ctx, int percent), void *ctx, char *problem, size_t cap)
{
    const struct settings *s = i->cfg.settings;
    struct fetch f = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    const struct import_fetch_limits media = {s->max_upload_size ? (uint64_t)s->max_upload_size
                                                                 : INT64_MAX,
                                              TOTAL_MS, IDLE_MS, (uint64_t)s->min_free_disk};
    if (!limits) limits = &media;
    const struct http_want w = {
        .url = url,
        .allow_private = s->fetch_allow_private,
        .redirects = REDIRECTS,
        .connect_ms = CONNECT_MS,
        .total_ms = limits->total_ms,
        .idle_ms = limits->idle_ms,
        .max_bytes = limits->max_bytes,
        .fd = fd,
        .min_free = limits->min_free,
        .cancel = &f.cancel,
        .received = &f.received,
        .expected = &f.expected,
    };
    http_client_start(i->cfg.client, &w, on_done, &f);
    wait_for(&f, go_on, ctx);
    const enum err e = judge(&f, problem, cap);
    pthread_cond_destroy(&f.changed);
    pthread_mutex_destroy(&f.lock);
    return e;
}
