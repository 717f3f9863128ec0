/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/rtmp_chunk.h"

static void parses_set_chunk_size_of_obs(void **state)
{
    (void)state;
    const struct span in =
        SPAN_LIT("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x10\x00");
    struct rtmp_chunk_hdr h;
    assert_int_equal(rtmp_chunk_hdr_parse(in, &h), E_OK);
    assert_int_equal(h.fmt, 0);
    assert_int_equal(h.csid, 2);
    assert_int_equal(h.msg_type, RTMP_SET_CHUNK_SIZE);
    assert_int_equal(h.msg_len, 4);
    assert_int_equal(h.size, 12);
}

static void round_trips(void **state)
{
    (void)state;
    static const uint32_t CSIDS[] = {2, 3, 63, 64, 65, 319, 320, 321, 4096, 65598, 65599};
    static const uint32_t TIMES[] = {0, 1, 0xfffffe, 0xffffff, 0x1000000, 0xffffffff};
    for (unsigned fmt = 0; fmt <= 2; fmt++) {
        for (size_t c = 0; c < 11; c++) {
            for (size_t t = 0; t < 6; t++) {
                const struct rtmp_chunk_hdr in = {
                    .fmt = (uint8_t)fmt,
                    .csid = CSIDS[c],
                    .ts_ms = TIMES[t],
                    .msg_len = fmt <= 1 ? 0x123456 : 0,
                    .msg_type = fmt <= 1 ? 9 : 0,
                    .msg_stream = fmt == 0 ? 0x01020304 : 0,
                };
                uint8_t b[RTMP_CHUNK_HDR_MAX];
                struct wr w = wr_to(b, sizeof b);
                rtmp_chunk_hdr_write(&w, &in);
                assert_false(w.overflow);
                struct rtmp_chunk_hdr out;
                for (size_t n = 0; n < wr_used(&w); n++) {
                    assert_int_equal(rtmp_chunk_hdr_parse(span_of(b, n), &out), E_MORE);
                }
                assert_int_equal(rtmp_chunk_hdr_parse(wr_span(&w), &out), E_OK);
                assert_int_equal(out.size, wr_used(&w));
                assert_int_equal(out.csid, in.csid);
                assert_int_equal(out.ts_ms, in.ts_ms);
                assert_int_equal(out.ext, in.ts_ms >= RTMP_TS_EXT);
                assert_int_equal(out.msg_len, in.msg_len);
                assert_int_equal(out.msg_stream, in.msg_stream);
            }
        }
    }
}

static void type_3_repeats_the_extended_timestamp_when_told(void **state)
{
    (void)state;
    uint8_t b[8];
    struct wr w = wr_to(b, sizeof b);
    rtmp_chunk_hdr_write(
        &w, &(struct rtmp_chunk_hdr){.fmt = 3, .csid = 6, .ext = true, .ts_ms = 0x01020304});
    assert_memory_equal(b, "\xc6\x01\x02\x03\x04", 5);
    struct rtmp_chunk_hdr h;
    assert_int_equal(rtmp_chunk_hdr_parse(wr_span(&w), &h), E_OK);
    assert_int_equal(h.size, 1); /* it is for the dechunker to look at the rest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_set_chunk_size_of_obs),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(type_3_repeats_the_extended_timestamp_when_told),
    };
    return RUN_TESTS(tests);
}
