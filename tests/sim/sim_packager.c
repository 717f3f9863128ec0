/* SPDX-License-Identifier: MIT */
/* Hours of a source in virtual time, through timeline and packager: nothing drifts, nothing is
 * lost, and every part and segment keeps the promises of tests/unit/packager_check.h. */
#include "../unit/test.h"

#include "../unit/packager_source.h"
#include "base/clock.h"
#include "engine/rtmp_frames.h"

#define HOUR 3600.0

static struct media_file h264, h264b, other, aac48, aac44, opus;

/* An OBS with its defaults; its last picture and sound are where they were sent. */
static void obs_for(struct source_sim *s, double hours)
{
    s->gop_s = 250 / 30.0;
    s->bframes = 2;
    sim_run(s, hours * HOUR);
    sim_end(s);
    const struct check *c = &s->check;
    const double audio_s = (double)(s->a_n - 1) * 1024 / s->audio->sample_rate;
    assert_int_equal(c->n_discontinuities, 0);
    assert_int_equal(c->v.samples, s->v_n);
    assert_in_range(s->a_n - c->a.samples, 0, 2); /* before the first picture is shown */
    assert_in_range(c->a.last_pts_us - (int64_t)(audio_s * 1e6) + 2000, 0, 4000);
    assert_in_range(c->v.segs[c->v.n_segs - 1].start_us, (hours * HOUR - 9) * 1e6,
                    hours * HOUR * 1e6);
    assert_in_range(c->v.n_segs, hours * HOUR / 8.34, hours * HOUR / 8.33 + 1);
    assert_int_equal(c->v.n_segs, c->a.n_segs);
}

static void two_hours(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac44.track);
    obs_for(&s, 2);
    sim_fini(&s);
}

/* The 32 bits of RTMP's milliseconds run out after one of the two hours. */
static void wrap_at_49_days(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac48.track);
    s.origin_ms = UINT32_MAX - 3600 * 1000 + 123;
    obs_for(&s, 2);
    sim_fini(&s);
}

static void starts_at_five_hours(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac48.track);
    s.origin_ms = 5 * 3600 * 1000;
    obs_for(&s, 0.1);
    sim_fini(&s);
}

/* The source's timestamps jump, ahead and back, somewhere in a GOP: each time a discontinuity at
 * the next key frame, and the clock of the stream goes on. */
static void jumps(void **state)
{
    (void)state;
    static const int32_t BY_MS[] = {3600000, -7200000, 30000, -15000, 2000000000, -2000000000};
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    s.origin_ms = 10 * 3600 * 1000;
    s.check.irregular = true; /* one step of each track is another one at each jump */
    double t = 0;
    for (unsigned i = 0; i < 60; i++) {
        t += 61.3 + i * 0.37;
        sim_run(&s, t);
        s.origin_ms += (uint32_t)BY_MS[i % 6];
    }
    sim_run(&s, t += 10);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->n_discontinuities, 60);
    assert_in_range(c->v.long_parts + c->v.short_parts, 0, 60);
    assert_int_equal(c->v.samples, s.v_n);
    assert_in_range(s.a_n - c->a.samples, 0, 2 * 60);
    assert_in_range(c->v.segs[c->v.n_segs - 1].start_us, (t - 5) * 1e6, (t + 5) * 1e6);
    sim_fini(&s);
}

