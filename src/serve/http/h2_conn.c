/* SPDX-License-Identifier: MIT */
/* Drives engine/h2: many requests at a time; bodies are pulled by the engine as the peer's windows
 * allow, and the engine's output only as the socket takes it. */
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "serve/http/http_priv.h"
#include <unistd.h>

#define AHEAD_BYTES (128u << 10) /* frames made and not yet taken by the socket */
#define WRITE_BYTES 16384        /* frames go together up to one TLS record */

static void flush(struct http_conn *c, struct str *out)
{
    conn_send_copy(c->conn, str_span(out));
    metric_add(M_HTTP_OUT_BYTES, (int64_t)out->len);
    out->len = 0;
}

/* Sends what the engine has, as far as the socket takes it. Nobody is called from here. */
static void pump(struct http_conn *c)
{
    struct str *out = &c->shard->scratch;
    struct span frame;
    if (c->running || c->closed) return;
    bool wrote = false;
    out->len = 0;
    h2_tick(c->h2, loop_now_us(c->shard->loop));
    while (conn_queued(c->conn) + out->len < AHEAD_BYTES && h2_output(c->h2, &frame)) {
        if (out->len && out->len + frame.len > WRITE_BYTES) flush(c, out);
        str_add(out, frame);
        wrote = true;
    }
    if (out->len) flush(c, out);
    /* What is queued still in the next iteration is kept by the socket: then on_drain goes on. */
    const bool full = wrote && conn_queued(c->conn) >= AHEAD_BYTES;
    if (full || h2_has_events(c->h2) || h2_is_done(c->h2)) http_conn_wake(c);
}

static void on_request(struct http_conn *c, const struct h2_event *ev)
{
    const bool bad = ev->problem.status != 0;
    struct http_request *r = http_request_new(c, bad ? NULL : ev->head);
    r->h2 = ev->stream;
    h2_stream_set_ctx(ev->stream, r);
    if (bad)
        http_request_refuse(r, ev->problem.status, "bad_request");
    else
        http_request_route(r);
    if (r->refused) {
        http_request_answer_refusal(r);
    } else if (r->intake) {
        h2_stream_hold(c->h2, ev->stream, true);
        http_request_begin(r);
    }
}

static bool is_taking(const struct http_request *r)
{
    return r->intake && r->state == REQUEST_ASKED;
}

static void on_event(struct http_conn *c, const struct h2_event *ev)
{
    struct http_request *r = h2_stream_ctx(ev->stream);
    if (ev->kind == H2_REQUEST) {
        on_request(c, ev);
        return;
    }
    if (!r) return; /* it was over before */
    switch (ev->kind) {
    case H2_BODY:
        if (is_taking(r))
            r->intake->on_body(r, r->route->ctx, ev->body);
        else if (r->state == REQUEST_READING && !http_request_body(r, ev->body))
            http_request_answer_refusal(r);
        return;
    case H2_END:
        if (is_taking(r))
            r->intake->on_end(r, r->route->ctx);
        else if (r->state == REQUEST_READING)
            http_request_ready(r);
        return;
    default:
        http_request_gone(r);
        return;
    }
}

static void run(struct http_conn *c)
{
    struct h2_event ev;
    if (c->running) return;
    c->running = true;
    while (!c->closed && h2_next(c->h2, &ev)) on_event(c, &ev);
    c->running = false;
}

/* The reset of a stream may wait behind what the client does not read; its handler need not. */
static void tell_over(struct http_conn *c)
{
    struct list *it = c->requests.next;
    c->any_over = false;
    while (it != &c->requests) {
        struct http_request *r = CONTAINER_OF(it, struct http_request, node);
        it = it->next;
        if (!r->out_over) continue;
        h2_stream_set_ctx(r->h2, NULL);
        http_request_gone(r);
        it = c->requests.next; /* the handler may have ended others */
    }
}

void h2_conn_go(struct http_conn *c)
{
    if (c->running) return;
    if (c->any_over) tell_over(c);
    run(c);
    pump(c);
    if (!c->closed) run(c); /* the streams that sending has closed */
    if (!c->closed && h2_is_done(c->h2)) http_conn_finish(c);
}

void h2_conn_open(struct http_conn *c)
{
    c->h2 = h2_new(loop_now_us(c->shard->loop));
    h2_conn_go(c);
}

