/* SPDX-License-Identifier: MIT */
/* The thread: results are written, what is due is started, then it sleeps until something is. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/webhooks_priv.h"
#include <stdio.h>

enum {
    SCAN_GAP_US = 10000,    /* between two looks at the database, at least */
    LOOK_AGAIN_US = 150000, /* after a wake: the rows may not have been committed yet */
    IDLE_US = 2000000,      /* without any wake */
    STOP_US = 2000000,      /* the longest wait for what runs at the end */
};
#define SWEEP_EVERY_US (INT64_C(60) * US_PER_SEC)

struct nudge {
    struct list node;
    char webhook_id[WEBHOOK_ID_CAP];
};

/* Who is first may fill what there is; so everybody is first in turn. */
static int64_t scan(struct webhooks *w)
{
    struct endpoint_row *rows = NULL;
    size_t n = 0;
    int64_t next = INT64_MAX;
    const int64_t now = clock_wall_us();
    if (webhooks_db_endpoints(&w->cfg, w->db, &rows, &n) != E_OK) next = now + WEBHOOKS_TROUBLE_US;
    const size_t first = n ? rand_u64() % n : 0;
    for (size_t i = 0; i < n; i++) {
        const struct endpoint_row *to = &rows[(first + i) % n];
        const int64_t t = webhooks_serve(w, to, now);
        if (t < next) next = t;
    }
    for (size_t i = 0; i < n; i++) free(rows[i].address);
    free(rows);
    return next == INT64_MAX ? next : clock_mono_us() + (next - now);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void take_nudges(struct webhooks *w)
{
    for (;;) {
        struct nudge *n = NULL;
        pthread_mutex_lock(&w->lock);
        if (!list_empty(&w->nudged)) {
            n = CONTAINER_OF(w->nudged.next, struct nudge, node);
            list_remove(&n->node);
        }
        pthread_mutex_unlock(&w->lock);
        if (!n) return;
        webhooks_rest_no_more(w, n->webhook_id);
        free(n);
    }
}

/* Until `when` (clock_mono_us), or something has come back, or somebody wakes it. */
static void rest(struct webhooks *w, int64_t when)
{
    struct timespec t = {.tv_sec = when / US_PER_SEC, .tv_nsec = when % US_PER_SEC * 1000};
    pthread_mutex_lock(&w->lock);
    while (!w->ending && !w->woken && list_empty(&w->results) && list_empty(&w->nudged))
        if (pthread_cond_timedwait(&w->cond, &w->lock, &t) != 0) break;
    pthread_mutex_unlock(&w->lock);
}

static bool ending(struct webhooks *w, bool *woken)
{
    pthread_mutex_lock(&w->lock);
    const bool over = w->ending;
    *woken = w->woken;
    w->woken = false;
    pthread_mutex_unlock(&w->lock);
    return over;
}

static void sweep(struct webhooks *w)
{
    const int64_t now = clock_mono_us();
    if (now < w->next_sweep_us) return;
    w->next_sweep_us = now + SWEEP_EVERY_US;
    if (webhooks_db_sweep(w->db, clock_wall_us()) != E_OK)
        log_warn("webhooks", "old events could not be removed");
}

/* What runs may finish; what does not is sent again after the next start. */
static void finish(struct webhooks *w)
{
    const int64_t until = clock_mono_us() + STOP_US;
    struct timespec t = {.tv_sec = until / US_PER_SEC, .tv_nsec = until % US_PER_SEC * 1000};
    bool late = false;
    for (;;) {
        webhooks_settle_all(w);
        if (late || !w->n_running) return;
        pthread_mutex_lock(&w->lock);
        while (!late && list_empty(&w->results))
            late = pthread_cond_timedwait(&w->cond, &w->lock, &t) != 0;
        pthread_mutex_unlock(&w->lock);
    }
}

static void *webhooks_run(void *arg)
{
    struct webhooks *w = arg;
    bool woken;
    int64_t look_again = 0;
    w->db = db_open_thread(w->cfg.store);
    while (!ending(w, &woken)) {
        const int64_t began = clock_mono_us();
        if (woken) look_again = began + LOOK_AGAIN_US;
        webhooks_settle_all(w);
        take_nudges(w);
        sweep(w);
        int64_t next = scan(w);
        const int64_t now = clock_mono_us();
        if (look_again > now && look_again < next) next = look_again;
        if (next > now + IDLE_US) next = now + IDLE_US;
        if (next < began + SCAN_GAP_US) next = began + SCAN_GAP_US;
        rest(w, next);
        /* Many wakes in a row are one look. */
        const int64_t left = began + SCAN_GAP_US - clock_mono_us();
        if (left > 0) nanosleep(&(struct timespec){.tv_nsec = left * 1000}, NULL);
    }
    finish(w);
    return NULL;
}

/* --- the outside ------------------------------------------------------------------------------ */

struct webhooks *webhooks_new(const struct webhooks_config *cfg)
{
    struct webhooks *w = NEW(struct webhooks);
    pthread_condattr_t mono;
    w->cfg = *cfg;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&w->cond, &mono);
    pthread_condattr_destroy(&mono);
    list_init(&w->results);
    list_init(&w->nudged);
    CHECK(pthread_create(&w->thread, NULL, webhooks_run, w) == 0);
    return w;
}

void webhooks_wake(void *webhooks)
{
    struct webhooks *w = webhooks;
    pthread_mutex_lock(&w->lock);
    w->woken = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

void webhooks_nudge(struct webhooks *w, const char *webhook_id)
{
    struct nudge *n = NEW(struct nudge);
    snprintf(n->webhook_id, sizeof n->webhook_id, "%s", webhook_id);
    pthread_mutex_lock(&w->lock);
    list_push_back(&w->nudged, &n->node);
    w->woken = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

void webhooks_stop(struct webhooks *w)
{
    if (!w || w->joined) return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->joined = true;
}

void webhooks_free(struct webhooks *w)
{
    if (!w) return;
    webhooks_stop(w);
    LIST_EACH(it, &w->nudged) free(CONTAINER_OF(it, struct nudge, node));
    webhooks_send_fini(w);
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
