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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strings_of_an_object)};
    return RUN_TESTS(tests);
}
