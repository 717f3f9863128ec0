/* SPDX-License-Identifier: MIT */
/* The RTMP server on two loops, over real sockets, with a gate that lets the key "key" publish and
 * the id "watch" play. Publishers send real elementary streams; viewers check every byte. */
#include "../media_file.h"
#include "../rtmp_peer.h"
#include "../test.h"
#include "../two_loops.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "engine/rtmp_frames.h"
#include "serve/rtmp/rtmp_server.h"
#include "wire/amf0.h"
#include "wire/flv.h"

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;
static struct rtmp_server *server;
static uint16_t port;

/* --- the gate ------------------------------------------------------------------------------- */

struct answer {
    gate_publish_answer *fn;
    void *ctx;
    enum err err;
};

static void answer(void *arg)
{
    struct answer *a = arg;
    a->fn(a->ctx, a->err, a->err ? "The stream key is not known." : "", a->err ? NULL : channel);
    free(a);
}

/* Later, on the same loop, as the real one does. */
static void answer_later(gate_publish_answer *fn, void *ctx, enum err e)
{
    struct answer *a = NEW(struct answer);
    *a = (struct answer){fn, ctx, e};
    loop_post(loop_current(), answer, a);
}

static void gate_ask_publish(void *self, const struct gate_publish *q, gate_publish_answer *fn,
                             void *ctx)
{
    (void)self;
    assert_string_equal(q->protocol, "rtmp");
    answer_later(fn, ctx, strcmp(q->key, "key") == 0 ? E_OK : E_AUTH);
}

static void gate_ask_play(void *self, const char *id, const struct gate_viewer *who,
                          gate_play_answer *fn, void *ctx)
{
    (void)self;
    answer_later(fn, ctx, strcmp(id, "watch") == 0 ? E_OK : E_NOTFOUND);
}

static const struct gate GATE = {.publish = gate_ask_publish, .play = gate_ask_play};

struct opening {
    struct rtmp_config cfg;
    enum err err;
    char problem[200];
};

static void open_server(void *arg)
{
    struct opening *o = arg;
    o->err = rtmp_server_open(&o->cfg, &server, o->problem, sizeof o->problem);
}

static int setup_with(int write_ms, int stall_ms)
{
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    assert_int_equal(channel_open(hub, "stream", &channel), E_OK);
    struct opening o = {.cfg = {.loops = loops.loops,
                                .n_loops = 2,
                                .host = "127.0.0.1",
                                .gate = &GATE,
                                .write_interval_ms = write_ms,
                                .stall_ms = stall_ms}};
    on_loop(&loops, 0, open_server, &o);
    assert_int_equal(o.err, E_OK);
    port = rtmp_server_port(server);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(0, 0);
}

static int setup_slots(void **state)
{
    (void)state;
    return setup_with(100, 0);
}

static int setup_impatient(void **state)
{
    (void)state;
    return setup_with(0, 200);
}

static void close_channel(void *arg)
{
    (void)arg;
    channel_close(channel, "the test is over");
}

static void drain(void *arg)
{
    (void)arg;
    rtmp_server_drain(server);
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        if (loops.loops[i] == channel_home(channel)) on_loop(&loops, i, close_channel, NULL);
    }
    on_loop(&loops, 0, drain, NULL);
    for (unsigned i = 0; i < 2; i++) loop_stop(loops.loops[i]);
    for (unsigned i = 0; i < 2; i++) pthread_join(loops.threads[i], NULL);
    rtmp_server_free(server);
    loops_settle(loops.loops, 2);
    channel_unref(channel);
    hub_free(hub);
    loops_free(loops.loops, 2);
    return 0;
}

/* --- a publisher ------------------------------------------------------------------------------ */

struct source {
    struct rtmp_peer peer;
    struct media_file video, audio;
    unsigned v, a;
    size_t bytes;    /* sent so far */
    int64_t loop_us; /* the file is played again and again */
};

static void send_config(struct source *s, const struct media_file *m)
{
    uint8_t hdr[FLV_HDR_MAX];
    struct wr w = wr_to(hdr, sizeof hdr);
    const bool video = codec_kind(m->codec) == MEDIA_VIDEO;
    static const uint32_t FOURCC_OF[CODEC_COUNT] = {
        [CODEC_H264] = FLV_AVC1, [CODEC_H265] = FLV_HVC1, [CODEC_AV1] = FLV_AV01,
        [CODEC_VP9] = FLV_VP09,  [CODEC_AAC] = FLV_MP4A,  [CODEC_OPUS] = FLV_OPUS,
    };
    if (video) {
        flv_video_write(&w, FOURCC_OF[m->codec], FLV_SEQ_START, true, 0);
    } else {
        flv_audio_write(&w, FOURCC_OF[m->codec], FLV_SEQ_START);
    }
    rtmp_client_send(&s->peer.c, video ? RTMP_VIDEO : RTMP_AUDIO, 0, wr_span(&w),
                     span_of(m->config, m->config_len));
}

