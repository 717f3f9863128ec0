/* SPDX-License-Identifier: MIT */
/* tests/unit/two_loops.h - two running loops, and a way to run something on one and wait. */
#pragma once
#include "io/loop.h"
#include <pthread.h>
#include <semaphore.h>

struct two_loops {
    struct loop *loops[2];
    pthread_t threads[2];
};

static void *two_loops_thread(void *l)
{
    loop_run(l);
    return NULL;
}

static inline void two_loops_start(struct two_loops *t)
{
    for (unsigned i = 0; i < 2; i++) t->loops[i] = loop_new(i);
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&t->threads[i], NULL, two_loops_thread, t->loops[i]);
}

static inline void two_loops_stop(struct two_loops *t)
{
    for (unsigned i = 0; i < 2; i++) loop_stop(t->loops[i]);
    for (unsigned i = 0; i < 2; i++) pthread_join(t->threads[i], NULL);
    loops_free(t->loops, 2);
}

struct two_loops_call {
    loop_fn *fn;
    void *arg;
    sem_t done;
};

static void two_loops_run(void *arg)
{
    struct two_loops_call *c = arg;
    c->fn(c->arg);
    sem_post(&c->done);
}

/* Runs fn(arg) on the i-th loop and returns when it has run. */
static inline void on_loop(struct two_loops *t, unsigned i, loop_fn *fn, void *arg)
{
    struct two_loops_call c = {.fn = fn, .arg = arg};
    sem_init(&c.done, 0, 0);
    loop_post(t->loops[i], two_loops_run, &c);
    sem_wait(&c.done);
    sem_destroy(&c.done);
}
