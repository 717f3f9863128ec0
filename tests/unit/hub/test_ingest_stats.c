/* SPDX-License-Identifier: MIT */
/* The meter in virtual time: what it says of sources whose properties are known. */
#include "../test.h"
#include "base/clock.h"
#include "hub/ingest_stats.h"

#define T0 (1000 * US_PER_SEC)

/* A source: 30 frames and 50 pieces of sound a second, each of 1000 and 400 bytes. */
struct source {
    struct ingest_meter m;
    struct ingest_stats s;
    int64_t now_us;
    int gop, n;
    double speed;         /* media seconds a second */
    int64_t audio_lag_us; /* its timestamps, behind those of the picture */
    int64_t jump_us;      /* added to timestamps */
    bool b_frames, no_video, jumped[2];
    int takes;
};

static struct source begin(const char *protocol)
{
    struct source x = {.now_us = T0, .gop = 60, .speed = 1};
    snprintf(x.m.source.protocol, sizeof x.m.source.protocol, "%s", protocol);
    ingest_meter_open(&x.m, T0, 5);
    return x;
}

static void frame(struct source *x, enum codec codec, int64_t dts_us, bool key, size_t len)
{
    struct frame *f = frame_new(len);
    const bool audio = codec_kind(codec) == MEDIA_AUDIO;
    f->codec = codec;
    f->track = audio ? TRACK_ID_AUDIO : TRACK_ID_VIDEO;
    f->key = key;
    f->dts_us = f->pts_us = dts_us;
    if (!audio && x->b_frames) f->pts_us += 66000;
    f->discontinuity = x->jumped[audio];
    x->jumped[audio] = false;
    ingest_meter_frame(&x->m, f, x->now_us);
    frame_unref(f);
}

/* Runs for so many seconds, in steps of ten milliseconds: every third a picture, every second
 * sound.
 */
static void run(struct source *x, double seconds)
{
    for (int i = 0; i < (int)(seconds * 100); i++, x->n++) {
        const int64_t media_us =
            (int64_t)((double)(x->now_us - T0) * x->speed) + US_PER_SEC + x->jump_us;
        if (x->n % 3 == 0 && !x->no_video)
            frame(x, CODEC_H264, media_us, x->n / 3 % x->gop == 0, 1000);
        if (x->n % 2 == 0) frame(x, CODEC_AAC, media_us - x->audio_lag_us, true, 400);
        x->takes += ingest_meter_take(&x->m, x->now_us, &x->s);
        x->now_us += 10 * US_PER_MS;
    }
}

static void rates_and_key_frames(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    run(&x, 12);
    assert_int_equal(x.takes, 12);
    assert_true(x.s.is && x.s.video.is && x.s.audio.is);
    assert_int_equal(x.s.connected_wall_us, 5);
    assert_int_equal(x.s.video.codec, CODEC_H264);
    assert_in_range((int)(x.s.video.fps * 10), 325, 340);
    assert_in_range(x.s.video.bps, 255000, 275000);
    assert_in_range(x.s.audio.bps, 155000, 165000);
    assert_in_range(x.s.video.key_interval_us, 1790000, 1810000);
    assert_int_equal(x.s.video.key_longest_us, x.s.video.key_shortest_us);
    assert_true(!x.s.video.b_frames && !x.s.video.varies && !x.s.jumps);
    assert_true(x.s.speed > 0.99 && x.s.speed < 1.01);
    assert_true(x.s.behind_us < 20000 && x.s.jitter_us < 10000);
    assert_true(x.s.has_offset && llabs(x.s.offset_us) < 25000);
    assert_int_equal(x.s.audio.level, INGEST_LEVEL_NONE);
}

static void b_frames_are_seen_and_forgotten(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    x.b_frames = true;
    run(&x, 3);
    assert_true(x.s.video.b_frames);
    x.b_frames = false;
    run(&x, 12);
    assert_false(x.s.video.b_frames);
}

static void sound_that_is_apart(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    x.audio_lag_us = 300000; /* older timestamps: it is played before its picture */
    run(&x, 6);
    assert_in_range(x.s.offset_us, 275000, 325000);
    assert_true(x.s.has_start_gap && x.s.start_gap_us == -300000);
    struct source y = begin("rtmp");
    y.audio_lag_us = -300000;
    run(&y, 6);
    assert_in_range(-y.s.offset_us, 275000, 325000);
}

