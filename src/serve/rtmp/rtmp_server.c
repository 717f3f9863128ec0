/* SPDX-License-Identifier: MIT */
#include "serve/rtmp/rtmp_server.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "io/tcp.h"
#include "serve/rtmp/rtmp_priv.h"

struct viewer_count {
    unsigned n;
};

static void server_free(struct rtmp_server *s);

static void on_accept(void *ctx, struct tcp *t)
{
    struct rtmp_server *s = ctx;
    struct rtmp_ctx *x = &s->ctxs[loop_id(tcp_loop(t))];
    if (x->draining) {
        tcp_close(t);
        return;
    }
    rtmp_conn_accept(x, t);
}

enum err rtmp_server_open(const struct rtmp_config *cfg, struct rtmp_server **out, char *problem,
                          size_t cap)
{
    struct rtmp_server *s = xcalloc(1, sizeof *s + cfg->n_loops * sizeof(struct rtmp_ctx));
    s->cfg = *cfg;
    if (s->cfg.stall_ms == 0) s->cfg.stall_ms = LIMIT_RTMP_VIEWER_STALL_MS;
    pthread_mutex_init(&s->lock, NULL);
    for (unsigned i = 0; i < cfg->n_loops; i++) {
        s->ctxs[i] = (struct rtmp_ctx){.server = s, .loop = cfg->loops[i]};
        CHECK(loop_id(cfg->loops[i]) == i);
        list_init(&s->ctxs[i].conns);
    }
    const enum err e = tcp_listen(cfg->loops, cfg->n_loops, cfg->host, cfg->port, on_accept, s,
                                  &s->listener, problem, cap);
    if (e != E_OK) {
        server_free(s);
        return e;
    }
    *out = s;
    return E_OK;
}

uint16_t rtmp_server_port(const struct rtmp_server *s)
{
    return tcp_listener_port(s->listener);
}

/* On each loop: who neither publishes nor plays goes. */
static void drain_loop(void *arg)
{
    struct rtmp_ctx *x = arg;
    x->draining = true;
    LIST_EACH(it, &x->conns)
    {
        struct rtmp_conn *c = CONTAINER_OF(it, struct rtmp_conn, node);
        if (c->step == STEP_HELLO || c->step == STEP_ASK) rtmp_conn_end(c, true);
    }
}

void rtmp_server_drain(struct rtmp_server *s)
{
    if (s->listener) tcp_listener_close(s->listener);
    s->listener = NULL;
    for (unsigned i = 0; i < s->cfg.n_loops; i++) {
        loop_post(s->ctxs[i].loop, drain_loop, &s->ctxs[i]);
    }
}

unsigned rtmp_server_connections(const struct rtmp_server *s)
{
    return atomic_load(&s->n_conns);
}

void rtmp_viewer_count(struct rtmp_server *s, const char *channel_id, int change)
{
    const struct span id = span_str(channel_id);
    metric_add(M_RTMP_VIEWERS, change);
    pthread_mutex_lock(&s->lock);
    struct viewer_count *v = map_get(&s->viewers, id);
    if (!v) {
        v = NEW(struct viewer_count);
        map_put(&s->viewers, id, v);
    }
    v->n += (unsigned)change;
    if (v->n == 0) free(map_del(&s->viewers, id));
    pthread_mutex_unlock(&s->lock);
}

unsigned rtmp_server_viewers(const struct rtmp_server *s, const char *channel_id)
{
    struct rtmp_server *const own = (struct rtmp_server *)s; /* for the lock */
    pthread_mutex_lock(&own->lock);
    const struct viewer_count *v = map_get(&s->viewers, span_str(channel_id));
    const unsigned n = v ? v->n : 0;
    pthread_mutex_unlock(&own->lock);
    return n;
}

static void server_free(struct rtmp_server *s)
{
    CHECK(s->viewers.len == 0);
    map_fini(&s->viewers);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* In the settling of a loop that has stopped. The last one takes the server along. */
static void end_loop(void *arg)
{
    struct rtmp_ctx *x = arg;
    LIST_EACH(it, &x->conns)
    {
        rtmp_conn_end(CONTAINER_OF(it, struct rtmp_conn, node), false);
    }
    CHECK(x->rooms.len == 0);
    map_fini(&x->rooms);
    if (atomic_fetch_sub(&x->server->n_open, 1) == 1) server_free(x->server);
}

void rtmp_server_free(struct rtmp_server *s)
{
    if (!s) return;
    if (s->listener) tcp_listener_close(s->listener);
    s->listener = NULL;
    const unsigned n = s->cfg.n_loops;
    struct rtmp_ctx *const ctxs = s->ctxs;
    atomic_store(&s->n_open, n);
    for (unsigned i = 0; i < n; i++) loop_post(ctxs[i].loop, end_loop, &ctxs[i]);
}
