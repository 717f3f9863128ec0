/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/limits.h"
#include "base/str.h"
#include "engine/rtmp_dechunk.h"

/* One chunk: header and payload bytes of `fill`. */
static void chunk(struct str *s, struct rtmp_chunk_hdr h, size_t n, uint8_t fill)
{
    uint8_t b[RTMP_CHUNK_HDR_MAX];
    struct wr w = wr_to(b, sizeof b);
    rtmp_chunk_hdr_write(&w, &h);
    str_add(s, wr_span(&w));
    for (size_t i = 0; i < n; i++) str_addc(s, (char)fill);
}

static struct rtmp_chunk_hdr hdr(uint8_t fmt, uint32_t csid, uint32_t ts, uint32_t len)
{
    return (struct rtmp_chunk_hdr){.fmt = fmt,
                                   .csid = csid,
                                   .ts_ms = ts,
                                   .msg_len = len,
                                   .msg_type = RTMP_VIDEO,
                                   .msg_stream = 1};
}

/* The times of all messages in s, at once and byte by byte; ends with the error if any. */
static size_t times(struct str *s, uint32_t *out, size_t cap, enum err *err)
{
    size_t n[2] = {0, 0};
    enum err last[2];
    uint32_t got[2][64];
    for (int slow = 0; slow < 2; slow++) {
        struct rtmp_dechunk d;
        struct rtmp_msg m;
        rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
        last[slow] = E_MORE;
        for (size_t at = 0; at < s->len && last[slow] == E_MORE;) {
            const size_t step = slow ? 1 : s->len;
            uint8_t *copy = malloc(step);
            memcpy(copy, s->p + at, step);
            struct span in = {copy, step};
            at += step;
            while ((last[slow] = rtmp_dechunk_next(&d, &in, &m)) == E_OK) {
                assert_true(n[slow] < 64);
                got[slow][n[slow]++] = m.ts_ms;
            }
            free(copy);
        }
        rtmp_dechunk_fini(&d);
    }
    assert_int_equal(n[0], n[1]);
    assert_int_equal(last[0], last[1]);
    assert_memory_equal(got[0], got[1], n[0] * 4);
    assert_true(n[0] <= cap);
    memcpy(out, got[0], n[0] * 4);
    *err = last[0];
    str_fini(s);
    return n[0];
}

static void deltas_and_repeats(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1000, 3), 3, 'a');
    chunk(&s, hdr(3, 6, 0, 0), 3, 'b'); /* a new message: no delta after type 0 */
    chunk(&s, hdr(2, 6, 33, 0), 3, 'c');
    chunk(&s, hdr(3, 6, 0, 0), 3, 'd');          /* the delta again */
    chunk(&s, hdr(1, 6, 0xffffffff, 2), 2, 'e'); /* one back, as a delta */
    assert_int_equal(times(&s, t, 8, &e), 5);
    assert_int_equal(e, E_MORE);
    const uint32_t want[] = {1000, 1000, 1033, 1066, 1065};
    assert_memory_equal(t, want, sizeof want);
}

static void first_chunk_may_be_type_1_only(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(1, 6, 40, 1), 1, 'a');
    assert_int_equal(times(&s, t, 8, &e), 1);
    assert_int_equal(t[0], 40);
    chunk(&s, hdr(2, 6, 40, 0), 1, 'a');
    assert_int_equal(times(&s, t, 8, &e), 0);
    assert_int_equal(e, E_PROTO);
}

/* 300 bytes in chunks of 128, with and without the extended timestamp in the type 3 chunks. */
static void extended_timestamps_repeated_or_not(void **state)
{
    (void)state;
    static const uint32_t TIMES[] = {0xffffff, 0x1000000, 0xfffffff0};
    for (size_t i = 0; i < 3; i++) {
        for (int repeat = 0; repeat < 2; repeat++) {
            struct str s = {0};
            uint32_t t[8];
            enum err e;
            struct rtmp_chunk_hdr three = hdr(3, 6, TIMES[i], 0);
            three.ext = repeat;
            chunk(&s, hdr(0, 6, TIMES[i], 300), 128, 'a');
            chunk(&s, three, 128, 'a');
            chunk(&s, three, 44, 'a');
            chunk(&s, three, 128, 'b'); /* and a new message like it */
            chunk(&s, three, 128, 'b');
            chunk(&s, three, 44, 'b');
            chunk(&s, hdr(0, 4, 5, 1), 1, 'c'); /* still in step */
            assert_int_equal(times(&s, t, 8, &e), 3);
            assert_int_equal(t[0], TIMES[i]);
            assert_int_equal(t[1], TIMES[i]);
            assert_int_equal(t[2], 5);
        }
    }
}

/* Chunks of one and two bytes: what is looked at as a timestamp is other chunks. */
static void tiny_chunks_after_an_extended_timestamp(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    str_add(&s, SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x01"));
    chunk(&s, hdr(0, 6, 0x2000000, 6), 1, 'a');
    for (int i = 0; i < 5; i++) chunk(&s, hdr(3, 6, 0, 0), 1, 'a');
    chunk(&s, hdr(0, 4, 7, 1), 1, 'c');
    assert_int_equal(times(&s, t, 8, &e), 2);
    assert_int_equal(t[0], 0x2000000);
    assert_int_equal(t[1], 7);
}

static void extended_delta(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 100, 200), 128, 'a');
    chunk(&s, hdr(3, 6, 0, 0), 72, 'a');
    chunk(&s, hdr(1, 6, 0x1000000, 200), 128, 'b'); /* 4.6 hours later */
    struct rtmp_chunk_hdr three = hdr(3, 6, 0x1000000, 0);
    three.ext = true;
    chunk(&s, three, 72, 'b');
    three.ts_ms = 100 + 0x1000000; /* some repeat the absolute time */
    chunk(&s, hdr(1, 6, 0x1000000, 200), 128, 'b');
    three.ts_ms = 100 + 0x2000000;
    chunk(&s, three, 72, 'b');
    assert_int_equal(times(&s, t, 8, &e), 3);
    assert_int_equal(t[2], 100 + 0x2000000);
}

