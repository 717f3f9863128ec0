/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "engine/rtc_rewrite.h"

#define VIDEO 90000

static struct rtc_rewrite r;

/* Sends a packet; its number, and its timestamp in *ts. */
static uint64_t send(uint64_t seq, uint32_t *ts, int64_t now)
{
    uint64_t n = 0;
    const struct rtc_span *s = rtc_rewrite_now(&r);
    assert_non_null(s);
    assert_true(rtc_span_number(s, seq, &n));
    *ts = rtc_span_ts(s, *ts);
    rtc_rewrite_sent(&r, n, *ts, now);
    return n;
}

static void first_span_keeps_timestamps(void **state)
{
    uint32_t ts = 4000000000u;
    uint64_t n;
    rtc_rewrite_init(&r, 1000);
    assert_null(rtc_rewrite_now(&r));
    rtc_rewrite_begin(
        &r, &(struct rtc_begin){.seq = 70000, .ts = ts, .live_ts = ts, .clock = VIDEO}, 0);
    assert_int_equal(send(70000, &ts, 0), 1000);
    assert_true(ts == 4000000000u);
    ts += 3000;
    assert_int_equal(send(70003, &ts, 33333), 1003); /* two are missing and have their numbers */
    assert_false(rtc_span_number(rtc_rewrite_now(&r), 69999, &n));
    assert_int_equal(r.next, 1004);
}

static void another_layer_goes_on_by_the_reports(void **state)
{
    uint32_t ts = 90000;
    rtc_rewrite_init(&r, 65530);
    rtc_rewrite_begin(&r, &(struct rtc_begin){.seq = 100, .ts = ts, .live_ts = ts, .clock = VIDEO},
                      0);
    for (uint64_t s = 100; s < 110; s++, ts += 3000) {
        uint32_t t = ts;
        send(s, &t, 0);
    }
    /* the other layer's clock is 500000 ahead of this one's, modulo 2^32 */
    uint32_t other = 90000 + 10 * 3000 + 500000;
    rtc_rewrite_begin(&r,
                      &(struct rtc_begin){.layer = 2,
                                          .seq = 5,
                                          .ts = other,
                                          .live_ts = other,
                                          .same_clock = true,
                                          .convert = (uint32_t)-500000,
                                          .clock = VIDEO},
                      0);
    assert_int_equal(send(5, &other, 0), 65540); /* behind the last, across the wrap */
    assert_int_equal(other, 90000 + 10 * 3000);
    assert_int_equal(rtc_rewrite_find(&r, 65539)->layer, 0);
    assert_int_equal(rtc_rewrite_find(&r, 65540)->layer, 2);
    assert_null(rtc_rewrite_find(&r, 65541));
    assert_null(rtc_rewrite_find(&r, 65529));
    rtc_rewrite_forget(&r);
    assert_null(rtc_rewrite_find(&r, 65540));
}

/* The picture was sent already, of the other layer: this one comes a little later. When the next
 * span begins, the little is not there any more. */
static void timestamps_rise_always(void **state)
{
    uint32_t ts = 0xffffff00u;
    rtc_rewrite_init(&r, 1);
    rtc_rewrite_begin(&r, &(struct rtc_begin){.seq = 1, .ts = ts, .live_ts = ts, .clock = VIDEO},
                      0);
    send(1, &ts, 0);
    uint32_t again = 0xffffff00u;
    struct rtc_begin b = {.layer = 1, .seq = 9, .ts = again, .live_ts = again, .same_clock = true};
    b.clock = VIDEO;
    rtc_rewrite_begin(&r, &b, 0);
    send(9, &again, 0);
    assert_int_equal((int32_t)(again - ts), VIDEO / 1000);
    uint32_t later = ts + 30000;
    b = (struct rtc_begin){.layer = 0, .seq = 3, .ts = later, .live_ts = later, .same_clock = true};
    b.clock = VIDEO;
    rtc_rewrite_begin(&r, &b, 0);
    send(3, &later, 0);
    assert_int_equal(later - ts, 30000);
}

static void another_publisher_goes_on_by_the_clock(void **state)
{
    uint32_t ts = 1000, other = 77;
    rtc_rewrite_init(&r, 1);
    rtc_rewrite_begin(&r, &(struct rtc_begin){.seq = 1, .ts = ts, .live_ts = ts, .clock = 48000},
                      0);
    send(1, &ts, 5 * US_PER_SEC);
    rtc_rewrite_begin(&r,
                      &(struct rtc_begin){.seq = 1, .ts = other, .live_ts = other, .clock = 48000},
                      7 * US_PER_SEC);
    send(1, &other, 7 * US_PER_SEC);
    assert_int_equal(other - ts, 2 * 48000);
}

/* Ten seconds of pictures end at the live one, take a sixty-fourth of the time, and stay apart;
 * asked for again they are the same. */
static void catching_up_is_quick(void **state)
{
    const uint32_t first = 0xfffffff0u, live = first + 300 * 3000;
    uint32_t before = 0;
    rtc_rewrite_init(&r, 1);
    rtc_rewrite_begin(
        &r, &(struct rtc_begin){.seq = 1, .ts = first, .live_ts = live, .clock = VIDEO}, 0);
    for (unsigned i = 0; i <= 310; i++) {
        uint32_t ts = first + i * 3000, once_more = ts;
        send(1 + i, &ts, 0);
        assert_int_equal(rtc_span_ts(rtc_rewrite_find(&r, 1 + i), once_more), ts);
        if (i) assert_true((int32_t)(ts - before) >= 46 && (int32_t)(ts - before) <= 3000);
        if (i == 0) assert_int_equal(live - ts, 300 * 3000 / RTC_REWRITE_SQUEEZE);
        if (i >= 300) assert_int_equal(ts, once_more);
        before = ts;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_span_keeps_timestamps),
        cmocka_unit_test(another_layer_goes_on_by_the_reports),
        cmocka_unit_test(timestamps_rise_always),
        cmocka_unit_test(another_publisher_goes_on_by_the_clock),
        cmocka_unit_test(catching_up_is_quick),
    };
    return RUN_TESTS(tests);
}
