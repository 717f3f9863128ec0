/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/json_flat.h"

static void strings_of_an_object(void **state)
{
    static const struct {
        const char *text, *want;
        enum err e;
    } T[] = {
        {"{\"encodingId\":\"h\"}", "h", E_OK},
        {" { \"mediaId\" : \"0\" ,\n\"encodingId\" : \"m\" } ", "m", E_OK},
        {"{\"a\":[1,{\"encodingId\":\"x\"}],\"encodingId\":\"y\",\"b\":true}", "y", E_OK},
        {"{\"a\":\"\\\"}\",\"encodingId\":\"\"}", "", E_OK},
        {"{}", NULL, E_NOTFOUND},
        {"{\"encodingId\":null}", NULL, E_NOTFOUND},
        {"{\"encodingid\":\"h\"}", NULL, E_NOTFOUND},
        {"{\"encodingId\":1}", NULL, E_PROTO},
        {"{\"encodingId\":\"\\u0041\"}", NULL, E_PROTO},
        {"{\"encodingId\":{}}", NULL, E_PROTO},
        {"", NULL, E_PROTO},
        {"[]", NULL, E_PROTO},
        {"\"h\"", NULL, E_PROTO},
        {"{\"encodingId\":\"h\"", NULL, E_PROTO},
        {"{\"encodingId\":\"h\",}", NULL, E_PROTO},
        {"{\"encodingId\"}", NULL, E_PROTO},
        {"{\"encodingId\":}", NULL, E_PROTO},
        {"{\"encodingId\":\"h\"}x", NULL, E_PROTO},
        {"{\"encodingId\":\"h", NULL, E_PROTO},
        {"{\"encodingId\":\"h\\", NULL, E_PROTO},
        {"{\"a\":[[[[[[[[[1]]]]]]]]]}", NULL, E_PROTO},
        {"{\"a\":[}", NULL, E_PROTO},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct span v = SPAN_NULL;
        const enum err e = json_flat_string(span_str(T[i].text), "encodingId", &v);
        if (e != T[i].e || (T[i].want && !span_is(v, T[i].want))) fail_msg("%s: %d", T[i].text, e);
    }
}

static void escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
        enum err e;
    } T[] = {
        {"{\"k\":\"\"}", "", E_OK},
        {"{\"k\":\"a\\\"}]\\\\b\\n\"}", "a\"}]\\b\n", E_OK},
        {"{\"k\":\"\\u00e9\\ud83d\\ude00\"}", "\xc3\xa9\xf0\x9f\x98\x80", E_OK},
        {"{\"k\":\"\\u20AC\"}", "\xe2\x82\xac", E_OK},
        {"{\"k\":\"\\u0000\"}", NULL, E_PROTO},
        {"{\"k\":\"\\ud83d\"}", NULL, E_PROTO},
        {"{\"k\":\"\\ude00\"}", NULL, E_PROTO},
        {"{\"k\":\"\\ud83d\\u0041\"}", NULL, E_PROTO},
        {"{\"k\":\"\\x41\"}", NULL, E_PROTO},
        {"{\"k\":\"\\u00e\"}", NULL, E_PROTO},
        {"{\"k\":[]}", NULL, E_PROTO},
        {"{\"j\":\"\"}", NULL, E_NOTFOUND},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct str s = {0};
        const enum err e = json_flat_text(span_str(T[i].text), "k", &s);
        if (e != T[i].e || (T[i].want && strcmp(str_c(&s), T[i].want) != 0))
            fail_msg("%s: %d \"%s\"", T[i].text, e, str_c(&s));
        str_fini(&s);
    }
}

static void lists(void **state)
{
    (void)state;
    struct span list, object;
    const char *text = "{\"x\":\"[\",\"k\":[{\"a\":\"}\"}, {\"b\":[1]}]}";
    assert_int_equal(json_flat_list(span_str(text), "k", &list), E_OK);
    assert_int_equal(json_flat_next(&list, &object), E_OK);
    assert_true(span_is(object, "{\"a\":\"}\"}"));
    assert_int_equal(json_flat_next(&list, &object), E_OK);
    assert_true(span_is(object, "{\"b\":[1]}"));
    assert_int_equal(json_flat_next(&list, &object), E_NOTFOUND);
    assert_int_equal(json_flat_list(span_str("{\"k\":{}}"), "k", &list), E_PROTO);
    assert_int_equal(json_flat_list(span_str("{}"), "k", &list), E_NOTFOUND);
    assert_int_equal(json_flat_list(span_str("{\"k\":[1]}"), "k", &list), E_OK);
    assert_int_equal(json_flat_next(&list, &object), E_PROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strings_of_an_object),
                                       cmocka_unit_test(escapes), cmocka_unit_test(lists)};
    return RUN_TESTS(tests);
}
