/* SPDX-License-Identifier: MIT */
/* A connection's beginning, timer and end, and what both protocols do with a request. One timer
 * serves every deadline: it is moved only to an earlier time, and looks at the clock when it fires,
 * so that a busy connection does not touch it. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "serve/http/http_priv.h"
#include "wire/http_uri.h"
#include <time.h>

#define FINISH_AT_ONCE 16384 /* the socket takes this much without being asked twice */
#define SPARE_REQUESTS 64
#define KEPT_BYTES     4096 /* of each string of a spare request */

static void free_conn(void *arg)
{
    struct http_conn *c = arg;
    h1_fini(&c->h1);
    h2_free(c->h2);
    free(c);
}

/* Leaves the shard and lets the requests go; the engines stay until the close phase, because a
 * handler that ends the connection may have been called from within them. */
static void teardown(struct http_conn *c)
{
    c->closed = true;
    timer_stop(&c->timer);
    list_remove(&c->node);
    while (!list_empty(&c->requests))
        http_request_gone(CONTAINER_OF(c->requests.next, struct http_request, node));
    atomic_fetch_sub(&c->shard->server->connections, 1);
    metric_add(M_HTTP_CONNECTIONS, -1);
    loop_defer(c->shard->loop, free_conn, c);
}

void http_conn_close(struct http_conn *c)
{
    if (c->closed) return;
    conn_close(c->conn);
    teardown(c);
}

void http_conn_finish(struct http_conn *c)
{
    if (c->closed) return;
    const size_t queued = conn_queued(c->conn);
    if (queued == 0 || (!c->closing && queued <= FINISH_AT_ONCE)) {
        conn_close_gently(c->conn);
        teardown(c);
        return;
    }
    /* More than a little: a gentle close gives up soon, so wait until the socket has it all. */
    if (!c->closing) http_conn_wake(c);
    c->closing = true;
}

void http_conn_end_idle(struct http_conn *c)
{
    /* Nothing has to arrive any more; TLS says goodbye. */
    if (conn_secure(c->conn) || conn_queued(c->conn))
        http_conn_finish(c);
    else
        http_conn_close(c);
}

void http_conn_wake(struct http_conn *c)
{
    c->woken = true;
    /* One more than now: what is due already would fire in this iteration, before the flush. */
    timer_at(&c->timer, loop_now_us(c->shard->loop) + 1);
}

static int64_t stall_us(const struct http_conn *c)
{
    if (conn_queued(c->conn) == 0) return INT64_MAX;
    return conn_progress_us(c->conn) + LIMIT_HTTP_WRITE_STALL_MS * US_PER_MS;
}

static int64_t engine_deadline(const struct http_conn *c)
{
    if (c->closing) return INT64_MAX;
    return c->h2 ? h2_deadline_us(c->h2) : h1_deadline_us(&c->h1);
}

void http_conn_arm(struct http_conn *c)
{
    if (c->closed) return;
    const int64_t stall = stall_us(c), engine = engine_deadline(c);
    const int64_t at = stall < engine ? stall : engine;
    if (at == INT64_MAX) return; /* what is set fires, finds nothing, and is not set again */
    if (!timer_active(&c->timer) || c->timer.at_us > at) timer_at(&c->timer, at);
}

static void go_on(struct http_conn *c)
{
    if (c->closing)
        http_conn_finish(c);
    else if (c->h2)
        h2_conn_go(c);
    else
        h1_conn_run(c);
}

static void on_timer(struct timer *t, void *ctx)
{
    (void)t;
    struct http_conn *c = ctx;
    const int64_t now = loop_now_us(c->shard->loop);
    if (c->doomed || now >= stall_us(c)) {
        log_peer("http-slow", "peer=%s queued=%zu", conn_peer(c->conn), conn_queued(c->conn));
        http_conn_close(c);
        return;
    }
    if (c->woken) {
        c->woken = false;
        go_on(c);
    } else if (now >= engine_deadline(c)) {
        c->h2 ? h2_conn_timeout(c) : h1_conn_timeout(c);
    }
    http_conn_arm(c);
}

static void on_open(void *ctx, const char *alpn)
{
    if (strcmp(alpn, "h2") == 0) h2_conn_open(ctx);
}