static void source_open(struct source *s, const char *video, const char *audio)
{
    struct rtmp_client_event ev;
    *s = (struct source){0};
    media_file_open(&s->video, video);
    media_file_open(&s->audio, audio);
    rtmp_peer_open(&s->peer, port, false, "key", 0);
    assert_true(rtmp_peer_until(&s->peer, RTMP_CLIENT_READY, &ev));
    send_config(s, &s->video);
    send_config(s, &s->audio);
    rtmp_peer_flush(&s->peer);
}

static void source_close(struct source *s)
{
    media_file_close(&s->video);
    media_file_close(&s->audio);
    rtmp_peer_close(&s->peer);
}

static void send_sample(struct source *s, const struct media_file *m, const struct media_sample *at)
{
    struct frame *f = frame_new(at->data.len); /* through the translator: the same headers */
    memcpy(f->data, at->data.p, at->data.len);
    f->codec = m->codec;
    f->key = at->key;
    f->dts_us = s->loop_us + at->dts_us;
    f->pts_us = s->loop_us + at->pts_us;
    struct buf *b = rtmp_from_frame(f);
    struct rtmp_dechunk d;
    struct rtmp_msg msg;
    struct span in = buf_span(b);
    s->bytes += at->data.len;
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    d.chunk_size = RTMP_OUT_CHUNK_SIZE;
    assert_int_equal(rtmp_dechunk_next(&d, &in, &msg), E_OK);
    rtmp_client_send(&s->peer.c, msg.type, msg.ts_ms, SPAN_NULL, msg.body);
    rtmp_dechunk_fini(&d);
    buf_unref(b);
    frame_unref(f);
}

/* The next frame of either file, in the order of their times. */
static void source_step(struct source *s)
{
    const bool video =
        s->a == s->audio.n ||
        (s->v < s->video.n && s->video.samples[s->v].dts_us <= s->audio.samples[s->a].dts_us);
    if (video) {
        send_sample(s, &s->video, &s->video.samples[s->v++]);
    } else {
        send_sample(s, &s->audio, &s->audio.samples[s->a++]);
    }
    if (s->v == s->video.n && s->a == s->audio.n) {
        s->v = s->a = 0;
        s->loop_us += s->video.samples[s->video.n - 1].dts_us + 40000;
    }
    rtmp_peer_flush(&s->peer);
}

/* --- a viewer --------------------------------------------------------------------------------- */

struct viewer {
    struct rtmp_peer peer;
    unsigned video, audio, keys, configs, metadata;
    bool began_with_key;
    uint32_t last_ts[2];
};

static void viewer_open(struct viewer *v)
{
    *v = (struct viewer){0};
    rtmp_peer_open(&v->peer, port, true, "watch", 0);
}

/* The body of a frame must be a sample of the file, byte for byte, and in turn. */
static void check_body(const struct media_file *m, unsigned *next, bool first, struct span body)
{
    if (first) {
        while (*next < m->n && !span_eq(m->samples[*next].data, body)) ++*next;
        assert_true(*next < m->n);
    }
    assert_true(span_eq(m->samples[*next % m->n].data, body));
    ++*next;
}

