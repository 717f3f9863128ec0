/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "engine/rtc_arrivals.h"
#include "engine/rtc_in.h"
#include "engine/rtc_order.h"

static struct rtc_in in;
static uint64_t ext;

static enum rtc_in_news got(uint16_t seq, int64_t now)
{
    return rtc_in_packet(&in, seq, (uint32_t)(now * 9 / 100), now, &ext);
}

static void asks_for_what_is_missing(void **state)
{
    uint16_t seqs[16];
    bool gave_up;
    rtc_in_init(&in, 7, 90000);
    assert_int_equal(got(65533, 0), RTC_IN_NEXT);
    assert_int_equal(got(2, 1000), RTC_IN_NEXT); /* 65534, 65535, 0, 1 are missing */
    assert_int_equal(rtc_in_nacks(&in, 1000, seqs, 16, &gave_up), 0); /* perhaps only late */
    assert_int_equal(got(0, 1500), RTC_IN_FOUND);
    assert_int_equal(rtc_in_nacks(&in, rtc_in_deadline_us(&in), seqs, 16, &gave_up), 3);
    assert_true(seqs[0] == 65534 && seqs[1] == 65535 && seqs[2] == 1);
    assert_int_equal(rtc_in_nacks(&in, 6000, seqs, 16, &gave_up), 0);
    assert_int_equal(got(65535, 7000), RTC_IN_FOUND);
    assert_int_equal(got(65535, 7000), RTC_IN_STALE);
    assert_int_equal(got(2, 7000), RTC_IN_STALE);
    for (int i = 1; i < RTC_IN_TRIES; i++)
        assert_int_equal(rtc_in_nacks(&in, i * 100000, seqs, 16, &gave_up), 2);
    assert_int_equal(rtc_in_nacks(&in, 5000000, seqs, 16, &gave_up), 0);
    assert_true(gave_up && rtc_in_deadline_us(&in) == INT64_MAX);
    assert_int_equal(got(1, 5000000), RTC_IN_STALE);
}

static void jumps_begin_anew(void **state)
{
    rtc_in_init(&in, 7, 90000);
    assert_int_equal(got(100, 0), RTC_IN_NEXT);
    const uint64_t before = ext;
    assert_int_equal(got(5000, 0), RTC_IN_RESET);
    assert_true(ext > before && in.n_missing == 0);
    assert_int_equal(got(5001 + 300, 0), RTC_IN_RESET); /* more than the list holds */
    assert_int_equal(got(3000, 0), RTC_IN_RESET);       /* far back */
    assert_true((uint16_t)ext == 3000);
}

static void numbers_go_on_over_many_wraps(void **state)
{
    rtc_in_init(&in, 7, 90000);
    uint64_t last = 0;
    for (uint32_t i = 0; i < 400000; i++) {
        assert_int_equal(got((uint16_t)i, i), RTC_IN_NEXT);
        assert_true(i == 0 || ext == last + 1);
        last = ext;
    }
    assert_int_equal(rtc_in_report(&in, 0).highest_seq, 399999);
}

static void reports(void **state)
{
    rtc_in_init(&in, 7, 90000);
    for (uint16_t i = 0; i < 100; i++)
        if (i % 4 != 1) (void)got(i, i * 10000);
    const struct rtcp_sr sr = {.ntp = UINT64_C(0x0000000580000000), .rtp_ts = 90000};
    rtc_in_sr(&in, &sr, 1000000);
    struct rtcp_report r = rtc_in_report(&in, 1500000);
    assert_true(r.ssrc == 7 && r.lost == 25 && r.fraction_lost == 63 && r.highest_seq == 99);
    assert_true(r.last_sr == 0x00058000 && r.delay == 32768 && r.jitter == 0);
    r = rtc_in_report(&in, 1500000);
    assert_true(r.lost == 25 && r.fraction_lost == 0);
    int64_t us = 0;
    assert_true(rtc_in_ntp_us(&in, 90000 - 45000, &us) && us == 5000000);
}

static void jitter_of_a_steady_and_an_unsteady_line(void **state)
{
    rtc_in_init(&in, 7, 90000);
    for (uint32_t i = 0; i < 1000; i++)
        (void)rtc_in_packet(&in, (uint16_t)i, 0xffff0000u + i * 900, i * 10000 + i % 2 * 5000,
                            &ext);
    assert_in_range(rtc_in_report(&in, 0).jitter, 440, 452); /* 5 ms */
}

static void arrivals_are_told_once_late_ones_too(void **state)
{
    static struct rtc_arrivals a;
    static struct twcc t;
    assert_false(rtc_arrivals_take(&a, 1, &t));
    rtc_arrivals_add(&a, 65534, 1000);
    rtc_arrivals_add(&a, 1, 2000);
    assert_true(rtc_arrivals_take(&a, 1, &t));
    assert_true(t.base == 65534 && t.n == 4 && t.count == 0);
    assert_true(t.at_us[0] == 1000 && t.at_us[1] == TWCC_NOT_COME && t.at_us[3] == 2000);
    assert_false(rtc_arrivals_take(&a, 1, &t));
    rtc_arrivals_add(&a, 0, 3000);
    assert_true(rtc_arrivals_take(&a, 1, &t));
    assert_true(t.base == 0 && t.n == 2 && t.count == 1 && t.at_us[0] == 3000);
    for (uint32_t i = 2; i < 2000; i++) rtc_arrivals_add(&a, (uint16_t)i, 4000);
    assert_true(rtc_arrivals_take(&a, 1, &t));
    assert_int_equal(t.n, TWCC_MAX);
    rtc_arrivals_add(&a, 40000, 5000); /* far away: anew */
    assert_true(rtc_arrivals_take(&a, 1, &t) && t.base == 40000 && t.n == 1);
}