void h2_conn_read(struct http_conn *c, struct span bytes)
{
    const enum err e = h2_feed(c->h2, bytes, loop_now_us(c->shard->loop));
    h2_conn_go(c);
    if (e != E_OK && !c->closed) {
        log_peer("http-bad", "peer=%s protocol=h2 error=%s", conn_peer(c->conn), err_label(e));
        http_conn_finish(c);
    }
    http_conn_arm(c);
}

/* Streams whose requests do not arrive are reset; a connection without any, or with a head that
 * does not end, is over. */
void h2_conn_timeout(struct http_conn *c)
{
    const bool over = !h2_on_deadline(c->h2, loop_now_us(c->shard->loop));
    if (over) h2_goaway(c->h2);
    h2_conn_go(c);
    if (over) http_conn_finish(c);
}

/* --- replies ------------------------------------------------------------------------------ */

static enum err read_buf(struct http_request *r, uint8_t *dst, size_t cap, size_t *n, bool *end)
{
    *n = r->out_left < cap ? (size_t)r->out_left : cap;
    if (r->out_file) {
        if (pread(r->out_file->fd, dst, *n, (off_t)r->out_off) != (ssize_t)*n) return E_IO;
    } else if (*n) {
        memcpy(dst, r->out_buf->data + r->out_off, *n);
    }
    r->out_off += *n;
    r->out_left -= *n;
    *end = r->out_left == 0;
    return E_OK;
}

static enum err read_stream(struct http_request *r, uint8_t *dst, size_t cap, size_t *n, bool *end)
{
    *n = 0;
    while (r->out_first && *n < cap) {
        struct stream_piece *p = r->out_first;
        const struct span piece = span_head(span_skip(buf_span(p->buf), r->out_at), cap - *n);
        memcpy(dst + *n, piece.p, piece.len);
        *n += piece.len;
        r->out_at += piece.len;
        r->out_queued -= piece.len;
        if (r->out_at < p->buf->len) break;
        r->out_at = 0;
        r->out_first = p->next;
        if (!r->out_first) r->out_end = &r->out_first;
        buf_unref(p->buf);
        free(p);
    }
    *end = r->out_ended && !r->out_first;
    return E_OK;
}

static enum err read_out(void *ctx, uint8_t *dst, size_t cap, size_t *n, bool *end)
{
    struct http_request *r = ctx;
    if (r->out_buf || r->out_file) return read_buf(r, dst, cap, n, end);
    return read_stream(r, dst, cap, n, end);
}

void h2_conn_reply(struct http_request *r, const struct http_plan *p)
{
    struct http_conn *c = r->conn;
    const struct h2_source source = {read_out, r};
    const bool body = http_status_has_body(p->reply.status) && r->head.method != HTTP_HEAD &&
                      (p->streamed || p->reply.length > 0);
    if (body && !p->streamed) {
        r->out_buf = buf_ref(p->buf);
        r->out_file = file_ref(p->file);
        r->out_off = p->off;
        r->out_left = p->reply.length;
    }
    h2_tick(c->h2, loop_now_us(c->shard->loop));
    h2_reply(c->h2, r->h2, &p->reply, body ? &source : NULL);
    if (r->intake) h2_stream_hold(c->h2, r->h2, false); /* the rest is thrown away */
    pump(c);
    http_conn_arm(c);
}

void h2_conn_stream(struct http_request *r, struct buf *b)
{
    struct http_conn *c = r->conn;
    if (b->len == 0 || r->head.method == HTTP_HEAD || r->out_over) return;
    if (r->out_queued + b->len > LIMIT_HTTP_STREAM_QUEUE) {
        r->out_over = c->any_over = true; /* told in the next iteration, not within this call */
        h2_reset(c->h2, r->h2);
        http_conn_wake(c);
        return;
    }
    struct stream_piece *p = NEW(struct stream_piece);
    *p = (struct stream_piece){NULL, buf_ref(b)};
    *r->out_end = p;
    r->out_end = &p->next;
    r->out_queued += b->len;
    h2_tick(c->h2, loop_now_us(c->shard->loop));
    h2_resume(c->h2, r->h2);
    pump(c);
    http_conn_arm(c);
}

void h2_conn_stream_end(struct http_request *r)
{
    r->out_ended = true;
    h2_resume(r->conn->h2, r->h2);
    pump(r->conn);
}

void h2_conn_hold(struct http_request *r)
{
    struct http_conn *c = r->conn;
    h2_tick(c->h2, loop_now_us(c->shard->loop));
    h2_stream_hold(c->h2, r->h2, r->held);
    if (!r->held && !c->running) http_conn_wake(c);
    if (!c->running) http_conn_arm(c);
}