static void a_source_slower_than_real_time(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    run(&x, 5);
    x.speed = 0.9;
    x.jump_us = (int64_t)(0.1 * 5e6); /* goes on where it was */
    run(&x, 12);
    assert_true(x.s.speed > 0.87 && x.s.speed < 0.93);
    assert_in_range(x.s.behind_us, 700000, 1300000);
    /* It falls behind steadily: the mean of the whole lags, and now is worse than of late. */
    assert_in_range(x.s.drift_us, 200000, 650000);
    assert_in_range(x.s.drift_now_us, 200000, 1000000);
    assert_int_equal(x.s.jumps, 0);
}

static void a_clock_that_jumps(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    run(&x, 5);
    x.jump_us = 3600 * US_PER_SEC;
    x.jumped[0] = x.jumped[1] = true;
    run(&x, 6);
    assert_int_equal(x.s.jumps, 1);
    assert_true(x.s.behind_us < 20000);
    assert_true(x.s.speed > 0.98 && x.s.speed < 1.02);
    assert_true(llabs(x.s.offset_us) < 25000);
    assert_in_range(x.s.video.bps, 255000, 275000);
    assert_in_range(x.s.video.key_longest_us, 1790000, 1810000);
}

static void how_loud_it_is(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    for (int i = 0; i < 50; i++) {
        ingest_meter_level(&x.m, i % 2 ? -200 : -220, x.now_us);
        run(&x, 0.1);
    }
    assert_in_range(-x.s.audio.level, 205, 215);
    assert_int_equal(x.s.audio.peak_level, -200);
    assert_true(x.s.audio.silent_us < US_PER_SEC);
    for (int i = 0; i < 150; i++) {
        ingest_meter_level(&x.m, INGEST_LEVEL_SILENCE, x.now_us);
        run(&x, 0.1);
    }
    assert_int_equal(x.s.audio.level, INGEST_LEVEL_SILENCE);
    assert_in_range(x.s.audio.silent_us, 14 * US_PER_SEC, 16 * US_PER_SEC);
}

static void sound_alone(void **state)
{
    (void)state;
    struct source x = begin("rtmp");
    x.no_video = true;
    run(&x, 5);
    assert_false(x.s.video.is || x.s.has_offset);
    assert_true(x.s.speed > 0.98 && x.s.speed < 1.02);
}

/* --- packets --- */

static struct lane_burst *burst(unsigned n, uint8_t layer, uint32_t ts, bool key)
{
    struct lane_burst *b = lane_burst_new(n, 0);
    for (unsigned i = 0; i < n; i++)
        b->packets[i] = (struct lane_packet){.track = MEDIA_VIDEO,
                                             .layer = layer,
                                             .marker = i + 1 == n,
                                             .key = key && i == 0,
                                             .ts = ts,
                                             .len = 500};
    return b;
}

static void layers_of_packets(void **state)
{
    (void)state;
    struct source x = begin("whip");
    struct lane_track tracks[2] = {{.codec = CODEC_VP8, .layers = 2}, {.codec = CODEC_OPUS}};
    uint32_t ts = 0xfffff000; /* it wraps */
    ingest_meter_describe(&x.m, tracks);
    for (int i = 0; i < 200; i++, ts += 3000) {
        for (uint8_t layer = 0; layer < 2; layer++) {
            /* The second one is the larger, and has every other picture. */
            if (layer && i % 2) continue;
            struct lane_burst *b = burst(layer ? 9 : 1, layer, ts, i % (layer ? 90 : 30) == 0);
            ingest_meter_burst(&x.m, b);
            feed_msg_unref(&b->msg);
        }
        x.now_us += 33333;
        (void)ingest_meter_take(&x.m, x.now_us, &x.s);
    }
    assert_true(x.s.video.is);
    assert_int_equal(x.s.video.codec, CODEC_VP8);
    assert_int_equal(x.s.video.layers, 2);
    assert_in_range(x.s.video.layer_bps[0], 112000, 125000);
    assert_in_range(x.s.video.layer_bps[1], 500000, 560000);
    assert_int_equal(x.s.video.bps, x.s.video.layer_bps[0] + x.s.video.layer_bps[1]);
    assert_in_range((int)(x.s.video.fps * 10), 140, 160);
    assert_in_range(x.s.video.key_interval_us, 2990000, 3010000);
    assert_false(x.s.audio.is); /* agreed on, and nothing of it has come */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_and_key_frames), cmocka_unit_test(b_frames_are_seen_and_forgotten),
        cmocka_unit_test(sound_that_is_apart),  cmocka_unit_test(a_source_slower_than_real_time),
        cmocka_unit_test(a_clock_that_jumps),   cmocka_unit_test(how_loud_it_is),
        cmocka_unit_test(sound_alone),          cmocka_unit_test(layers_of_packets),
    };
    return RUN_TESTS(tests);
}
