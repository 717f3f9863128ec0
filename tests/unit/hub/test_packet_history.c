/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "hub/packet_history.h"

static struct packet_history h;

static void add(uint64_t seq, uint32_t ts, bool key, uint32_t len)
{
    struct lane_burst *b = lane_burst_new(1, len);
    b->at_us = (int64_t)seq;
    b->packets[0] = (struct lane_packet){.seq = seq, .ts = ts, .key = key, .len = len};
    packet_history_add(&h, b, 0);
    feed_msg_unref(&b->msg);
}

static bool has(uint64_t seq)
{
    const struct lane_burst *b;
    const struct lane_packet *p = packet_history_find(&h, seq, &b);
    if (p) assert_int_equal(p->seq, seq);
    return p;
}

static void reaches_back_to_the_key_frame(void **state)
{
    packet_history_init(&h, 16);
    assert_false(has(1) || packet_history_whole(&h));
    for (uint64_t s = 70000; s < 70100; s++) add(s, 1, false, 10);
    assert_true(has(70099) && has(70084) && !has(70083) && !packet_history_whole(&h));
    add(70100, 2, true, 10);
    add(70101, 2, true, 10); /* of the same key frame */
    for (uint64_t s = 70102; s < 73000; s++) add(s, 3, false, 10);
    assert_true(h.key == 70100 && h.key_us == 70100 && has(70100) && has(72999));
    assert_true(packet_history_whole(&h));
    add(73000, 4, true, 10); /* the next one: what is before it is not needed */
    assert_true(h.key == 73000 && has(72985) && !has(72984));
    packet_history_clear(&h);
    assert_false(has(73000));
}

static void holes_and_jumps(void **state)
{
    packet_history_init(&h, 16);
    add(100, 1, true, 10);
    for (uint64_t s = 102; s < 300; s++) add(s, 2, false, 10);
    assert_true(!packet_history_whole(&h) && !has(101));
    add(101, 1, true, 10); /* late */
    assert_true(packet_history_whole(&h) && has(101) && h.key == 100);
    add(302, 3, false, 10); /* what is missing among the newest is under way */
    assert_true(packet_history_whole(&h));
    add(99, 1, true, 10);
    assert_false(has(99)); /* before all that is kept */
    add(UINT64_C(1) << 40, 9, false, 10);
    assert_true(has(UINT64_C(1) << 40) && !has(302) && !h.key);
    add(5, 9, true, 10);
    assert_false(has(5));
    packet_history_clear(&h);
}

static void bounded(void **state)
{
    packet_history_init(&h, 16);
    add(1, 1, true, 10);
    for (uint64_t s = 2; s <= LIMIT_RTC_HISTORY_PACKETS; s++) add(s, 2, false, 10);
    assert_true(has(1) && h.key == 1);
    add(LIMIT_RTC_HISTORY_PACKETS + 1, 2, false, 10);
    assert_true(!has(1) && !h.key && !packet_history_whole(&h));
    packet_history_clear(&h);
    add(1, 1, true, 1000);
    for (uint64_t s = 2; s < 3000; s++) add(s, 2, false, LIMIT_RTC_HISTORY_BYTES / 2000);
    assert_true(h.bytes <= LIMIT_RTC_HISTORY_BYTES && !h.key && has(2999));
    for (uint64_t s = 3000; s < 3010; s++) add(s, 2, false, LIMIT_RTC_HISTORY_BYTES / 4);
    assert_true(h.bytes <= LIMIT_RTC_HISTORY_BYTES && has(3009) && !has(3000));
    packet_history_clear(&h);
    assert_int_equal(h.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_back_to_the_key_frame),
        cmocka_unit_test(holes_and_jumps),
        cmocka_unit_test(bounded),
    };
    return RUN_TESTS(tests);
}
