/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/m3u8.h"

#define HEAD                                                                                       \
    "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n"                                         \
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,"                    \
    "PART-HOLD-BACK=1.002\n#EXT-X-PART-INF:PART-TARGET=0.334\n#EXT-X-INDEPENDENT-SEGMENTS\n"
#define WALL(s) "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:" s "Z\n"
#define SEG(n)  "#EXTINF:1,\nv0/" #n ".m4s\n"
#define PARTS(n)                                                                                   \
    "#EXT-X-PART:DURATION=0.334,URI=\"v0/" #n ".0.m4s\",INDEPENDENT=YES\n"                         \
    "#EXT-X-PART:DURATION=0.334,URI=\"v0/" #n ".1.m4s\"\n"                                         \
    "#EXT-X-PART:DURATION=0.332,URI=\"v0/" #n ".2.m4s\"\n"
#define HINT(n, p) "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v0/" #n "." #p ".m4s\"\n"
#define MAP        "#EXT-X-MAP:URI=\"v0/init-1.mp4\"\n"

static const char GOOD[] =
    HEAD "#EXT-X-MEDIA-SEQUENCE:7\n" MAP WALL("05.000") SEG(7) WALL("06.000") PARTS(8) SEG(8)
        WALL("07.000") "#EXT-X-PART:DURATION=0.334,URI=\"v0/9.0.m4s\",INDEPENDENT=YES\n" HINT(
            9, 1) "#EXT-X-RENDITION-REPORT:URI=\"a0.m3u8\",LAST-MSN=9,LAST-PART=0\n";

static unsigned check(const char *text, char *out, size_t cap)
{
    struct m3u8 p;
    struct str problems = {0};
    const char *why = "";
    unsigned line = 0;
    if (m3u8_parse(span_str(text), &p, &why, &line) != E_OK) {
        snprintf(out, cap, "line %u: %s", line, why);
        return 1000;
    }
    const unsigned n = m3u8_check(&p, "v0.m3u8", &problems);
    snprintf(out, cap, "%s", str_c(&problems));
    str_fini(&problems);
    m3u8_fini(&p);
    return n;
}

static void test_good(void **state)
{
    char why[4096];
    struct m3u8 p;
    assert_int_equal(check(GOOD, why, sizeof why), 0);
    assert_int_equal(m3u8_parse(span_str(GOOD), &p, NULL, NULL), E_OK);
    assert_int_equal(p.n_segs, 2);
    assert_int_equal(p.n_parts, 4);
    assert_int_equal(p.open_first_part, 3);
    assert_int_equal(p.segs[0].n_parts, 0);
    assert_int_equal(p.segs[1].n_parts, 3);
    assert_int_equal(p.segs[1].dur_us, 1000000);
    assert_true(p.segs[1].wall_us == INT64_C(1767323046000000));
    assert_int_equal(p.part_target_us, 334000);
    assert_true(span_is(p.hint, "v0/9.1.m4s"));
    assert_int_equal(p.reports[0].last_msn, 9);
    m3u8_fini(&p);
}

