/* SPDX-License-Identifier: MIT */
/* Frames of every codec go out as chunks and come back the same; sources that behave badly. */
#include "../media_file.h"
#include "../test.h"
#include "base/clock.h"
#include "engine/rtmp_frames.h"
#include "engine/rtmp_put.h"
#include "wire/flv.h"

static struct rtmp_event event(enum rtmp_event_kind kind, uint32_t ts_ms, struct span body)
{
    return (struct rtmp_event){.kind = kind, .ts_ms = ts_ms, .body = body};
}

static struct rtmp_event event_of(const struct rtmp_msg *m)
{
    return event(m->type == RTMP_VIDEO ? RTMP_EV_VIDEO : RTMP_EV_AUDIO, m->ts_ms, m->body);
}

static struct frame *frame_of(const struct media_file *m, const struct media_sample *s)
{
    struct frame *f = frame_new(s->data.len);
    memcpy(f->data, s->data.p, s->data.len);
    f->track = m->track->id;
    f->codec = m->codec;
    f->key = s->key;
    f->dts_us = s->dts_us;
    f->pts_us = s->pts_us;
    return f;
}

/* As a viewer that publishes again would have it. */
static void there_and_back(const char *name)
{
    struct media_file m;
    struct rtmp_dechunk d;
    struct rtmp_to_frames x;
    struct rtmp_media got;
    struct rtmp_msg msg;
    media_file_open(&m, name);
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    d.chunk_size = RTMP_OUT_CHUNK_SIZE;
    rtmp_to_frames_init(&x, 0, false);
    struct track *track = NULL;
    struct buf *b = rtmp_from_tracks(&m.track, 1, 0);
    struct span in = buf_span(b);
    while (rtmp_dechunk_next(&d, &in, &msg) == E_OK) {
        if (msg.type == RTMP_DATA_AMF0) continue;
        const struct rtmp_event ev = event_of(&msg);
        assert_int_equal(rtmp_to_frames(&x, &ev, 0, &got), E_OK);
        if (got.track) track = got.track;
    }
    buf_unref(b);
    int64_t skew_us = 0;
    for (unsigned i = 0; i < m.n; i++) {
        struct frame *f = frame_of(&m, &m.samples[i]);
        b = rtmp_from_frame(f);
        in = buf_span(b);
        assert_int_equal(rtmp_dechunk_next(&d, &in, &msg), E_OK);
        assert_int_equal(in.len, 0);
        const struct rtmp_event ev = event_of(&msg);
        assert_int_equal(rtmp_to_frames(&x, &ev, 0, &got), E_OK);
        if (got.track) track = got.track;
        assert_non_null(got.frame);
        assert_int_equal(got.frame->len, f->len);
        assert_memory_equal(got.frame->data, f->data, f->len);
        assert_int_equal(got.frame->key, f->key || codec_kind(m.codec) == MEDIA_AUDIO);
        if (i == 0) skew_us = f->dts_us - got.frame->dts_us;
        assert_true(llabs(f->dts_us - skew_us - got.frame->dts_us) <= US_PER_MS);
        if (m.codec == CODEC_H264 || m.codec == CODEC_H265) {
            assert_true(llabs(f->pts_us - f->dts_us - (got.frame->pts_us - got.frame->dts_us)) <=
                        US_PER_MS);
        }
        frame_unref(got.frame);
        frame_unref(f);
        buf_unref(b);
    }
    assert_non_null(track);
    assert_string_equal(track->codecs, m.track->codecs);
    track_unref(track);
    rtmp_to_frames_fini(&x);
    rtmp_dechunk_fini(&d);
    media_file_close(&m);
}

static void every_codec_there_and_back(void **state)
{
    (void)state;
    static const char *const FILES[] = {"h264-baseline.mp4", "h264-bframes.mp4", "h265.mp4",
                                        "av1.mp4",           "vp9.mp4",          "aac-48000.mp4",
                                        "opus.mp4"};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        print_message("%s\n", FILES[i]);
        there_and_back(FILES[i]);
    }
}

/* --- sources that behave badly -------------------------------------------------------------- */

