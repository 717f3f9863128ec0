/* SPDX-License-Identifier: MIT */
/* The server's side: real captures, at once and in pieces; the life of a connection; bad input. */
#include "../test.h"
#include "base/clock.h"
#include "base/limits.h"
#include "engine/rtmp_frames.h"
#include "engine/rtmp_put.h"
#include "wire/amf0.h"

/* --- captures --------------------------------------------------------------------------------- */

struct capture {
    const char *file;
    const char *app, *stream, *query, *key;
    enum codec video, audio;
    unsigned min_video, min_audio;
    const char *encoder;
};

static const struct capture CAPTURES[] = {
    {"obs-29.0-publish.bin", "live", "obs1", "", "obs1", CODEC_H264, CODEC_AAC, 30, 30,
     "obs-output module (libobs version 29.0.2.1-1+b1)"},
    {"ffmpeg-5.1-publish.bin", "live", "ff1", "token=abc", "ff1", CODEC_H264, CODEC_AAC, 10, 10,
     "Lavf59.27.100"},
    {"gstreamer-1.22-publish.bin", "live", "gst1", "", "gst1", CODEC_H264, CODEC_AAC, 10, 10,
     "GStreamer 1.22.0 FLV muxer"},
};

struct seen {
    uint64_t hash;
    unsigned publish, video, audio, keys, data, close, tracks;
    char key[64], app[64], stream[64], query[64], encoder[64];
    enum codec video_codec, audio_codec;
    int64_t last_dts_us[2];
    int64_t broken;
};

static void mix(struct seen *s, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) s->hash = (s->hash ^ b[i]) * 0x100000001b3u;
}

static void on_media(struct seen *s, struct rtmp_to_frames *frames, const struct rtmp_event *ev)
{
    struct rtmp_media m;
    assert_int_equal(rtmp_to_frames(frames, ev, 1, &m), E_OK);
    if (m.track) {
        s->tracks++;
        *(m.track->kind == MEDIA_VIDEO ? &s->video_codec : &s->audio_codec) = m.track->codec;
    }
    if (m.frame) {
        const unsigned kind = codec_kind(m.frame->codec);
        s->keys += kind == MEDIA_VIDEO && m.frame->key;
        *(kind == MEDIA_VIDEO ? &s->video : &s->audio) += 1;
        assert_true(m.frame->dts_us >= s->last_dts_us[kind]);
        assert_true(m.frame->pts_us >= m.frame->dts_us);
        s->last_dts_us[kind] = m.frame->dts_us;
        mix(s, m.frame->data, m.frame->len);
        mix(s, &m.frame->pts_us, sizeof m.frame->pts_us);
    }
    frame_unref(m.frame);
    track_unref(m.track);
}

static void on_event(struct seen *s, struct rtmp *x, struct rtmp_to_frames *frames,
                     const struct rtmp_event *ev)
{
    switch (ev->kind) {
    case RTMP_EV_PUBLISH:
        s->publish++;
        assert_true(span_cstr(ev->name.key, s->key, sizeof s->key));
        assert_true(span_cstr(ev->name.app, s->app, sizeof s->app));
        assert_true(span_cstr(ev->name.stream, s->stream, sizeof s->stream));
        (void)span_cstr(ev->name.query, s->query, sizeof s->query);
        (void)rtmp_encoder_name(x, SPAN_NULL, s->encoder, sizeof s->encoder);
        rtmp_accept(x, 0);
        break;
    case RTMP_EV_VIDEO:
    case RTMP_EV_AUDIO:
        on_media(s, frames, ev);
        break;
    case RTMP_EV_DATA:
        s->data++;
        (void)rtmp_encoder_name(x, ev->body, s->encoder, sizeof s->encoder);
        mix(s, ev->body.p, ev->body.len);
        break;
    case RTMP_EV_CLOSE:
        s->close++;
        print_message("closed: %s\n", ev->why);
        break;
    case RTMP_EV_PLAY:
    case RTMP_EV_UNPUBLISH:
    case RTMP_EV_STOP:
        break;
    }
}