static void on_read(void *ctx, struct span bytes)
{
    struct http_conn *c = ctx;
    metric_add(M_HTTP_IN_BYTES, (int64_t)bytes.len);
    if (c->closing) return;
    if (c->h2)
        h2_conn_read(c, bytes);
    else
        h1_conn_read(c, bytes);
}

static void on_drain(void *ctx)
{
    struct http_conn *c = ctx;
    go_on(c);
    http_conn_arm(c);
}

static void on_closed(void *ctx, enum err e)
{
    (void)e;
    http_conn_close(ctx);
}

static const struct conn_ops OPS = {on_open, on_read, on_drain, on_closed};

static struct http_shard *shard_of(struct http_server *s, const struct loop *l)
{
    for (unsigned i = 0; i < s->n_shards; i++)
        if (s->shards[i].loop == l) return &s->shards[i];
    CHECK(!"a loop of this server");
    return NULL;
}

void http_conn_accept(void *server, struct tcp *t)
{
    struct http_server *s = server;
    struct http_shard *shard = shard_of(s, tcp_loop(t));
    if (shard->draining) {
        tcp_close(t);
        return;
    }
    struct http_conn *c = NEW(struct http_conn);
    c->shard = shard;
    list_init(&c->requests);
    list_push_back(&shard->conns, &c->node);
    timer_init(&c->timer, shard->loop, on_timer, c);
    h1_init(&c->h1, loop_now_us(shard->loop));
    atomic_fetch_add(&s->connections, 1);
    metric_add(M_HTTP_CONNECTIONS, 1);
    c->conn = conn_start(t, s->tls, &OPS, c);
    http_conn_arm(c);
}

void http_conn_drain(struct http_conn *c)
{
    if (c->h2) {
        h2_goaway(c->h2);
        h2_conn_go(c);
    } else if (!c->reading && h1_is_idle(&c->h1)) {
        http_conn_end_idle(c);
    }
    /* From the beginning each time: a handler ends its stream, and maybe others. */
    for (struct list *it = c->requests.next; !c->closed && it != &c->requests; it = it->next) {
        struct http_request *r = CONTAINER_OF(it, struct http_request, node);
        void (*fn)(struct http_request *, void *) = r->on_gone;
        if (r->state != REQUEST_STREAMING || !fn) continue;
        r->on_gone = NULL;
        it = &c->requests;
        fn(r, r->gone_ctx);
    }
}

/* --- requests ----------------------------------------------------------------------------- */

static void reuse(struct str *s)
{
    if (s->cap > KEPT_BYTES) str_fini(s);
    s->len = 0;
}

static struct http_request *blank(struct http_shard *s)
{
    struct http_request *r = s->spare;
    if (!r) return NEW(struct http_request);
    s->spare = (struct http_request *)r->node.next;
    s->n_spare--;
    const struct str head = r->head_bytes, path = r->path, params = r->params, body = r->body;
    memset(r, 0, offsetof(struct http_request, head));
    memset(&r->n_params, 0, sizeof *r - offsetof(struct http_request, n_params));
    r->head_bytes = head, r->path = path, r->params = params, r->body = body;
    r->origin = (struct str){0};
    return r;
}

struct http_request *http_request_new(struct http_conn *c, const struct http_head *head)
{
    struct http_request *r = blank(c->shard);
    r->magic = REQUEST_MAGIC;
    r->shard = c->shard;
    r->conn = c;
    r->secure = conn_secure(c->conn);
    r->out_end = &r->out_first;
    memcpy(r->peer, conn_peer(c->conn), sizeof r->peer);
    list_push_back(&c->requests, &r->node);
    list_push_back(&c->shard->requests, &r->in_shard);
    if (!head) {
        r->head = (struct http_head){0};
        return r;
    }
    str_add(&r->head_bytes, span_of(head->base, head->size));
    memcpy(&r->head, head, offsetof(struct http_head, fields));
    memcpy(r->head.fields, head->fields, head->n_fields * sizeof head->fields[0]);
    r->head.base = r->head_bytes.p;
    return r;
}