static struct rtmp_media video(struct rtmp_to_frames *x, uint32_t ts, const char *hdr, size_t n,
                               struct span body, enum err want)
{
    uint8_t b[9000];
    struct wr w = wr_to(b, sizeof b);
    struct rtmp_media got = {0};
    wr_bytes(&w, hdr, n);
    wr_str(&w, body);
    assert_false(w.overflow);
    const struct rtmp_event ev = event(RTMP_EV_VIDEO, ts, wr_span(&w));
    assert_int_equal(rtmp_to_frames(x, &ev, 0, &got), want);
    return got;
}
#define CONFIG "\x17\x00\x00\x00\x00", 5
#define KEY    "\x17\x01\x00\x00\x00", 5
#define INTER  "\x27\x01\x00\x00\x00", 5

static void drop(struct rtmp_media m)
{
    frame_unref(m.frame);
    track_unref(m.track);
}

static void sequence_headers_empty_repeated_and_new(void **state)
{
    (void)state;
    struct media_file a, b;
    struct rtmp_to_frames x;
    media_file_open(&a, "h264-baseline.mp4");
    media_file_open(&b, "h264-bframes.mp4");
    rtmp_to_frames_init(&x, 0, false);
    struct rtmp_media m = video(&x, 0, CONFIG, SPAN_NULL, E_OK);
    assert_null(m.track);
    m = video(&x, 0, KEY, SPAN_LIT("\0\0\0\1\x65"), E_OK); /* no configuration yet */
    assert_null(m.frame);
    m = video(&x, 0, CONFIG, span_of(a.config, a.config_len), E_OK);
    assert_non_null(m.track);
    drop(m);
    m = video(&x, 0, CONFIG, span_of(a.config, a.config_len), E_OK);
    assert_null(m.track);
    m = video(&x, 0, CONFIG, SPAN_NULL, E_OK);
    assert_null(m.track);
    m = video(&x, 0, CONFIG, span_of(b.config, b.config_len), E_OK);
    assert_non_null(m.track);
    assert_int_equal(m.track->id, TRACK_ID_VIDEO);
    drop(m);
    assert_int_equal(x.broken, 1);
    rtmp_to_frames_fini(&x);
    media_file_close(&a);
    media_file_close(&b);
}

static void access_units_empty_broken_and_short_lengths(void **state)
{
    (void)state;
    struct media_file a;
    struct rtmp_to_frames x;
    media_file_open(&a, "h264-baseline.mp4");
    a.config[4] = 0xfd; /* length fields of two bytes */
    rtmp_to_frames_init(&x, 0, false);
    drop(video(&x, 0, CONFIG, span_of(a.config, a.config_len), E_OK));
    assert_null(video(&x, 0, INTER, SPAN_NULL, E_OK).frame);
    assert_null(video(&x, 0, INTER, SPAN_LIT("\0\0"), E_OK).frame); /* an empty unit alone */
    assert_null(video(&x, 0, INTER, SPAN_LIT("\0\x09\x41"), E_OK).frame);
    struct rtmp_media m = video(&x, 40, INTER, SPAN_LIT("\0\2\x41z\0\0\0\1\x65"), E_OK);
    assert_non_null(m.frame);
    assert_true(m.frame->key); /* said "inter", and is an IDR picture */
    assert_int_equal(m.frame->len, 11);
    assert_memory_equal(m.frame->data, "\0\0\0\2\x41z\0\0\0\1\x65", 11);
    drop(m);
    assert_int_equal(x.broken, 2);
    rtmp_to_frames_fini(&x);
    media_file_close(&a);
}

static void hevc_in_avc_tags_of_old_obs(void **state)
{
    (void)state;
    struct media_file a;
    struct rtmp_to_frames x;
    media_file_open(&a, "h265.mp4");
    rtmp_to_frames_init(&x, 0, false);
    struct rtmp_media m = video(&x, 0, CONFIG, span_of(a.config, a.config_len), E_OK);
    assert_non_null(m.track);
    assert_int_equal(m.track->codec, CODEC_H265);
    drop(m);
    rtmp_to_frames_fini(&x);
    media_file_close(&a);
}

