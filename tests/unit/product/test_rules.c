/* SPDX-License-Identifier: MIT */
/* The pure parts: throttle, times, texts. */
#include "../test.h"
#include "base/clock.h"
#include "base/limits.h"
#include "product/chat_words.h"
#include "product/text.h"
#include "product/throttle.h"
#include "product/when.h"

static void a_bucket_empties_and_refills(void **state)
{
    (void)state;
    const struct throttle_rule rule = {"r", 3, 10 * US_PER_SEC};
    struct throttle *t = throttle_new();
    int64_t retry = 0;
    for (int i = 0; i < 3; i++) assert_true(throttle_take(t, &rule, "k", 0, &retry));
    assert_false(throttle_take(t, &rule, "k", 0, &retry));
    assert_in_range(retry, 10, 11);
    assert_true(throttle_take(t, &rule, "other", 0, &retry));
    assert_false(throttle_take(t, &rule, "k", 9 * US_PER_SEC, &retry));
    assert_in_range(retry, 1, 2);
    assert_true(throttle_take(t, &rule, "k", 10 * US_PER_SEC, &retry));
    throttle_give_back(t, &rule, "k");
    assert_true(throttle_take(t, &rule, "k", 10 * US_PER_SEC, &retry));
    assert_false(throttle_take(t, &rule, "k", 10 * US_PER_SEC, &retry));
    throttle_free(t);
}

static void a_flood_of_names_does_not_grow_it(void **state)
{
    (void)state;
    const struct throttle_rule rule = {"r", 2, US_PER_SEC};
    struct throttle *t = throttle_new();
    int64_t retry;
    for (int i = 0; i < LIMIT_THROTTLE_ENTRIES + 1000; i++) {
        char key[32];
        snprintf(key, sizeof key, "%d", i);
        assert_true(throttle_take(t, &rule, key, 0, &retry));
    }
    throttle_free(t);
}

static void peers_are_counted_by_person(void **state)
{
    (void)state;
    char a[THROTTLE_PEER_CAP], b[THROTTLE_PEER_CAP];
    throttle_peer("2001:db8:1:2:3:4:5:6", a);
    throttle_peer("2001:db8:1:2:ffff::1", b);
    assert_string_equal(a, b);
    throttle_peer("192.0.2.7", a);
    assert_string_equal(a, "192.0.2.7");
}

static void times_are_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } CASES[] = {
        {"1970-01-01T00:00:01Z", 1000000},
        {"2026-11-22T10:20:30Z", 1795342830000000},
        {"2026-11-22T10:20:30.5Z", 1795342830500000},
        {"2026-11-22T10:20:30.123456789Z", 1795342830123456},
        {"2026-11-22T12:20:30+02:00", 1795342830000000},
        {"2026-11-22T08:50:30-01:30", 1795342830000000},
        {"2024-02-29T00:00:00Z", 1709164800000000},
        {"2026-02-29T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-11-22", -1},
        {"2026-11-22T10:20:30", -1},
        {"2026-11-22T10:20:30Zx", -1},
        {"2026-11-22T25:20:30Z", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"tomorrow", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int64_t us = -1;
        const enum err e = when_parse(span_str(CASES[i].text), &us);
        if (e != (CASES[i].us < 0 ? E_INVALID : E_OK) || us != CASES[i].us)
            fail_msg("%s: %d, %lld", CASES[i].text, e, (long long)us);
    }
}

static void descriptions_keep_lines_and_lose_edges(void **state)
{
    (void)state;
    char out[TEXT_CAP(10)];
    struct problem p;
    assert_int_equal(text_check(SPAN_LIT("  a\r\nb\tc  \n "), TEXT_LINES, 10, "d", out, &p), E_OK);
    assert_string_equal(out, "a\nb\tc");
    assert_int_equal(text_check(SPAN_LIT(""), TEXT_LINES, 10, "d", out, &p), E_OK);
    assert_int_equal(text_check(SPAN_LIT("1234567890 \n"), TEXT_LINES, 10, "d", out, &p), E_OK);
    assert_string_equal(out, "1234567890");
    assert_int_equal(text_check(SPAN_LIT("12345678901"), TEXT_LINES, 10, "d", out, &p), E_INVALID);
    assert_int_equal(text_check(SPAN_LIT("\xc0\xaf"), TEXT_LINES, 10, "d", out, &p), E_INVALID);
    assert_int_equal(text_check(SPAN_LIT("\xed\xa0\x80"), TEXT_LINES, 10, "d", out, &p), E_INVALID);
}

static void ids_are_plain(void **state)
{
    (void)state;
    assert_true(text_is_id("aZ09-_"));
    static const char *const BAD[] = {
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "a%2f",
        "a'",
        "\xc3\xa9",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(text_is_id(BAD[i]));
}

static bool refused(const char *pattern, const char *text)
{
    static char words[CHAT_WORDS_CAP];
    struct problem p = {0};
    words[0] = 0;
    assert_int_equal(chat_words_add(words, span_str(pattern), &p), E_OK);
    return chat_words_find(words, text);
}

static void words_of_a_room(void **state)
{
    (void)state;
    assert_true(refused("ass", "you ASS!"));
    assert_false(refused("ass", "first class"));
    assert_true(refused("ass*", "asses"));
    assert_true(refused("*a*b*c", "xxabbcc xaybzc"));
    assert_false(refused("*a*b*c", "abcd"));
    assert_true(refused("bad  day", "a bad, BAD day"));
    assert_false(refused("bad day", "a bad birthday"));
    assert_true(refused("he\xcc\x81llo", "h\xcc\xb6"
                                         "e\xcc\xb6llo")); /* marks are not seen */
    assert_true(refused("hello", "\xef\xbc\xa8"
                                 "e\xe2\x80\x8bllo")); /* full width, no width */
    assert_true(refused("\xc3\x91u", "\xc3\xb1U"));
    assert_false(refused("ano", "a\xc3\xb1o"));
    assert_false(refused("x", "\xff\xfe x")); /* no text */
}

static void lists_of_words_have_their_limits(void **state)
{
    (void)state;
    static char words[CHAT_WORDS_CAP];
    struct problem p = {0};
    char one[32], text[TEXT_CAP(LIMIT_CHAT_CHARS)] = "";
    static const char *const BAD[] = {"", "*", "a **", "...", "a\nb"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(chat_words_add(words, span_str(BAD[i]), &p), E_INVALID);
    for (unsigned i = 0; i < LIMIT_CHAT_WORDS; i++) {
        snprintf(one, sizeof one, "*a*a*a*a*b%u", i);
        assert_int_equal(chat_words_add(words, span_str(one), &p), E_OK);
    }
    assert_int_equal(chat_words_add(words, span_str(one), &p), E_OK); /* is there */
    assert_int_equal(chat_words_add(words, SPAN_LIT("more"), &p), E_INVALID);
    assert_string_equal(p.code, "too_many");
    memset(text, 'a', LIMIT_CHAT_CHARS); /* as bad as it gets: it ends */
    assert_false(chat_words_find(words, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_room),
        cmocka_unit_test(lists_of_words_have_their_limits),
        cmocka_unit_test(a_bucket_empties_and_refills),
        cmocka_unit_test(a_flood_of_names_does_not_grow_it),
        cmocka_unit_test(peers_are_counted_by_person),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(descriptions_keep_lines_and_lose_edges),
        cmocka_unit_test(ids_are_plain),
    };
    return RUN_TESTS(tests);
}
