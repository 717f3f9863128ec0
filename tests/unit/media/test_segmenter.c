/* SPDX-License-Identifier: MIT */
/* The rules one by one; whole streams are in engine/test_packager.c. */
#include "../test.h"

#include "media/segmenter.h"

#define MS INT64_C(1000)

static const struct segmenter_config USUAL = {334 * MS, 2000 * MS, 10400 * MS};

static void key_frames_cut_from_the_minimum_on(void **state)
{
    (void)state;
    struct segmenter s;
    segmenter_init(&s, &USUAL);
    segmenter_start(&s, true, 0);
    unsigned segments = 0;
    /* Key frames each 1.5 s: every second one is late enough. */
    for (int64_t t = 0; t <= 9000; t += 20) {
        const enum seg_cut cut = segmenter_video(&s, t * MS, t % 1500 == 0);
        assert_int_equal(cut == SEG_SEGMENT, t > 0 && t % 3000 == 0);
        segments += cut == SEG_SEGMENT;
    }
    assert_int_equal(segments, 3);
}

static void jitter_around_the_minimum(void **state)
{
    (void)state;
    struct segmenter s;
    segmenter_init(&s, &USUAL);
    segmenter_start(&s, true, 0);
    (void)segmenter_video(&s, 0, true);
    for (int64_t t = 33; t < 1950; t += 33) (void)segmenter_video(&s, t * MS, false);
    assert_int_equal(segmenter_video(&s, 1960 * MS, true), SEG_SEGMENT);
}

/* No key frame: cut before the target is exceeded; the next key frame cuts at once. */
static void forced_and_back(void **state)
{
    (void)state;
    struct segmenter s;
    segmenter_init(&s, &USUAL);
    segmenter_start(&s, true, 0);
    int64_t cut_at = 0;
    for (int64_t t = 0; t < 11000 && !cut_at; t += 40) {
        if (segmenter_video(&s, t * MS, t == 0) == SEG_SEGMENT) cut_at = t;
    }
    assert_int_equal(cut_at, 10400);
    (void)segmenter_video(&s, 10440 * MS, false);
    assert_int_equal(segmenter_video(&s, 10480 * MS, true), SEG_SEGMENT);
    assert_int_equal(segmenter_video(&s, 21000 * MS, false), SEG_BREAK);
}

static void audio_takes_the_nearest_boundary(void **state)
{
    (void)state;
    const int64_t frame = 21333;
    struct segmenter s;
    segmenter_init(&s, &USUAL);
    segmenter_start(&s, true, frame);
    (void)segmenter_video(&s, 0, true);
    assert_false(segmenter_audio_ready(&s, 0, frame)); /* the next picture may cut before it */
    (void)segmenter_video(&s, 33 * MS, false);
    assert_true(segmenter_audio_ready(&s, 0, frame));
    for (int64_t t = 66; t < 2000; t += 33) (void)segmenter_video(&s, t * MS, false);
    assert_int_equal(segmenter_video(&s, 2000 * MS, true), SEG_SEGMENT);
    int64_t at = 0;
    while (segmenter_audio(&s, at, frame) != SEG_SEGMENT) at += frame;
    assert_in_range(at, 2000 * MS - frame / 2, 2000 * MS + frame / 2);
    assert_int_equal(s.cut_us, 2000 * MS);
    assert_int_not_equal(segmenter_audio(&s, at, frame),
                         SEG_SEGMENT); /* asked again: once is enough */
}

static void cuts_are_kept_for_late_audio(void **state)
{
    (void)state;
    struct segmenter s;
    int64_t t_us;
    segmenter_init(&s, &USUAL);
    segmenter_start(&s, true, 20 * MS);
    for (int64_t t = 0; t <= 6000; t += 50) (void)segmenter_video(&s, t * MS, t % 2000 == 0);
    assert_int_equal(s.n_cuts, 3);
    assert_int_equal(segmenter_audio(&s, 0, 20 * MS), SEG_NONE);
    assert_int_equal(segmenter_audio(&s, 4100 * MS, 20 * MS), SEG_SEGMENT);
    assert_int_equal(segmenter_audio(&s, 4100 * MS, 20 * MS), SEG_SEGMENT);
    assert_int_equal(segmenter_audio(&s, 4100 * MS, 20 * MS), SEG_NONE);
    assert_true(segmenter_take_cut(&s, &t_us));
    assert_int_equal(t_us, 6000 * MS);
    assert_false(segmenter_take_cut(&s, &t_us));
}

static void the_target_of_parts_fits_the_frames(void **state)
{
    (void)state;
    static const struct {
        int64_t step, target;
    } RATES[] = {{33333, 334}, {16667, 334},  {41708, 334},
                 {90909, 274}, {200000, 201}, {500000, 501}};
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++) {
        struct segmenter s;
        segmenter_init(&s, &USUAL);
        segmenter_start(&s, true, 21333);
        for (int64_t n = 0; n < 60; n++) (void)segmenter_video(&s, n * RATES[i].step, n == 0);
        assert_true(s.settled);
        assert_int_equal(s.target_us, RATES[i].target * MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_frames_cut_from_the_minimum_on),
        cmocka_unit_test(jitter_around_the_minimum),
        cmocka_unit_test(forced_and_back),
        cmocka_unit_test(audio_takes_the_nearest_boundary),
        cmocka_unit_test(cuts_are_kept_for_late_audio),
        cmocka_unit_test(the_target_of_parts_fits_the_frames),
    };
    return RUN_TESTS(tests);
}
