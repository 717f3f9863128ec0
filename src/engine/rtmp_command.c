/* SPDX-License-Identifier: MIT */
#include "engine/rtmp_command.h"
#include "base/limits.h"
#include "base/rd.h"
#include "engine/rtmp_put.h"

#define REPLY_CAP     1024 /* our replies have no text of the client's in them */
#define WINDOW        5000000
#define FLASH_VER_MAX 100
#define CAPS_MODEX    4
#define CAPS_NANO     8
#define CAPS_OURS     (CAPS_MODEX | CAPS_NANO)
#define FOURCC_ANY    1 /* FourCcInfoMask: CanDecode */

struct command {
    struct span name;
    double txn;
    struct span args; /* after the command object */
    struct amf0_value object;
};

static void reply(struct rtmp *x, uint32_t csid, uint32_t stream, const struct wr *w)
{
    if (w->overflow) return; /* cannot be: see REPLY_CAP */
    rtmp_put_message(&x->out, csid, RTMP_COMMAND_AMF0, stream, 0, wr_span(w), RTMP_OUT_CHUNK_SIZE);
}

static void begin(struct wr *w, const char *name, double txn)
{
    amf0_put_string(w, span_str(name));
    amf0_put_number(w, txn);
}

void rtmp_status(struct rtmp *x, const char *level, const char *code, const char *words)
{
    uint8_t b[REPLY_CAP];
    struct wr w = wr_to(b, sizeof b);
    begin(&w, "onStatus", 0);
    amf0_put_null(&w);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "level", level);
    amf0_pair_string(&w, "code", code);
    amf0_key(&w, "description");
    amf0_put_string(&w, span_head(span_str(words), REPLY_CAP / 2));
    amf0_object_end(&w);
    reply(x, RTMP_CS_STATUS, RTMP_OUT_STREAM, &w);
}

void rtmp_on_fc_publish(struct rtmp *x)
{
    uint8_t b[REPLY_CAP];
    struct wr w = wr_to(b, sizeof b);
    begin(&w, "onFCPublish", 0);
    amf0_put_null(&w);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "code", "NetStream.Publish.Start");
    amf0_pair_string(&w, "description", "Publishing");
    amf0_object_end(&w);
    reply(x, RTMP_CS_STATUS, RTMP_OUT_STREAM, &w);
}

/* `_result` with nothing to say. A transaction id of 0 wants no answer. */
static void reply_null(struct rtmp *x, double txn)
{
    uint8_t b[64];
    struct wr w = wr_to(b, sizeof b);
    if (!(txn > 0)) return;
    begin(&w, "_result", txn);
    amf0_put_null(&w);
    wr_u8(&w, AMF0_UNDEFINED);
    reply(x, RTMP_CS_COMMAND, 0, &w);
}

static void put_fourcc_map(struct wr *w, const char *name, const char *const *codecs)
{
    amf0_key(w, name);
    amf0_object_begin(w);
    for (; *codecs; codecs++) amf0_pair_number(w, *codecs, FOURCC_ANY);
    amf0_object_end(w);
}

static void reply_connect(struct rtmp *x, double txn)
{
    static const char *const VIDEO[] = {"avc1", "hvc1", "av01", "vp09", NULL};
    static const char *const AUDIO[] = {"mp4a", "Opus", NULL};
    uint8_t b[REPLY_CAP];
    struct wr w = wr_to(b, sizeof b);
    begin(&w, "_result", txn > 0 ? txn : 1);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "fmsVer", "FMS/3,5,7,7009");
    amf0_pair_number(&w, "capabilities", 31);
    amf0_pair_number(&w, "mode", 1);
    amf0_object_end(&w);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "level", "status");
    amf0_pair_string(&w, "code", "NetConnection.Connect.Success");
    amf0_pair_string(&w, "description", "Connected");
    amf0_pair_number(&w, "objectEncoding", 0);
    put_fourcc_map(&w, "videoFourCcInfoMap", VIDEO);
    put_fourcc_map(&w, "audioFourCcInfoMap", AUDIO);
    amf0_pair_number(&w, "capsEx", CAPS_OURS);
    amf0_key(&w, "fourCcList");
    amf0_strict_begin(&w, 6);
    for (size_t i = 0; i < 4; i++) amf0_put_string(&w, span_str(VIDEO[i]));
    for (size_t i = 0; i < 2; i++) amf0_put_string(&w, span_str(AUDIO[i]));
    amf0_object_end(&w);
    reply(x, RTMP_CS_COMMAND, 0, &w);
}

/* Keeps what the client wrote; false when it is too long. */
static bool keep(struct rtmp *x, struct str *to, struct span s)
{
    if (s.len > LIMIT_RTMP_NAME_BYTES) {
        rtmp_fail(x, E_LIMIT, "a name in a command is too long");
        return false;
    }
    to->len = 0;
    str_add(to, s);
    return true;
}

static bool on_connect(struct rtmp *x, const struct command *c)
{
    if (!keep(x, &x->app, amf0_get_string(&c->object, "app"))) return false;
    if (!keep(x, &x->tc_url, amf0_get_string(&c->object, "tcUrl"))) return false;
    const struct span ver = amf0_get_string(&c->object, "flashVer");
    keep(x, &x->flash_ver, span_head(ver, ver.len < FLASH_VER_MAX ? ver.len : FLASH_VER_MAX));
    const double caps = amf0_get_number(&c->object, "capsEx", 0);
    x->caps = caps > 0 && caps < 256 ? (uint8_t)caps : 0;
    x->connected = true;
    rtmp_put_number(&x->out, RTMP_WINDOW_ACK_SIZE, WINDOW);
    rtmp_put_peer_bandwidth(&x->out, WINDOW);
    rtmp_put_number(&x->out, RTMP_SET_CHUNK_SIZE, RTMP_OUT_CHUNK_SIZE);
    reply_connect(x, c->txn);
    return false;
}

