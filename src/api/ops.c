/* SPDX-License-Identifier: MIT */
/* For operators: is it alive, is it ready, how much of what. */
#include "api/api_priv.h"
#include "base/metrics.h"
#include "base/xalloc.h"

static void reply_text(struct http_request *r, int status, struct span text)
{
    static const struct http_header H[] = {{"content-type", "text/plain; charset=utf-8"},
                                           {"cache-control", "no-store"},
                                           {"x-content-type-options", "nosniff"}};
    http_reply_const(r, status, H, 3, text, SPAN_NULL, 0);
}

void api_healthz(struct http_request *r, void *ctx)
{
    (void)ctx;
    reply_text(r, 200, SPAN_LIT("ok\n"));
}

struct probe {
    struct api *api;
    struct http_request *r;
    bool ok;
};

static void probe_work(void *arg)
{
    struct probe *p = arg;
    struct db_rows *q = db_query(api_db(p->api), "SELECT 1", "");
    const bool row = db_next(q);
    p->ok = db_done(q) == E_OK && row;
}

static void probe_done(void *arg)
{
    struct probe *p = arg;
    if (p->ok)
        reply_text(p->r, 200, SPAN_LIT("ready\n"));
    else
        reply_text(p->r, 503, SPAN_LIT("the database does not answer\n"));
    free(p);
}

void api_readyz(struct http_request *r, void *ctx)
{
    struct api *a = ctx;
    if (!atomic_load(&a->ready)) {
        reply_text(r, 503, SPAN_LIT("starting or stopping\n"));
        return;
    }
    struct probe *p = NEW(struct probe);
    *p = (struct probe){a, r, false};
    pool_run(a->cfg.pool, probe_work, http_loop(r), probe_done, p);
}

void api_metrics(struct http_request *r, void *ctx)
{
    (void)ctx;
    static const struct http_header H[] = {
        {"content-type", "text/plain; version=0.0.4; charset=utf-8"},
        {"cache-control", "no-store"}};
    struct str s = {0};
    metrics_text(&s);
    struct buf *b = str_take_buf(&s);
    http_reply(r, 200, H, 2, b, 0);
    buf_unref(b);
}
