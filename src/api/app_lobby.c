/* SPDX-License-Identifier: MIT */
/* /api/lobby/events: "the lists have changed", for pages that show them.
 *
 * The event says nothing more: who may see what is answered where the lists are asked for. Changes
 * are gathered for half a second on each loop, so that a busy server does not make every open page
 * ask all the time. Readers belong to their loop. */
#include "api/api_priv.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"

#define GATHER_US    (US_PER_SEC / 2)
#define HEARTBEAT_US (15 * US_PER_SEC)

struct lobby_loop {
    struct loop *loop;
    struct list readers;
    struct timer timer;
    int64_t due_us; /* of the news; 0: there are none */
    int64_t beat_us;
    struct buf *news, *comment;
    _Atomic bool told; /* a message is on its way */
};

struct reader {
    struct list node;
    struct http_request *r;
};

static void reader_close(struct reader *r)
{
    struct http_request *req = r->r;
    http_on_gone(req, NULL, NULL);
    list_remove(&r->node);
    metric_add(M_EVENT_READERS, -1);
    free(r);
    http_stream_end(req);
}

static void reader_gone(struct http_request *req, void *ctx)
{
    (void)req;
    reader_close(ctx);
}

static void send_all(struct lobby_loop *h, struct buf *b)
{
    struct list *it = h->readers.next;
    while (it != &h->readers) {
        struct reader *r = CONTAINER_OF(it, struct reader, node);
        it = it->next;
        if (http_stream_queued(r->r) > LIMIT_SSE_QUEUE_BYTES)
            reader_close(r);
        else
            http_stream_send(r->r, b);
    }
}

static void arm(struct lobby_loop *h)
{
    const bool sooner = h->due_us && h->due_us < h->beat_us;
    timer_at(&h->timer, sooner ? h->due_us : h->beat_us);
}

static void on_timer(struct timer *t, void *ctx)
{
    struct lobby_loop *h = ctx;
    const int64_t now = loop_now_us(h->loop);
    (void)t;
    if (h->due_us && h->due_us <= now) {
        h->due_us = 0;
        send_all(h, h->news);
    }
    if (h->beat_us <= now) {
        h->beat_us = now + HEARTBEAT_US;
        send_all(h, h->comment);
    }
    arm(h);
}

static void start(void *arg) /* each loop */
{
    struct lobby_loop *h = arg;
    timer_init(&h->timer, h->loop, on_timer, h);
    h->beat_us = loop_now_us(h->loop) + HEARTBEAT_US;
    arm(h);
}

static void news(void *arg) /* each loop */
{
    struct lobby_loop *h = arg;
    atomic_store(&h->told, false);
    if (h->due_us || !h->beat_us) return;
    h->due_us = loop_now_us(h->loop) + GATHER_US;
    arm(h);
}

void api_lobby_changed(struct api *a)
{
    for (unsigned i = 0; i < a->n_loops; i++)
        if (!atomic_exchange(&a->lobby[i].told, true)) loop_post(a->loops[i], news, &a->lobby[i]);
}

static struct lobby_loop *home_of(struct api *a, struct loop *l)
{
    for (unsigned i = 0; i < a->n_loops; i++)
        if (a->lobby[i].loop == l) return &a->lobby[i];
    check_failed("a loop of ours", __FILE__, __LINE__);
}

void api_lobby_handler(struct http_request *req, void *ctx)
{
    static const struct http_header H[] = {{"content-type", "text/event-stream"},
                                           {"cache-control", "no-store"},
                                           {"x-content-type-options", "nosniff"},
                                           {"x-accel-buffering", "no"}};
    struct api *a = ctx;
    struct lobby_loop *h = home_of(a, http_loop(req));
    if (atomic_load(&a->drained) || !h->beat_us) {
        http_reply_error(req, 503, "stopping", "The server is stopping.", NULL, NULL, 0);
        return;
    }
    struct reader *r = NEW(struct reader);
    r->r = req;
    list_push_back(&h->readers, &r->node);
    metric_add(M_EVENT_READERS, 1);
    http_on_gone(req, reader_gone, r);
    http_stream_begin(req, 200, H, 4);
    struct buf *hello = buf_copy(SPAN_LIT("retry: 3000\n\n"));
    http_stream_send(req, hello);
    buf_unref(hello);
}

void api_lobby_drain(struct api *a)
{
    struct lobby_loop *h = home_of(a, loop_current());
    timer_stop(&h->timer);
    h->beat_us = 0;
    while (!list_empty(&h->readers))
        reader_close(CONTAINER_OF(h->readers.next, struct reader, node));
}

void api_lobby_init(struct api *a)
{
    a->lobby = xcalloc(a->n_loops, sizeof *a->lobby);
    for (unsigned i = 0; i < a->n_loops; i++) {
        struct lobby_loop *h = &a->lobby[i];
        h->loop = a->loops[i];
        list_init(&h->readers);
        h->news = buf_copy(SPAN_LIT("event: lobby\ndata: {}\n\n"));
        h->comment = buf_copy(SPAN_LIT(": still here\n\n"));
        loop_post(h->loop, start, h);
    }
}

void api_lobby_fini(struct api *a)
{
    for (unsigned i = 0; i < a->n_loops; i++) {
        buf_unref(a->lobby[i].news);
        buf_unref(a->lobby[i].comment);
    }
    free(a->lobby);
}
