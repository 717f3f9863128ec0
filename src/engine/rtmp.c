/* SPDX-License-Identifier: MIT */
#include "engine/rtmp.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rd.h"
#include "engine/rtmp_command.h"
#include "engine/rtmp_put.h"

#define C1_BYTES       1536
#define RTMP_VERSION   3
#define DEFAULT_WINDOW 2500000 /* until the client says how often it wants an acknowledgement */

void rtmp_init(struct rtmp *x, uint64_t seed, int64_t now_us)
{
    *x = (struct rtmp){
        .seed = seed,
        .ack_window = DEFAULT_WINDOW,
        .deadline_us = now_us + LIMIT_RTMP_HANDSHAKE_MS * US_PER_MS,
    };
    rtmp_dechunk_init(&x->in, LIMIT_RTMP_COMMAND_BYTES);
}

void rtmp_fini(struct rtmp *x)
{
    rtmp_dechunk_fini(&x->in);
    str_fini(&x->stash);
    str_fini(&x->out);
    str_fini(&x->app);
    str_fini(&x->tc_url);
    str_fini(&x->flash_ver);
    str_fini(&x->stream);
}

void rtmp_fail(struct rtmp *x, enum err e, const char *why)
{
    if (x->state == RTMP_ST_CLOSED) return;
    x->err = e;
    x->why = why;
    rtmp_enter(x, RTMP_ST_CLOSED, 0);
}

void rtmp_enter(struct rtmp *x, enum rtmp_state st, int64_t now_us)
{
    x->state = st;
    x->deadline_us = INT64_MAX;
    x->in.max_message = LIMIT_RTMP_COMMAND_BYTES;
    if (st == RTMP_ST_COMMAND) x->deadline_us = now_us + LIMIT_RTMP_COMMAND_MS * US_PER_MS;
    if (st == RTMP_ST_PUBLISH) {
        x->deadline_us = now_us + LIMIT_RTMP_IDLE_MS * US_PER_MS;
        x->in.max_message = LIMIT_RTMP_MESSAGE_BYTES;
    }
}

/* --- input ---------------------------------------------------------------------------------- */

void rtmp_feed(struct rtmp *x, struct span bytes, int64_t now_us)
{
    if (x->state == RTMP_ST_CLOSED) return;
    x->bytes_in += (uint32_t)bytes.len;
    if (x->stash.len == 0) {
        x->input = bytes;
    } else if (x->stash.len + bytes.len > LIMIT_RTMP_STASH_BYTES) {
        rtmp_fail(x, E_LIMIT, "too much sent before the answer");
    } else {
        str_add(&x->stash, bytes);
    }
    if (x->connected && x->bytes_in - x->bytes_acked >= x->ack_window / 2) {
        rtmp_put_number(&x->out, RTMP_ACK, x->bytes_in);
        x->bytes_acked = x->bytes_in;
    }
}

static struct span source(const struct rtmp *x)
{
    return x->stash.len ? span_skip(str_span(&x->stash), x->stash_at) : x->input;
}

/* What is left of source() after taking some of it. */
static void taken(struct rtmp *x, struct span left)
{
    if (x->stash.len) {
        x->stash_at = x->stash.len - left.len;
    } else {
        x->input = left;
    }
}

/* Before returning false: the borrowed input goes away, so what is left of it must be kept. */
static bool nothing(struct rtmp *x)
{
    if (x->stash.len && x->stash_at == x->stash.len) {
        str_fini(&x->stash);
        x->stash_at = 0;
    }
    if (x->stash.len == 0 && x->input.len) str_add(&x->stash, x->input);
    x->input = SPAN_NULL;
    return false;
}

/* --- handshake (RTMP 1.0, section 5.2) ------------------------------------------------------ */

/* S0, S1 of our own, and S2: C1 exactly as it came (some compare it). */
static void handshake_reply(struct rtmp *x, struct span c1)
{
    uint64_t r = x->seed | 1;
    str_reserve(&x->out, 1 + 2 * C1_BYTES);
    str_addc(&x->out, RTMP_VERSION);
    str_be(&x->out, 0, 8); /* time, and the zero that says: no digest here */
    for (unsigned i = 8; i < C1_BYTES; i += 8) {
        r ^= r << 13; /* xorshift64: only to be unlike any other */
        r ^= r >> 7;
        r ^= r << 17;
        str_be(&x->out, r, 8);
    }
    str_add(&x->out, c1);
}

