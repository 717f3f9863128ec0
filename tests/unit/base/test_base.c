/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"

static void reader_is_sticky(void **state)
{
    (void)state;
    struct rd r = rd_from(SPAN_LIT("\x01\x02\x03"));
    assert_int_equal(rd_u16be(&r), 0x0102);
    assert_int_equal(rd_u16be(&r), 0);
    assert_true(r.underflow);
    assert_int_equal(rd_u8(&r), 0);
}

static void writer_mirrors_reader(void **state)
{
    (void)state;
    uint8_t b[16];
    struct wr w = wr_to(b, sizeof b);
    wr_u24be(&w, 0x123456);
    wr_u32le(&w, 0xdeadbeef);
    wr_f64be(&w, 1.5);
    struct rd r = rd_from(wr_span(&w));
    assert_int_equal(rd_u24be(&r), 0x123456);
    assert_int_equal(rd_u32le(&r), 0xdeadbeef);
    assert_true(rd_f64be(&r) == 1.5);
    assert_false(r.underflow);
    wr_u32be(&w, 1);
    assert_true(w.overflow);
}

static void map_agrees_with_an_array(void **state)
{
    (void)state;
    struct map m = {0};
    static int values[500];
    bool in[500] = {false};
    char key[16];
    for (int i = 0; i < 20000; i++) {
        const size_t k = rand_u64() % 500;
        snprintf(key, sizeof key, "k%zu", k);
        if (rand_u64() & 1) {
            assert_ptr_equal(map_put(&m, span_str(key), &values[k]), in[k] ? &values[k] : NULL);
            in[k] = true;
        } else {
            assert_ptr_equal(map_del(&m, span_str(key)), in[k] ? &values[k] : NULL);
            in[k] = false;
        }
    }
    size_t n = 0, pos = 0;
    for (int i = 0; i < 500; i++) n += in[i];
    assert_int_equal(m.len, n);
    while (map_next(&m, &pos, NULL, NULL)) n--;
    assert_int_equal(n, 0);
    map_fini(&m);
}

static void spans(void **state)
{
    (void)state;
    struct span s = SPAN_LIT("a=b=c");
    assert_true(span_is(span_cut(&s, '='), "a"));
    assert_true(span_is(s, "b=c"));
    uint64_t n;
    assert_true(span_u64(SPAN_LIT("18446744073709551615"), UINT64_MAX, &n));
    assert_false(span_u64(SPAN_LIT("18446744073709551616"), UINT64_MAX, &n));
    assert_false(span_u64(SPAN_LIT("-1"), 10, &n));
    assert_false(span_u64(SPAN_LIT(""), 10, &n));
    char c[3];
    assert_false(span_cstr(SPAN_LIT("abc"), c, sizeof c));
    assert_false(span_cstr(SPAN_LIT("a\0"), c, sizeof c));
}

static void time_and_digests(void **state)
{
    (void)state;
    char t[CLOCK_ISO_LEN], hex[65];
    uint8_t d[SHA256_LEN];
    clock_iso(INT64_C(1767225600123456), t);
    assert_string_equal(t, "2026-01-01T00:00:00.123Z");
    hash_sha256(SPAN_LIT("abc"), d);
    hash_hex(span_of(d, sizeof d), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(hash_crc32(0, SPAN_LIT("123456789")), 0xcbf43926);
    char b64[16];
    hash_b64url(SPAN_LIT("ab\xff\xfe"), b64);
    assert_string_equal(b64, "YWL__g");
    hash_b64(SPAN_LIT("ab\xff\xfe"), b64);
    assert_string_equal(b64, "YWL//g==");
    hash_b64(SPAN_LIT("abc"), b64);
    assert_string_equal(b64, "YWJj");
    uint8_t back[8];
    size_t n;
    assert_true(hash_unb64(SPAN_LIT("aGk="), back, sizeof back, &n));
    assert_memory_equal(back, "hi", n);
    assert_int_equal(n, 2);
    assert_true(
        hash_unb64(SPAN_LIT("-_8"), back, sizeof back, &n)); /* the other alphabet, no padding */
    assert_memory_equal(back, "\xfb\xff", n);
    assert_true(hash_unb64(SPAN_LIT(""), back, sizeof back, &n) && n == 0);
    assert_false(hash_unb64(SPAN_LIT("a"), back, sizeof back, &n));
    assert_false(hash_unb64(SPAN_LIT("aGk=="), back, sizeof back, &n));
    assert_false(hash_unb64(SPAN_LIT("aG k"), back, sizeof back, &n));
    assert_false(hash_unb64(SPAN_LIT("aGlhaGk="), back, 4, &n)); /* 5 bytes */
}

static void uuids(void **state)
{
    char a[RAND_UUID_CAP], b[RAND_UUID_CAP];
    rand_uuid(a);
    rand_uuid(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuids),
        cmocka_unit_test(reader_is_sticky),
        cmocka_unit_test(writer_mirrors_reader),
        cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(spans),
        cmocka_unit_test(time_and_digests),
    };
    return RUN_TESTS(tests);
}
