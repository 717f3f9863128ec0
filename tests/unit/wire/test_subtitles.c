/* SPDX-License-Identifier: MIT */
/* Subtitle files: what is understood, what is written again, what is refused; names of languages.
 */
#include "../test.h"
#include "base/limits.h"
#include "wire/lang_tag.h"
#include "wire/subtitles.h"

static struct subtitle_problem problem;

static char *clean(const char *text, size_t len)
{
    struct subtitles s;
    struct str out = {0};
    problem = (struct subtitle_problem){0};
    if (subtitles_parse(span_of(text, len), &s, &problem) != E_OK) return NULL;
    subtitles_write(&s, &SUBTITLE_ALL, &out);
    subtitles_fini(&s);
    return str_take_c(&out);
}

static void becomes(const char *text, const char *want)
{
    char *got = clean(text, strlen(text));
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void refused(const char *text, size_t len, unsigned line, const char *why)
{
    char *got = clean(text, len);
    assert_null(got);
    assert_int_equal(problem.line, line);
    assert_non_null(strstr(problem.why, why));
}
#define REFUSED(text, line, why) refused(text, sizeof(text) - 1, line, why)

static void subrip(void **state)
{
    (void)state;
    becomes("1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\nworld\r\n\r\n"
            "2\r\n00:00:03,000 --> 00:00:04,000\r\n<I>Bye</I> {\\an8}& <font "
            "color=\"red\">you</font>\r\n",
            "00:00:01.000 --> 00:00:02.500\nHello\nworld\n\n"
            "00:00:03.000 --> 00:00:04.000\n<i>Bye</i> &amp; you\n\n");
    /* Empty lines within a cue, cues without one between them, no numbers, no final end of line. */
    becomes(
        "1\n0:0:1,5 --> 0:00:02,50 X1:1\none\n\ntwo\n2\n00:00:03,000 --> 00:00:04,000\nthree\n\n"
        "00:00:05,000 --> 00:00:06,000\n42",
        "00:00:01.500 --> 00:00:02.500\none\ntwo\n\n"
        "00:00:03.000 --> 00:00:04.000\nthree\n\n00:00:05.000 --> 00:00:06.000\n42\n\n");
}

static void webvtt(void **state)
{
    (void)state;
    becomes(
        "\xef\xbb\xbfWEBVTT title\nX-TIMESTAMP-MAP=LOCAL:0,MPEGTS:0\n\nNOTE\nno\n\nSTYLE\n"
        "::cue { background: url(http://x) }\n\nREGION\nid:a\n\nname\n"
        "01:02.003 --> 01:04.000 line:0 region:a align:middle position:10%,line-left align:end\n"
        "<v.loud.big Mary & \"Ann\">Hi <01:03.000>there</v>\n\n"
        "00:01.000 --> 00:02.000\nfirst",
        "00:00:01.000 --> 00:00:02.000\nfirst\n\n"
        "00:01:02.003 --> 00:01:04.000 line:0 position:10%,line-left align:end\n"
        "<v.loud.big Mary &amp; Ann>Hi there</v>\n\n");
    /* Nothing that a page might take for markup of its own; no arrows; nothing empty. */
    becomes("WEBVTT\n\n00:01.000 --> 00:02.000\n<script>alert(1)</script>\n<img src=x onerror=y>\n"
            "<b onclick=\"x\">b</b> 1 < 2 > 0\n\n"
            "00:03.000 --> 00:04.000\n<u></u\n\n00:05.000 --> 00:05.000\nno time\n\n"
            "00:06.000 --> 00:07.000\n \t\n",
            "00:00:01.000 --> 00:00:02.000\nalert(1)\n<b>b</b> 1 &lt; 2 &gt; 0\n\n"
            "00:00:03.000 --> 00:00:04.000\n<u>&lt;/u\n\n");
    static const char NUL[] = "WEBVTT\n\n00:01.000 --> 00:02.000\na\0b\x01\n\0\nc";
    char *got = clean(NUL, sizeof NUL - 1);
    assert_string_equal(got, "00:00:01.000 --> 00:00:02.000\nab\nc\n\n");
    free(got);
    struct str out = {0};
    subtitle_text_clean(SPAN_LIT("<c.--->x<v a-->y<v \x01 >z"), false, &out);
    assert_string_equal(str_c(&out), "<c.___>x<v a>y<v>z");
    str_fini(&out);
}

static void bad(void **state)
{
    (void)state;
    REFUSED("", 0, "no cues");
    REFUSED("WEBVTT\n\n", 0, "no cues");
    REFUSED("WEBVTTX\n", 0, "neither");
    REFUSED("<html></html>", 0, "neither");
    REFUSED("\xff\xfe\x31\x00", 0, "UTF-16");
    REFUSED("WEBVTT\n\n00:01.000 --> 00:02.000\ncaf\xe9\n", 4, "UTF-8");
    REFUSED("WEBVTT\n\n00:01.000 --> 00:02.000\n\xed\xa0\x80\n", 4, "UTF-8");
    REFUSED("1\n00:00:05,000 --> 00:00:04,000\nx\n", 2, "ends before");
    REFUSED("1\n00:00:61,000 --> 00:01:04,000\nx\n", 2, "start is no time");
    REFUSED("1\n00:00:01,000 --> soon\nx\n", 2, "end is no time");
    REFUSED("WEBVTT\n\n1000:00:00.000 --> 1000:00:01.000\nx\n", 3, "start is no time");
}

static void limits(void **state)
{
    (void)state;
    struct str s = {0};
    for (unsigned i = 0; i <= LIMIT_SUBTITLE_CUES; i++)
        str_addf(&s, "%u:%02u:%02u.000 --> %u:%02u:%02u.500\nx\n\n", i / 3600, i / 60 % 60, i % 60,
                 i / 3600, i / 60 % 60, i % 60);
    refused((const char *)s.p, s.len, 3 * LIMIT_SUBTITLE_CUES + 3, "too many cues");
    s.len = 0;
    for (unsigned i = 0; i <= LIMIT_SUBTITLE_AT_ONCE; i++)
        str_adds(&s, "00:00:01,000 --> 00:00:02,000\nx\n\n");
    refused((const char *)s.p, s.len, 0, "at the same time");
    s.len = 0;
    str_adds(&s, "00:00:01,000 --> 00:00:02,000\n");
    for (unsigned i = 0; i <= LIMIT_SUBTITLE_CUE_BYTES; i++) str_addc(&s, 'x');
    refused((const char *)s.p, s.len, 2, "too much text");
    for (unsigned i = 0; s.len <= LIMIT_SUBTITLE_BYTES; i++) str_adds(&s, "xxxxxxxxxxxxxxxx\n");
    refused((const char *)s.p, s.len, 0, "too large");
    str_fini(&s);
}

static void cut(void **state)
{
    (void)state;
    static const char FILE[] = "1\n00:00:01,000 --> 00:00:05,000\none &lt; <i>two</i>\n\n"
                               "2\n00:00:06,000 --> 00:00:09,000\nthree\nfour\n\n";
    struct subtitles s;
    struct str out = {0};
    assert_int_equal(subtitles_parse(SPAN_LIT(FILE), &s, &problem), E_OK);
    subtitles_write(&s, &(struct subtitle_cut){4000, 8000, true, -4000}, &out);
    assert_string_equal(str_c(&out), "00:00:00.000 --> 00:00:01.000\none &lt; <i>two</i>\n\n"
                                     "00:00:02.000 --> 00:00:04.000\nthree\nfour\n\n");
    out.len = 0;
    subtitles_write(&s, &(struct subtitle_cut){5000, 6000, false, 0}, &out);
    assert_int_equal(out.len, 0);
    subtitles_write(&s, &(struct subtitle_cut){5000, 6001, false, 0}, &out);
    assert_string_equal(str_c(&out), "00:00:06.000 --> 00:00:09.000\nthree\nfour\n\n");
    out.len = 0;
    subtitles_write_plain(&s, &SUBTITLE_ALL, &out);
    assert_string_equal(str_c(&out), "one < two\nthree four\n");
    str_fini(&out);
    subtitles_fini(&s);
}

static void languages(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"en",      "en-US",   "zh-Hant-TW",     "es-419",
                                       "gsw",     "x-mine",  "zh-cmn-Hans-CN", "sl-rozaj",
                                       "de-1996", "en-a-bb", "de-CH-x-phonebk"};
    static const char *const BAD[] = {"",          "e",
                                      "english-",  "en--US",
                                      "en_US",     "12",
                                      "en-x",      "abcdefghi",
                                      "en-US-US",  "i-x",
                                      "e n",       "de\"",
                                      "en-a-bb-c", "aa-bbbb-cccc-dddd-eeee-ffff-gggg-hhhh"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_true(lang_tag_valid(span_str(GOOD[i])));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(lang_tag_valid(span_str(BAD[i])));
    assert_string_equal(lang_tag_name(SPAN_LIT("EN-us")), "English");
    assert_null(lang_tag_name(SPAN_LIT("tlh")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(subrip), cmocka_unit_test(webvtt),
                                       cmocka_unit_test(bad),    cmocka_unit_test(limits),
                                       cmocka_unit_test(cut),    cmocka_unit_test(languages)};
    return RUN_TESTS(tests);
}
