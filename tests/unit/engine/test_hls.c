/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "engine/hls.h"

static enum hls_answer ask(const struct hls_edge *e, const char *query)
{
    struct m3u8_directives d;
    assert_int_equal(m3u8_directives_parse(span_str(query), &d), E_OK);
    return hls_decide(e, &d);
}

static void test_blocking(void **state)
{
    /* Segments 0 to 9 are there, 9 has 6 parts; of 10 there are parts 0 and 1. */
    struct hls_edge e = {
        .open_msn = 10, .open_parts = 2, .last_parts = 6, .part_target_us = 334000, .target_s = 10};
    static const struct {
        const char *query;
        enum hls_answer want;
    } cases[] = {
        {"", HLS_REPLY},
        {"_HLS_skip=YES", HLS_REPLY},
        {"_HLS_msn=0", HLS_REPLY},
        {"_HLS_msn=9", HLS_REPLY},
        {"_HLS_msn=10", HLS_WAIT}, /* without a part: the whole segment */
        {"_HLS_msn=10&_HLS_part=1", HLS_REPLY},
        {"_HLS_msn=10&_HLS_part=2", HLS_WAIT},
        {"_HLS_msn=10&_HLS_part=11", HLS_WAIT},
        {"_HLS_msn=10&_HLS_part=12", HLS_BAD},
        {"_HLS_msn=9&_HLS_part=5", HLS_REPLY},
        {"_HLS_msn=9&_HLS_part=6", HLS_REPLY}, /* means 10.0 */
        {"_HLS_msn=11&_HLS_part=0", HLS_WAIT},
        {"_HLS_msn=12", HLS_WAIT},
        {"_HLS_msn=13", HLS_BAD},
        {"_HLS_msn=11&_HLS_part=99", HLS_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ask(&e, cases[i].query) != cases[i].want) fail_msg("%s", cases[i].query);

    e.open_parts = 0; /* nothing of 10 yet */
    assert_int_equal(ask(&e, "_HLS_msn=9&_HLS_part=6"), HLS_WAIT);
    assert_int_equal(ask(&e, "_HLS_msn=9&_HLS_part=5"), HLS_REPLY);
    assert_int_equal(ask(&e, "_HLS_msn=8&_HLS_part=77"), HLS_REPLY);
    assert_int_equal(ask(&e, "_HLS_msn=11"), HLS_WAIT);
    assert_int_equal(ask(&e, "_HLS_msn=12"), HLS_BAD);
    e.ended = true; /* nothing will come: the ended playlist is the answer */
    assert_int_equal(ask(&e, "_HLS_msn=12"), HLS_REPLY);
    assert_int_equal(ask(&e, "_HLS_msn=9&_HLS_part=6"), HLS_REPLY);
}

/* A player that comes in the stream's first seconds: nothing until there is a complete segment. */
static void test_first_segment(void **state)
{
    struct hls_edge e = {
        .first_msn = 4, .open_msn = 4, .open_parts = 3, .part_target_us = 334000, .target_s = 2};
    assert_int_equal(ask(&e, ""), HLS_WAIT);
    assert_int_equal(ask(&e, "_HLS_msn=4&_HLS_part=1"), HLS_WAIT);
    assert_int_equal(ask(&e, "_HLS_msn=9"), HLS_BAD);
    e.open_msn = 5, e.open_parts = 0;
    assert_int_equal(ask(&e, ""), HLS_REPLY);
    e.open_msn = 4, e.ended = true; /* nothing will come */
    assert_int_equal(ask(&e, ""), HLS_REPLY);
}

static void test_parts(void **state)
{
    const struct hls_edge e = {.open_msn = 10, .open_parts = 2, .part_target_us = 334000};
    assert_int_equal(hls_decide_part(&e, 9, -1), HLS_REPLY);
    assert_int_equal(hls_decide_part(&e, 10, -1), HLS_BAD);
    assert_int_equal(hls_decide_part(&e, 10, 1), HLS_REPLY);
    assert_int_equal(hls_decide_part(&e, 10, 2), HLS_WAIT);
    assert_int_equal(hls_decide_part(&e, 10, 3), HLS_BAD);
    assert_int_equal(hls_decide_part(&e, 11, 0), HLS_WAIT);
    assert_int_equal(hls_decide_part(&e, 11, 1), HLS_BAD);
    assert_int_equal(hls_decide_part(&e, 12, 0), HLS_BAD);
}

static void test_names(void **state)
{
    struct hls_resource_id id;
    assert_int_equal(hls_resource_parse(span_str("12"), &id), E_OK);
    assert_true(id.kind == HLS_SEGMENT && id.msn == 12);
    assert_int_equal(hls_resource_parse(span_str("12.3"), &id), E_OK);
    assert_true(id.kind == HLS_PART && id.msn == 12 && id.part == 3);
    assert_int_equal(hls_resource_parse(span_str("init-2"), &id), E_OK);
    assert_true(id.kind == HLS_INIT && id.init_id == 2);
    static const char *const bad[] = {"",       ".",    "..",    "-1",
                                      "1.",     ".1",   "1.2.3", "init-",
                                      "init-x", "../1", "1e3",   "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hls_resource_parse(span_str(bad[i]), &id), E_NOTFOUND);
}

/* What is written is what the validator of our own accepts. */
static void test_write(void **state)
{
    struct str out = {0}, problems = {0};
    const struct hls_part parts[] = {{334000, true}, {334000, false}, {332000, false}};
    struct hls_segment s = {.msn = 5,
                            .dsn = 1,
                            .dur_us = 1000000,
                            .init_id = 2,
                            .wall_us = INT64_C(1767323046000000),
                            .discontinuity = true,
                            .independent = true};
    const struct hls_header h = {.name = "v0",
                                 .target_s = 10,
                                 .part_target_us = 334000,
                                 .first_msn = 5,
                                 .first_dsn = hls_first_dsn(&s),
                                 .independent_segments = true};
    struct hls_writer w = hls_begin(&out, &h, NULL);
    hls_add_segment(&w, &s, parts, 3);
    s.msn = 6, s.discontinuity = false, s.wall_us += 1000000;
    hls_add_segment(&w, &s, NULL, 0);
    s.msn = 7, s.wall_us += 1000000;
    hls_add_open(&w, &s, parts, 2);
    hls_add_hint(&w, 7, 2);
    hls_add_report(&w, "a0", 7, 1);

    struct m3u8 p;
    const char *why = "";
    if (m3u8_parse(str_span(&out), &p, &why, NULL) != E_OK) fail_msg("%s", why);
    if (m3u8_check(&p, "v0.m3u8", &problems)) fail_msg("%s\n%s", str_c(&out), str_c(&problems));
    assert_int_equal(p.msn, 5);
    assert_int_equal(p.dsn, 0);
    assert_int_equal(p.n_segs, 2);
    assert_int_equal(p.n_parts, 5);
    assert_true(span_is(p.segs[1].map, "v0/init-2.mp4"));
    assert_true(span_is(p.hint, "v0/7.2.m4s"));
    m3u8_fini(&p);
    str_fini(&out);

    const struct hls_variant v = {.uri = "r/v0.m3u8",
                                  .codecs = "avc1.64001f",
                                  .peak = 2000000,
                                  .average = 1500000,
                                  .width = 1280,
                                  .height = 720,
                                  .fps_milli = 29970};
    const struct hls_variant a = {.uri = "r/a0.m3u8",
                                  .codecs = "mp4a.40.2",
                                  .peak = 128000,
                                  .average = 127000,
                                  .channels = 2};
    hls_multivariant_write(&out, &(struct hls_multivariant){
                                     .video = &v, .n_video = 1, .audio = &a, .independent = true});
    assert_non_null(strstr(str_c(&out), "BANDWIDTH=2128000,AVERAGE-BANDWIDTH=1627000,"
                                        "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,"
                                        "FRAME-RATE=29.970,AUDIO=\"audio\""));
    assert_int_equal(m3u8_parse(str_span(&out), &p, NULL, NULL), E_OK);
    if (m3u8_check(&p, NULL, &problems)) fail_msg("%s\n%s", str_c(&out), str_c(&problems));
    m3u8_fini(&p);
    str_fini(&out);
    hls_multivariant_write(&out, &(struct hls_multivariant){.audio = &a, .independent = true});
    assert_int_equal(m3u8_parse(str_span(&out), &p, NULL, NULL), E_OK);
    assert_int_equal(m3u8_check(&p, NULL, &problems), 0);
    m3u8_fini(&p);
    str_fini(&out);
    str_fini(&problems);
}

static void test_subtitles(void **state)
{
    (void)state;
    const struct hls_variant v = {.uri = "r/v0.m3u8", .codecs = "avc1.64001f", .peak = 9};
    const struct hls_subtitles texts[] = {
        {.uri = "r/text-a.m3u8", .name = "\"A\"\n", .language = "en-US"},
        {.uri = "r/text-b.m3u8", .name = "B", .language = "de", .captions = true, .on = true}};
    const struct hls_text_piece pieces[] = {
        {.first_msn = 3, .last_msn = 7, .dur_us = 29500000, .wall_us = 1700000000000000},
        {.first_msn = 8,
         .last_msn = 8,
         .dur_us = 1500000,
         .wall_us = 1700000090000000,
         .discontinuity = true}};
    struct str out = {0}, problems = {0};
    struct m3u8 p;
    hls_multivariant_write(
        &out, &(struct hls_multivariant){
                  .video = &v, .n_video = 1, .texts = texts, .n_texts = 2, .independent = true});
    assert_non_null(strstr(str_c(&out), "TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"'A' \","
                                        "LANGUAGE=\"en-US\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,"
                                        "URI=\"r/text-a.m3u8\"\n"));
    assert_non_null(strstr(str_c(&out), "LANGUAGE=\"de\",DEFAULT=YES,AUTOSELECT=YES"));
    assert_non_null(strstr(str_c(&out), ",SUBTITLES=\"subs\""));
    assert_int_equal(m3u8_parse(str_span(&out), &p, NULL, NULL), E_OK);
    m3u8_fini(&p);
    out.len = 0;
    hls_text_playlist_write(&out, "text-a", pieces, 2, 4);
    assert_int_equal(m3u8_parse(str_span(&out), &p, NULL, NULL), E_OK);
    if (m3u8_check(&p, NULL, &problems)) fail_msg("%s\n%s", str_c(&out), str_c(&problems));
    assert_int_equal(p.target_s, 30);
    assert_int_equal(p.dsn, 4);
    assert_int_equal(p.type, M3U8_VOD);
    assert_true(p.endlist && p.n_segs == 2 && p.segs[1].discontinuity);
    assert_true(span_is(p.segs[0].uri, "text-a/3-7.vtt"));
    m3u8_fini(&p);
    str_fini(&out);
    str_fini(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking), cmocka_unit_test(test_first_segment),
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_write),    cmocka_unit_test(test_subtitles),
    };
    return RUN_TESTS(tests);
}