/* Key frames wherever the encoder likes, from a third of a second to 14 seconds apart. */
static void irregular_gops(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac44.track);
    uint64_t x = 7, left = 0, keys = 0, n = 0, a = 0;
    while (n < 20 * 60 * 30) {
        const double v_s = (double)n / 30, a_s = (double)a * 1024 / 44100;
        if (a_s < v_s) {
            sim_send(&s, aac44.track, a_s, 0, true);
            a++;
            continue;
        }
        const bool key = left == 0;
        if (key) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            left = 10 + (x >> 33) % 400;
            keys++;
        }
        left--;
        n++;
        sim_send(&s, h264b.track, v_s, key ? 0.066 : (double)(n % 3) / 30, key);
    }
    sim_end(&s);
    const struct check *c = &s.check;
    unsigned forced = 0;
    for (unsigned i = 0; i < c->v.n_segs; i++) {
        forced += !c->v.segs[i].independent;
        /* A cut without key frame only where the target would be exceeded. */
        if (i + 1 < c->v.n_segs && !c->v.segs[i + 1].independent) {
            assert_in_range(c->v.segs[i].duration_us, 10300000, 10500000);
        }
    }
    assert_int_equal(c->v.samples, n);
    assert_int_equal(c->v.keys, keys);
    assert_in_range(forced, 1, keys / 3);
    assert_int_equal(c->n_discontinuities, 0);
    sim_fini(&s);
}

static void screen_share(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, opus.track);
    s.fps = 5;
    s.gop_s = 10;
    sim_run(&s, HOUR);
    sim_end(&s);
    assert_int_equal(s.check.v.n_segs, 360);
    assert_int_equal(s.check.a.n_segs, 360);
    assert_int_equal(s.check.n_discontinuities, 0);
    sim_fini(&s);
}

static void radio(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, NULL, aac44.track);
    sim_run(&s, 2 * HOUR);
    sim_end(&s);
    assert_int_equal(s.check.a.samples, s.a_n);
    assert_in_range(s.check.a.last_pts_us, (2 * HOUR - 0.05) * 1e6, 2 * HOUR * 1e6);
    sim_fini(&s);
}

/* A sound card that is off by 200 parts in a million, either way: picture and sound stay together
 * within the drift that is allowed. */
static void sound_card_drifts(void **state)
{
    (void)state;
    static const double PPM[] = {200, -200};
    for (int i = 0; i < 2; i++) {
        struct source_sim s;
        sim_init(&s, h264.track, aac48.track);
        const double audio_s = 1024 / 48000.0 * (1 + PPM[i] * 1e-6);
        uint64_t v = 0, a = 0;
        while (v < 3600 * 30) {
            const double v_s = (double)v / 30, a_s = (double)a * audio_s;
            if (a_s < v_s) {
                sim_send(&s, aac48.track, a_s, 0, true);
                a++;
            } else {
                sim_send(&s, h264.track, v_s, 0, v % 60 == 0);
                v++;
            }
        }
        sim_end(&s);
        const struct check *c = &s.check;
        assert_int_equal(c->n_discontinuities, 0);
        assert_int_equal(c->v.n_segs, 1800);
        assert_int_equal(c->a.n_segs, 1800);
        assert_in_range(c->a.last_pts_us, 3600 * INT64_C(1000000) - 120000,
                        3600 * INT64_C(1000000) + PACKAGER_AUDIO_DRIFT_US);
        /* 720 ms of drift: about 34 frames of sound too many, or none dropped at all. */
        assert_in_range(a - c->a.samples, 0, PPM[i] < 0 ? 40 : 1);
        sim_fini(&s);
    }
}

/* A source that comes and goes for an hour, and changes its size each time but every third. */
static void comes_and_goes(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac48.track);
    struct track *const videos[] = {h264b.track, other.track, other.track};
    double t = 0;
    uint64_t v_sent = 0;
    for (unsigned i = 0; i < 90; i++) {
        s.v_n = s.a_n = 0;
        s.v_from_s = s.a_from_s = t;
        s.origin_ms = i * 123456789;
        t += 31.7 + i * 0.01;
        sim_run(&s, t);
        v_sent += s.v_n;
        packager_break(s.p, s.now_us);
        check_drain(&s.check, s.p);
        assert_int_equal(s.check.v.samples, v_sent);
        t += 5;
        timeline_init(&s.tl, timeline_end_us(&s.tl), true);
        s.video = videos[(i + 1) % 3];
        assert_int_equal(packager_track(s.p, s.video, s.now_us), E_OK);
        assert_int_equal(packager_track(s.p, aac48.track, s.now_us), E_OK);
    }
    sim_end(&s);
    assert_int_equal(s.check.n_discontinuities, 89);
    assert_int_equal(s.check.a.n_inits, 1);
    assert_int_equal(s.check.v.n_inits, 60);
    assert_int_equal(s.check.v.n_segs, s.check.a.n_segs);
    sim_fini(&s);
}

