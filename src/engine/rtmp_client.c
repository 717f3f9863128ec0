/* SPDX-License-Identifier: MIT */
#include "engine/rtmp_client.h"
#include "base/limits.h"
#include "base/rd.h"
#include "base/xalloc.h"
#include "engine/rtmp_put.h"

#define HANDSHAKE_BYTES 1536
#define CHUNK_SIZE      4096
#define STREAM          1
#define COMMAND_CAP     4096

void rtmp_client_init(struct rtmp_client *c, bool play, const char *app, const char *tc_url,
                      const char *stream)
{
    *c = (struct rtmp_client){.is_play = play, .ack_window = 2500000};
    c->app = xstrdup(app);
    c->tc_url = xstrdup(tc_url);
    c->stream = xstrdup(stream);
    rtmp_dechunk_init(&c->in, LIMIT_RTMP_MESSAGE_BYTES);
    str_addc(&c->out, 3);
    for (unsigned i = 0; i < HANDSHAKE_BYTES; i++) str_addc(&c->out, i < 8 ? 0 : (char)(i * 31));
}

void rtmp_client_fini(struct rtmp_client *c)
{
    rtmp_dechunk_fini(&c->in);
    str_fini(&c->handshake);
    str_fini(&c->out);
    free(c->app);
    free(c->tc_url);
    free(c->stream);
}

void rtmp_client_feed(struct rtmp_client *c, struct span bytes)
{
    c->input = bytes;
    c->bytes_in += (uint32_t)bytes.len;
    if (c->state < RTMP_CL_CREATE || c->bytes_in - c->bytes_acked < c->ack_window / 2) return;
    rtmp_put_number(&c->out, RTMP_ACK, c->bytes_in);
    c->bytes_acked = c->bytes_in;
}

static void fail(struct rtmp_client *c, const char *why)
{
    c->state = RTMP_CL_CLOSED;
    c->why = why;
}

static void command(struct rtmp_client *c, const struct wr *w, uint32_t stream)
{
    rtmp_put_message(&c->out, RTMP_CS_COMMAND, RTMP_COMMAND_AMF0, stream, 0, wr_span(w),
                     CHUNK_SIZE);
}

static void simple(struct rtmp_client *c, const char *name, double txn, const char *arg,
                   uint32_t stream)
{
    uint8_t b[COMMAND_CAP];
    struct wr w = wr_to(b, sizeof b);
    amf0_put_string(&w, span_str(name));
    amf0_put_number(&w, txn);
    amf0_put_null(&w);
    if (arg) amf0_put_string(&w, span_str(arg));
    command(c, &w, stream);
}

static void connect(struct rtmp_client *c)
{
    uint8_t b[COMMAND_CAP];
    struct wr w = wr_to(b, sizeof b);
    rtmp_put_number(&c->out, RTMP_SET_CHUNK_SIZE, CHUNK_SIZE);
    amf0_put_string(&w, SPAN_LIT("connect"));
    amf0_put_number(&w, 1);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "app", c->app);
    amf0_pair_string(&w, "flashVer", "FMLE/3.0 (compatible; bspnode)");
    amf0_pair_string(&w, "tcUrl", c->tc_url);
    amf0_object_end(&w);
    command(c, &w, 0);
}

/* True: the handshake is over. */
static bool handshake(struct rtmp_client *c)
{
    const size_t want = 1 + 2 * HANDSHAKE_BYTES - c->handshake.len;
    const struct span part = span_head(c->input, want);
    str_add(&c->handshake, part);
    c->input = span_skip(c->input, part.len);
    if (part.len < want) return false;
    if (c->handshake.p[0] != 3) {
        fail(c, "not RTMP version 3");
        return false;
    }
    str_add(&c->out, span_of(c->handshake.p + 1, HANDSHAKE_BYTES));
    str_fini(&c->handshake);
    connect(c);
    c->state = RTMP_CL_CONNECT;
    return true;
}

static void on_result(struct rtmp_client *c)
{
    if (c->state == RTMP_CL_CONNECT) {
        if (!c->is_play) {
            simple(c, "releaseStream", 2, c->stream, 0);
            simple(c, "FCPublish", 3, c->stream, 0);
        }
        simple(c, "createStream", 4, NULL, 0);
        c->state = RTMP_CL_CREATE;
    } else if (c->state == RTMP_CL_CREATE) {
        simple(c, c->is_play ? "play" : "publish", 5, c->stream, STREAM);
        c->state = RTMP_CL_ASKED;
    }
}

