/* SPDX-License-Identifier: MIT */
#include "video/jobs.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/xalloc.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define LOOK_S     2                /* jobs whose time comes, or of which nobody told us */
#define BACKOFF_US (5 * US_PER_SEC) /* before the second attempt, then four times as long */

/* Kinds that share threads. */
struct lane {
    struct jobs *jobs;
    unsigned n_threads;
    int64_t max_of_user; /* running at a time */
    char kinds[128];     /* ",import,clip," */
};

struct jobs {
    struct jobs_config cfg;
    struct lane lanes[2];
    pthread_t threads[2 * LIMIT_JOBS];
    unsigned n_running_threads;
    pthread_mutex_t lock; /* guards what follows; held while a job is chosen */
    pthread_cond_t wake;
    struct map served; /* user -> when, counted */
    uintptr_t turn;
    _Atomic bool stopping;
};

/* Whom jobs_wake() wakes: rows are written by those who know no queue. */
static _Atomic(struct jobs *) awake;

/* --- choosing --- */

struct candidate {
    char user_id[JOB_ID_CAP];
    int64_t running, oldest;
    uintptr_t served;
};

static bool comes_before(const struct candidate *a, const struct candidate *b)
{
    if (a->running != b->running) return a->running < b->running;
    if (a->served != b->served) return a->served < b->served;
    return a->oldest < b->oldest;
}

