/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "../two_loops.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "io/pool.h"
#include "io/timer_heap.h"

#define POSTS 20000

static int seen[2];

static void count_up(void *arg)
{
    const int n = *(int *)arg;
    free(arg);
    assert_int_equal(n / 2, seen[n % 2]);
    seen[n % 2]++;
}

static struct two_loops loops;

static void *post_many(void *arg)
{
    const int who = (int)(intptr_t)arg;
    for (int i = 0; i < POSTS; i++) {
        int *n = xmalloc(sizeof *n);
        *n = 2 * i + who;
        loop_post(loops.loops[0], count_up, n);
    }
    return NULL;
}

static void messages_keep_each_senders_order(void **state)
{
    (void)state;
    pthread_t a, b;
    seen[0] = seen[1] = 0;
    two_loops_start(&loops);
    pthread_create(&a, NULL, post_many, (void *)0);
    pthread_create(&b, NULL, post_many, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    two_loops_stop(&loops); /* runs what is left */
    assert_int_equal(seen[0], POSTS);
    assert_int_equal(seen[1], POSTS);
}

static void heap_gives_the_earliest(void **state)
{
    (void)state;
    struct timer_heap h = {0};
    static struct timer t[300];
    for (int round = 0; round < 3000; round++) {
        struct timer *x = &t[rand_u64() % 300];
        if (x->slot && (rand_u64() & 1)) {
            timer_heap_remove(&h, x);
        } else {
            x->at_us = (int64_t)(rand_u64() % 1000);
            timer_heap_put(&h, x);
        }
        int64_t least = INT64_MAX;
        for (int i = 0; i < 300; i++)
            if (t[i].slot && t[i].at_us < least) least = t[i].at_us;
        assert_true(least == (h.len ? timer_heap_first(&h)->at_us : INT64_MAX));
    }
    timer_heap_fini(&h);
}

static struct timer early, late, stopped;
static int order;
static sem_t fired;

static void on_timer(struct timer *t, void *ctx)
{
    (void)ctx;
    assert_false(timer_active(t));
    if (t == &early) assert_int_equal(order++, 0);
    if (t == &stopped) fail();
    if (t != &late) return;
    assert_int_equal(order++, 1);
    sem_post(&fired);
}

static void start_timers(void *arg)
{
    (void)arg;
    struct loop *l = loop_current();
    timer_init(&early, l, on_timer, NULL);
    timer_init(&late, l, on_timer, NULL);
    timer_init(&stopped, l, on_timer, NULL);
    timer_at(&late, loop_now_us(l) + 5000);
    timer_at(&stopped, loop_now_us(l) + 2000);
    timer_at(&early, loop_now_us(l) + 1000);
    timer_stop(&stopped);
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    order = 0;
    sem_init(&fired, 0, 0);
    two_loops_start(&loops);
    on_loop(&loops, 1, start_timers, NULL);
    sem_wait(&fired);
    two_loops_stop(&loops);
    assert_int_equal(order, 2);
}

static int next_job;
static int done_jobs;

static void job(void *arg)
{
    assert_int_equal((int)(intptr_t)arg, next_job++); /* no lock: the queue is the order */
}

static void job_done(void *arg)
{
    (void)arg;
    assert_ptr_equal(loop_current(), loops.loops[1]);
    done_jobs++;
}

static void queue_runs_one_at_a_time_in_order(void **state)
{
    (void)state;
    next_job = done_jobs = 0;
    two_loops_start(&loops);
    struct pool *p = pool_new(4);
    struct pool_queue *q = pool_queue_new(p);
    for (int i = 0; i < 2000; i++)
        pool_queue_run(q, job, loops.loops[1], job_done, (void *)(intptr_t)i);
    pool_queue_close(q);
    pool_free(p);
    two_loops_stop(&loops);
    assert_int_equal(next_job, 2000);
    assert_int_equal(done_jobs, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_each_senders_order),
        cmocka_unit_test(heap_gives_the_earliest),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(queue_runs_one_at_a_time_in_order),
    };
    return RUN_TESTS(tests);
}