static void drop_output(struct http_request *r)
{
    buf_unref(r->out_buf);
    file_unref(r->out_file);
    while (r->out_first) {
        struct stream_piece *p = r->out_first;
        r->out_first = p->next;
        buf_unref(p->buf);
        free(p);
    }
}

void http_request_free(struct http_request *r)
{
    struct http_shard *s = r->shard;
    CHECK(r->magic == REQUEST_MAGIC);
    r->magic = 0;
    list_remove(&r->node);
    list_remove(&r->in_shard);
    drop_output(r);
    reuse(&r->head_bytes);
    reuse(&r->path);
    reuse(&r->params);
    reuse(&r->body);
    str_fini(&r->origin);
    if (s->n_spare < SPARE_REQUESTS) {
        r->node.next = (struct list *)s->spare;
        s->spare = r;
        s->n_spare++;
        return;
    }
    str_fini(&r->head_bytes);
    str_fini(&r->path);
    str_fini(&r->params);
    str_fini(&r->body);
    free(r);
}

void http_request_gone(struct http_request *r)
{
    void (*fn)(struct http_request *, void *) = r->on_gone;
    list_remove(&r->node);
    r->conn = NULL;
    r->h2 = NULL;
    if (r->state == REQUEST_READING || r->state == REQUEST_ANSWERED) {
        http_request_free(r);
        return;
    }
    r->on_gone = NULL;
    if (fn) fn(r, r->gone_ctx);
}

void http_request_refuse(struct http_request *r, uint16_t status, const char *why)
{
    if (r->refused) return;
    r->refused = status;
    r->refused_why = why;
}

static void take_params(struct http_request *r, const struct router_match *m)
{
    r->n_params = m->n_params;
    for (unsigned i = 0; i < m->n_params; i++) {
        r->param_at[i] = (uint16_t)r->params.len;
        str_add(&r->params, m->params[i]);
        str_addc(&r->params, 0);
    }
}

void http_request_route(struct http_request *r)
{
    const struct span raw = http_head_path(&r->head);
    struct router_match m;
    size_t n;
    if (span_is(raw, "*")) {
        http_request_refuse(r, 404, "not_found");
        return;
    }
    str_reserve(&r->path, raw.len + 1);
    if (http_uri_path(raw, (char *)r->path.p, raw.len + 1, &n) != E_OK) {
        http_request_refuse(r, 400, "bad_path");
        return;
    }
    r->path.len = n;
    r->has_path = true;
    router_find(r->shard->server->router, r->head.method, str_span(&r->path), &m);
    r->route = m.route;
    r->allowed = m.allowed;
    take_params(r, &m);
    if (!m.route)
        http_request_refuse(r, m.allowed ? 405 : 404,
                            m.allowed ? "method_not_allowed" : "not_found");
    else if (m.route->intake &&
             (!m.route->intake->wants || m.route->intake->wants(r, m.route->ctx)))
        r->intake = m.route->intake;
    else if (r->head.framing == HTTP_LENGTH && r->head.content_length > m.route->body_max)
        http_request_refuse(r, 413, "too_large");
}

void http_request_begin(struct http_request *r)
{
    r->state = REQUEST_ASKED;
    r->held = true;
    r->intake->on_head(r, r->route->ctx);
}

bool http_request_body(struct http_request *r, struct span bytes)
{
    if (r->refused) {
        r->discarded += bytes.len;
        return r->discarded <= LIMIT_HTTP_DISCARD_BYTES;
    }
    if (bytes.len > r->route->body_max - r->body.len) {
        http_request_refuse(r, 413, "too_large");
        return false;
    }
    str_add(&r->body, bytes);
    return true;
}

void http_request_ready(struct http_request *r)
{
    if (r->refused) {
        http_request_answer_refusal(r);
        return;
    }
    r->state = REQUEST_ASKED;
    r->route->handler(r, r->route->ctx);
}

struct span http_shard_date(struct http_shard *s)
{
    const int64_t now_s = clock_wall_us() / US_PER_SEC;
    if (now_s != s->date_s) {
        struct tm tm;
        const time_t t = (time_t)now_s;
        gmtime_r(&t, &tm);
        s->date_s = now_s;
        strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return span_of(s->date, DATE_LEN - 1);
}