static bool handshake_next(struct rtmp *x, int64_t now_us)
{
    struct span in = source(x);
    if (x->state == RTMP_ST_C0) {
        if (in.len < 1) return false;
        if (in.p[0] != RTMP_VERSION) {
            const bool http = in.p[0] >= 'A' && in.p[0] <= 'Z';
            rtmp_fail(x, E_UNSUPPORTED,
                      http            ? "this speaks HTTP; the address is for RTMP"
                      : in.p[0] == 22 ? "this speaks TLS; the address is for plain RTMP"
                                      : "not RTMP version 3");
            return true;
        }
        taken(x, span_skip(in, 1));
        x->state = RTMP_ST_C1;
    } else if (x->state == RTMP_ST_C1) {
        if (in.len < C1_BYTES) return false;
        handshake_reply(x, span_head(in, C1_BYTES));
        taken(x, span_skip(in, C1_BYTES));
        x->state = RTMP_ST_C2;
        x->skip = C1_BYTES;
    } else {
        const size_t n = in.len < x->skip ? in.len : x->skip;
        x->skip -= n;
        taken(x, span_skip(in, n));
        if (x->skip) return false;
        rtmp_enter(x, RTMP_ST_COMMAND, now_us);
    }
    return true;
}

/* --- messages --------------------------------------------------------------------------------
 */

static void on_user_control(struct rtmp *x, struct span body)
{
    struct rd r = rd_from(body);
    const uint16_t event = rd_u16be(&r);
    const uint32_t value = rd_u32be(&r);
    if (!r.underflow && event == RTMP_PING) rtmp_put_user_control(&x->out, RTMP_PONG, value);
}

static void on_window_ack_size(struct rtmp *x, struct span body)
{
    struct rd r = rd_from(body);
    const uint32_t n = rd_u32be(&r);
    if (!r.underflow && n > 0) x->ack_window = n;
}

/* Audio, video and data count only from a publisher who was let in. Empty ones say nothing. */
static bool on_media(struct rtmp *x, enum rtmp_event_kind kind, uint32_t ts_ms, struct span body,
                     int64_t now_us, struct rtmp_event *ev)
{
    if (x->state != RTMP_ST_PUBLISH) return false;
    if (kind != RTMP_EV_DATA) x->deadline_us = now_us + LIMIT_RTMP_IDLE_MS * US_PER_MS;
    if (body.len == 0) return false;
    *ev = (struct rtmp_event){.kind = kind, .ts_ms = ts_ms, .body = body};
    return true;
}

static struct span without_set_data_frame(struct span body)
{
    struct amf0_value v;
    struct span rest = body;
    const bool set =
        amf0_read(&rest, &v) == E_OK && v.type == AMF0_STRING && span_is(v.string, "@setDataFrame");
    return set ? rest : body;
}

static struct span without_amf3_byte(struct span body)
{
    return body.len && body.p[0] == 0 ? span_skip(body, 1) : body;
}

static bool on_message(struct rtmp *x, const struct rtmp_msg *m, int64_t now_us,
                       struct rtmp_event *ev)
{
    struct rtmp_msg c = *m;
    switch ((unsigned)m->type) {
    case RTMP_USER_CONTROL:
        on_user_control(x, m->body);
        return false;
    case RTMP_WINDOW_ACK_SIZE:
        on_window_ack_size(x, m->body);
        return false;
    case RTMP_AUDIO:
        return on_media(x, RTMP_EV_AUDIO, m->ts_ms, m->body, now_us, ev);
    case RTMP_VIDEO:
        return on_media(x, RTMP_EV_VIDEO, m->ts_ms, m->body, now_us, ev);
    case RTMP_DATA_AMF3:
        c.body = without_amf3_byte(c.body); /* fall through */
    case RTMP_DATA_AMF0:
        return on_media(x, RTMP_EV_DATA, m->ts_ms, without_set_data_frame(c.body), now_us, ev);
    case RTMP_COMMAND_AMF3:
        c.body = without_amf3_byte(c.body); /* fall through */
    case RTMP_COMMAND_AMF0:
        return rtmp_command(x, &c, now_us, ev);
    case RTMP_AGGREGATE:
        x->aggregate = m->body;
        x->aggregate_shift_ms = m->ts_ms;
        x->aggregate_begun = false;
        return false;
    default:
        return false; /* Ack, Set Peer Bandwidth, shared objects, and what we do not know */
    }
}

/* One message out of an aggregate (RTMP 1.0, section 7.1.6): FLV tags, each with a time of its own
 * of which only the differences count. */
static bool aggregate_next(struct rtmp *x, int64_t now_us, struct rtmp_event *ev)
{
    struct rd r = rd_from(x->aggregate);
    struct rtmp_msg m = {.type = (enum rtmp_type)rd_u8(&r)};
    const uint32_t len = rd_u24be(&r);
    m.ts_ms = rd_u24be(&r);
    m.ts_ms |= (uint32_t)rd_u8(&r) << 24;
    rd_skip(&r, 3);
    m.body = rd_span(&r, len);
    if (r.underflow) {
        x->aggregate = SPAN_NULL;
        return false;
    }
    x->aggregate = span_skip(x->aggregate, rd_used(&r) + 4u);
    if (!x->aggregate_begun) x->aggregate_shift_ms -= m.ts_ms;
    x->aggregate_begun = true;
    m.ts_ms += x->aggregate_shift_ms;
    const bool media = m.type == RTMP_AUDIO || m.type == RTMP_VIDEO || m.type == RTMP_DATA_AMF0;
    return media && on_message(x, &m, now_us, ev);
}

