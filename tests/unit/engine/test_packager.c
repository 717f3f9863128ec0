/* SPDX-License-Identifier: MIT */
#include "../packager_source.h"
#include "../test.h"

static struct media_file h264, h264b, aac48, aac44, opus, hevc, av1;

static void both_at_once(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    sim_run(&s, 20.5);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->v.samples, s.v_n);
    assert_in_range(s.a_n - c->a.samples, 0, 1);
    assert_int_equal(c->v.n_inits, 1);
    assert_int_equal(c->a.n_inits, 1);
    assert_int_equal(c->n_discontinuities, 0);
    assert_int_equal(c->v.n_segs, 11);
    assert_int_equal(c->a.n_segs, 11);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(c->v.segs[i].independent);
        assert_int_equal(c->v.segs[i].duration_us, 2000000);
        assert_int_equal(c->v.segs[i].start_us, i * 2000000);
        assert_int_equal(c->v.segs[i].wall_us, s.wall_us + i * 2000000);
    }
    assert_int_equal(packager_part_target_us(s.p), 334000);
    sim_fini(&s);
}

/* Every usual frame rate with every audio keeps to the part rules (check_part asserts them). */
static void part_rules(void **state)
{
    (void)state;
    struct track *const audios[] = {aac48.track, aac44.track, opus.track, NULL};
    static const double ODD[] = {23.976, 29.97, 59.94, 119.88, 12.5, 14.985, 11.5, 10.5};
    for (unsigned k = 0; k < 111 + sizeof ODD / sizeof *ODD; k++) {
        const double fps = k < 111 ? k + 10 : ODD[k - 111];
        for (unsigned a = 0; a < 4; a++) {
            struct source_sim s;
            sim_init(&s, h264.track, audios[a]);
            s.fps = fps;
            s.origin_ms = k * 7;
            sim_run(&s, 13);
            sim_end(&s);
            assert_int_equal(s.check.v.samples, s.v_n);
            assert_true(s.check.v.n_segs >= 5);
            sim_fini(&s);
        }
    }
}

static void slow_pictures(void **state)
{
    (void)state;
    static const struct {
        double fps;
        int64_t target_us;
    } RATES[] = {{5, 201000}, {3, 334000}, {2, 501000}, {1, 1001000}};
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++) {
        struct source_sim s;
        sim_init(&s, h264.track, aac48.track);
        s.fps = RATES[i].fps;
        s.gop_s = 4;
        sim_run(&s, 40);
        sim_end(&s);
        assert_int_equal(packager_part_target_us(s.p), RATES[i].target_us);
        assert_int_equal(s.check.v.n_segs, 10);
        assert_int_equal(s.check.a.n_segs, 10);
        sim_fini(&s);
    }
}

/* OBS's defaults: 250 frames at 30 fps between key frames, B-frames. */
static void long_gop_with_b_frames(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac48.track);
    s.gop_s = 250 / 30.0;
    s.bframes = 2;
    sim_run(&s, 60);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->v.samples, s.v_n);
    assert_int_equal(c->v.n_segs, 8);
    for (unsigned i = 0; i < 7; i++) {
        assert_true(c->v.segs[i].independent);
        assert_in_range(c->v.segs[i].duration_us, 8332000, 8334000);
    }
    /* The first picture is shown when tfdt says: sound and picture begin together. */
    assert_int_equal(c->v.first_pts_us, c->v.segs[0].start_us);
    sim_fini(&s);
}

/* A key frame every 25 s: forced cuts in between, and key frames begin segments all the same. */
static void endless_gop(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac44.track);
    s.gop_s = 25;
    sim_run(&s, 100);
    sim_end(&s);
    const struct check *c = &s.check;
    unsigned independent = 0, forced = 0;
    for (unsigned i = 0; i < c->v.n_segs; i++) {
        independent += c->v.segs[i].independent;
        forced += !c->v.segs[i].independent;
        if (c->v.segs[i].independent) assert_int_equal(c->v.segs[i].start_us % 25000000, 0);
    }
    assert_int_equal(independent, 4);
    assert_int_equal(forced, 8);
    sim_fini(&s);
}