static struct span file_read(const char *name, uint8_t **mem)
{
    char path[512];
    snprintf(path, sizeof path, "%s/rtmp/%s", GOLDEN_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *mem = malloc(1 << 20);
    const size_t n = fread(*mem, 1, 1 << 20, f);
    fclose(f);
    return span_of(*mem, n);
}

/* `step` bytes at a time; 0: random pieces. */
static struct seen replay(struct span in, size_t step, uint32_t seed)
{
    struct seen s = {.hash = 1};
    struct rtmp x;
    struct rtmp_to_frames frames;
    struct rtmp_event ev;
    rtmp_init(&x, 42, 0);
    rtmp_to_frames_init(&frames, 0, false);
    while (in.len) {
        seed = seed * 1103515245u + 12345u;
        const size_t n = step ? step : (seed >> 8) % (seed & 0x40000000 ? 40 : 20000) + 1;
        const struct span part = span_head(in, n);
        uint8_t *copy = malloc(part.len);
        memcpy(copy, part.p, part.len);
        rtmp_feed(&x, span_of(copy, part.len), 0);
        while (rtmp_next(&x, 0, &ev)) on_event(&s, &x, &frames, &ev);
        rtmp_sent(&x);
        free(copy);
        in = span_skip(in, n);
    }
    s.broken = frames.broken;
    rtmp_to_frames_fini(&frames);
    rtmp_fini(&x);
    return s;
}

static void captures_give_the_same_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CAPTURES / sizeof *CAPTURES; i++) {
        const struct capture *c = &CAPTURES[i];
        uint8_t *mem;
        const struct span in = file_read(c->file, &mem);
        const struct seen s = replay(in, in.len, 0);
        print_message("%s: video %u (%u key) audio %u data %u\n", c->file, s.video, s.keys, s.audio,
                      s.data);
        assert_int_equal(s.publish, 1);
        assert_int_equal(s.close, 0);
        assert_int_equal(s.broken, 0);
        assert_string_equal(s.app, c->app);
        assert_string_equal(s.stream, c->stream);
        assert_string_equal(s.query, c->query);
        assert_string_equal(s.key, c->key);
        assert_string_equal(s.encoder, c->encoder);
        assert_int_equal(s.video_codec, c->video);
        assert_int_equal(s.audio_codec, c->audio);
        assert_int_equal(s.tracks, 2);
        assert_true(s.video >= c->min_video && s.audio >= c->min_audio && s.keys >= 1);
        const struct seen slow = replay(in, 1, 0);
        assert_memory_equal(&slow, &s, sizeof s);
        for (uint32_t seed = 1; seed < 6; seed++) {
            const struct seen cut = replay(in, 0, seed);
            assert_memory_equal(&cut, &s, sizeof s);
        }
        free(mem);
    }
}

/* --- a client by hand ------------------------------------------------------------------------- */

struct peer {
    struct rtmp x;
    struct str sent; /* everything the server said */
    struct str in;   /* what it was fed last: borrowed by it */
    int64_t now_us;
};

static void peer_init(struct peer *p)
{
    *p = (struct peer){0};
    rtmp_init(&p->x, 7, 0);
}

static void peer_fini(struct peer *p)
{
    rtmp_fini(&p->x);
    str_fini(&p->sent);
    str_fini(&p->in);
}

/* The first event, or one with the kind -1. */
static struct rtmp_event peer_next(struct peer *p)
{
    struct rtmp_event ev = {.kind = (enum rtmp_event_kind) - 1};
    if (!rtmp_next(&p->x, p->now_us, &ev)) ev.kind = (enum rtmp_event_kind) - 1;
    str_add(&p->sent, rtmp_output(&p->x));
    rtmp_sent(&p->x);
    return ev;
}

/* Feeds what is in `s` (and takes it over), and returns the first event. */
static struct rtmp_event peer_send(struct peer *p, struct str *s)
{
    assert_int_equal((int)peer_next(p).kind, -1); /* whatever was there before has been taken */
    str_fini(&p->in);
    p->in = *s;
    *s = (struct str){0};
    rtmp_feed(&p->x, str_span(&p->in), p->now_us);
    return peer_next(p);
}