/* Takes messages until that many video frames have come. False: closed before. */
static bool viewer_take(struct viewer *v, const struct source *s, unsigned want_video,
                        unsigned *next_v, unsigned *next_a)
{
    struct rtmp_client_event ev;
    while (v->video < want_video && rtmp_peer_next(&v->peer, &ev)) {
        struct flv_tag t;
        if (ev.kind == RTMP_CLIENT_DATA) v->metadata++;
        if (ev.kind == RTMP_CLIENT_VIDEO) {
            assert_int_equal(flv_video_parse(ev.body, &t), E_OK);
            if (t.packet == FLV_SEQ_START) {
                v->configs++;
                continue;
            }
            if (v->video == 0) v->began_with_key = t.key;
            check_body(&s->video, next_v, v->video == 0, t.body);
            v->keys += t.key;
            v->video++;
            assert_true(ev.ts_ms >= v->last_ts[0]);
            v->last_ts[0] = ev.ts_ms;
        }
        if (ev.kind == RTMP_CLIENT_AUDIO) {
            assert_int_equal(flv_audio_parse(ev.body, &t), E_OK);
            if (t.packet == FLV_SEQ_START) {
                v->configs++;
                continue;
            }
            check_body(&s->audio, next_a, v->audio == 0, t.body);
            v->audio++;
        }
    }
    return v->video >= want_video;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void viewers_get_every_frame(const char *video, const char *audio)
{
    struct source s;
    struct viewer v[4];
    unsigned next_v[4] = {0}, next_a[4] = {0};
    source_open(&s, video, audio);
    for (int i = 0; i < 40; i++) source_step(&s);
    for (int i = 0; i < 4; i++) viewer_open(&v[i]);
    const unsigned gop_done = s.v;
    for (int i = 0; i < 4; i++) assert_true(viewer_take(&v[i], &s, 1, &next_v[i], &next_a[i]));
    assert_int_equal(rtmp_server_viewers(server, "stream"), 4);
    const unsigned first_v = next_v[0] - 1;
    for (int i = 0; i < 300; i++) source_step(&s);
    for (int i = 0; i < 4; i++) {
        /* all of them from the key frame that was there when they came, none missing */
        const unsigned want = (s.loop_us ? s.video.n : 0) + s.v - first_v;
        assert_true(gop_done > 0 && want > 20);
        assert_true(viewer_take(&v[i], &s, want < 60 ? want : 60, &next_v[i], &next_a[i]));
        assert_true(v[i].began_with_key);
        assert_int_equal(v[i].configs, 2);
        assert_int_equal(v[i].metadata, 1);
        assert_true(v[i].audio > 20);
        rtmp_peer_close(&v[i].peer);
    }
    source_close(&s);
}

static void h264_with_b_frames_and_aac(void **state)
{
    (void)state;
    viewers_get_every_frame("h264-bframes.mp4", "aac-48000.mp4");
}

static void hevc_and_opus(void **state)
{
    (void)state;
    viewers_get_every_frame("h265.mp4", "opus.mp4");
}

static void av1_and_opus(void **state)
{
    (void)state;
    viewers_get_every_frame("av1.mp4", "opus.mp4");
}

static void vp9_and_aac(void **state)
{
    (void)state;
    viewers_get_every_frame("vp9.mp4", "aac-44100-stereo.mp4");
}

static void expect_refusal(bool play, const char *name, const char *code, const char *words)
{
    struct rtmp_peer p;
    struct rtmp_client_event ev;
    rtmp_peer_open(&p, port, play, name, 0);
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_STATUS, &ev));
    assert_true(ev.is_error);
    assert_true(span_is(ev.code, code));
    if (words) assert_true(span_is(ev.words, words));
    assert_false(rtmp_peer_next(&p, &ev)); /* and closed */
    rtmp_peer_close(&p);
}

static void refusals_are_heard(void **state)
{
    (void)state;
    struct source s;
    expect_refusal(false, "wrong", "NetStream.Publish.BadName", "The stream key is not known.");
    expect_refusal(true, "nothing", "NetStream.Play.StreamNotFound", NULL);
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    expect_refusal(false, "key", "NetStream.Publish.BadName", NULL); /* somebody is there */
    for (int i = 0; i < 20; i++) source_step(&s);                    /* and stays */
    assert_false(s.peer.closed);
    source_close(&s);
}

static void unsupported_codecs_are_told(void **state)
{
    (void)state;
    struct rtmp_peer p;
    struct rtmp_client_event ev;
    rtmp_peer_open(&p, port, false, "key", 0);
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_READY, &ev));
    rtmp_client_send(&p.c, RTMP_VIDEO, 0, SPAN_LIT("\x22"), SPAN_LIT("xyz"));
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_STATUS, &ev));
    assert_true(span_is(ev.code, "NetStream.Publish.Rejected"));
    assert_true(span_starts(ev.words, "Sorenson H.263 is not supported"));
    rtmp_peer_close(&p);
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct source s;
    struct viewer v;
    unsigned nv = 0, na = 0;
    struct rtmp_client_event ev;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    for (int i = 0; i < 40; i++) source_step(&s);
    viewer_open(&v);
    assert_true(viewer_take(&v, &s, 1, &nv, &na));
    for (unsigned i = 0; i < 2; i++) {
        if (loops.loops[i] == channel_home(channel)) on_loop(&loops, i, close_channel, NULL);
    }
    bool told = false;
    while (rtmp_peer_next(&v.peer, &ev)) {
        told |= ev.kind == RTMP_CLIENT_STATUS && span_is(ev.code, "NetStream.Play.UnpublishNotify");
    }
    assert_true(told);
    /* the publisher hears it too */
    assert_true(rtmp_peer_until(&s.peer, RTMP_CLIENT_STATUS, &ev));
    assert_true(ev.is_error);
    rtmp_peer_close(&v.peer);
    source_close(&s);
}