static bool on_status(struct rtmp_client *c, struct span args, struct rtmp_client_event *ev)
{
    struct amf0_value v;
    if (amf0_read(&args, &v) != E_OK) return false; /* the command object: null */
    if (amf0_read(&args, &v) != E_OK) return false;
    *ev = (struct rtmp_client_event){
        .kind = RTMP_CLIENT_STATUS,
        .code = amf0_get_string(&v, "code"),
        .words = amf0_get_string(&v, "description"),
        .is_error = span_is(amf0_get_string(&v, "level"), "error"),
    };
    const bool start =
        span_is(ev->code, "NetStream.Publish.Start") || span_is(ev->code, "NetStream.Play.Start");
    if (start && c->state == RTMP_CL_ASKED) {
        c->state = RTMP_CL_READY;
        ev->kind = RTMP_CLIENT_READY;
    }
    return true;
}

static bool on_command(struct rtmp_client *c, struct span body, struct rtmp_client_event *ev)
{
    struct amf0_value name, txn;
    if (amf0_read(&body, &name) != E_OK || amf0_read(&body, &txn) != E_OK) {
        fail(c, "a command cannot be read");
        return false;
    }
    if (span_is(name.string, "onStatus")) return on_status(c, body, ev);
    const bool awaited = (c->state == RTMP_CL_CONNECT && txn.number == 1) ||
                         (c->state == RTMP_CL_CREATE && txn.number == 4);
    if (span_is(name.string, "_result") && awaited) on_result(c);
    if (span_is(name.string, "_error")) fail(c, "the server answered with an error");
    return false;
}

static bool on_message(struct rtmp_client *c, const struct rtmp_msg *m,
                       struct rtmp_client_event *ev)
{
    struct rd r = rd_from(m->body);
    *ev = (struct rtmp_client_event){.ts_ms = m->ts_ms, .body = m->body};
    switch ((unsigned)m->type) {
    case RTMP_VIDEO:
        ev->kind = RTMP_CLIENT_VIDEO;
        return true;
    case RTMP_AUDIO:
        ev->kind = RTMP_CLIENT_AUDIO;
        return true;
    case RTMP_DATA_AMF0:
        ev->kind = RTMP_CLIENT_DATA;
        return true;
    case RTMP_WINDOW_ACK_SIZE:
        c->ack_window = rd_u32be(&r);
        return false;
    case RTMP_USER_CONTROL:
        if (rd_u16be(&r) == RTMP_PING) rtmp_put_user_control(&c->out, RTMP_PONG, rd_u32be(&r));
        return false;
    case RTMP_COMMAND_AMF0:
        return on_command(c, m->body, ev);
    default:
        return false;
    }
}

bool rtmp_client_next(struct rtmp_client *c, struct rtmp_client_event *ev)
{
    if (c->state == RTMP_CL_HANDSHAKE && !handshake(c) && c->state != RTMP_CL_CLOSED) return false;
    while (c->state != RTMP_CL_CLOSED) {
        struct rtmp_msg m;
        const enum err e = rtmp_dechunk_next(&c->in, &c->input, &m);
        if (e == E_MORE) return false;
        if (e != E_OK) fail(c, c->in.why);
        if (e == E_OK && on_message(c, &m, ev)) return true;
    }
    if (c->close_told) return false;
    c->close_told = true;
    *ev = (struct rtmp_client_event){.kind = RTMP_CLIENT_CLOSE, .why = c->why};
    return true;
}

void rtmp_client_send(struct rtmp_client *c, enum rtmp_type type, uint32_t ts_ms, struct span head,
                      struct span body)
{
    const size_t size = rtmp_chunks_size(head.len + body.len, ts_ms, CHUNK_SIZE);
    str_reserve(&c->out, size);
    struct wr w = wr_to(c->out.p + c->out.len, size);
    const uint32_t csid = type == RTMP_VIDEO ? RTMP_CS_VIDEO : RTMP_CS_AUDIO;
    rtmp_put_chunks(&w, csid, type, STREAM, ts_ms, head, body, CHUNK_SIZE);
    c->out.len += wr_used(&w);
}

void rtmp_client_unpublish(struct rtmp_client *c)
{
    simple(c, "FCUnpublish", 6, c->stream, 0);
    simple(c, "deleteStream", 7, NULL, 0);
}

struct span rtmp_client_output(const struct rtmp_client *c)
{
    return str_span(&c->out);
}

void rtmp_client_sent(struct rtmp_client *c)
{
    c->out.len = 0;
}
