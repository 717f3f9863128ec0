/* SPDX-License-Identifier: MIT */
#include "api/call_stream.h"
#include "api/api_priv.h"
#include "base/xalloc.h"
#include <stdatomic.h>

#define AHEAD_BYTES (256u << 10) /* queued for a client: no more is made */
#define LOOK_US     20000        /* whether it has taken some */

struct flow {
    struct api *api;
    struct http_request *r;
    const struct call_source *source;
    void *self;
    struct str out;
    struct timer timer;
    bool working, over, gone;
};

void call_stream(struct call *c, const struct call_source *source, void *self)
{
    c->source = source;
    c->source_self = self;
    c->status = 200;
}

static void end(struct flow *f)
{
    struct http_request *r = f->r;
    timer_stop(&f->timer);
    http_on_gone(r, NULL, NULL);
    f->source->free(f->self);
    str_fini(&f->out);
    free(f);
    http_stream_end(r);
}

static void work(void *arg) /* pool */
{
    struct flow *f = arg;
    f->over = !f->source->more(f->self, api_db(f->api), &f->out);
}

static void next(struct flow *f);

static void done(void *arg) /* loop */
{
    struct flow *f = arg;
    f->working = false;
    if (f->out.len && !f->gone) {
        struct buf *b = str_take_buf(&f->out);
        http_stream_send(f->r, b);
        buf_unref(b);
    }
    if (f->over || f->gone)
        end(f);
    else
        next(f);
}

static void next(struct flow *f)
{
    if (atomic_load(&f->api->loops_stopped)) {
        end(f);
    } else if (http_stream_queued(f->r) > AHEAD_BYTES) {
        timer_at(&f->timer, loop_now_us(http_loop(f->r)) + LOOK_US);
    } else {
        f->working = true;
        pool_run(f->api->cfg.pool, work, http_loop(f->r), done, f);
    }
}

static void look(struct timer *t, void *ctx)
{
    (void)t;
    next(ctx);
}

static void gone(struct http_request *r, void *ctx)
{
    (void)r;
    struct flow *f = ctx;
    f->gone = true;
    if (!f->working) end(f);
}

void call_stream_begin(struct call *c)
{
    struct flow *f = NEW(struct flow);
    *f = (struct flow){.api = c->api, .r = c->r, .source = c->source, .self = c->source_self};
    const struct http_header h[] = {{"content-type", f->source->content_type},
                                    {"content-disposition", f->source->disposition},
                                    {"cache-control", "no-store"},
                                    {"x-content-type-options", "nosniff"}};
    free(c);
    timer_init(&f->timer, http_loop(f->r), look, f);
    http_on_gone(f->r, gone, f);
    http_stream_begin(f->r, 200, h, 4);
    next(f);
}