/* One viewer takes nothing, another everything: the first costs a bounded queue, and when it reads
 * again it goes on with a key frame. */
static void a_stopped_viewer_disturbs_nobody(void **state)
{
    (void)state;
    struct source s;
    struct viewer good;
    unsigned nv = 0, na = 0;
    struct rtmp_peer bad;
    struct rtmp_client_event ev;
    const int64_t dropped_before = metric_get(M_RTMP_DROPPED_FRAMES);
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    for (int i = 0; i < 40; i++) source_step(&s);
    viewer_open(&good);
    assert_true(viewer_take(&good, &s, 1, &nv, &na));
    rtmp_peer_open(&bad, port, true, "watch", 4096);
    assert_true(rtmp_peer_until(&bad, RTMP_CLIENT_VIDEO, &ev));
    for (unsigned i = 0; s.bytes < 24u << 20; i++) {
        source_step(&s);
        if (i % 64 == 63) assert_true(viewer_take(&good, &s, good.video + 20, &nv, &na));
    }
    assert_true(metric_get(M_RTMP_DROPPED_FRAMES) > dropped_before);
    /* it wakes up: gaps are filled up to a key frame */
    uint32_t last_ts = 0;
    bool gap = false;
    for (unsigned n = 0; n < 20000 && !gap; n++) {
        if (n % 4 == 0) source_step(&s);
        if (!rtmp_peer_until(&bad, RTMP_CLIENT_VIDEO, &ev)) break;
        struct flv_tag t;
        assert_int_equal(flv_video_parse(ev.body, &t), E_OK);
        if (t.packet != FLV_FRAMES) continue;
        if (last_ts && ev.ts_ms > last_ts + 500) {
            gap = true;
            assert_true(t.key);
        }
        last_ts = ev.ts_ms;
    }
    assert_true(gap);
    rtmp_peer_close(&bad);
    rtmp_peer_close(&good.peer);
    source_close(&s);
}

/* An encoder changes its settings: viewers get the new configuration before the new pictures. */
static void a_new_configuration_reaches_viewers(void **state)
{
    (void)state;
    struct source s;
    struct viewer v;
    unsigned nv = 0, na = 0;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    for (int i = 0; i < 40; i++) source_step(&s);
    viewer_open(&v);
    assert_true(viewer_take(&v, &s, s.v, &nv, &na));
    media_file_close(&s.video);
    media_file_open(&s.video, "h264-bframes.mp4");
    send_config(&s, &s.video);
    s.loop_us += 10 * US_PER_SEC;
    s.v = s.a = nv = na = 0;
    for (int i = 0; i < 60; i++) source_step(&s);
    v.video = v.audio = 0;
    assert_true(viewer_take(&v, &s, 10, &nv, &na));
    assert_int_equal(v.configs, 4); /* both tracks are told again */
    assert_true(v.began_with_key);
    rtmp_peer_close(&v.peer);
    source_close(&s);
}

static void sound_alone_is_a_stream(void **state)
{
    (void)state;
    struct source s;
    struct viewer v;
    struct rtmp_client_event ev;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    rtmp_peer_close(&s.peer);
    /* the first source is gone; one that sends sound only takes its place */
    for (;;) {
        rtmp_peer_open(&s.peer, port, false, "key", 0);
        if (rtmp_peer_until(&s.peer, RTMP_CLIENT_READY, &ev)) break;
        rtmp_peer_close(&s.peer);
    }
    send_config(&s, &s.audio);
    viewer_open(&v);
    for (int i = 0; i < 60; i++) send_sample(&s, &s.audio, &s.audio.samples[i]);
    rtmp_peer_flush(&s.peer);
    assert_true(rtmp_peer_until(&v.peer, RTMP_CLIENT_AUDIO, &ev));
    rtmp_peer_close(&v.peer);
    source_close(&s);
}

static void a_connection_may_publish_again(void **state)
{
    (void)state;
    struct rtmp_peer p;
    struct rtmp_client_event ev;
    rtmp_peer_open(&p, port, false, "key", 0);
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_READY, &ev));
    rtmp_client_unpublish(&p.c);
    rtmp_peer_flush(&p);
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_STATUS, &ev));
    assert_true(span_is(ev.code, "NetStream.Unpublish.Success"));
    uint8_t b[64];
    struct wr w = wr_to(b, sizeof b);
    amf0_put_string(&w, SPAN_LIT("publish"));
    amf0_put_number(&w, 9);
    amf0_put_null(&w);
    amf0_put_string(&w, SPAN_LIT("key"));
    rtmp_client_send(&p.c, RTMP_COMMAND_AMF0, 0, SPAN_NULL, wr_span(&w));
    rtmp_peer_flush(&p);
    assert_true(rtmp_peer_until(&p, RTMP_CLIENT_STATUS, &ev));
    assert_true(span_is(ev.code, "NetStream.Publish.Start"));
    rtmp_peer_close(&p);
}

