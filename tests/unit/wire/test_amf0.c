/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/limits.h"
#include "base/str.h"
#include "wire/amf0.h"

static void reads_a_connect(void **state)
{
    (void)state;
    struct span in = SPAN_LIT("\x02\x00\x07"
                              "connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00\x03\x00\x03"
                              "app\x02\x00\x04live\x00\x04"
                              "caps\x01\x01\x00\x00\x09");
    struct amf0_value v;
    assert_int_equal(amf0_read(&in, &v), E_OK);
    assert_true(span_is(v.string, "connect"));
    assert_int_equal(amf0_read(&in, &v), E_OK);
    assert_true(v.type == AMF0_NUMBER && v.number == 1);
    assert_int_equal(amf0_read(&in, &v), E_OK);
    assert_int_equal(in.len, 0);
    assert_true(span_is(amf0_get_string(&v, "app"), "live"));
    assert_int_equal(amf0_get_string(&v, "caps").len, 0);
    assert_true(amf0_get_number(&v, "caps", 7) == 7);
    struct amf0_value m;
    assert_true(amf0_get(&v, "caps", &m) && m.type == AMF0_BOOLEAN && m.boolean);
    assert_false(amf0_get(&v, "tcUrl", &m));
}

static void every_prefix_wants_more(void **state)
{
    (void)state;
    uint8_t b[512];
    struct wr w = wr_to(b, sizeof b);
    amf0_ecma_begin(&w, 3);
    amf0_pair_number(&w, "width", 1280);
    amf0_key(&w, "list");
    amf0_strict_begin(&w, 2);
    amf0_put_string(&w, SPAN_LIT("avc1"));
    amf0_object_begin(&w);
    amf0_pair_boolean(&w, "x", true);
    amf0_object_end(&w);
    amf0_pair_string(&w, "encoder", "test");
    amf0_object_end(&w);
    assert_false(w.overflow);
    struct amf0_value v;
    for (size_t n = 0; n < wr_used(&w); n++) {
        struct span in = span_of(b, n);
        assert_int_equal(amf0_read(&in, &v), E_MORE);
        assert_int_equal(in.len, n);
    }
    struct span in = wr_span(&w);
    assert_int_equal(amf0_read(&in, &v), E_OK);
    assert_int_equal(v.type, AMF0_ECMA_ARRAY);
    assert_true(amf0_get_number(&v, "width", 0) == 1280);
    struct amf0_value list, m;
    assert_true(amf0_get(&v, "list", &list));
    struct span at = list.body, name;
    assert_true(amf0_next(&list, &at, &name, &m) && span_is(m.string, "avc1"));
    assert_true(amf0_next(&list, &at, &name, &m) && m.type == AMF0_OBJECT);
    assert_false(amf0_next(&list, &at, &name, &m));
    assert_true(span_is(amf0_get_string(&v, "encoder"), "test"));
}

static void nested_a_thousand_deep_is_a_limit(void **state)
{
    (void)state;
    struct str s = {0};
    for (int i = 0; i < 1000; i++) str_add(&s, SPAN_LIT("\x03\x00\x01k"));
    str_add(&s, SPAN_LIT("\x05"));
    for (int i = 0; i < 1000; i++) str_add(&s, SPAN_LIT("\x00\x00\x09"));
    struct span in = str_span(&s);
    struct amf0_value v;
    assert_int_equal(amf0_read(&in, &v), E_LIMIT);
    s.len = 0;
    for (int i = 0; i < 1000; i++) str_add(&s, SPAN_LIT("\x0a\x00\x00\x00\x01"));
    in = str_span(&s);
    assert_int_equal(amf0_read(&in, &v), E_LIMIT);
    str_fini(&s);
}

static void depth_up_to_the_limit_is_fine(void **state)
{
    (void)state;
    struct str s = {0};
    for (int i = 0; i < LIMIT_AMF_DEPTH; i++) str_add(&s, SPAN_LIT("\x03\x00\x01k"));
    str_add(&s, SPAN_LIT("\x05"));
    for (int i = 0; i < LIMIT_AMF_DEPTH; i++) str_add(&s, SPAN_LIT("\x00\x00\x09"));
    struct span in = str_span(&s);
    struct amf0_value v;
    assert_int_equal(amf0_read(&in, &v), E_OK);
    str_fini(&s);
}

static void too_many_values_is_a_limit(void **state)
{
    (void)state;
    struct str s = {0};
    str_add(&s, SPAN_LIT("\x0a\xff\xff\xff\xff"));
    for (int i = 0; i < LIMIT_AMF_NODES + 10; i++) str_add(&s, SPAN_LIT("\x05"));
    struct span in = str_span(&s);
    struct amf0_value v;
    assert_int_equal(amf0_read(&in, &v), E_LIMIT);
    str_fini(&s);
}

static void refuses_what_it_must(void **state)
{
    (void)state;
    static const struct {
        struct span in;
        enum err want;
    } CASES[] = {
        {SPAN_LIT("\x11\x0a"), E_UNSUPPORTED}, /* AMF3 */
        {SPAN_LIT("\x04\x00"), E_UNSUPPORTED}, /* movie clip */
        {SPAN_LIT("\x09"), E_PROTO},           /* an end that ends nothing */
        {SPAN_LIT("\xff"), E_PROTO},           {SPAN_LIT("\x0c\xff\xff\xff\xff"), E_MORE},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct span in = CASES[i].in;
        struct amf0_value v;
        assert_int_equal(amf0_read(&in, &v), CASES[i].want);
        assert_ptr_equal(in.p, CASES[i].in.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_connect),
        cmocka_unit_test(every_prefix_wants_more),
        cmocka_unit_test(nested_a_thousand_deep_is_a_limit),
        cmocka_unit_test(depth_up_to_the_limit_is_fine),
        cmocka_unit_test(too_many_values_is_a_limit),
        cmocka_unit_test(refuses_what_it_must),
    };
    return RUN_TESTS(tests);
}