static void command(struct str *out, const char *name, double txn, const char *arg)
{
    uint8_t b[2048];
    struct wr w = wr_to(b, sizeof b);
    amf0_put_string(&w, span_str(name));
    amf0_put_number(&w, txn);
    if (strcmp(name, "connect") == 0) {
        amf0_object_begin(&w);
        if (arg) amf0_pair_string(&w, "app", arg);
        amf0_pair_string(&w, "tcUrl", "'rtmp://127.0.0.1/live/inUrl'");
        amf0_object_end(&w);
    } else {
        amf0_put_null(&w);
        if (arg) amf0_put_string(&w, span_str(arg));
    }
    rtmp_put_message(out, 3, RTMP_COMMAND_AMF0, 0, 0, wr_span(&w), 128);
}

static void peer_handshake(struct peer *p)
{
    struct str s = {0};
    str_addc(&s, 3);
    for (int i = 0; i < 1536; i++) str_addc(&s, (char)(i * 7));
    (void)peer_send(p, &s);
    assert_int_equal(p->sent.len, 1 + 2 * 1536);
    for (int i = 0; i < 1536; i++) assert_int_equal(p->sent.p[1 + 1536 + i], (uint8_t)(i * 7));
    for (int i = 0; i < 1536; i++) str_addc(&s, 0);
    (void)peer_send(p, &s);
    p->sent.len = 0;
}

static void peer_connect(struct peer *p, const char *app)
{
    struct str s = {0};
    peer_handshake(p);
    command(&s, "connect", 1, app);
    command(&s, "createStream", 2, NULL);
    (void)peer_send(p, &s);
}

static bool said(const struct peer *p, const char *text)
{
    return memmem(p->sent.p, p->sent.len, text, strlen(text)) != NULL;
}

static void replies_come_in_one_write(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    peer_connect(&p, "live");
    assert_true(said(&p, "NetConnection.Connect.Success"));
    assert_true(said(&p, "videoFourCcInfoMap"));
    assert_true(said(&p, "hvc1"));
    assert_memory_equal(p.sent.p, "\x02\x00\x00\x00\x00\x00\x04\x05", 8);
    peer_fini(&p);
}

static void nothing_is_promised_before_the_gate_has_spoken(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    command(&s, "FCPublish", 3, "k");
    command(&s, "publish", 0, "k?x=1");
    /* and, without waiting, a video message */
    rtmp_put_message(&s, 6, RTMP_VIDEO, 1, 0, SPAN_LIT("\x17\x00"), 128);
    struct rtmp_event ev = peer_send(&p, &s);
    assert_int_equal(ev.kind, RTMP_EV_PUBLISH);
    assert_true(span_is(ev.name.key, "k") && span_is(ev.name.query, "x=1"));
    assert_false(said(&p, "Publish.Start"));
    rtmp_put_message(&s, 6, RTMP_VIDEO, 1, 5, SPAN_LIT("\x17\x01"), 128);
    ev = peer_send(&p, &s);
    assert_int_equal((int)ev.kind, -1);
    assert_int_equal(rtmp_deadline_us(&p.x), INT64_MAX);
    rtmp_accept(&p.x, 0);
    ev = peer_next(&p);
    assert_true(said(&p, "NetStream.Publish.Start") && said(&p, "onFCPublish"));
    assert_int_equal(ev.kind, RTMP_EV_VIDEO); /* the pipelined ones are there */
    assert_int_equal(ev.body.p[1], 0);
    ev = peer_next(&p);
    assert_int_equal(ev.kind, RTMP_EV_VIDEO);
    assert_int_equal(ev.ts_ms, 5);
    assert_int_equal((int)peer_next(&p).kind, -1);
    assert_int_equal(p.x.stash.cap, 0);
    peer_fini(&p);
}