static void what_cannot_be_taken_is_said_in_words(void **state)
{
    (void)state;
    struct rtmp_to_frames x;
    rtmp_to_frames_init(&x, 0, false);
    drop(video(&x, 0, "\x22xyz", 4, SPAN_NULL, E_UNSUPPORTED));
    assert_string_equal(x.why, "Sorenson H.263 is not supported: use H.264, HEVC, AV1 or VP9.");
    drop(video(&x, 0, "\x90vvc1x", 6, SPAN_NULL, E_UNSUPPORTED));
    drop(video(&x, 0, CONFIG, SPAN_LIT("\x01\x64\x00\x28\xff\xe1\xff\xff"), E_PROTO));
    assert_string_equal(x.why, "H.264 configuration is broken.");
    struct rtmp_media m;
    struct rtmp_event ev = event(RTMP_EV_AUDIO, 0, SPAN_LIT("\x2fxx"));
    assert_int_equal(rtmp_to_frames(&x, &ev, 0, &m), E_UNSUPPORTED);
    assert_string_equal(x.why, "MP3 is not supported: use AAC or Opus.");
    ev = event(RTMP_EV_AUDIO, 0, SPAN_LIT("\xaf\x00")); /* a configuration of no length */
    assert_int_equal(rtmp_to_frames(&x, &ev, 0, &m), E_OK);
    rtmp_to_frames_fini(&x);
}

static void other_tracks_and_marks_are_passed_over(void **state)
{
    (void)state;
    struct rtmp_to_frames x;
    rtmp_to_frames_init(&x, 0, false);
    drop(video(&x, 0, "\x96\x00hvc1\x01z", 8, SPAN_NULL, E_OK));
    drop(video(&x, 0, "\xd4hvc1m", 6, SPAN_NULL, E_OK));
    drop(video(&x, 0, "\x57\x00", 2, SPAN_NULL, E_OK));
    drop(video(&x, 0, "\x17\x02\x00\x00\x00", 5, SPAN_NULL, E_OK));
    assert_int_equal(x.broken, 0);
    rtmp_to_frames_fini(&x);
}

/* Times that jump, run backwards, begin at four hours and wrap: dts never decreases. */
static void times_of_all_kinds(void **state)
{
    (void)state;
    static const uint32_t STARTS[] = {0, 4 * 3600 * 1000, 0xffffff00};
    struct media_file a;
    media_file_open(&a, "h264-baseline.mp4");
    for (size_t i = 0; i < 3; i++) {
        struct rtmp_to_frames x;
        rtmp_to_frames_init(&x, 0, false);
        drop(video(&x, STARTS[i], CONFIG, span_of(a.config, a.config_len), E_OK));
        int64_t last_us = -1;
        uint32_t ts = STARTS[i];
        for (int k = 0; k < 400; k++) {
            ts += k == 100     ? 3600000
                  : k == 200   ? (uint32_t)-7200000
                  : k % 9 == 8 ? (uint32_t)-5
                               : 33;
            const struct rtmp_media m = video(&x, ts, KEY, SPAN_LIT("\0\0\0\2\x65z"), E_OK);
            assert_non_null(m.frame);
            assert_true(m.frame->dts_us >= last_us);
            if (k == 0) assert_true(m.frame->dts_us <= US_PER_SEC);
            assert_int_equal(m.frame->discontinuity, k == 100 || k == 200);
            last_us = m.frame->dts_us;
            drop(m);
        }
        assert_true(last_us < 20 * US_PER_SEC);
        rtmp_to_frames_fini(&x);
    }
    media_file_close(&a);
}

static void big_frames_and_late_times_are_cut_into_chunks(void **state)
{
    (void)state;
    struct frame *f = frame_new(200000);
    memset(f->data, 7, f->len);
    f->codec = CODEC_H264;
    f->key = true;
    f->dts_us = f->pts_us = 20000000ll * 1000; /* 5.5 hours: extended timestamps */
    struct buf *b = rtmp_from_frame(f);
    struct rtmp_dechunk d;
    struct rtmp_msg m;
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    d.chunk_size = RTMP_OUT_CHUNK_SIZE;
    struct span in = buf_span(b);
    assert_int_equal(rtmp_dechunk_next(&d, &in, &m), E_OK);
    assert_int_equal(in.len, 0);
    assert_int_equal(m.ts_ms, 20000000);
    assert_int_equal(m.body.len, 200005);
    rtmp_dechunk_fini(&d);
    buf_unref(b);
    frame_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_there_and_back),
        cmocka_unit_test(sequence_headers_empty_repeated_and_new),
        cmocka_unit_test(access_units_empty_broken_and_short_lengths),
        cmocka_unit_test(hevc_in_avc_tags_of_old_obs),
        cmocka_unit_test(what_cannot_be_taken_is_said_in_words),
        cmocka_unit_test(other_tracks_and_marks_are_passed_over),
        cmocka_unit_test(times_of_all_kinds),
        cmocka_unit_test(big_frames_and_late_times_are_cut_into_chunks),
    };
    return RUN_TESTS(tests);
}
