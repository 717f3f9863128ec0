/* SPDX-License-Identifier: MIT */
/* Real files, with their parameter sets put into the key frames as RTP senders do, become the same
 * tracks and frames again. */
#include "../media_file.h"
#include "../test.h"
#include "base/clock.h"
#include "engine/rtp_to_frames.h"
#include "wire/h264.h"

static struct rtp_to_frames t;

static struct rtc_frame rtc_frame_of(uint32_t ts, bool key, struct span head, struct span data)
{
    struct rtc_frame f = {.ts = ts, .key = key, .data = buf_new(head.len + data.len)};
    if (head.len) memcpy(f.data->data, head.p, head.len);
    if (data.len) memcpy(f.data->data + head.len, data.p, data.len);
    return f;
}

static enum err feed(unsigned kind, struct rtc_frame f, int64_t now, struct rtp_media *m)
{
    const enum err e = rtp_to_frames(&t, kind, &f, now, 1, m);
    buf_unref(f.data);
    return e;
}

static void drop(struct rtp_media *m)
{
    track_unref(m->track);
    frame_unref(m->frame);
}

/* SPS and PPS of an avcC as NAL units with lengths. */
static struct span parameter_sets(struct span avcc, uint8_t *room, size_t cap)
{
    struct h264_config c;
    struct wr w = wr_to(room, cap);
    assert_int_equal(h264_avcc_parse(avcc, &c), E_OK);
    wr_u32be(&w, (uint32_t)c.sps[0].len);
    wr_str(&w, c.sps[0]);
    wr_u32be(&w, (uint32_t)c.pps[0].len);
    wr_str(&w, c.pps[0]);
    return wr_span(&w);
}

static void h264_keeps_its_frames_and_finds_its_track(void **state)
{
    struct media_file f;
    uint8_t room[1024];
    media_file_open(&f, "h264-baseline.mp4");
    const struct span sets = parameter_sets(buf_span(f.track->config), room, sizeof room);
    rtp_to_frames_init(&t, 0, false);
    rtp_to_frames_track(&t, 0, CODEC_H264, 90000);
    const uint32_t start = 0xffffff00; /* it wraps at once */
    for (unsigned i = 0; i < f.n; i++) {
        const struct media_sample *s = &f.samples[i];
        struct rtp_media m = {0};
        const uint32_t ts = start + (uint32_t)(s->dts_us * 9 / 100);
        assert_int_equal(feed(0, rtc_frame_of(ts, s->key, s->key ? sets : SPAN_NULL, s->data),
                              5000000 + s->dts_us, &m),
                         E_OK);
        assert_int_equal(m.track != NULL, i == 0);
        if (m.track) {
            assert_true(m.track->width == f.track->width && m.track->height == f.track->height);
            assert_string_equal(m.track->codecs, f.track->codecs);
        }
        assert_int_equal(m.frame->key, s->key);
        assert_true(llabs(m.frame->dts_us - s->dts_us) <= 1000); /* RTMP's precision */
        drop(&m);
    }
    rtp_to_frames_fini(&t);
    media_file_close(&f);
}

static void before_a_key_frame_there_is_nothing(void **state)
{
    struct rtp_media m = {0};
    rtp_to_frames_init(&t, 0, false);
    rtp_to_frames_track(&t, 0, CODEC_H264, 90000);
    assert_int_equal(feed(0, rtc_frame_of(0, false, SPAN_NULL, SPAN_LIT("\0\0\0\1A")), 0, &m),
                     E_MORE);
    assert_int_equal(feed(RTP_SLOT_AUDIO, rtc_frame_of(0, true, SPAN_NULL, SPAN_LIT("x")), 0, &m),
                     E_UNSUPPORTED);
    rtp_to_frames_fini(&t);
}

static int64_t sound(uint32_t ts, int64_t now)
{
    struct rtp_media m = {0};
    assert_int_equal(
        feed(RTP_SLOT_AUDIO, rtc_frame_of(ts, true, SPAN_NULL, SPAN_LIT("\xfc\1")), now, &m), E_OK);
    const int64_t dts = m.frame->dts_us;
    drop(&m);
    return dts;
}

/* The picture arrived 200 ms after the sound it belongs to: reports put that right, once. */
static void sound_is_moved_to_its_picture(void **state)
{
    struct rtp_media m = {0};
    struct media_file f;
    uint8_t room[1024];
    media_file_open(&f, "h264-baseline.mp4");
    const struct span sets = parameter_sets(buf_span(f.track->config), room, sizeof room);
    rtp_to_frames_init(&t, 0, false);
    rtp_to_frames_track(&t, 0, CODEC_H264, 90000);
    rtp_to_frames_track(&t, RTP_SLOT_AUDIO, CODEC_OPUS, 48000);
    assert_int_equal(sound(1000, 1000000), 0);
    assert_int_equal(feed(0, rtc_frame_of(7, true, sets, f.samples[0].data), 1200000, &m), E_OK);
    assert_int_equal(m.frame->dts_us, 200000);
    drop(&m);
    assert_int_equal(sound(1000 + 9600, 1200000), 200000);
    rtp_to_frames_sync(&t, RTP_SLOT_AUDIO, 1000, 70000000);
    rtp_to_frames_sync(&t, 0, 7, 70000000); /* they were taken at the same moment */
    assert_int_equal(sound(1000 + 19200, 1400000), 600000);
    rtp_to_frames_sync(&t, RTP_SLOT_AUDIO, 1000, 99000000); /* later reports move nothing */
    assert_int_equal(sound(1000 + 28800, 1600000), 800000);
    rtp_to_frames_fini(&t);
    media_file_close(&f);
}