static void chunk_size_changes_between_messages(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1, 200), 128, 'a');
    /* in the middle of a message of another chunk stream */
    str_add(&s, SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x10\x00"));
    chunk(&s, hdr(3, 6, 0, 0), 72, 'a');
    chunk(&s, hdr(0, 6, 2, 4000), 4000, 'a');
    assert_int_equal(times(&s, t, 8, &e), 2);
    str_add(&s, SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00"));
    assert_int_equal(times(&s, t, 8, &e), 0);
    assert_int_equal(e, E_PROTO);
    str_add(&s, SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x7f\xff\xff\xff"));
    chunk(&s, hdr(0, 6, 2, 4000), 4000, 'a');
    assert_int_equal(times(&s, t, 8, &e), 1);
}

static void abort_frees_the_partial_message(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1, 200), 128, 'a');
    str_add(&s, SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x02\x00\x00\x00\x00\x00\x00\x00\x06"));
    chunk(&s, hdr(0, 6, 9, 4), 4, 'b');
    assert_int_equal(times(&s, t, 8, &e), 1);
    assert_int_equal(t[0], 9);
}

static void zero_length_messages(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1, 0), 0, 0);
    chunk(&s, hdr(2, 6, 1, 0), 0, 0);
    assert_int_equal(times(&s, t, 8, &e), 2);
}

static void giant_messages_and_many_streams_are_limits(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1, 0xffffff), 1, 'a');
    assert_int_equal(times(&s, t, 8, &e), 0);
    assert_int_equal(e, E_LIMIT);
    for (uint32_t i = 0; i < 65000; i++)
        chunk(&s, hdr(0, 3 + i, 1, LIMIT_RTMP_MESSAGE_BYTES), 128, 'a');
    assert_int_equal(times(&s, t, 8, &e), 0);
    assert_int_equal(e, E_LIMIT);
}

/* 60 streams that each declare 8 MB cost what was sent, not what was declared. */
static void memory_grows_with_what_was_received(void **state)
{
    (void)state;
    struct str s = {0};
    struct rtmp_dechunk d;
    struct rtmp_msg m;
    for (uint32_t i = 0; i < 60; i++)
        chunk(&s, hdr(0, 3 + i, 1, LIMIT_RTMP_MESSAGE_BYTES), 128, 'a');
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    struct span in = str_span(&s);
    assert_int_equal(rtmp_dechunk_next(&d, &in, &m), E_MORE);
    assert_true(d.partial_bytes <= 60 * 4096);
    /* and all of them together are bounded */
    enum err e = E_MORE;
    for (int round = 0; round < 100000 && e == E_MORE; round++) {
        s.len = 0;
        for (uint32_t i = 0; i < 60; i++) chunk(&s, hdr(3, 3 + i, 0, 0), 128, 'a');
        in = str_span(&s);
        e = rtmp_dechunk_next(&d, &in, &m);
        assert_true(d.partial_bytes <= LIMIT_RTMP_PARTIAL_BYTES);
    }
    assert_int_equal(e, E_LIMIT);
    rtmp_dechunk_fini(&d);
    str_fini(&s);
}

static void a_new_header_gives_the_old_message_up(void **state)
{
    (void)state;
    struct str s = {0};
    uint32_t t[8];
    enum err e;
    chunk(&s, hdr(0, 6, 1, 200), 128, 'a');
    chunk(&s, hdr(0, 6, 2, 3), 3, 'b');
    assert_int_equal(times(&s, t, 8, &e), 1);
    assert_int_equal(t[0], 2);
}

static void a_message_in_one_piece_is_not_copied(void **state)
{
    (void)state;
    struct str s = {0};
    struct rtmp_dechunk d;
    struct rtmp_msg m;
    chunk(&s, hdr(0, 6, 1, 100), 100, 'a');
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    struct span in = str_span(&s);
    assert_int_equal(rtmp_dechunk_next(&d, &in, &m), E_OK);
    assert_ptr_equal(m.body.p, s.p + 12);
    assert_int_equal(d.partial_bytes, 0);
    rtmp_dechunk_fini(&d);
    str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_and_repeats),
        cmocka_unit_test(first_chunk_may_be_type_1_only),
        cmocka_unit_test(extended_timestamps_repeated_or_not),
        cmocka_unit_test(tiny_chunks_after_an_extended_timestamp),
        cmocka_unit_test(extended_delta),
        cmocka_unit_test(chunk_size_changes_between_messages),
        cmocka_unit_test(abort_frees_the_partial_message),
        cmocka_unit_test(zero_length_messages),
        cmocka_unit_test(giant_messages_and_many_streams_are_limits),
        cmocka_unit_test(memory_grows_with_what_was_received),
        cmocka_unit_test(a_new_header_gives_the_old_message_up),
        cmocka_unit_test(a_message_in_one_piece_is_not_copied),
    };
    return RUN_TESTS(tests);
}