static void refusals_are_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum err err;
        const char *code;
    } CASES[] = {
        {"publish", E_AUTH, "NetStream.Publish.BadName"},
        {"publish", E_CONFLICT, "NetStream.Publish.BadName"},
        {"publish", E_CLOSED, "NetStream.Publish.Denied"},
        {"publish", E_UNSUPPORTED, "NetStream.Publish.Rejected"},
        {"play", E_NOTFOUND, "NetStream.Play.StreamNotFound"},
        {"play", E_IO, "NetStream.Play.Failed"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct peer p;
        struct str s = {0};
        peer_init(&p);
        peer_connect(&p, "live");
        command(&s, CASES[i].command, 3, "k");
        (void)peer_send(&p, &s);
        rtmp_refuse(&p.x, CASES[i].err, "Because of the weather.");
        const struct rtmp_event ev = peer_next(&p);
        assert_int_equal(ev.kind, RTMP_EV_CLOSE);
        assert_int_equal(ev.err, CASES[i].err);
        assert_true(said(&p, CASES[i].code) && said(&p, "Because of the weather."));
        assert_int_equal((int)peer_next(&p).kind, -1);
        peer_fini(&p);
    }
}

static void players_are_told_what_they_need(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    command(&s, "play", 3, "abc");
    const struct rtmp_event ev = peer_send(&p, &s);
    assert_int_equal(ev.kind, RTMP_EV_PLAY);
    assert_true(span_is(ev.name.key, "abc"));
    rtmp_accept(&p.x, 0);
    (void)peer_next(&p);
    assert_true(said(&p, "NetStream.Play.Start"));
    p.sent.len = 0;
    rtmp_end_play(&p.x);
    assert_int_equal(peer_next(&p).kind, RTMP_EV_CLOSE);
    assert_true(said(&p, "NetStream.Play.UnpublishNotify"));
    peer_fini(&p);
}

static void goodbye_comes_once(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    command(&s, "publish", 0, "k");
    (void)peer_send(&p, &s);
    rtmp_accept(&p.x, 0);
    command(&s, "FCUnpublish", 5, "k");
    command(&s, "deleteStream", 0, "k"); /* a name where a number belongs */
    assert_int_equal(peer_send(&p, &s).kind, RTMP_EV_UNPUBLISH);
    assert_int_equal((int)peer_next(&p).kind, -1);
    command(&s, "publish", 0, "other");
    assert_int_equal(peer_send(&p, &s).kind, RTMP_EV_PUBLISH);
    peer_fini(&p);
}

static void acknowledges_and_answers_pings(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    p.sent.len = 0;
    rtmp_put_number(&s, RTMP_WINDOW_ACK_SIZE, 2000);
    rtmp_put_user_control(&s, RTMP_PING, 0x01020304);
    (void)peer_send(&p, &s);
    assert_true(p.sent.len >= 18 && memmem(p.sent.p, p.sent.len, "\x00\x07\x01\x02\x03\x04", 6));
    p.sent.len = 0;
    for (int i = 0; i < 20; i++) rtmp_put_user_control(&s, RTMP_SET_BUFFER, 0);
    for (int i = 0; i < 100; i++) rtmp_put_message(&s, 4, RTMP_AUDIO, 1, 0, SPAN_LIT("ab"), 128);
    (void)peer_send(&p, &s);
    assert_int_equal(p.sent.len, 16);
    assert_int_equal(p.sent.p[7], RTMP_ACK);
    peer_fini(&p);
}

