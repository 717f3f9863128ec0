/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "video/grant.h"
#include <stdio.h>

static const struct secret SECRET = {.master = {1, 2, 3}};

static void good_and_wrong(void **state)
{
    char g[GRANT_CAP], text[GRANT_CAP];
    (void)state;
    grant_init(&SECRET);
    grant_write(GRANT_WATCH, "stream1", 7, 1000, g);
    assert_true(grant_is(GRANT_WATCH, span_str(g)));
    assert_int_equal(grant_check(GRANT_WATCH, span_str(g), "stream1", 7, 999), E_OK);
    assert_int_equal(grant_check(GRANT_WATCH, span_str(g), "stream1", 7, 1000), E_TIMEOUT);
    assert_int_equal(grant_check(GRANT_WATCH, span_str(g), "stream1", 8, 999), E_AUTH);
    assert_int_equal(grant_check(GRANT_WATCH, span_str(g), "stream2", 7, 999), E_AUTH);
    assert_int_equal(grant_check(GRANT_ENTRY, span_str(g), "stream1", 7, 999), E_AUTH);
    /* Each character of it counts, and there is no other spelling. */
    for (size_t i = 0; g[i]; i++) {
        snprintf(text, sizeof text, "%s", g);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(grant_check(GRANT_WATCH, span_str(text), "stream1", 7, 999), E_AUTH);
        assert_int_equal(grant_check(GRANT_WATCH, span_head(span_str(g), i), "stream1", 7, 999),
                         E_AUTH);
    }
}

static void hostile(void **state)
{
    static const char *const TEXTS[] = {
        "",
        "bspw-",
        "bspw--",
        "bspw-1",
        "bspw-1-",
        "bspw-1-1-",
        "bspw--1-1-x",
        "bspw-99999999999999999999-1-AAAAAAAAAAAAAAAAAAAAAA",
        "bspw-1-1-"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    (void)state;
    grant_init(&SECRET);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        assert_int_equal(grant_check(GRANT_WATCH, span_str(TEXTS[i]), "s", 1, 0), E_AUTH);
    assert_int_equal(grant_check(GRANT_WATCH, SPAN_NULL, "s", 1, 0), E_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good_and_wrong), cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