static enum err choose_user(const struct lane *l, struct db *db, struct candidate *best)
{
    const struct jobs *j = l->jobs;
    struct db_rows *q =
        db_query(db,
                 "SELECT q.user_id, MIN(q.created_at), (SELECT COUNT(*) FROM jobs r WHERE"
                 " r.user_id = q.user_id AND r.state = 'running' AND"
                 " instr(?2, ',' || r.kind || ',') > 0) FROM jobs q WHERE q.state = 'queued' AND"
                 " q.not_before <= ?1 AND instr(?2, ',' || q.kind || ',') > 0 GROUP BY q.user_id",
                 "is", clock_wall_us(), l->kinds);
    bool found = false;
    while (db_next(q)) {
        struct candidate c = {.oldest = db_int(q, 1), .running = db_int(q, 2)};
        snprintf(c.user_id, sizeof c.user_id, "%s", db_text(q, 0));
        c.served = (uintptr_t)map_get(&j->served, span_str(c.user_id));
        if (c.running >= l->max_of_user) continue;
        if (!found || comes_before(&c, best)) *best = c;
        found = true;
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err first_of(const struct lane *l, struct db *db, const char *user_id, struct job *out,
                         char **input)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT id, kind, asset_id, input, attempts FROM jobs WHERE user_id = ?1 AND"
                 " state = 'queued' AND not_before <= ?2 AND instr(?3, ',' || kind || ',') > 0"
                 " ORDER BY created_at, id LIMIT 1",
                 "sis", user_id, clock_wall_us(), l->kinds);
    const bool found = db_next(q);
    if (found) {
        snprintf(out->id, sizeof out->id, "%s", db_text(q, 0));
        snprintf(out->kind, sizeof out->kind, "%s", db_text(q, 1));
        snprintf(out->asset_id, sizeof out->asset_id, "%s", db_text(q, 2));
        snprintf(out->user_id, sizeof out->user_id, "%s", user_id);
        *input = xstrdup(db_text(q, 3));
        out->attempts = (int)db_int(q, 4) + 1;
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* With the lock. */
static enum err take_next(const struct lane *l, struct db *db, struct job *out, char **input)
{
    struct jobs *j = l->jobs;
    struct candidate best;
    *input = NULL;
    enum err e = choose_user(l, db, &best);
    if (e == E_OK) e = first_of(l, db, best.user_id, out, input);
    if (e == E_OK)
        e = db_exec(db, "UPDATE jobs SET state = 'running', attempts = ?2 WHERE id = ?1", "si",
                    out->id, (int64_t)out->attempts);
    if (e != E_OK) {
        free(*input);
        return e;
    }
    if (j->served.len > LIMIT_THROTTLE_ENTRIES) map_fini(&j->served);
    map_put(&j->served, span_str(best.user_id), (void *)++j->turn); /* NOLINT: a number */
    out->input = *input;
    out->jobs = j;
    return E_OK;
}

/* --- doing --- */

static const struct job_kind *kind_of(const struct jobs *j, const char *name)
{
    for (const struct job_kind *k = j->cfg.kinds; k->name; k++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}

static enum err again(struct db *db, const struct job *job, int64_t wait_us, bool counts)
{
    return db_exec(db,
                   "UPDATE jobs SET state = 'queued', attempts = ?2, not_before = ?3"
                   " WHERE id = ?1",
                   "sii", job->id, (int64_t)(counts ? job->attempts : job->attempts - 1),
                   clock_wall_us() + wait_us);
}

static bool may_pass(enum err e)
{
    return e == E_IO || e == E_FULL || e == E_TIMEOUT;
}

static enum err settle(struct db *db, const struct job_kind *k, const struct job *job, enum err e,
                       int64_t wait_us, const char *problem)
{
    if (e == E_CLOSED) return again(db, job, 0, false);
    if (e == E_MORE) return again(db, job, wait_us, false);
    if (may_pass(e) && job->attempts < LIMIT_JOB_ATTEMPTS)
        return again(db, job, BACKOFF_US << (2 * (job->attempts - 1)), true);
    if (e != E_OK) k->failed(k->ctx, db, job, problem);
    return db_exec(db, "DELETE FROM jobs WHERE id = ?1", "s", job->id);
}

static void run(const struct jobs *j, struct db *db, const struct job *job)
{
    char problem[256] = "";
    int64_t wait_us = 0;
    const struct job_kind *k = kind_of(j, job->kind);
    const int64_t began = clock_mono_us();
    enum err e;
    CHECK(k); /* a job of a kind that is not known is in no lane */
    if (job->attempts > LIMIT_JOB_ATTEMPTS) {
        e = E_LIMIT; /* it takes the server with it */
        snprintf(problem, sizeof problem, "The server stopped again and again during this work.");
    } else {
        e = k->run(k->ctx, db, job, &wait_us, problem, sizeof problem);
    }
    log_info("job", "kind=%s asset=%s attempt=%d result=%s ms=%lld%s%s", job->kind, job->asset_id,
             job->attempts, err_label(e), (long long)((clock_mono_us() - began) / US_PER_MS),
             problem[0] ? " problem=" : "", problem);
    const bool for_others = e == E_MORE && !wait_us;
    e = settle(db, k, job, e, wait_us, problem[0] ? problem : err_text(e));
    if (for_others) jobs_wake();
    if (e != E_OK) log_error("database", "what=job id=%s error=%s", job->id, err_label(e));
}

static void wait_a_little(struct jobs *j)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += LOOK_S;
    pthread_cond_timedwait(&j->wake, &j->lock, &t);
}

static void *work(void *arg)
{
    const struct lane *l = arg;
    struct jobs *j = l->jobs;
    struct db *db = db_open_thread(j->cfg.store);
    struct job job;
    char *input;
    pthread_mutex_lock(&j->lock);
    while (!atomic_load(&j->stopping)) {
        if (take_next(l, db, &job, &input) != E_OK) {
            wait_a_little(j);
            continue;
        }
        pthread_mutex_unlock(&j->lock);
        run(j, db, &job);
        free(input);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* --- life --- */

static void make_lane(struct jobs *j, bool waits, unsigned n_threads)
{
    struct lane *l = &j->lanes[waits];
    struct str kinds = {0};
    str_addc(&kinds, ',');
    for (const struct job_kind *k = j->cfg.kinds; k->name; k++)
        if (k->waits == waits) str_addf(&kinds, "%s,", k->name);
    l->jobs = j;
    l->n_threads = n_threads < LIMIT_JOBS ? n_threads : LIMIT_JOBS;
    l->max_of_user = waits ? (l->n_threads * 3 + 3) / 4 : INT64_MAX;
    snprintf(l->kinds, sizeof l->kinds, "%s", str_c(&kinds));
    str_fini(&kinds);
}

struct jobs *jobs_new(const struct jobs_config *cfg)
{
    struct jobs *j = NEW(struct jobs);
    j->cfg = *cfg;
    make_lane(j, false, cfg->n_threads);
    make_lane(j, true, cfg->n_waiting);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, NULL);
    const enum err e = db_exec(db_open_thread(cfg->store),
                               "UPDATE jobs SET state = 'queued' WHERE state = 'running'", "");
    if (e != E_OK) log_error("database", "what=jobs error=%s", err_label(e));
    return j;
}

void jobs_start(struct jobs *j)
{
    atomic_store(&awake, j);
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < j->lanes[k].n_threads; i++)
            CHECK(pthread_create(&j->threads[j->n_running_threads++], NULL, work, &j->lanes[k]) ==
                  0);
}

void jobs_stop(struct jobs *j)
{
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    atomic_store(&j->stopping, true);
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
    while (j->n_running_threads) pthread_join(j->threads[--j->n_running_threads], NULL);
}

void jobs_free(struct jobs *j)
{
    if (!j) return;
    jobs_stop(j);
    atomic_store(&awake, NULL);
    map_fini(&j->served);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

bool jobs_stopping(const struct jobs *j)
{
    return atomic_load(&j->stopping);
}

enum err jobs_queue(struct db *db, const char *kind, const char *asset_id, const char *user_id,
                    const char *input)
{
    char id[25];
    /* Files made of assets are few for each, and wait for theirs. */
    struct db_rows *q = db_query(db,
                                 "SELECT COUNT(*) FROM jobs WHERE user_id = ?1 AND kind NOT IN"
                                 " ('rendition', 'master')",
                                 "s", user_id);
    const int64_t n = db_next(q) ? db_int(q, 0) : 0;
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (n >= LIMIT_JOBS_PER_USER) return E_LIMIT;
    rand_id(id, 24);
    return db_exec(db,
                   "INSERT INTO jobs (id, kind, asset_id, user_id, input, created_at)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   "sssssi", id, kind, asset_id, user_id, input, clock_wall_us());
}

void jobs_wake(void)
{
    struct jobs *j = atomic_load(&awake);
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    pthread_cond_broadcast(&j->wake);
    pthread_mutex_unlock(&j->lock);
}
