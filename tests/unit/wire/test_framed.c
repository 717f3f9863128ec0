/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/framed.h"

static void frames_come_out_however_they_come_in(void **state)
{
    static const char IN[] = "\0\3abc\0\0\0\1x\0\2yz";
    for (size_t step = 1; step <= sizeof IN - 1; step++) {
        struct framed f = {0};
        char got[16] = "";
        for (size_t at = 0; at < sizeof IN - 1; at += step) {
            struct span in = span_head(span_of(IN + at, sizeof IN - 1 - at), step);
            while (framed_next(&f, &in) == E_OK) {
                strncat(got, (const char *)f.bytes, f.len);
                strcat(got, " ");
            }
            assert_int_equal(in.len, 0);
        }
        assert_string_equal(got, "abc x yz ");
        assert_false(framed_partial(&f));
    }
}

static void a_frame_is_at_most_a_datagram(void **state)
{
    uint8_t in[FRAMED_HEAD + LIMIT_UDP_BYTES] = {0};
    struct framed f = {0};
    framed_head(in, LIMIT_UDP_BYTES);
    struct span s = span_of(in, sizeof in);
    assert_int_equal(framed_next(&f, &s), E_OK);
    assert_int_equal(f.len, LIMIT_UDP_BYTES);
    framed_head(in, LIMIT_UDP_BYTES + 1);
    s = span_of(in, 1);
    assert_int_equal(framed_next(&f, &s), E_MORE);
    assert_true(framed_partial(&f));
    s = span_of(in + 1, 1);
    assert_int_equal(framed_next(&f, &s), E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_however_they_come_in),
        cmocka_unit_test(a_frame_is_at_most_a_datagram),
    };
    return RUN_TESTS(tests);
}
