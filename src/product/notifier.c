/* SPDX-License-Identifier: MIT */
#include "product/notifier.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/notice_priv.h"
#include <pthread.h>

enum { LOOK_US = 1000000 };

struct notifier {
    struct notifier_config cfg;
    struct db *db;
    struct push_sender *pushes;
    pthread_t thread;
    bool joined;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken; /* under lock */
    _Atomic bool ending;
};

static void wake(void *arg)
{
    struct notifier *n = arg;
    pthread_mutex_lock(&n->lock);
    n->woken = true;
    pthread_cond_signal(&n->cond);
    pthread_mutex_unlock(&n->lock);
}

static void rest(struct notifier *n)
{
    const int64_t until = clock_mono_us() + LOOK_US;
    const struct timespec t = {.tv_sec = until / US_PER_SEC, .tv_nsec = until % US_PER_SEC * 1000};
    pthread_mutex_lock(&n->lock);
    while (!n->ending && !n->woken)
        if (pthread_cond_timedwait(&n->cond, &n->lock, &t) != 0) break;
    n->woken = false;
    pthread_mutex_unlock(&n->lock);
}

static void *notifier_run(void *arg)
{
    struct notifier *n = arg;
    n->db = db_open_thread(n->cfg.store);
    n->pushes = push_sender_new(&n->cfg, n->db, wake, n);
    while (!n->ending) {
        bool more = true;
        enum err e = notice_find(n->db);
        while (e == E_OK && more && !n->ending) {
            e = notice_tell(&n->cfg, n->db, &more);
            push_sender_run(n->pushes);
        }
        if (e != E_OK) log_warn("notices", "followers are not told now: %s", err_text(e));
        rest(n);
    }
    return NULL;
}

struct notifier *notifier_new(const struct notifier_config *cfg)
{
    pthread_condattr_t mono;
    struct notifier *n = NEW(struct notifier);
    n->cfg = *cfg;
    notice_set_delay(cfg->settings->notice_delay * US_PER_SEC);
    pthread_mutex_init(&n->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&n->cond, &mono);
    pthread_condattr_destroy(&mono);
    CHECK(pthread_create(&n->thread, NULL, notifier_run, n) == 0);
    return n;
}

void notifier_stop(struct notifier *n)
{
    if (!n || n->joined) return;
    pthread_mutex_lock(&n->lock);
    n->ending = true;
    pthread_cond_signal(&n->cond);
    pthread_mutex_unlock(&n->lock);
    pthread_join(n->thread, NULL);
    n->joined = true;
}

void notifier_free(struct notifier *n)
{
    if (!n) return;
    notifier_stop(n);
    push_sender_free(n->pushes);
    pthread_cond_destroy(&n->cond);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