static void audio_only(void **state)
{
    (void)state;
    struct track *const audios[] = {aac48.track, aac44.track, opus.track};
    for (int i = 0; i < 3; i++) {
        struct source_sim s;
        sim_init(&s, NULL, audios[i]);
        sim_run(&s, 0.9);
        assert_int_equal(s.check.a.n_parts, 0); /* waits for a picture */
        sim_run(&s, 20);
        assert_true(s.check.a.n_parts > 50);
        sim_end(&s);
        assert_int_equal(s.check.a.samples, s.a_n);
        assert_int_equal(s.check.v.n_segs, 0);
        for (unsigned k = 0; k + 1 < s.check.a.n_segs; k++) {
            assert_in_range(s.check.a.segs[k].duration_us, 1985000, 2015000);
        }
        sim_fini(&s);
    }
}

static void video_only(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, hevc.track, NULL);
    sim_run(&s, 10);
    sim_end(&s);
    assert_int_equal(s.check.v.samples, s.v_n);
    assert_int_equal(s.check.v.n_segs, 5);
    assert_int_equal(s.check.a.n_segs, 0);
    sim_fini(&s);
}

/* Nobody said that video would come: after a second audio begins alone. Then a discontinuity. */
static void video_late_and_unannounced(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, NULL, aac48.track);
    sim_run(&s, 7);
    assert_int_equal(s.check.a.n_inits, 1);
    s.video = h264.track;
    s.v_from_s = 7;
    assert_int_equal(packager_track(s.p, h264.track, s.now_us), E_OK);
    sim_run(&s, 15);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->n_discontinuities, 1);
    assert_int_equal(c->a.n_inits, 1);
    assert_int_equal(c->a.samples, s.a_n);
    assert_int_equal(c->v.samples, s.v_n);
    assert_int_equal(c->v.segs[0].msn, 4); /* 2 + 2 + 2 + 1 s of audio alone */
    assert_int_equal(c->v.segs[0].start_us, 7000000);
    assert_int_equal(c->v.segs[c->v.n_segs - 1].msn, c->a.segs[c->a.n_segs - 1].msn);
    sim_fini(&s);
}

/* Announced by its configuration: worth five seconds. */
static void video_late_but_announced(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    s.v_from_s = 4;
    sim_run(&s, 10);
    sim_end(&s);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(s.check.v.segs[0].start_us, 4000000);
    sim_fini(&s);
}

static void audio_late(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, NULL);
    sim_run(&s, 5);
    assert_true(s.check.v.n_segs > 0);
    s.audio = aac44.track;
    s.check.audio_frame_us = 23220;
    s.a_from_s = 5;
    assert_int_equal(packager_track(s.p, aac44.track, s.now_us), E_OK);
    sim_run(&s, 12);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->n_discontinuities, 1);
    assert_int_equal(c->v.samples, s.v_n);
    assert_int_equal(c->a.segs[0].msn, 3); /* with the key frame at 6 s */
    assert_int_equal(c->v.n_segs, 6);
    sim_fini(&s);
}

/* Another size in the middle: new init, discontinuity in both renditions. */
static void size_changes(void **state)
{
    (void)state;
    struct media_file other;
    media_file_open(&other, "h264-cropped.mp4");
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    sim_run(&s, 5);
    assert_int_equal(packager_track(s.p, other.track, s.now_us), E_OK);
    s.video = other.track;
    s.v_n = 0;
    s.v_from_s = 5;
    sim_run(&s, 10);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->v.n_inits, 2);
    assert_int_equal(c->a.n_inits, 1);
    assert_int_equal(c->n_discontinuities, 1);
    assert_int_equal(c->v.samples, 150 + s.v_n);
    assert_in_range(s.a_n - c->a.samples, 0, 1);
    assert_int_equal(c->v.segs[2].duration_us, 1000000);
    assert_int_equal(c->v.segs[3].start_us, 5000000);
    sim_fini(&s);
    media_file_close(&other);
}

