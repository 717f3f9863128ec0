/* SPDX-License-Identifier: MIT */
/* Views: what is asked for, the signed path, and the texts. */
#include "../test.h"
#include "base/clock.h"
#include "engine/hls_view.h"

#define HOUR (3600 * US_PER_SEC)

static void paths(void **state)
{
    static const uint8_t KEY[SHA256_LEN] = {7}, OTHER[SHA256_LEN] = {8};
    struct hls_path p = {.run = "k3v9", .until_hour = 100}, got;
    char text[HLS_VIEW_PATH_CAP];
    hls_path_write(&p, NULL, "id", text);
    assert_string_equal(text, "k3v9");
    p.view = (struct hls_view){HLS_CLIP_ASSET, 5000, 9000, true, true};
    hls_path_write(&p, NULL, "id", text);
    assert_string_equal(text, "k3v9~a5000-9000xl");
    assert_int_equal(hls_path_parse(span_str(text), &got), E_OK);
    assert_false(got.is_signed);
    assert_int_equal(got.view.to_ms, 9000);
    hls_path_write(&p, KEY, "id", text);
    assert_int_equal(hls_path_parse(span_str(text), &got), E_OK);
    assert_true(got.is_signed && got.until_hour == 100 && got.view.no_parts);
    assert_int_equal(hls_path_valid(span_str(text), KEY, "id", 99 * HOUR), E_OK);
    assert_int_equal(hls_path_valid(span_str(text), KEY, "id", 100 * HOUR), E_TIMEOUT);
    assert_int_equal(hls_path_valid(span_str(text), KEY, "di", 0), E_AUTH);
    assert_int_equal(hls_path_valid(span_str(text), OTHER, "id", 0), E_AUTH);
    for (size_t i = 0; text[i]; i++) { /* no bit of it may change */
        text[i] ^= 1;
        assert_int_not_equal(hls_path_valid(span_str(text), KEY, "id", 0), E_OK);
        text[i] ^= 1;
    }
    static const char *const BAD[] = {"",       "k~",          "k~0",   "k~lx",          "k~a1",
                                      "k~a-1",  "k~x~1",       "k~x~~", "k/x",           "k~p1-2-3",
                                      "k~q1-2", "~x~1~abcdef", "k~xx",  "k~a1-x~1~short"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (hls_path_parse(span_str(BAD[i]), &got) == E_OK) fail_msg("%s is taken", BAD[i]);
}

static void wishes(void **state)
{
    struct hls_wish w = {0};
    const char *why = "";
    assert_int_equal(hls_wish_set(&w, "asset_start_time", SPAN_LIT("1.25")), E_OK);
    assert_int_equal(hls_wish_check(&w, &why), E_OK);
    assert_int_equal(w.view.from_ms, 1250);
    assert_true(w.view.to_ms == HLS_CLIP_END);
    assert_int_equal(hls_wish_set(&w, "asset_end_time", SPAN_LIT("1.25")), E_OK);
    assert_int_equal(hls_wish_check(&w, &why), E_INVALID);
    assert_int_equal(hls_wish_set(&w, "whatever", SPAN_LIT("1")), E_OK);
    static const char *const BAD[][2] = {
        {"max_resolution", "721p"},  {"max_resolution", "720"},  {"exclude_pdt", "yes"},
        {"low_latency", ""},         {"asset_start_time", "-1"}, {"asset_start_time", "1."},
        {"program_end_time", "1e3"}, {"rendition_order", "asc"}, {"default_subtitles_lang", "e n"}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(hls_wish_set(&w, BAD[i][0], span_str(BAD[i][1])), E_INVALID);
}

static void texts(void **state)
{
    static const char IN[] = "#EXTM3U\n#EXT-X-SERVER-CONTROL:A\n#EXT-X-PART-INF:B\n"
                             "#EXT-X-PROGRAM-DATE-TIME:C\n#EXT-X-PART:D\n#EXTINF:1,\nv0/1.m4s\n"
                             "#EXT-X-PROGRAM-DATE-TIME:E\n#EXT-X-PART:F\n#EXT-X-PRELOAD-HINT:G\n";
    struct str out = {0};
    hls_view_filter(SPAN_LIT(IN), &(struct hls_view){.no_parts = true}, &out);
    assert_string_equal(str_c(&out), "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:C\n#EXTINF:1,\nv0/1.m4s\n");
    str_fini(&out);
    hls_view_filter(SPAN_LIT("#A\n#EXT-X-PROGRAM-DATE-TIME:C\nx\n"),
                    &(struct hls_view){.no_dates = true}, &out);
    assert_string_equal(str_c(&out), "#A\nx\n");
    str_fini(&out);
}

static void clips(void **state)
{
    const struct hls_view v = {.clip = HLS_CLIP_ASSET, .from_ms = 1500, .to_ms = 3000};
    assert_false(hls_view_has(&v, 0, 0, US_PER_SEC));
    assert_true(hls_view_has(&v, US_PER_SEC, 0, US_PER_SEC));
    assert_true(hls_view_has(&v, 2 * US_PER_SEC, 0, US_PER_SEC));
    assert_false(hls_view_has(&v, 3 * US_PER_SEC, 0, US_PER_SEC));
    assert_true(hls_view_over(&v, 3 * US_PER_SEC, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths), cmocka_unit_test(wishes),
                                       cmocka_unit_test(texts), cmocka_unit_test(clips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
