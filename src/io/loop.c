/* SPDX-License-Identifier: MIT */
/* The loop over libuv. Three things happen in one fixed place, uv's prepare phase, which is passed
 * once in every iteration just before waiting: queued writes are flushed, deferred frees are run,
 * and uv's one timer is set to the earliest deadline of our heap. */
#include "io/loop.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/loop_priv.h"
#include "io/timer_heap.h"
#include <stdatomic.h>

struct message {
    struct message *next;
    loop_fn *fn;
    void *arg;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t prepare;
    uv_timer_t alarm;
    unsigned id;
    _Atomic(struct message *) mailbox; /* newest first */
    _Atomic bool stopping;
    bool running;
    struct timer_heap timers;
    struct list flushes;
    struct list at_end;
    struct message *deferred, **deferred_end; /* oldest first */
    int64_t alarm_at_us;                      /* what uv's timer is set to; 0: not set */
    int64_t now_us;
    bool now_known;
    uint8_t read_buffer[LIMIT_TCP_READ_BYTES];
};

static _Thread_local struct loop *current;

static void run_mail(struct loop *l)
{
    /* Acquire pairs with the release in loop_post: what was written before posting is seen. */
    struct message *m = atomic_exchange_explicit(&l->mailbox, NULL, memory_order_acquire);
    struct message *in_order = NULL;
    while (m) {
        struct message *next = m->next;
        m->next = in_order;
        in_order = m;
        m = next;
    }
    while (in_order) {
        struct message *next = in_order->next;
        in_order->fn(in_order->arg);
        free(in_order);
        in_order = next;
    }
}

static void on_wake(uv_async_t *h)
{
    struct loop *l = h->data;
    run_mail(l);
    if (atomic_load(&l->stopping)) uv_stop(&l->uv);
}

static void run_timers(struct loop *l)
{
    struct timer *t;
    while ((t = timer_heap_due(&l->timers, loop_now_us(l)))) {
        timer_stop(t);
        t->fn(t, t->ctx);
    }
}

static void on_alarm(uv_timer_t *h)
{
    struct loop *l = h->data;
    l->alarm_at_us = 0;
    run_timers(l);
}

static void run_flushes(struct loop *l)
{
    while (!list_empty(&l->flushes)) {
        struct flush *f = CONTAINER_OF(l->flushes.next, struct flush, node);
        list_remove(&f->node);
        f->fn(f);
    }
}

static void run_deferred(struct loop *l)
{
    struct message *m = l->deferred;
    l->deferred = NULL;
    l->deferred_end = &l->deferred;
    while (m) {
        struct message *next = m->next;
        m->fn(m->arg);
        free(m);
        m = next;
    }
}

static void set_alarm(struct loop *l)
{
    const struct timer *first = timer_heap_first(&l->timers);
    if (!first) {
        if (l->alarm_at_us) uv_timer_stop(&l->alarm);
        l->alarm_at_us = 0;
        return;
    }
    if (first->at_us == l->alarm_at_us) return;
    l->alarm_at_us = first->at_us;
    const int64_t wait_us = first->at_us - clock_mono_us();
    uv_update_time(&l->uv);
    uv_timer_start(&l->alarm, on_alarm, wait_us <= 0 ? 0 : (uint64_t)(wait_us + 999) / 1000, 0);
}

static void on_prepare(uv_prepare_t *h)
{
    struct loop *l = h->data;
    /* A flush can close a connection, and a close can queue a last write. */
    while (!list_empty(&l->flushes) || l->deferred) {
        run_flushes(l);
        run_deferred(l);
    }
    set_alarm(l);
    l->now_known = false;
}

struct loop *loop_new(unsigned id)
{
    CHECK(id < LIMIT_LOOPS_MAX);
    struct loop *l = NEW(struct loop);
    l->id = id;
    list_init(&l->flushes);
    list_init(&l->at_end);
    l->deferred_end = &l->deferred;
    CHECK(uv_loop_init(&l->uv) == 0);
    CHECK(uv_async_init(&l->uv, &l->wake, on_wake) == 0);
    CHECK(uv_prepare_init(&l->uv, &l->prepare) == 0);
    CHECK(uv_timer_init(&l->uv, &l->alarm) == 0);
    l->wake.data = l->prepare.data = l->alarm.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    return l;
}

