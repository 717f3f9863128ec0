/* SPDX-License-Identifier: MIT */
/* io/pool.h - threads for what blocks: database, disk, password hashing, DNS.
 *
 * A job's `work` runs on a pool thread; its `done` runs afterwards on the loop that is named.
 * `arg` belongs to the job: to `work` first, then to `done`. */
#pragma once
#include "io/loop.h"

struct pool;

struct pool *pool_new(unsigned n_threads);
/* Waits for running and queued jobs, then joins the threads. */
void pool_free(struct pool *p);
/* Any thread. `done` may be NULL; then `loop` may be NULL too. */
void pool_run(struct pool *p, loop_fn *work, struct loop *loop, loop_fn *done, void *arg);

/* A queue whose jobs run on the pool one at a time, in order: one recording's writes. */
struct pool_queue;
struct pool_queue *pool_queue_new(struct pool *p);
/* Any thread, but jobs queued by one thread keep their order. */
void pool_queue_run(struct pool_queue *q, loop_fn *work, struct loop *loop, loop_fn *done,
                    void *arg);
/* No more jobs; frees itself when the last one has run. */
void pool_queue_close(struct pool_queue *q);
