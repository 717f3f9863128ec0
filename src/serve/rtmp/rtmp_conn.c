/* SPDX-License-Identifier: MIT */
/* The life of a connection:
 *
 *   hello -> ask -> open -> analyse -> live      a publisher
 *              \--> play                         a viewer
 *
 * and back to hello after a goodbye. Time limits of what the client must do are the engine's; of
 * what we must do, the steps'. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "serve/rtmp/rtmp_priv.h"

static enum next step_hello(struct rtmp_conn *c);
static enum next step_ask(struct rtmp_conn *c);
static enum next step_play(struct rtmp_conn *c);
static enum next too_late(struct rtmp_conn *c);

static const struct {
    const char *name;
    enum next (*fn)(struct rtmp_conn *);
    enum next (*late)(struct rtmp_conn *);
    int64_t limit_ms; /* 0: none */
} STEPS[] = {
    [STEP_HELLO] = {"hello", step_hello, too_late, 0},
    [STEP_ASK] = {"ask", step_ask, too_late, LIMIT_RTMP_GATE_MS},
    [STEP_OPEN] = {"open", rtmp_pub_opening, too_late, LIMIT_RTMP_GATE_MS},
    [STEP_ANALYSE] = {"analyse", rtmp_pub_analyse, rtmp_pub_analysed, 0}, /* rtmp_pub.c sets it */
    [STEP_LIVE] = {"live", rtmp_pub_live, too_late, 0},
    [STEP_PLAY] = {"play", step_play, too_late, 0},
};

int64_t rtmp_conn_now(const struct rtmp_conn *c)
{
    return loop_now_us(c->ctx->loop);
}

void rtmp_conn_ref(struct rtmp_conn *c)
{
    c->refs++;
}

void rtmp_conn_unref(struct rtmp_conn *c)
{
    if (--c->refs > 0) return;
    CHECK(c->closed);
    rtmp_fini(&c->rtmp);
    channel_unref(c->channel);
    free(c->reason);
    free(c);
}

enum next rtmp_conn_go(struct rtmp_conn *c, enum rtmp_step step)
{
    c->step = step;
    c->step_until_us =
        STEPS[step].limit_ms ? rtmp_conn_now(c) + STEPS[step].limit_ms * US_PER_MS : INT64_MAX;
    return MORE;
}

/* All replies of a turn leave in one write. */
static void flush(struct rtmp_conn *c)
{
    const struct span out = rtmp_output(&c->rtmp);
    if (out.len && c->conn) {
        metric_add(M_RTMP_OUT_BYTES, (int64_t)out.len);
        conn_send_copy(c->conn, out);
    }
    rtmp_sent(&c->rtmp);
}

void rtmp_conn_end(struct rtmp_conn *c, bool gently)
{
    if (c->closed) return;
    c->closed = true;
    rtmp_pub_close(c, false);
    rtmp_room_leave(c);
    timer_stop(&c->timer);
    list_remove(&c->node);
    if (gently) {
        flush(c);
        conn_close_gently(c->conn);
    } else {
        conn_close(c->conn);
    }
    c->conn = NULL;
    metric_add(M_RTMP_CONNECTIONS, -1);
    atomic_fetch_sub(&c->ctx->server->n_conns, 1);
    rtmp_conn_unref(c);
}

enum next rtmp_conn_finish(struct rtmp_conn *c, const struct rtmp_event *ev)
{
    if (ev->err != E_OK) {
        log_peer("rtmp-close", "conn=%u peer=%s step=%s error=%s why=\"%s\"%s%s%s", c->id,
                 conn_peer(c->conn), STEPS[c->step].name, err_label(ev->err), ev->why,
                 c->reason ? " reason=\"" : "", c->reason ? c->reason : "", c->reason ? "\"" : "");
    }
    return DONE;
}

static enum next too_late(struct rtmp_conn *c)
{
    rtmp_refuse(&c->rtmp, E_TIMEOUT, "The server took too long to answer. Please try again.");
    return MORE;
}