/* Audio of another rate waits for the next key frame, and nothing of the picture is lost. */
static void audio_changes(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    sim_run(&s, 5);
    assert_int_equal(packager_track(s.p, aac44.track, s.now_us), E_OK);
    s.audio = aac44.track;
    s.a_n = 0;
    s.a_from_s = 5;
    sim_run(&s, 12);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->a.n_inits, 2);
    assert_int_equal(c->v.n_inits, 1);
    assert_int_equal(c->n_discontinuities, 1);
    assert_int_equal(c->v.samples, s.v_n);
    assert_int_equal(c->v.n_segs, 6);
    sim_fini(&s);
}

/* The encoder goes and comes back: everything comes out at once, and the clock goes on. */
static void source_returns(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264b.track, aac48.track);
    s.bframes = 2;
    sim_run(&s, 5.3);
    packager_break(s.p, s.now_us);
    check_drain(&s.check, s.p);
    assert_int_equal(s.check.v.samples, s.v_n);
    assert_in_range(s.a_n - s.check.a.samples, 0, 2); /* before the first picture */
    assert_int_equal(s.check.v.n_segs, s.check.a.n_segs);
    const unsigned before = s.check.v.n_segs;
    assert_int_equal(packager_deadline_us(s.p), INT64_MAX);
    packager_break(s.p, s.now_us); /* nothing came: nothing happens */
    timeline_init(&s.tl, timeline_end_us(&s.tl), true);
    assert_int_equal(packager_track(s.p, h264b.track, s.now_us), E_OK);
    assert_int_equal(packager_track(s.p, aac48.track, s.now_us), E_OK);
    s.origin_ms = 77;
    s.v_n = s.a_n = 0;
    s.v_from_s = s.a_from_s = 5.3 + 20;
    sim_run(&s, 5.3 + 20 + 8);
    sim_end(&s);
    const struct check *c = &s.check;
    assert_int_equal(c->n_discontinuities, 1);
    assert_int_equal(c->v.n_inits, 1); /* the same configuration: the same init */
    assert_int_equal(c->v.n_segs, before + 4);
    /* The stream clock shows no gap; program date time does. */
    assert_in_range(c->v.segs[before].start_us, 5300000, 5500000);
    assert_in_range(c->v.segs[before].wall_us - s.wall_us, 25200000, 25400000);
    sim_fini(&s);
}

/* Video stops for good: audio goes on alone, and a picture that returns is taken again. */
static void video_lost_and_found(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    sim_run(&s, 5);
    s.video = NULL;
    sim_run(&s, 30);
    assert_int_equal(s.check.n_discontinuities, 1);
    assert_true(s.check.a.segs[s.check.a.n_segs - 1].start_us > 25000000);
    assert_true(s.check.v.segs[s.check.v.n_segs - 1].gap);
    s.video = h264.track;
    s.v_n = 0;
    s.v_from_s = 30;
    sim_run(&s, 36);
    sim_end(&s);
    assert_int_equal(s.check.n_discontinuities, 2);
    assert_in_range(s.check.a.samples, s.a_n - 2, s.a_n);
    assert_int_equal(s.check.v.segs[s.check.v.n_segs - 1].gap, 0);
    assert_int_equal(s.check.v.segs[s.check.v.n_segs - 1].msn,
                     s.check.a.segs[s.check.a.n_segs - 1].msn);
    sim_fini(&s);
}

static void audio_lost_and_found(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, aac48.track);
    sim_run(&s, 5);
    s.audio = NULL;
    s.check.irregular = true; /* the last sample reaches to the cut */
    sim_run(&s, 20);
    assert_int_equal(s.check.n_discontinuities, 1);
    s.audio = aac48.track;
    s.a_n = 0;
    s.a_from_s = 20;
    sim_run(&s, 30);
    sim_end(&s);
    assert_int_equal(s.check.n_discontinuities, 2);
    assert_int_equal(s.check.v.samples, s.v_n);
    assert_int_equal(s.check.v.n_segs, 15);
    assert_int_equal(s.check.a.n_segs, 15);
    sim_fini(&s);
}