static void draining_closes_who_neither_publishes_nor_plays(void **state)
{
    (void)state;
    struct source s;
    uint8_t b;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    const int silent = rtmp_peer_socket(port, 0);
    while (rtmp_server_connections(server) < 2) usleep(1000);
    on_loop(&loops, 0, drain, NULL);
    assert_int_equal(recv(silent, &b, 1, 0), 0);
    for (int i = 0; i < 20; i++) source_step(&s);
    assert_false(s.peer.closed);
    close(silent);
    source_close(&s);
}

/* It takes nothing at all, for longer than the server is patient: it is closed. */
static void a_stalled_viewer_is_closed(void **state)
{
    (void)state;
    struct source s;
    struct rtmp_peer bad;
    struct rtmp_client_event ev;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    for (int i = 0; i < 40; i++) source_step(&s);
    rtmp_peer_open(&bad, port, true, "watch", 4096);
    assert_true(rtmp_peer_until(&bad, RTMP_CLIENT_VIDEO, &ev));
    assert_int_equal(rtmp_server_viewers(server, "stream"), 1);
    while (s.bytes < 8u << 20) source_step(&s); /* more than the sockets hold */
    for (int i = 0; rtmp_server_viewers(server, "stream") > 0; i++) {
        assert_true(i < 2000);
        source_step(&s);
        usleep(10000);
    }
    for (int i = 0; i < 20; i++) source_step(&s);
    assert_false(s.peer.closed);
    rtmp_peer_close(&bad);
    source_close(&s);
}

static void random_bytes_disturb_nobody(void **state)
{
    (void)state;
    struct source s;
    struct viewer v;
    unsigned nv = 0, na = 0;
    uint32_t r = 7;
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    for (int i = 0; i < 40; i++) source_step(&s);
    viewer_open(&v);
    assert_true(viewer_take(&v, &s, 1, &nv, &na));
    for (int round = 0; round < 60; round++) {
        uint8_t junk[8192];
        for (size_t i = 0; i < sizeof junk; i++) {
            r = r * 1664525u + 1013904223u;
            junk[i] = (uint8_t)(r >> 24);
        }
        if (round % 2) junk[0] = 3; /* passes for a handshake */
        const int fd = rtmp_peer_socket(port, 0);
        (void)!send(fd, junk, sizeof junk, MSG_NOSIGNAL);
        for (int i = 0; i < 4; i++) source_step(&s);
        close(fd);
    }
    assert_true(viewer_take(&v, &s, 60, &nv, &na));
    rtmp_peer_close(&v.peer);
    source_close(&s);
}

static void a_thousand_silent_connections(void **state)
{
    (void)state;
    enum { N = 1000 };
    static int fds[N];
    struct source s;
    struct viewer v;
    unsigned nv = 0, na = 0;
    for (int i = 0; i < N; i++) fds[i] = rtmp_peer_socket(port, 0);
    source_open(&s, "h264-baseline.mp4", "aac-48000.mp4");
    viewer_open(&v);
    for (int i = 0; i < 200; i++) source_step(&s);
    assert_true(viewer_take(&v, &s, 60, &nv, &na));
    for (int i = 0; i < N; i++) close(fds[i]);
    rtmp_peer_close(&v.peer);
    source_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(h264_with_b_frames_and_aac, setup, teardown),
        cmocka_unit_test_setup_teardown(h264_with_b_frames_and_aac, setup_slots, teardown),
        cmocka_unit_test_setup_teardown(hevc_and_opus, setup, teardown),
        cmocka_unit_test_setup_teardown(av1_and_opus, setup, teardown),
        cmocka_unit_test_setup_teardown(vp9_and_aac, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_are_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(unsupported_codecs_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_viewer_disturbs_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_configuration_reaches_viewers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_configuration_reaches_viewers, setup_slots, teardown),
        cmocka_unit_test_setup_teardown(sound_alone_is_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_may_publish_again, setup, teardown),
        cmocka_unit_test_setup_teardown(draining_closes_who_neither_publishes_nor_plays, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_stalled_viewer_is_closed, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(random_bytes_disturb_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thousand_silent_connections, setup, teardown),
    };
    return RUN_TESTS(tests);
}