/* One message. False: no whole one is here. *told: *ev is set. */
static bool message_next(struct rtmp *x, int64_t now_us, struct rtmp_event *ev, bool *told)
{
    if (x->aggregate.len) {
        *told = aggregate_next(x, now_us, ev);
        return true;
    }
    struct span in = source(x);
    struct rtmp_msg m;
    const enum err e = rtmp_dechunk_next(&x->in, &in, &m);
    taken(x, in);
    if (e == E_MORE) return false;
    if (e != E_OK) {
        rtmp_fail(x, e, x->in.why);
        return true;
    }
    *told = on_message(x, &m, now_us, ev);
    return true;
}

bool rtmp_next(struct rtmp *x, int64_t now_us, struct rtmp_event *ev)
{
    for (;;) {
        bool told = false;
        if (x->state == RTMP_ST_CLOSED) {
            x->input = SPAN_NULL;
            if (x->close_told) return false;
            x->close_told = true;
            *ev = (struct rtmp_event){.kind = RTMP_EV_CLOSE, .err = x->err, .why = x->why};
            return true;
        }
        if (x->state == RTMP_ST_ASKED) return nothing(x);
        const bool more = x->state < RTMP_ST_COMMAND ? handshake_next(x, now_us)
                                                     : message_next(x, now_us, ev, &told);
        if (told) return true;
        if (!more) return nothing(x);
    }
}

/* --- answers -------------------------------------------------------------------------------- */

void rtmp_accept(struct rtmp *x, int64_t now_us)
{
    if (x->state != RTMP_ST_ASKED) return;
    rtmp_enter(x, x->asked_play ? RTMP_ST_PLAY : RTMP_ST_PUBLISH, now_us);
    rtmp_put_user_control(&x->out, RTMP_STREAM_BEGIN, RTMP_OUT_STREAM);
    if (x->asked_play) {
        rtmp_dechunk_trim(&x->in);
        rtmp_status(x, "status", "NetStream.Play.Reset", "Playing and resetting");
        rtmp_status(x, "status", "NetStream.Play.Start", "Started playing");
    } else {
        if (x->fc_publish) rtmp_on_fc_publish(x);
        rtmp_status(x, "status", "NetStream.Publish.Start", "Publishing");
    }
}

/* OBS shows the words with the three codes for publishers below, and no other. */
static const char *refusal_code(bool play, enum err e)
{
    if (play) {
        return e == E_NOTFOUND || e == E_CLOSED ? "NetStream.Play.StreamNotFound"
                                                : "NetStream.Play.Failed";
    }
    if (e == E_UNSUPPORTED || e == E_PROTO) return "NetStream.Publish.Rejected";
    return e == E_CLOSED ? "NetStream.Publish.Denied" : "NetStream.Publish.BadName";
}

void rtmp_refuse(struct rtmp *x, enum err e, const char *words)
{
    const bool play = x->state == RTMP_ST_PLAY || (x->state == RTMP_ST_ASKED && x->asked_play);
    if (x->state == RTMP_ST_CLOSED) return;
    if (x->connected) rtmp_status(x, "error", refusal_code(play, e), words);
    rtmp_fail(x, e, play ? "refused to play" : "refused to publish");
}

void rtmp_end_play(struct rtmp *x)
{
    if (x->state != RTMP_ST_PLAY) return;
    rtmp_status(x, "status", "NetStream.Play.UnpublishNotify", "The stream has ended");
    rtmp_put_user_control(&x->out, RTMP_STREAM_EOF, RTMP_OUT_STREAM);
    rtmp_fail(x, E_OK, "the stream has ended");
}

struct span rtmp_output(const struct rtmp *x)
{
    return str_span(&x->out);
}

void rtmp_sent(struct rtmp *x)
{
    str_fini(&x->out);
}

int64_t rtmp_deadline_us(const struct rtmp *x)
{
    return x->state == RTMP_ST_CLOSED ? INT64_MAX : x->deadline_us;
}

void rtmp_tick(struct rtmp *x, int64_t now_us)
{
    if (x->state == RTMP_ST_CLOSED || now_us < x->deadline_us) return;
    rtmp_fail(x, E_TIMEOUT,
              x->state < RTMP_ST_COMMAND    ? "the handshake took too long"
              : x->state == RTMP_ST_PUBLISH ? "the encoder sent nothing for too long"
                                            : "neither published nor played");
}