/* Sound alone, with a hole: as long as a segment may be it is bridged, longer it is a new period.
 */
static void audio_alone_with_holes(void **state)
{
    (void)state;
    static const struct {
        double hole_s;
        unsigned periods;
    } HOLES[] = {{3, 0}, {9.9, 1}};
    for (int i = 0; i < 2; i++) {
        struct source_sim s;
        sim_init(&s, NULL, aac48.track);
        s.check.irregular = true;
        sim_run(&s, 5.5);
        s.a_n = 0;
        s.a_from_s = 5.5 + HOLES[i].hole_s;
        sim_run(&s, 30);
        sim_end(&s);
        assert_int_equal(s.check.n_discontinuities, HOLES[i].periods);
        assert_int_equal(s.check.a.samples, 258 + s.a_n);
        sim_fini(&s);
    }
}

/* Configurations without frames are no reason to wait for ever, and odd frames break nothing. */
static void odd_input(void **state)
{
    (void)state;
    struct source_sim s;
    struct track *vp8 = track_new(0, CODEC_VP8);
    sim_init(&s, h264.track, aac48.track);
    assert_int_equal(packager_track(s.p, vp8, 0), E_UNSUPPORTED);
    assert_int_equal(packager_track(s.p, h264.track, 0), E_OK);
    struct frame *f = frame_new(0);
    f->codec = CODEC_H264;
    packager_frame(s.p, f, 0);
    f->codec = CODEC_AAC;
    packager_frame(s.p, f, 0);
    frame_unref(f);
    s.audio = NULL;
    sim_run(&s, 12);
    assert_int_equal(s.check.v.n_inits, 1);
    assert_int_equal(s.check.a.n_inits, 0);
    sim_end(&s);
    assert_int_equal(s.check.v.samples, s.v_n);
    sim_fini(&s);
    track_unref(vp8);
}

/* A thousand frames of one instant: parts stay bounded, time stays monotone. */
static void no_time_passes(void **state)
{
    (void)state;
    struct source_sim s;
    sim_init(&s, h264.track, NULL);
    s.check.irregular = true;
    for (int i = 0; i < 10000; i++) sim_send(&s, h264.track, 1.0, 0, i == 0);
    sim_end(&s);
    assert_int_equal(s.check.v.samples, 10000);
    sim_fini(&s);
}

int main(void)
{
    media_file_open(&h264, "h264-baseline.mp4");
    media_file_open(&h264b, "h264-bframes.mp4");
    media_file_open(&aac48, "aac-48000.mp4");
    media_file_open(&aac44, "aac-44100-stereo.mp4");
    media_file_open(&opus, "opus.mp4");
    media_file_open(&hevc, "h265.mp4");
    media_file_open(&av1, "av1.mp4");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_at_once),
        cmocka_unit_test(part_rules),
        cmocka_unit_test(slow_pictures),
        cmocka_unit_test(long_gop_with_b_frames),
        cmocka_unit_test(endless_gop),
        cmocka_unit_test(audio_only),
        cmocka_unit_test(video_only),
        cmocka_unit_test(video_late_and_unannounced),
        cmocka_unit_test(video_late_but_announced),
        cmocka_unit_test(audio_late),
        cmocka_unit_test(size_changes),
        cmocka_unit_test(audio_changes),
        cmocka_unit_test(source_returns),
        cmocka_unit_test(video_lost_and_found),
        cmocka_unit_test(audio_lost_and_found),
        cmocka_unit_test(audio_alone_with_holes),
        cmocka_unit_test(odd_input),
        cmocka_unit_test(no_time_passes),
    };
    const int rc = RUN_TESTS(tests);
    struct media_file *const all[] = {&h264, &h264b, &aac48, &aac44, &opus, &hevc, &av1};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) media_file_close(all[i]);
    return rc;
}