/* --- order --- */

static struct rtc_order *order;

/* VP8: one payload; `first` begins a frame. */
static void add(uint64_t seq, uint32_t ts, bool first, bool marker, bool key, int64_t now)
{
    const uint8_t p[3] = {first ? 0x10 : 0, key ? 0 : 1, (uint8_t)seq};
    rtc_order_add(order, seq, ts, marker, span_of(p, 3), now);
}

static enum err next(int64_t now, uint32_t ts, size_t len, bool lost)
{
    struct rtc_frame f;
    const enum err e = rtc_order_next(order, now, &f);
    if (e != E_OK) return e;
    assert_true(f.ts == ts && f.data->len == len && f.lost == lost);
    buf_unref(f.data);
    return E_OK;
}

static void frames_come_whole_and_in_order(void **state)
{
    order = rtc_order_new(RTP_VP8);
    add(100, 1, true, false, true, 0);
    add(102, 2, true, true, false, 0);
    assert_int_equal(next(0, 0, 0, false), E_MORE);
    add(101, 1, false, true, false, 0);
    assert_int_equal(next(0, 1, 4, false), E_OK);
    assert_int_equal(next(0, 2, 2, false), E_OK);
    assert_int_equal(next(0, 0, 0, false), E_MORE);
    rtc_order_add(order, 103, 2, false, SPAN_NULL, 0); /* padding */
    add(104, 3, true, false, false, 0);
    add(104, 3, true, false, false, 0);
    add(105, 4, true, true, false, 0); /* the marker of 104 is missing: the time changes */
    assert_int_equal(next(0, 3, 2, false), E_OK);
    assert_int_equal(next(0, 4, 2, false), E_OK);
    assert_false(rtc_order_wants_key(order));
    rtc_order_free(order);
}

static void loss_waits_then_goes_on_with_a_key_frame(void **state)
{
    order = rtc_order_new(RTP_VP8);
    add(100, 1, true, true, true, 0);
    assert_int_equal(next(0, 1, 2, false), E_OK);
    add(102, 3, true, true, false, 10); /* 101 is lost */
    add(103, 4, true, true, false, 10);
    assert_int_equal(next(10, 0, 0, false), E_MORE);
    assert_int_equal(next(RTC_ORDER_WAIT_US, 0, 0, false), E_MORE);
    assert_false(rtc_order_wants_key(order));
    assert_int_equal(next(RTC_ORDER_WAIT_US + 10, 0, 0, false), E_MORE);
    assert_true(rtc_order_wants_key(order));
    assert_false(rtc_order_wants_key(order));
    add(104, 5, true, true, false, 500000);
    add(105, 6, true, true, true, 500000);
    assert_int_equal(next(500000, 6, 2, true), E_OK);
    add(105 + 3 * RTC_ORDER_PACKETS, 9, true, true, true, 500000); /* far ahead */
    assert_int_equal(next(500000, 0, 0, false), E_MORE);
    assert_int_equal(next(1000000, 9, 2, true), E_OK);
    rtc_order_free(order);
}

static void begins_with_a_key_frame(void **state)
{
    order = rtc_order_new(RTP_VP8);
    add(100, 1, true, true, false, 0);
    assert_int_equal(next(0, 0, 0, false), E_MORE);
    assert_true(rtc_order_wants_key(order));
    add(101, 2, true, true, true, 0);
    assert_int_equal(next(0, 2, 2, true), E_OK);
    rtc_order_free(order);
}

/* Every tenth packet of a sound that is sent fifty times a second never comes: what comes is never
 * later than one wait. */
static void losses_are_not_waited_for_in_turn(void **state)
{
    const int64_t step = 20000;
    struct rtc_frame f;
    uint32_t last = 0;
    order = rtc_order_new(RTP_OPUS);
    for (uint32_t i = 1; i <= 1000; i++) {
        const uint8_t p[3] = {0xfc, 1, 2};
        const int64_t now = i * step;
        if (i % 10) rtc_order_add(order, i, i, false, span_of(p, sizeof p), now);
        while (rtc_order_next(order, now, &f) == E_OK) {
            last = f.ts;
            buf_unref(f.data);
        }
        assert_true((i - last) * step <= RTC_ORDER_WAIT_US + 2 * step);
    }
    rtc_order_free(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_what_is_missing),
        cmocka_unit_test(jumps_begin_anew),
        cmocka_unit_test(numbers_go_on_over_many_wraps),
        cmocka_unit_test(reports),
        cmocka_unit_test(jitter_of_a_steady_and_an_unsteady_line),
        cmocka_unit_test(arrivals_are_told_once_late_ones_too),
        cmocka_unit_test(frames_come_whole_and_in_order),
        cmocka_unit_test(loss_waits_then_goes_on_with_a_key_frame),
        cmocka_unit_test(begins_with_a_key_frame),
        cmocka_unit_test(losses_are_not_waited_for_in_turn),
    };
    return RUN_TESTS(tests);
}