/* What a real client sent, from its first byte through the RTMP engine into parts. */
static void capture(const char *name, bool reorders)
{
    char path[4096];
    struct source_sim s;
    struct rtmp x;
    struct rtmp_to_frames frames;
    struct rtmp_event ev;
    struct rtmp_media m;
    uint64_t v = 0, a = 0, bytes = 0, shifted = 0;
    size_t len;
    snprintf(path, sizeof path, GOLDEN_DIR "/rtmp/%s", name);
    uint8_t *file = file_read(path, &len);
    sim_init(&s, NULL, NULL);
    s.check.audio_frame_us = 23220;
    rtmp_init(&x, 1, 0);
    rtmp_to_frames_init(&frames, 0, false);
    rtmp_feed(&x, span_of(file, len), 0);
    while (rtmp_next(&x, 0, &ev)) {
        if (ev.kind == RTMP_EV_PUBLISH) rtmp_accept(&x, 0);
        if (ev.kind != RTMP_EV_VIDEO && ev.kind != RTMP_EV_AUDIO) continue;
        assert_int_equal(rtmp_to_frames(&frames, &ev, 1000, &m), E_OK);
        if (m.track) assert_int_equal(packager_track(s.p, m.track, s.now_us), E_OK);
        if (m.frame) {
            const bool video = codec_kind(m.frame->codec) == MEDIA_VIDEO;
            *(video ? &v : &a) += 1;
            if (video) bytes += m.frame->len;
            shifted += m.frame->pts_us != m.frame->dts_us;
            sim_pass(&s, m.frame->dts_us);
            packager_frame(s.p, m.frame, s.now_us);
            check_drain(&s.check, s.p);
        }
        frame_unref(m.frame);
        track_unref(m.track);
    }
    sim_end(&s);
    assert_true(v > 10 && a > 10);
    assert_int_equal(s.check.v.samples, v);
    assert_int_equal(s.check.v.bytes, bytes);
    assert_in_range(a - s.check.a.samples, 0, 5);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(shifted > 0, reorders);
    rtmp_to_frames_fini(&frames);
    rtmp_fini(&x);
    sim_fini(&s);
    free(file);
}

static void captures(void **state)
{
    (void)state;
    capture("obs-29.0-publish.bin", true);
    capture("ffmpeg-5.1-publish.bin", true);
    capture("gstreamer-1.22-publish.bin", false);
}

int main(void)
{
    static const struct {
        struct media_file *m;
        const char *name;
    } FILES[] = {{&h264, "h264-baseline.mp4"},     {&h264b, "h264-bframes.mp4"},
                 {&other, "h264-cropped.mp4"},     {&aac48, "aac-48000.mp4"},
                 {&aac44, "aac-44100-stereo.mp4"}, {&opus, "opus.mp4"}};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        media_file_open(FILES[i].m, FILES[i].name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hours),
        cmocka_unit_test(wrap_at_49_days),
        cmocka_unit_test(starts_at_five_hours),
        cmocka_unit_test(jumps),
        cmocka_unit_test(irregular_gops),
        cmocka_unit_test(screen_share),
        cmocka_unit_test(radio),
        cmocka_unit_test(sound_card_drifts),
        cmocka_unit_test(comes_and_goes),
        cmocka_unit_test(captures),
    };
    const int rc = RUN_TESTS(tests);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) media_file_close(FILES[i].m);
    return rc;
}
