/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "media/timeline.h"

#define V  0
#define A  1
#define MS INT64_C(1000)

static void starts_late_and_keeps_the_offset(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    const uint32_t t0 = 5 * 3600 * 1000; /* starts at five hours */
    assert_int_equal(timeline_map(&tl, A, t0, 0).dts_us, 0);
    assert_int_equal(timeline_map(&tl, A, t0 + 23, 0).dts_us, 23 * MS);
    const struct timeline_stamp s = timeline_map(&tl, V, t0 + 4000, 66);
    assert_int_equal(s.dts_us, 4000 * MS);
    assert_int_equal(s.pts_us, 4066 * MS);
    assert_false(s.discontinuity);
}

static void a_track_from_before_the_first_frame(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    assert_int_equal(timeline_map(&tl, A, 5000, 0).dts_us, 0);
    for (uint32_t ms = 0; ms < 8000; ms += 40) {
        const struct timeline_stamp s = timeline_map(&tl, V, ms, 0);
        assert_int_equal(s.dts_us, ms < 5000 ? 0 : (ms - 5000) * MS);
        assert_false(s.discontinuity);
    }
}

static void wraps(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    int64_t v_us = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t raw = UINT32_MAX - 10000 + i * 33;
        const struct timeline_stamp s = timeline_map(&tl, V, raw, 0);
        assert_int_equal(s.dts_us, (int64_t)i * 33 * MS);
        assert_false(s.discontinuity);
        v_us = s.dts_us;
        /* Audio is on the other side of the wrap for a while. */
        const struct timeline_stamp a = timeline_map(&tl, A, raw - 400 + (i == 0 ? 400 : 0), 0);
        assert_true(v_us - a.dts_us <= 400 * MS);
        assert_false(a.discontinuity);
    }
}

static void small_steps_back_are_clamped(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    (void)timeline_map(&tl, V, 0, 0);
    assert_int_equal(timeline_map(&tl, V, 1500, 0).dts_us, 1500 * MS);
    const struct timeline_stamp s = timeline_map(&tl, V, 900, 700);
    assert_int_equal(s.dts_us, 1500 * MS);
    assert_int_equal(s.pts_us, 1600 * MS);
    assert_false(s.discontinuity);
    assert_int_equal(timeline_map(&tl, V, 1501, -5).pts_us, 1501 * MS);
}

/* Video jumps first; audio of the old time still comes; then audio jumps too: in sync again. */
static void jump_keeps_sync(int64_t by_ms)
{
    struct timeline tl;
    timeline_init(&tl, 0, false);
    const uint32_t t0 = 100000000;
    for (uint32_t ms = 0; ms < 2000; ms += 20) {
        (void)timeline_map(&tl, V, t0 + ms, 0);
        (void)timeline_map(&tl, A, t0 + ms, 0);
    }
    struct timeline_stamp s = timeline_map(&tl, V, (uint32_t)(t0 + 2000 + by_ms), 0);
    assert_true(s.discontinuity);
    assert_in_range(s.dts_us, 1981 * MS, 2100 * MS);
    const int64_t v_us = s.dts_us;
    s = timeline_map(&tl, A, t0 + 2000, 0);
    assert_false(s.discontinuity);
    assert_int_equal(s.dts_us, 2000 * MS);
    s = timeline_map(&tl, A, (uint32_t)(t0 + 2020 + by_ms), 0);
    assert_true(s.discontinuity);
    assert_int_equal(s.dts_us, v_us + 20 * MS);
    s = timeline_map(&tl, V, (uint32_t)(t0 + 2020 + by_ms), 0);
    assert_false(s.discontinuity);
    assert_int_equal(s.dts_us, v_us + 20 * MS);
}

static void jumps(void **state)
{
    (void)state;
    const int64_t by[] = {-5000, -90000, 20000, 3600000, -99000000, 2000000000};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) jump_keeps_sync(by[i]);
}

static void a_gap_is_no_jump(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    (void)timeline_map(&tl, V, 0, 0);
    const struct timeline_stamp s = timeline_map(&tl, V, 9000, 0);
    assert_false(s.discontinuity);
    assert_int_equal(s.dts_us, 9000 * MS);
}

static void next_source_goes_on(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 0, false);
    (void)timeline_map(&tl, V, 0, 0);
    (void)timeline_map(&tl, V, 40, 0);
    assert_int_equal(timeline_end_us(&tl), 80 * MS);
    timeline_init(&tl, timeline_end_us(&tl), true);
    struct timeline_stamp s = timeline_map(&tl, V, 777, 0);
    assert_true(s.discontinuity);
    assert_int_equal(s.dts_us, 80 * MS);
    assert_true(timeline_map(&tl, A, 780, 0).discontinuity);
    assert_false(timeline_map(&tl, A, 800, 0).discontinuity);
}

/* Whatever comes: dts never decreases within a track, pts is never before dts. */
static void random_timestamps(void **state)
{
    (void)state;
    struct timeline tl;
    timeline_init(&tl, 1000, false);
    uint64_t x = 42;
    int64_t last[2] = {0, 0};
    for (int i = 0; i < 200000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        const uint8_t track = x >> 63;
        const uint32_t ts = (x >> 20 & 7) ? (uint32_t)(x >> 32) >> 18 : (uint32_t)(x >> 30);
        const struct timeline_stamp s = timeline_map(&tl, track, ts, (int32_t)(x >> 40));
        assert_true(s.dts_us >= last[track]);
        assert_true(s.pts_us >= s.dts_us);
        last[track] = s.dts_us;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_late_and_keeps_the_offset),
        cmocka_unit_test(a_track_from_before_the_first_frame),
        cmocka_unit_test(wraps),
        cmocka_unit_test(small_steps_back_are_clamped),
        cmocka_unit_test(jumps),
        cmocka_unit_test(a_gap_is_no_jump),
        cmocka_unit_test(next_source_goes_on),
        cmocka_unit_test(random_timestamps),
    };
    return RUN_TESTS(tests);
}
