/* SPDX-License-Identifier: MIT */
/* Content-Range of pieces, and what a file is by its first bytes. */
#include "../test.h"
#include "wire/content_range.h"
#include "wire/media_sniff.h"

static enum err parse(const char *text, struct content_range *r)
{
    return content_range_parse(span_str(text), r);
}

static void pieces(void **state)
{
    (void)state;
    struct content_range r;
    assert_int_equal(parse("bytes 0-524287/1300000", &r), E_OK);
    assert_true(!r.asks && r.has_total && r.first == 0 && r.last == 524287 && r.total == 1300000);
    assert_int_equal(parse(" BYTES 5-5/* ", &r), E_OK);
    assert_true(!r.asks && !r.has_total && r.first == 5 && r.last == 5);
    assert_int_equal(parse("bytes 0-0/1", &r), E_OK);
}

static void questions(void **state)
{
    (void)state;
    struct content_range r;
    assert_int_equal(parse("bytes */*", &r), E_OK);
    assert_true(r.asks && !r.has_total);
    assert_int_equal(parse("bytes */77", &r), E_OK);
    assert_true(r.asks && r.has_total && r.total == 77);
    assert_int_equal(parse("bytes */0", &r), E_OK);
}

static void refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "bytes",
        "bytes ",
        "bytes 0-1",
        "bytes 0/1",
        "bytes -1/5",
        "bytes 1-/5",
        "bytes 2-1/5",
        "bytes 0-5/5",
        "bytes 0-1/",
        "items 0-1/2",
        "bytes=0-1/2",
        "bytes a-b/c",
        "bytes 0-1/2/3",
        "bytes 0-1,2-3/9",
        "bytes +0-1/2",
        "bytes 0x0-1/2",
    };
    struct content_range r = {.total = 42};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(parse(BAD[i], &r), E_PROTO);
        assert_int_equal(r.total, 42);
    }
    assert_int_equal(parse("bytes 0-1/99999999999999999999999", &r), E_LIMIT);
    assert_int_equal(parse("bytes 0-4611686018427387905/*", &r), E_LIMIT);
    assert_int_equal(parse("bytes 0-18446744073709551615/*", &r), E_LIMIT);
}

static void sniffed(void **state)
{
    (void)state;
#define IS(lit, name)                                                                              \
    do {                                                                                           \
        const struct media_sniff m = media_sniff(SPAN_LIT(lit));                                   \
        assert_non_null(m.container);                                                              \
        assert_string_equal(m.container, name);                                                    \
    } while (0)
    IS("\x1a\x45\xdf\xa3\x01\0\0", "matroska");
    IS("\0\0\0\x20"
       "ftypisom",
       "mp4");
    IS("\0\0\0\x08"
       "free"
       "\0\0\0\x08"
       "mdat",
       "mov");
    IS("RIFF\0\0\0\0WAVEfmt ", "wav");
    IS("RIFF\0\0\0\0AVI LIST", "avi");
    IS("OggS\0\x02", "ogg");
    IS("ID3\x04", "mp3");
    IS("\xff\xfb\x90\x64", "mp3");
    IS("\xff\xf1\x50\x80\x2e\x7f", "adts");
    uint8_t ts[3 * 188] = {0};
    ts[0] = ts[188] = ts[376] = 0x47;
    assert_string_equal(media_sniff(span_of(ts, sizeof ts)).container, "mpegts");
    ts[188] = 0;
    assert_null(media_sniff(span_of(ts, sizeof ts)).container);
}

static void not_media(void **state)
{
    (void)state;
#define LOOKS(lit, re)                                                                             \
    do {                                                                                           \
        const struct media_sniff m = media_sniff(SPAN_LIT(lit));                                   \
        assert_null(m.container);                                                                  \
        assert_non_null(m.looks_like);                                                             \
        assert_non_null(strstr(m.looks_like, re));                                                 \
    } while (0)
    LOOKS("PK\3\4", "ZIP");
    LOOKS("\x89PNG\r\n", "PNG");
    LOOKS("\xff\xd8\xff\xe0", "JPEG");
    LOOKS("\n <HTML><body>", "web page");
    LOOKS("#EXTM3U\n", "playlist");
    LOOKS("hello there\n", "text");
    LOOKS("RIFF\0\0\0\0WEBPVP8 ", "WebP");
    assert_null(media_sniff(SPAN_NULL).container);
    assert_null(media_sniff(SPAN_LIT("\0\1\2\3")).looks_like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),  cmocka_unit_test(questions), cmocka_unit_test(refused),
        cmocka_unit_test(sniffed), cmocka_unit_test(not_media),
    };
    return RUN_TESTS(tests);
}
