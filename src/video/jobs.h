/* SPDX-License-Identifier: MIT */
/* video/jobs.h - work that outlives the process: rows of the table `jobs`, done by threads of their
 * own, so many at a time (--jobs).
 *
 * A job that was running when the server ended is queued again. One that fails in a way that may
 * pass (a crash of the worker, a full disk) is tried LIMIT_JOB_ATTEMPTS times with growing gaps; an
 * end of the server in the middle counts as an attempt only when nobody asked for it. Users take
 * turns: next is a job of the one with the fewest running, then of the one who was served longest
 * ago, and of one user the oldest.
 *
 * Threads: jobs_queue() and jobs_wake() anywhere SQL may run; the kinds' functions on the jobs' own
 *   threads, where they may block. */
#pragma once
#include "base/err.h"
#include "store/store.h"

#define JOB_ID_CAP 48

struct jobs;

struct job {
    char id[JOB_ID_CAP], kind[16], asset_id[JOB_ID_CAP], user_id[JOB_ID_CAP];
    const char *input; /* what the kind says */
    int attempts;      /* with this one */
    const struct jobs *jobs;
};

struct job_kind {
    const char *name;
    bool waits; /* mostly for others (a network): threads of its own, so that it holds no one up */
    /* E_OK: done, the row may be gone already. E_MORE: later, in *wait_us, without counting.
     * E_CLOSED: stopped because jobs_stopping(). E_IO, E_FULL, E_TIMEOUT: try again. Others: it has
     * failed for good. `problem` gets words for people with an error. */
    enum err (*run)(void *ctx, struct db *db, const struct job *j, int64_t *wait_us, char *problem,
                    size_t cap);
    /* Given up: write that down. The row is removed afterwards. */
    void (*failed)(void *ctx, struct db *db, const struct job *j, const char *problem);
    void *ctx;
};

struct jobs_config {
    struct store *store;
    unsigned n_threads; /* for kinds that compute */
    unsigned n_waiting; /* for kinds that wait; a user has at most three quarters of them */
    const struct job_kind *kinds; /* borrowed; ends with one without a name */
};

/* Queues again what was running. Nothing runs before jobs_start(). */
struct jobs *jobs_new(const struct jobs_config *cfg);
void jobs_start(struct jobs *j);
/* No new ones; running ones are told by jobs_stopping(), and waited for. NULL is fine. */
void jobs_stop(struct jobs *j);
void jobs_free(struct jobs *j); /* NULL is fine */
bool jobs_stopping(const struct jobs *j);

/* Within the caller's transaction; call jobs_wake() after its commit. E_LIMIT: the user has
 * LIMIT_JOBS_PER_USER. */
enum err jobs_queue(struct db *db, const char *kind, const char *asset_id, const char *user_id,
                    const char *input) WARN_UNUSED;
void jobs_wake(void);