static void names_in_all_their_places(void **state)
{
    (void)state;
    static const struct {
        const char *app, *url, *stream, *key, *query;
    } CASES[] = {
        {"live", "rtmp://h/live", "abc", "abc", ""},
        {"live/abc", "rtmp://h/live/abc", "", "abc", ""},
        {"live/", "", "abc?token=1", "abc", "token=1"},
        {"live?token=1", "", "abc", "abc", "token=1"},
        {"live/abc?token=1", "", "", "abc", "token=1"},
        {"'live'", "", "\"abc\"", "abc", ""},
        {"", "'rtmp://h:1935/live/abc'", "", "abc", ""},
        {"", "rtmp://h", "abc", "abc", ""},
        {"app/inst", "", "/abc/", "abc", ""},
        {"abc", "", "", "abc", ""},
        {"", "", "", "", ""},
        {"", "nonsense", "?", "", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct rtmp_name n;
        rtmp_name_split(span_str(CASES[i].app), span_str(CASES[i].url), span_str(CASES[i].stream),
                        &n);
        assert_true(span_is(n.key, CASES[i].key));
        assert_true(span_is(n.query, CASES[i].query));
    }
}

/* --- bad input -------------------------------------------------------------------------------- */

static void not_rtmp_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *in, *why;
    } CASES[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP"}, {"\x16\x03\x01", "TLS"}, {"\x06....", "version 3"}};
    for (size_t i = 0; i < 3; i++) {
        struct peer p;
        struct str s = {0};
        peer_init(&p);
        str_adds(&s, CASES[i].in);
        const struct rtmp_event ev = peer_send(&p, &s);
        assert_int_equal(ev.kind, RTMP_EV_CLOSE);
        assert_non_null(strstr(ev.why, CASES[i].why));
        assert_int_equal(p.sent.len, 0);
        peer_fini(&p);
    }
}

/* A byte a second: activity does not move the deadline. */
static void a_trickled_handshake_is_cut(void **state)
{
    (void)state;
    struct peer p;
    peer_init(&p);
    struct rtmp_event ev = {0};
    int64_t bytes = 0;
    for (;; bytes++) {
        p.now_us += US_PER_SEC;
        struct str s = {0};
        str_addc(&s, 3);
        ev = peer_send(&p, &s);
        assert_int_equal((int)ev.kind, -1);
        rtmp_tick(&p.x, p.now_us);
        ev = peer_next(&p);
        if (ev.kind == RTMP_EV_CLOSE) break;
    }
    assert_int_equal(ev.err, E_TIMEOUT);
    assert_int_equal(bytes, LIMIT_RTMP_HANDSHAKE_MS / 1000 - 1);
    peer_fini(&p);
}

static void each_stage_has_its_time(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    assert_int_equal(rtmp_deadline_us(&p.x), LIMIT_RTMP_COMMAND_MS * US_PER_MS);
    command(&s, "publish", 0, "k");
    (void)peer_send(&p, &s);
    rtmp_accept(&p.x, 0);
    for (int i = 1; i <= 30; i++) { /* each message gives it time */
        p.now_us = i * US_PER_SEC;
        rtmp_tick(&p.x, p.now_us);
        rtmp_put_message(&s, 4, RTMP_AUDIO, 1, 0, SPAN_LIT("\xaf\x01x"), 128);
        assert_int_equal(peer_send(&p, &s).kind, RTMP_EV_AUDIO);
    }
    p.now_us += LIMIT_RTMP_IDLE_MS * US_PER_MS;
    rtmp_tick(&p.x, p.now_us);
    const struct rtmp_event ev = peer_next(&p);
    assert_int_equal(ev.kind, RTMP_EV_CLOSE);
    assert_int_equal(ev.err, E_TIMEOUT);
    peer_fini(&p);
}

static void deep_amf_and_early_giants_close(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0}, body = {0};
    peer_init(&p);
    peer_handshake(&p);
    str_add(&body, SPAN_LIT("\x02\x00\x07"
                            "connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00"));
    for (int i = 0; i < 1000; i++) str_add(&body, SPAN_LIT("\x03\x00\x01k"));
    rtmp_put_message(&s, 3, RTMP_COMMAND_AMF0, 0, 0, str_span(&body), 128);
    struct rtmp_event ev = peer_send(&p, &s);
    assert_int_equal(ev.kind, RTMP_EV_CLOSE);
    assert_int_equal(ev.err, E_LIMIT);
    peer_fini(&p);
    str_fini(&body);

    peer_init(&p); /* before anybody let it in, a message of a megabyte */
    peer_connect(&p, "live");
    uint8_t b[RTMP_CHUNK_HDR_MAX];
    struct wr w = wr_to(b, sizeof b);
    rtmp_chunk_hdr_write(&w,
                         &(struct rtmp_chunk_hdr){.csid = 6, .msg_len = 1 << 20, .msg_type = 9});
    str_add(&s, wr_span(&w));
    ev = peer_send(&p, &s);
    assert_int_equal(ev.kind, RTMP_EV_CLOSE);
    assert_int_equal(ev.err, E_LIMIT);
    peer_fini(&p);
}

