/* SPDX-License-Identifier: MIT */
#include "io/pool.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include <pthread.h>

struct job {
    struct job *next;
    loop_fn *work, *done;
    struct loop *loop;
    void *arg;
    struct pool_queue *queue; /* whose turn it is, or NULL */
};

struct jobs {
    struct job *first, **end;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct jobs jobs;
    bool closing;
    unsigned n_threads;
    pthread_t threads[];
};

struct pool_queue {
    struct pool *pool;
    struct jobs jobs; /* waiting for their turn; the pool's lock guards all of this */
    bool running, closed;
};

static void jobs_init(struct jobs *j)
{
    j->first = NULL;
    j->end = &j->first;
}

static void jobs_push(struct jobs *j, struct job *x)
{
    x->next = NULL;
    *j->end = x;
    j->end = &x->next;
}

static struct job *jobs_pop(struct jobs *j)
{
    struct job *x = j->first;
    if (x && !(j->first = x->next)) j->end = &j->first;
    return x;
}

/* With the lock held: lets the next job of a queue have the pool, or frees a closed queue. */
static void queue_next(struct pool_queue *q)
{
    struct job *x = jobs_pop(&q->jobs);
    q->running = x != NULL;
    if (x) {
        jobs_push(&q->pool->jobs, x);
        pthread_cond_signal(&q->pool->more);
    } else if (q->closed) {
        free(q);
    }
}

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job *x = jobs_pop(&p->jobs);
        if (!x) {
            if (p->closing) break;
            pthread_cond_wait(&p->more, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        x->work(x->arg);
        metric_add(M_JOBS_QUEUED, -1);
        if (x->done) loop_post(x->loop, x->done, x->arg);
        pthread_mutex_lock(&p->lock);
        if (x->queue) queue_next(x->queue);
        free(x);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(unsigned n_threads)
{
    CHECK(n_threads > 0);
    struct pool *p = xcalloc(1, sizeof *p + n_threads * sizeof(pthread_t));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    jobs_init(&p->jobs);
    for (; p->n_threads < n_threads; p->n_threads++)
        CHECK(pthread_create(&p->threads[p->n_threads], NULL, pool_thread, p) == 0);
    return p;
}

void pool_free(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++) pthread_join(p->threads[i], NULL);
    CHECK(!p->jobs.first);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct job *job_new(loop_fn *work, struct loop *loop, loop_fn *done, void *arg)
{
    CHECK(!done || loop);
    struct job *x = NEW(struct job);
    *x = (struct job){.work = work, .done = done, .loop = loop, .arg = arg};
    metric_add(M_JOBS_QUEUED, 1);
    return x;
}

void pool_run(struct pool *p, loop_fn *work, struct loop *loop, loop_fn *done, void *arg)
{
    struct job *x = job_new(work, loop, done, arg);
    pthread_mutex_lock(&p->lock);
    jobs_push(&p->jobs, x);
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->lock);
}

struct pool_queue *pool_queue_new(struct pool *p)
{
    struct pool_queue *q = NEW(struct pool_queue);
    q->pool = p;
    jobs_init(&q->jobs);
    return q;
}

void pool_queue_run(struct pool_queue *q, loop_fn *work, struct loop *loop, loop_fn *done,
                    void *arg)
{
    struct job *x = job_new(work, loop, done, arg);
    x->queue = q;
    pthread_mutex_lock(&q->pool->lock);
    CHECK(!q->closed);
    jobs_push(&q->jobs, x);
    if (!q->running) queue_next(q);
    pthread_mutex_unlock(&q->pool->lock);
}

void pool_queue_close(struct pool_queue *q)
{
    struct pool *p = q->pool;
    pthread_mutex_lock(&p->lock);
    q->closed = true;
    if (!q->running) queue_next(q);
    pthread_mutex_unlock(&p->lock);
}
