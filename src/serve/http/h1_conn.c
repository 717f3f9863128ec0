/* SPDX-License-Identifier: MIT */
/* Drives engine/h1: one request at a time, in order. */
#include "base/log.h"
#include "base/metrics.h"
#include "serve/http/http_priv.h"

#define JOIN_BYTES 16384 /* with TLS a head and a body up to this leave as one record */

static void pause_reading(struct http_conn *c, bool on)
{
    if (c->paused == on) return;
    c->paused = on;
    conn_want_read(c->conn, !on);
}

static void on_request(struct http_conn *c, const struct http_head *head)
{
    struct http_request *r = c->reading = http_request_new(c, head);
    http_request_route(r);
    if (r->intake && !r->refused) {
        h1_hold(&c->h1, true, loop_now_us(c->shard->loop));
        http_request_begin(r);
        return;
    }
    if (!r->refused) {
        if (h1_wants_continue(&c->h1)) conn_send_copy(c->conn, SPAN_LIT(H1_CONTINUE));
        return;
    }
    /* A short body of a refused request is read away, so that the connection can go on. */
    const bool small =
        head->framing != HTTP_LENGTH || head->content_length <= LIMIT_HTTP_DISCARD_BYTES;
    if (!small || h1_wants_continue(&c->h1)) http_request_answer_refusal(r);
}

static void on_error(struct http_conn *c, const struct http_problem *p)
{
    log_peer("http-bad", "peer=%s status=%u why=\"%s\"", conn_peer(c->conn), p->status, p->why);
    if (c->reading && c->reading->intake) { /* its handler is told, and another answers */
        struct http_request *r = c->reading;
        c->reading = NULL;
        http_request_gone(r);
        if (c->closed) return;
    }
    if (!c->reading) c->reading = http_request_new(c, NULL);
    c->reading->refused = 0; /* this is the reason now */
    http_request_refuse(c->reading, p->status, "bad_request");
    http_request_answer_refusal(c->reading);
}

static void on_event(struct http_conn *c, const struct h1_event *ev)
{
    switch (ev->kind) {
    case H1_REQUEST:
        on_request(c, &c->shard->head);
        return;
    case H1_BODY:
        if (c->reading->intake)
            c->reading->intake->on_body(c->reading, c->reading->route->ctx, ev->body);
        else if (!http_request_body(c->reading, ev->body))
            http_request_answer_refusal(c->reading);
        return;
    case H1_END:
        if (c->reading->intake)
            c->reading->intake->on_end(c->reading, c->reading->route->ctx);
        else
            http_request_ready(c->reading);
        return;
    case H1_ERROR:
        on_error(c, &ev->problem);
        return;
    }
}

/* The body's taker has enough for now. */
static bool is_held(const struct http_conn *c)
{
    return c->reading && c->reading->held;
}

void h1_conn_run(struct http_conn *c)
{
    struct h1_event ev;
    if (c->running || c->closed) return;
    c->running = true;
    bool full = false, went_on = false;
    while (!c->closed && !c->closing) {
        /* A client that asks and does not read is not listened to any more. */
        full = conn_queued(c->conn) > LIMIT_HTTP_SEND_AHEAD;
        if (is_held(c)) break;
        if (full || !h1_next(&c->h1, &c->shard->head, &ev)) break;
        on_event(c, &ev);
        went_on = true;
    }
    c->running = false;
    if (c->closed || c->closing) return;
    /* Only a client that asks ahead is held up. Writes leave at the end of this iteration: what is
     * queued in the next one the socket has kept, and on_drain will come. */
    const bool hold = h1_keep(&c->h1) && full;
    if (hold && (went_on || !c->held)) http_conn_wake(c);
    c->held = hold;
    pause_reading(c, h1_is_full(&c->h1) || is_held(c));
    http_conn_arm(c);
}

void h1_conn_read(struct http_conn *c, struct span bytes)
{
    h1_feed(&c->h1, bytes, loop_now_us(c->shard->loop));
    h1_conn_run(c);
}

void h1_conn_timeout(struct http_conn *c)
{
    if (h1_is_idle(&c->h1)) {
        http_conn_end_idle(c);
        return;
    }
    const struct http_problem late = {408, "the request did not arrive in time"};
    on_error(c, &late);
    if (!c->closed && !c->closing) http_conn_finish(c);
}

/* The reply has been handed over whole. */
static void answered(struct http_request *r)
{
    struct http_conn *c = r->conn;
    c->reading = NULL;
    http_request_free(r);
    if (!h1_reply_done(&c->h1, loop_now_us(c->shard->loop)) || c->shard->draining) {
        http_conn_finish(c);
        return;
    }
    if (c->running) return;
    /* Not at once: a handler must not be called from within another one's reply. */
    if (h1_keep(&c->h1) || c->paused)
        http_conn_wake(c);
    else
        http_conn_arm(c);
}

static void send_joined(struct http_conn *c, struct str *head, const struct http_plan *p)
{
    str_add(head, span_of(p->buf->data + p->off, (size_t)p->reply.length));
    conn_send_copy(c->conn, str_span(head));
}

void h1_conn_reply(struct http_request *r, const struct http_plan *p)
{
    struct http_conn *c = r->conn;
    struct str *head = &c->shard->scratch;
    struct http_reply reply = p->reply;
    reply.close |= c->shard->draining;
    head->len = 0;
    h1_reply_head(&c->h1, &reply, head);
    const bool body = h1_reply_has_body(&c->h1, reply.status) && !p->streamed;
    metric_add(M_HTTP_OUT_BYTES, (int64_t)(head->len + (body ? reply.length : 0)));
    if (body && p->buf && conn_secure(c->conn) && reply.length <= JOIN_BYTES) {
        send_joined(c, head, p);
    } else {
        conn_send_copy(c->conn, str_span(head));
        if (body && p->buf) conn_send(c->conn, p->buf, (size_t)p->off, (size_t)reply.length);
        if (body && p->file) conn_send_file(c->conn, p->file, p->off, reply.length);
    }
    if (!p->streamed)
        answered(r);
    else
        http_conn_arm(c);
}

void h1_conn_stream(struct http_request *r, struct buf *b)
{
    struct http_conn *c = r->conn;
    char size[H1_CHUNK_HEAD];
    if (!h1_reply_has_body(&c->h1, 200) || b->len == 0) return;
    conn_send_copy(c->conn, h1_chunk_head(&c->h1, b->len, size));
    conn_send(c->conn, b, 0, b->len);
    conn_send_copy(c->conn, h1_chunk_tail(&c->h1));
    metric_add(M_HTTP_OUT_BYTES, (int64_t)b->len);
    if (conn_queued(c->conn) > LIMIT_HTTP_STREAM_QUEUE && !c->doomed) {
        c->doomed = true;
        http_conn_wake(c);
    }
    http_conn_arm(c);
}

void h1_conn_stream_end(struct http_request *r)
{
    conn_send_copy(r->conn->conn, h1_chunk_last(&r->conn->h1));
    answered(r);
}

void h1_conn_hold(struct http_request *r)
{
    struct http_conn *c = r->conn;
    if (!r->held && !r->continued && h1_wants_continue(&c->h1)) {
        r->continued = true;
        conn_send_copy(c->conn, SPAN_LIT(H1_CONTINUE));
    }
    h1_hold(&c->h1, r->held, loop_now_us(c->shard->loop));
    if (c->running) return; /* what runs looks at it next */
    if (r->held)
        pause_reading(c, true);
    else
        http_conn_wake(c); /* not at once: a handler must not be called from within another */
}