/* Bytes, timers and answers re-enter here. Steps may end the connection, or be answered at once:
 * then the loop goes round again instead of going deeper. */
void rtmp_conn_run(struct rtmp_conn *c)
{
    if (c->closed) return;
    if (c->running) {
        c->again = true;
        return;
    }
    rtmp_conn_ref(c);
    c->running = true;
    const int64_t now_us = rtmp_conn_now(c);
    rtmp_tick(&c->rtmp, now_us);
    enum next n = now_us >= c->step_until_us ? STEPS[c->step].late(c) : MORE;
    do {
        c->again = false;
        while (n == MORE && !c->closed) n = STEPS[c->step].fn(c);
        if (c->again && n == WAIT) n = MORE;
    } while (n == MORE && !c->closed);
    c->running = false;
    if (!c->closed && n == DONE) rtmp_conn_end(c, true);
    if (!c->closed) {
        flush(c);
        const int64_t engine_us = rtmp_deadline_us(&c->rtmp);
        const int64_t at = engine_us < c->step_until_us ? engine_us : c->step_until_us;
        if (at == INT64_MAX) {
            timer_stop(&c->timer);
        } else if (!timer_active(&c->timer) || c->timer.at_us > at ||
                   c->timer.at_us + US_PER_SEC < at) {
            timer_at(&c->timer, at); /* a publisher moves it with each message: not each time */
        }
    }
    rtmp_conn_unref(c);
}

/* --- hello: handshake and commands, up to a request ------------------------------------------- */

static void on_gate(void *ctx, enum err e, const char *reason, struct channel *ch)
{
    struct rtmp_conn *c = OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx);
    c->answered = true;
    c->answer = e;
    free(c->reason);
    c->reason = e == E_OK ? NULL : xstrdup(reason && *reason ? reason : err_text(e));
    channel_unref(c->channel);
    c->channel = e == E_OK ? channel_ref(ch) : NULL;
    if (c->channel) c->dismissals = channel_dismissals(c->channel);
    rtmp_conn_run(c);
    rtmp_conn_unref(c);
}

/* "ID?token=…": a token has no character that a query would spell otherwise. */
static void read_token(struct span query, char *out, size_t cap)
{
    out[0] = 0;
    while (query.p && query.len) {
        struct span value = span_cut(&query, '&');
        const struct span name = span_cut(&value, '=');
        if (span_is(name, "token") && !span_cstr(value, out, cap)) out[0] = 0;
    }
}

static void ask_play(struct rtmp_conn *c, const struct rtmp_event *ev, const char *id)
{
    const struct gate *g = c->ctx->server->cfg.gate;
    char token[LIMIT_RTMP_NAME_BYTES + 1];
    read_token(ev->name.query, token, sizeof token);
    g->play(g->self, id, &(struct gate_viewer){.token = token, .use = "v"}, on_gate, c);
}

static enum next ask(struct rtmp_conn *c, const struct rtmp_event *ev)
{
    const struct gate *g = c->ctx->server->cfg.gate;
    char key[LIMIT_RTMP_NAME_BYTES + 1];
    c->is_play = ev->kind == RTMP_EV_PLAY;
    c->answered = false;
    if (!span_cstr(ev->name.key, key, sizeof key)) key[0] = 0; /* then nobody knows it */
    rtmp_conn_go(c, STEP_ASK);
    rtmp_conn_ref(c);
    if (c->is_play) {
        ask_play(c, ev, key);
    } else {
        const struct gate_publish q = {
            .key = key,
            .protocol = conn_secure(c->conn) ? "rtmps" : "rtmp",
            .peer = conn_peer(c->conn),
        };
        g->publish(g->self, &q, on_gate, c);
    }
    return MORE;
}

