/* SPDX-License-Identifier: MIT */
#include "base/totp.h"
#include "test.h"

/* RFC 4226, appendix D. */
static void the_codes_of_rfc_4226(void **state)
{
    (void)state;
    static const char *const CODES[] = {"755224", "287082", "359152", "969429", "338314",
                                        "254676", "287922", "162583", "399871", "520489"};
    char out[9];
    for (uint64_t i = 0; i < 10; i++) {
        totp_code(SPAN_LIT("12345678901234567890"), i, 6, out);
        assert_string_equal(out, CODES[i]);
    }
}

/* RFC 6238, appendix B, the lines of SHA-1. */
static void the_codes_of_rfc_6238(void **state)
{
    (void)state;
    static const struct {
        uint64_t at;
        const char *code;
    } CASES[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                 {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
    char out[9];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        totp_code(SPAN_LIT("12345678901234567890"), CASES[i].at / TOTP_STEP_S, 8, out);
        assert_string_equal(out, CASES[i].code);
    }
}

static void one_step_either_side_and_none_twice(void **state)
{
    (void)state;
    const struct span key = SPAN_LIT("12345678901234567890");
    char code[7];
    uint64_t step = 0;
    for (uint64_t s = 100; s <= 104; s++) {
        totp_code(key, s, 6, code);
        const bool near = s >= 101 && s <= 103;
        assert_int_equal(totp_find(key, span_str(code), 102 * 30 + 29, 0, &step), near);
        if (near) assert_int_equal(step, s);
    }
    totp_code(key, 102, 6, code);
    assert_false(totp_find(key, span_str(code), 102 * 30, 102, &step));
    assert_false(totp_find(key, span_str(code), 102 * 30, 103, &step));
    assert_true(totp_find(key, span_str(code), 102 * 30, 101, &step));
    assert_false(totp_find(key, SPAN_LIT(""), 102 * 30, 0, &step));
    assert_false(totp_find(key, SPAN_LIT("0"), 0, 0, &step));
    assert_false(totp_find(key, SPAN_LIT("00000000000000000000000000"), 3000, 0, &step));
}

/* RFC 4648, section 10. */
static void base32_as_in_rfc_4648(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};
    char text[32];
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct span in = span_str(CASES[i][0]);
        base32_text(in, text);
        assert_string_equal(text, CASES[i][1]);
        assert_true(base32_bytes(span_str(text), bytes, in.len));
        assert_memory_equal(bytes, in.p, in.len);
    }
    assert_true(base32_bytes(SPAN_LIT("mzxw6"), bytes, 3));
    assert_false(base32_bytes(SPAN_LIT("MZXW1"), bytes, 3));
    assert_false(base32_bytes(SPAN_LIT("MZXW6"), bytes, 4));
    assert_false(base32_bytes(span_of("MZX\0006", 5), bytes, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_of_rfc_4226),
        cmocka_unit_test(the_codes_of_rfc_6238),
        cmocka_unit_test(one_step_either_side_and_none_twice),
        cmocka_unit_test(base32_as_in_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
