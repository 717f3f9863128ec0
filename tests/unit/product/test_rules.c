/* SPDX-License-Identifier: MIT */
/* The pure parts: throttle, times, advice. */
#include "../test.h"
#include "base/clock.h"
#include "base/limits.h"
#include "product/advice.h"
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

static bool says(const struct ingest_state *in, const char *code)
{
    struct advice a[ADVICE_MAX];
    const size_t n = advice_give(in, a);
    for (size_t i = 0; i < n; i++) {
        assert_true(strlen(a[i].text) > 0 && strlen(a[i].text) < sizeof a[i].text - 1);
        if (strcmp(a[i].code, code) == 0) return true;
    }
    return false;
}

static void advice_names_what_is_wrong(void **state)
{
    (void)state;
    const struct ingest_state good = {.connected = true,
                                      .has_video = true,
                                      .has_audio = true,
                                      .video_codec = "h264",
                                      .audio_codec = "aac",
                                      .width = 1280,
                                      .height = 720,
                                      .fps = 30,
                                      .key_interval_s = 2,
                                      .video_bps = 2500000,
                                      .audio_bps = 160000,
                                      .sample_rate = 48000,
                                      .channels = 2};
    struct ingest_state s = good;
    assert_true(says(&s, "ok"));
    s.key_interval_s = 8.33;
    assert_true(says(&s, "keyframes_rare"));
    assert_false(says(&s, "ok"));
    s.key_interval_s = 20;
    assert_true(says(&s, "keyframes_very_rare"));
    s = good;
    s.b_frames = true;
    assert_true(says(&s, "b_frames"));
    s = good;
    s.has_audio = false;
    assert_true(says(&s, "no_audio"));
    s = good;
    s.silent_s = 5;
    assert_true(says(&s, "nothing_received"));
    s = (struct ingest_state){0};
    assert_true(says(&s, "not_connected"));
    s.away = true;
    assert_true(says(&s, "encoder_away"));
    assert_false(says(&s, "not_connected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_refills),
        cmocka_unit_test(a_flood_of_names_does_not_grow_it),
        cmocka_unit_test(peers_are_counted_by_person),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(descriptions_keep_lines_and_lose_edges),
        cmocka_unit_test(ids_are_plain),
        cmocka_unit_test(advice_names_what_is_wrong),
    };
    return RUN_TESTS(tests);
}