void loop_run(struct loop *l)
{
    current = l;
    l->running = true;
    if (!atomic_load(&l->stopping)) uv_run(&l->uv, UV_RUN_DEFAULT);
    run_mail(l);
    on_prepare(&l->prepare);
    l->running = false;
    current = NULL;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    uv_async_send(&l->wake);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) uv_close(h, NULL);
}

/* What is left runs here, on behalf of the loop. True when there was something. */
static bool settle(struct loop *l)
{
    const bool had_mail = atomic_load(&l->mailbox) != NULL;
    current = l;
    run_mail(l);
    on_prepare(&l->prepare);
    current = NULL;
    return had_mail;
}

static void free_one(struct loop *l)
{
    current = l;
    while (!list_empty(&l->at_end)) {
        struct flush *f = CONTAINER_OF(l->at_end.next, struct flush, node);
        list_remove(&f->node);
        f->fn(f);
    }
    uv_walk(&l->uv, close_handle, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&l->uv) == 0);
    timer_heap_fini(&l->timers);
    current = NULL;
    free(l);
}

void loops_settle(struct loop **loops, unsigned n)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (unsigned i = 0; i < n; i++) busy |= settle(loops[i]);
    }
}

void loops_free(struct loop **loops, unsigned n)
{
    loops_settle(loops, n);
    for (unsigned i = 0; i < n; i++) free_one(loops[i]);
}

unsigned loop_id(const struct loop *l)
{
    return l->id;
}

struct loop *loop_current(void)
{
    return current;
}

int64_t loop_now_us(const struct loop *l)
{
    struct loop *w = (struct loop *)(uintptr_t)l;
    if (!w->now_known) w->now_us = clock_mono_us(), w->now_known = current == l;
    return w->now_us;
}

void loop_post(struct loop *l, loop_fn *fn, void *arg)
{
    struct message *m = xmalloc(sizeof *m);
    m->fn = fn;
    m->arg = arg;
    struct message *head = atomic_load_explicit(&l->mailbox, memory_order_relaxed);
    do m->next = head; /* once pushed, m is the loop's: it may be freed at once */
    while (!atomic_compare_exchange_weak_explicit(&l->mailbox, &head, m, memory_order_release,
                                                  memory_order_relaxed));
    /* A mailbox that was not empty has been announced already, and not been emptied since. */
    if (!head) uv_async_send(&l->wake);
}

void loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
    CHECK(loop_is_mine(l));
    struct message *m = xmalloc(sizeof *m);
    *m = (struct message){.fn = fn, .arg = arg};
    *l->deferred_end = m;
    l->deferred_end = &m->next;
}

uint8_t *loop_read_buffer(struct loop *l)
{
    return l->read_buffer;
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

bool loop_is_mine(const struct loop *l)
{
    return current == l || !l->running;
}

void loop_flush_soon(struct loop *l, struct flush *f)
{
    if (list_empty(&f->node)) list_push_back(&l->flushes, &f->node);
}

void loop_at_end(struct loop *l, struct flush *f)
{
    list_push_back(&l->at_end, &f->node);
}

void timer_init(struct timer *t, struct loop *l, void (*fn)(struct timer *, void *), void *ctx)
{
    *t = (struct timer){.loop = l, .fn = fn, .ctx = ctx};
}

void timer_at(struct timer *t, int64_t at_us)
{
    CHECK(t->loop && loop_is_mine(t->loop));
    t->at_us = at_us;
    timer_heap_put(&t->loop->timers, t);
}

void timer_stop(struct timer *t)
{
    if (!t->slot) return;
    CHECK(loop_is_mine(t->loop));
    timer_heap_remove(&t->loop->timers, t);
}
