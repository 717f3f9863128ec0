/* SPDX-License-Identifier: MIT */
/* io/loop.h - one event loop, run by one thread; messages and timers.
 *
 * A connection, its timers and its buffers belong to one loop for life. The only thing another
 * thread may do to a loop is loop_post() and loop_stop(). Everything else in this header is for
 * the loop's own thread (CHECKed in every build). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

typedef void loop_fn(void *arg);

/* `id` counts from 0 and is below LIMIT_LOOPS_MAX. The loop is not running yet. */
struct loop *loop_new(unsigned id);
/* Runs until loop_stop(), then drains the mailbox once more. Call on the thread it is to own. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* any thread */
/* After loop_run() of all of them returned: runs the messages that wait, and those that they post
 * to each other, on behalf of the loops. No I/O happens any more. */
void loops_settle(struct loop **loops, unsigned n);
/* After loop_run() of all of them returned. Messages still waiting are run first, those that they
 * post to each other too. */
void loops_free(struct loop **loops, unsigned n);

unsigned loop_id(const struct loop *l); /* any thread */
/* The loop of the calling thread; NULL on a thread that runs none. */
struct loop *loop_current(void);
/* The monotonic time, taken at the start of this iteration. */
int64_t loop_now_us(const struct loop *l);

/* Runs fn(arg) on the loop's thread, later, in the order of posting from each thread. Any thread.
 * The message owns what `arg` points at. After the loop has been stopped and freed, posting is a
 * mistake: threads that post are joined before. */
void loop_post(struct loop *l, loop_fn *fn, void *arg);
/* Runs fn(arg) at the end of this iteration: the close phase, where memory may go. Own thread. */
void loop_defer(struct loop *l, loop_fn *fn, void *arg);

/* The loop's read buffer, LIMIT_TCP_READ_BYTES, shared by its connections: valid until the
 * next read. */
uint8_t *loop_read_buffer(struct loop *l);

/* A timer, embedded in its owner. Zeroed memory is an idle timer. */
struct timer {
    struct loop *loop;
    void (*fn)(struct timer *t, void *ctx);
    void *ctx;
    int64_t at_us;
    size_t slot; /* place in the loop's heap, from 1; 0: idle */
};

void timer_init(struct timer *t, struct loop *l, void (*fn)(struct timer *, void *), void *ctx);
/* Fires once, at or after `at_us` (monotonic). Setting it again moves it. */
void timer_at(struct timer *t, int64_t at_us);
void timer_stop(struct timer *t); /* idle timers are fine */
static inline bool timer_active(const struct timer *t)
{
    return t->slot != 0;
}