/* Another size in the middle: a new track, and from then on the sets stay in the key frames. */
static void sets_stay_after_a_change(void **state)
{
    static const char *const FILES[] = {"h264-baseline.mp4", "h264-cropped.mp4"};
    struct rtp_media m = {0};
    rtp_to_frames_init(&t, 0, false);
    rtp_to_frames_track(&t, 0, CODEC_H264, 90000);
    for (unsigned i = 0; i < 2; i++) {
        struct media_file f;
        uint8_t room[1024];
        media_file_open(&f, FILES[i]);
        const struct span sets = parameter_sets(buf_span(f.track->config), room, sizeof room);
        const struct span data = f.samples[0].data;
        assert_int_equal(feed(0, rtc_frame_of(i * 3000, true, sets, data), 1000000, &m), E_OK);
        assert_true(m.track && m.track->width == f.track->width && m.frame->key);
        assert_int_equal(m.frame->len, data.len + (i ? sets.len : 0));
        drop(&m);
        assert_int_equal(feed(0, rtc_frame_of(i * 3000, true, SPAN_NULL, sets), 1000000, &m), E_OK);
        assert_null(m.frame); /* sets alone are no picture */
        drop(&m);
        media_file_close(&f);
    }
    rtp_to_frames_fini(&t);
}

/* Layers of one picture whose clocks have nothing in common, and wrap; what was taken at the same
 * moment gets the same time, though one arrives much later. */
static void layers_are_put_together(void **state)
{
    static const uint32_t ZERO[2] = {0xffff0000, 12345};
    struct media_file f;
    uint8_t room[1024];
    int64_t dts[2] = {0};
    media_file_open(&f, "h264-baseline.mp4");
    const struct span sets = parameter_sets(buf_span(f.track->config), room, sizeof room);
    rtp_to_frames_init(&t, 0, false);
    for (unsigned k = 0; k < 2; k++) {
        rtp_to_frames_track(&t, k, CODEC_H264, 90000);
        rtp_to_frames_id(&t, k, (uint8_t)(k ? 2 : TRACK_ID_VIDEO));
        /* The reports were made at different times. */
        rtp_to_frames_sync(&t, k, ZERO[k] + 9000 * k, 70000000 + 100000 * k);
        assert_true(rtp_to_frames_synced(&t, k));
    }
    for (uint32_t n = 0; n < 1000; n++) {
        for (unsigned k = 0; k < 2; k++) {
            struct rtp_media m = {0};
            const bool key = n % 60 == 0;
            const int64_t now = 1000000 + (int64_t)n * 33333 + (k ? 150000 : 0);
            assert_int_equal(feed(k,
                                  rtc_frame_of(ZERO[k] + n * 3000, key, key ? sets : SPAN_NULL,
                                               f.samples[key ? 0 : 1].data),
                                  now, &m),
                             E_OK);
            if (n == 0) assert_int_equal(m.track->id, k ? 2 : TRACK_ID_VIDEO);
            assert_int_equal(m.frame->track, k ? 2 : TRACK_ID_VIDEO);
            dts[k] = m.frame->dts_us;
            drop(&m);
        }
        assert_true(llabs(dts[0] - dts[1]) <= 1000);
        assert_true(llabs(dts[0] - (int64_t)n * 33333) <= 2000);
    }
    rtp_to_frames_fini(&t);
    media_file_close(&f);
}

/* Reports that cannot be true are not believed: the arrivals stand. */
static void a_clock_from_another_time(void **state)
{
    struct media_file f;
    uint8_t room[1024];
    struct rtp_media m = {0};
    media_file_open(&f, "h264-baseline.mp4");
    const struct span sets = parameter_sets(buf_span(f.track->config), room, sizeof room);
    rtp_to_frames_init(&t, 0, false);
    for (unsigned k = 0; k < 2; k++) {
        rtp_to_frames_track(&t, k, CODEC_H264, 90000);
        rtp_to_frames_id(&t, k, (uint8_t)(k ? 2 : TRACK_ID_VIDEO));
        rtp_to_frames_sync(&t, k, 0, k ? INT64_C(7200000000) : 0);
        assert_int_equal(
            feed(k, rtc_frame_of(0, true, sets, f.samples[0].data), 1000000 + 50000 * k, &m), E_OK);
        assert_int_equal(m.frame->dts_us, 50000 * k);
        drop(&m);
    }
    unsigned pixels = 0;
    const struct rtc_frame key = rtc_frame_of(0, true, sets, f.samples[0].data);
    assert_int_equal(rtp_to_frames_pixels(&t, 1, &key, &pixels), E_OK);
    assert_int_equal(pixels, f.track->width * f.track->height);
    buf_unref(key.data);
    rtp_to_frames_fini(&t);
    media_file_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_keeps_its_frames_and_finds_its_track),
        cmocka_unit_test(before_a_key_frame_there_is_nothing),
        cmocka_unit_test(sound_is_moved_to_its_picture),
        cmocka_unit_test(sets_stay_after_a_change),
        cmocka_unit_test(layers_are_put_together),
        cmocka_unit_test(a_clock_from_another_time),
    };
    return RUN_TESTS(tests);
}