/* Each replacement breaks one rule; `expect` is part of the sentence. */
static void test_bad(void **state)
{
    static const struct {
        const char *from, *to, *expect;
    } cases[] = {
        {"#EXTM3U\n", "", "does not begin"},
        {"VERSION:9", "VERSION:5", "EXT-X-VERSION is 5"},
        {"#EXT-X-TARGETDURATION:2\n", "", "no EXT-X-TARGETDURATION"},
        {"#EXTINF:1,\nv0/7", "#EXTINF:2.5,\nv0/7", "rounds to more"},
        {"HOLD-BACK=6", "HOLD-BACK=5", "HOLD-BACK below three"},
        {"PART-HOLD-BACK=1.002", "PART-HOLD-BACK=0.5", "below twice"},
        {"PART-HOLD-BACK=1.002", "PART-HOLD-BACK=0.9", "advice"},
        {"SKIP-UNTIL=12", "SKIP-UNTIL=11", "below six"},
        {"#EXT-X-PART-INF:PART-TARGET=0.334\n", "", "without EXT-X-PART-INF"},
        {"DURATION=0.334,URI=\"v0/8.1", "DURATION=0.335,URI=\"v0/8.1", "longer"},
        {"DURATION=0.334,URI=\"v0/8.1", "DURATION=0.270,URI=\"v0/8.1", "shorter"},
        {"DURATION=0.332,URI=\"v0/8.2", "DURATION=0.232,URI=\"v0/8.2", "do not add up"},
        {"8.0.m4s\",INDEPENDENT=YES", "8.0.m4s\"", "not INDEPENDENT"},
        {HINT(9, 1), "", "no PRELOAD-HINT"},
        {HINT(9, 1), HINT(9, 1) HINT(9, 2), "more than one"},
        {HINT(9, 1), HINT(9, 0), "which is listed"},
        {MAP, "", "no EXT-X-MAP"},
        {WALL("06.000"), WALL("06.500"), "off by 500000"},
        {WALL("06.000"), "#EXT-X-DISCONTINUITY\n" WALL("06.500"), "after the discontinuity"},
        {"URI=\"a0.m3u8\"", "URI=\"v0.m3u8\"", "playlist itself"},
        {",LAST-PART=0", "", "without LAST-PART"},
        {"v0/8.m4s", "v0/7.m4s", "listed twice"},
        {"#EXT-X-MEDIA-SEQUENCE:7\n", "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n",
         "within CAN-SKIP-UNTIL"},
        {"#EXT-X-MEDIA-SEQUENCE:7\n", "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PLAYLIST-TYPE:VOD\n",
         "without EXT-X-ENDLIST"},
        {"#EXT-X-MEDIA-SEQUENCE:7\n", "", "without EXT-X-MEDIA-SEQUENCE"},
        {SEG(7), SEG(7) "#EXT-X-MEDIA-SEQUENCE:7\n", "twice"},
        {"#EXTINF:1,\nv0/7", "#EXTINF:x,\nv0/7", "bad EXTINF"},
        {"URI=\"v0/8.1.m4s\"", "URI=\"v0/8.1.m4s", "without URI"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[8192], why[4096];
        const char *at = strstr(GOOD, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, cases[i].to,
                 at + strlen(cases[i].from));
        if (!check(text, why, sizeof why) || !strstr(why, cases[i].expect))
            fail_msg("case %zu: expected \"%s\", got \"%s\"", i, cases[i].expect, why);
    }
}

static void update(const char *before, const char *after, const char *expect)
{
    struct m3u8 a, b;
    struct str problems = {0};
    assert_int_equal(m3u8_parse(span_str(before), &a, NULL, NULL), E_OK);
    assert_int_equal(m3u8_parse(span_str(after), &b, NULL, NULL), E_OK);
    const unsigned n = m3u8_check_update(&a, &b, &problems);
    if (!expect && n) fail_msg("%s", str_c(&problems));
    if (expect && !strstr(str_c(&problems), expect))
        fail_msg("expected \"%s\", got \"%s\"", expect, str_c(&problems));
    str_fini(&problems);
    m3u8_fini(&a);
    m3u8_fini(&b);
}

#define NEXT(msn) HEAD "#EXT-X-MEDIA-SEQUENCE:" #msn "\n" MAP

static void test_update(void **state)
{
    static const char NEXT_PART[] = NEXT(7) WALL("05.000") SEG(7) WALL("06.000") PARTS(8) SEG(8)
        WALL("07.000") "#EXT-X-PART:DURATION=0.334,URI=\"v0/9.0.m4s\",INDEPENDENT=YES\n"
                       "#EXT-X-PART:DURATION=0.334,URI=\"v0/9.1.m4s\"\n" HINT(9, 2);
    static const char SCROLLED[] =
        NEXT(8) WALL("06.000") PARTS(8) SEG(8) WALL("07.000") PARTS(9) SEG(9) HINT(10, 0);
    static const char BROKEN[] =
        NEXT(7) "#EXT-X-DISCONTINUITY\n" MAP SEG(7) SEG(8) SEG(9) HINT(10, 0);
    update(GOOD, GOOD, NULL);
    update(GOOD, NEXT_PART, NULL);
    update(GOOD, SCROLLED, NULL);
    update(NEXT_PART, SCROLLED, NULL);
    update(SCROLLED, GOOD, "MEDIA-SEQUENCE went back");
    update(GOOD, BROKEN, "EXT-X-DISCONTINUITY of v0/7.m4s changed");
    /* A discontinuity that scrolled off must be counted. */
    update(BROKEN, NEXT(8) SEG(8) SEG(9) HINT(10, 0), "DISCONTINUITY-SEQUENCE is 0, should be 1");
    update(BROKEN,
           HEAD "#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n" MAP SEG(8) SEG(9)
               HINT(10, 0),
           NULL);
    update(GOOD,
           NEXT(7) WALL("05.000") SEG(7) WALL("06.000") PARTS(8) SEG(8) PARTS(10) SEG(10)
               HINT(11, 0),
           "part v0/9.0.m4s changed");
    update(GOOD, NEXT(7) WALL("05.001") SEG(7) SEG(8) HINT(9, 0), "PROGRAM-DATE-TIME of v0/7");
}

static void test_delta(void **state)
{
    struct str a = {0}, b = {0};
    str_adds(&a, NEXT(0));
    str_adds(&b, HEAD "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=7\n");
    for (int i = 0; i < 20; i++) str_addf(&a, "#EXTINF:1,\nv0/%d.m4s\n", i);
    for (int i = 7; i < 21; i++) str_addf(&b, "#EXTINF:1,\nv0/%d.m4s\n", i);
    str_adds(&a, HINT(20, 0));
    str_adds(&b, HINT(21, 0));
    update(str_c(&a), str_c(&b), NULL);

    struct m3u8 x, y, full;
    assert_int_equal(m3u8_parse(str_span(&a), &x, NULL, NULL), E_OK);
    assert_int_equal(m3u8_parse(str_span(&b), &y, NULL, NULL), E_OK);
    assert_int_equal(m3u8_complete(&x, &y, &full), E_OK);
    assert_int_equal(full.n_segs, 21);
    assert_true(span_is(full.segs[20].uri, "v0/20.m4s"));
    assert_true(span_is(full.segs[20].map, "v0/init-1.mp4"));
    m3u8_fini(&full);
    y.skipped = 30;
    assert_int_equal(m3u8_complete(&x, &y, &full), E_INVALID);
    m3u8_fini(&x);
    m3u8_fini(&y);
    str_fini(&a);
    str_fini(&b);
}

static void test_directives(void **state)
{
    struct m3u8_directives d;
    assert_int_equal(m3u8_directives_parse(span_str(""), &d), E_OK);
    assert_false(d.has_msn || d.has_part || d.skip);
    assert_int_equal(
        m3u8_directives_parse(span_str("a=b&_HLS_msn=12&_HLS_part=3&_HLS_skip=v2&_HLS_x=1"), &d),
        E_OK);
    assert_true(d.has_msn && d.has_part && d.skip);
    assert_int_equal(d.msn, 12);
    assert_int_equal(d.part, 3);
    assert_int_equal(m3u8_directives_parse(span_str("_HLS_skip=maybe"), &d), E_OK);
    assert_false(d.skip);
    static const char *const bad[] = {
        "_HLS_part=1",
        "_HLS_msn=",
        "_HLS_msn",
        "_HLS_msn=-1",
        "_HLS_msn=1x",
        "_HLS_msn=1&_HLS_msn=2",
        "_HLS_msn=99999999999999999999999",
        "_HLS_msn=1&_HLS_part=x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(m3u8_directives_parse(span_str(bad[i]), &d), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_update),     cmocka_unit_test(test_delta),
        cmocka_unit_test(test_directives),
    };
    return RUN_TESTS(tests);
}