static void too_long_names_and_early_commands_close(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    char name[LIMIT_RTMP_NAME_BYTES + 2];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    peer_init(&p);
    peer_connect(&p, "live");
    command(&s, "publish", 0, name);
    assert_int_equal(peer_send(&p, &s).err, E_LIMIT);
    peer_fini(&p);
    peer_init(&p);
    peer_handshake(&p);
    command(&s, "publish", 0, "k");
    assert_int_equal(peer_send(&p, &s).err, E_PROTO);
    peer_fini(&p);
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    uint32_t r = 1;
    for (int round = 0; round < 300; round++) {
        struct peer p;
        struct str s = {0};
        peer_init(&p);
        if (round % 3) peer_connect(&p, "live");
        if (round % 3 == 2) {
            command(&s, "publish", 0, "k");
            (void)peer_send(&p, &s);
            rtmp_accept(&p.x, 0);
        }
        for (int i = 0; i < 5000; i++) {
            r = r * 1664525u + 1013904223u;
            str_addc(&s, (char)(r >> 24));
        }
        rtmp_feed(&p.x, str_span(&s), 0);
        struct rtmp_event ev;
        while (rtmp_next(&p.x, 0, &ev)) {
        }
        str_fini(&s);
        peer_fini(&p);
    }
}

static void aggregates_are_taken_apart(void **state)
{
    (void)state;
    struct peer p;
    struct str s = {0};
    peer_init(&p);
    peer_connect(&p, "live");
    command(&s, "publish", 0, "k");
    (void)peer_send(&p, &s);
    rtmp_accept(&p.x, 0);
    static const uint8_t BODY[] = "\x08\x00\x00\x02\x00\x00\x64\x00\x00\x00\x00"
                                  "ab\x00\x00\x00\x0d"
                                  "\x09\x00\x00\x03\x00\x00\x69\x00\x00\x00\x00"
                                  "cde\x00\x00\x00\x0e"
                                  "\x09\x00\xff";
    rtmp_put_message(&s, 4, RTMP_AGGREGATE, 1, 5000, span_of(BODY, sizeof BODY - 1), 128);
    rtmp_feed(&p.x, str_span(&s), 0);
    struct rtmp_event ev = peer_next(&p);
    assert_int_equal(ev.kind, RTMP_EV_AUDIO);
    assert_int_equal(ev.ts_ms, 5000);
    ev = peer_next(&p);
    assert_int_equal(ev.kind, RTMP_EV_VIDEO);
    assert_int_equal(ev.ts_ms, 5005);
    assert_int_equal(ev.body.len, 3);
    assert_int_equal((int)peer_next(&p).kind, -1);
    str_fini(&s);
    peer_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_give_the_same_however_they_are_cut),
        cmocka_unit_test(replies_come_in_one_write),
        cmocka_unit_test(nothing_is_promised_before_the_gate_has_spoken),
        cmocka_unit_test(refusals_are_in_words),
        cmocka_unit_test(players_are_told_what_they_need),
        cmocka_unit_test(goodbye_comes_once),
        cmocka_unit_test(acknowledges_and_answers_pings),
        cmocka_unit_test(names_in_all_their_places),
        cmocka_unit_test(not_rtmp_is_told_apart),
        cmocka_unit_test(a_trickled_handshake_is_cut),
        cmocka_unit_test(each_stage_has_its_time),
        cmocka_unit_test(deep_amf_and_early_giants_close),
        cmocka_unit_test(too_long_names_and_early_commands_close),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(aggregates_are_taken_apart),
    };
    return RUN_TESTS(tests);
}