static enum next step_hello(struct rtmp_conn *c)
{
    struct rtmp_event ev;
    if (!rtmp_next(&c->rtmp, rtmp_conn_now(c), &ev)) return WAIT;
    if (ev.kind == RTMP_EV_CLOSE) return rtmp_conn_finish(c, &ev);
    if (ev.kind == RTMP_EV_PUBLISH || ev.kind == RTMP_EV_PLAY) return ask(c, &ev);
    return MORE;
}

/* --- ask: the gate thinks ------------------------------------------------------------------- */

static enum next step_ask(struct rtmp_conn *c)
{
    struct rtmp_event ev;
    /* What the client sends meanwhile is kept by the engine; only an end can come of it. */
    if (rtmp_next(&c->rtmp, rtmp_conn_now(c), &ev)) {
        return ev.kind == RTMP_EV_CLOSE ? rtmp_conn_finish(c, &ev) : MORE;
    }
    if (!c->answered) return WAIT;
    if (c->answer != E_OK) {
        rtmp_refuse(&c->rtmp, c->answer, c->reason);
        return MORE;
    }
    if (!c->is_play) {
        rtmp_pub_open(c);
        return rtmp_conn_go(c, STEP_OPEN);
    }
    log_info("rtmp-play", "conn=%u peer=%s channel=%s", c->id, conn_peer(c->conn),
             channel_id(c->channel));
    rtmp_accept(&c->rtmp, rtmp_conn_now(c));
    rtmp_conn_go(c, STEP_PLAY);
    flush(c); /* the answers come before the stream, and leave with it */
    rtmp_room_join(c);
    return MORE;
}

/* --- play: the room sends (rtmp_room.c) ------------------------------------------------------- */

static enum next step_play(struct rtmp_conn *c)
{
    struct rtmp_event ev;
    if (!rtmp_next(&c->rtmp, rtmp_conn_now(c), &ev)) return WAIT;
    if (ev.kind == RTMP_EV_CLOSE) return rtmp_conn_finish(c, &ev);
    if (ev.kind != RTMP_EV_STOP) return MORE;
    rtmp_room_leave(c);
    return rtmp_conn_go(c, STEP_HELLO);
}

/* --- the socket ------------------------------------------------------------------------------- */

static void on_read(void *ctx, struct span bytes)
{
    struct rtmp_conn *c = OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx);
    metric_add(M_RTMP_IN_BYTES, (int64_t)bytes.len);
    rtmp_feed(&c->rtmp, bytes, rtmp_conn_now(c));
    rtmp_conn_run(c);
}

static void on_closed(void *ctx, enum err e)
{
    struct rtmp_conn *c = OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx);
    (void)e; /* however it went: encoders close without a word, and that is a goodbye too */
    rtmp_conn_end(c, false);
}

static void on_timer(struct timer *t, void *ctx)
{
    (void)t;
    rtmp_conn_run(OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx));
}

void rtmp_conn_accept(struct rtmp_ctx *ctx, struct tcp *t)
{
    static const struct conn_ops OPS = {.on_read = on_read, .on_closed = on_closed};
    struct rtmp_conn *c = NEW(struct rtmp_conn);
    c->magic = RTMP_CONN_MAGIC;
    c->refs = 1;
    c->id = atomic_fetch_add(&ctx->server->next_id, 1);
    c->ctx = ctx;
    list_push_back(&ctx->conns, &c->node);
    list_init(&c->in_room);
    rtmp_init(&c->rtmp, rand_u64(), loop_now_us(ctx->loop));
    timer_init(&c->timer, ctx->loop, on_timer, c);
    metric_add(M_RTMP_CONNECTIONS, 1);
    atomic_fetch_add(&ctx->server->n_conns, 1);
    rtmp_conn_go(c, STEP_HELLO);
    timer_at(&c->timer, rtmp_deadline_us(&c->rtmp));
    rtmp_conn_ref(c);
    c->conn = conn_start(t, ctx->server->cfg.tls, &OPS, c);
    rtmp_conn_unref(c);
}