static bool on_create_stream(struct rtmp *x, const struct command *c)
{
    uint8_t b[64];
    struct wr w = wr_to(b, sizeof b);
    begin(&w, "_result", c->txn);
    amf0_put_null(&w);
    amf0_put_number(&w, RTMP_OUT_STREAM);
    reply(x, RTMP_CS_COMMAND, 0, &w);
    return false;
}

static bool on_release_stream(struct rtmp *x, const struct command *c)
{
    reply_null(x, c->txn);
    return false;
}

static bool on_fc_publish(struct rtmp *x, const struct command *c)
{
    x->fc_publish = true;
    reply_null(x, c->txn);
    return false;
}

/* The stream's name, which may be missing or null: then the key is in the app. */
static struct span first_string(const struct command *c)
{
    struct span args = c->args;
    struct amf0_value v;
    return amf0_read(&args, &v) == E_OK && v.type == AMF0_STRING ? v.string : SPAN_NULL;
}

static bool ask(struct rtmp *x, const struct command *c, enum rtmp_event_kind kind, int64_t now_us,
                struct rtmp_event *ev)
{
    if (!keep(x, &x->stream, first_string(c))) return false;
    x->asked_play = kind == RTMP_EV_PLAY;
    rtmp_enter(x, RTMP_ST_ASKED, now_us);
    *ev = (struct rtmp_event){.kind = kind};
    rtmp_name_split(str_span(&x->app), str_span(&x->tc_url), str_span(&x->stream), &ev->name);
    return true;
}

static bool on_publish(struct rtmp *x, const struct command *c, int64_t now_us,
                       struct rtmp_event *ev)
{
    if (x->state == RTMP_ST_COMMAND) return ask(x, c, RTMP_EV_PUBLISH, now_us, ev);
    rtmp_status(x, "error", "NetStream.Publish.BadName", "this connection is in use already");
    return false;
}

static bool on_play(struct rtmp *x, const struct command *c, int64_t now_us, struct rtmp_event *ev)
{
    if (x->state == RTMP_ST_COMMAND) return ask(x, c, RTMP_EV_PLAY, now_us, ev);
    rtmp_status(x, "error", "NetStream.Play.Failed", "this connection is in use already");
    return false;
}

/* FCUnpublish, closeStream, deleteStream: the first one ends it, the others find nothing to do.
 * Which stream they name does not matter: there is one, and some send its name for its number. */
static bool on_goodbye(struct rtmp *x, int64_t now_us, struct rtmp_event *ev)
{
    if (x->state == RTMP_ST_PUBLISH) {
        *ev = (struct rtmp_event){.kind = RTMP_EV_UNPUBLISH};
        rtmp_status(x, "status", "NetStream.Unpublish.Success", "Unpublished");
    } else if (x->state == RTMP_ST_PLAY) {
        *ev = (struct rtmp_event){.kind = RTMP_EV_STOP};
        rtmp_status(x, "status", "NetStream.Play.Stop", "Stopped");
    } else {
        return false;
    }
    rtmp_enter(x, RTMP_ST_COMMAND, now_us);
    return true;
}

static enum err command_parse(struct span body, struct command *c)
{
    struct amf0_value v;
    *c = (struct command){0};
    enum err e = amf0_read(&body, &v);
    if (e != E_OK) return e;
    if (v.type != AMF0_STRING) return E_PROTO;
    c->name = v.string;
    if (body.len == 0) return E_OK; /* some leave out what they have nothing to say in */
    e = amf0_read(&body, &v);
    if (e != E_OK) return e;
    if (v.type == AMF0_NUMBER) c->txn = v.number;
    if (body.len == 0) return E_OK;
    e = amf0_read(&body, &c->object);
    if (e != E_OK) return e;
    c->args = body;
    return E_OK;
}

bool rtmp_command(struct rtmp *x, const struct rtmp_msg *m, int64_t now_us, struct rtmp_event *ev)
{
    struct command c;
    const enum err e = command_parse(m->body, &c);
    if (e != E_OK) {
        rtmp_fail(x, e == E_LIMIT ? E_LIMIT : E_PROTO,
                  e == E_LIMIT ? "a command is nested too deep or has too many values"
                               : "a command cannot be read");
        return false;
    }
    if (span_is(c.name, "connect")) {
        if (!x->connected) return on_connect(x, &c);
        rtmp_fail(x, E_PROTO, "connected twice");
        return false;
    }
    if (!x->connected) {
        rtmp_fail(x, E_PROTO, "a command before connect");
        return false;
    }
    if (span_is(c.name, "createStream")) return on_create_stream(x, &c);
    if (span_is(c.name, "releaseStream")) return on_release_stream(x, &c);
    if (span_is(c.name, "FCPublish")) return on_fc_publish(x, &c);
    if (span_is(c.name, "publish")) return on_publish(x, &c, now_us, ev);
    if (span_is(c.name, "play")) return on_play(x, &c, now_us, ev);
    if (span_is(c.name, "FCUnpublish") || span_is(c.name, "closeStream") ||
        span_is(c.name, "deleteStream")) {
        return on_goodbye(x, now_us, ev);
    }
    return false; /* getStreamLength, _checkbw, receiveVideo, …: nobody waits for an answer */
}
