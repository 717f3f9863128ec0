/* SPDX-License-Identifier: MIT */
/* Chunked bodies, paths, queries and single header values. */
#include "../test.h"
#include "base/str.h"
#include "wire/http_chunk.h"
#include "wire/http_uri.h"
#include "wire/http_value.h"

/* Decodes `in` fed in pieces of `step` bytes. E_OK: done; *used is what was taken. */
static enum err dechunk(struct span in, size_t step, struct str *out, size_t *used)
{
    struct http_chunk c = {0};
    *used = 0;
    while (*used < in.len) {
        struct span piece = span_head(span_skip(in, *used), step), data;
        const size_t had = piece.len;
        enum err e;
        while ((e = http_chunk_next(&c, &piece, &data)) == E_OK && !c.done) str_add(out, data);
        *used += had - piece.len;
        if (e != E_MORE) return e;
    }
    return E_MORE;
}

static void chunks(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        enum err e;
        size_t left;
    } rows[] = {
        {"0\r\n\r\n", "", E_OK, 0},
        {"5\r\nhello\r\n0\r\n\r\nGET", "hello", E_OK, 3},
        {"5\r\nhello\r\n00006\r\n world\r\n000\r\n\r\n", "hello world", E_OK, 0},
        {"A;x=\"y\"\r\n0123456789\r\n0;z\r\nT: v\r\nU: w\r\n\r\n", "0123456789", E_OK, 0},
        {"a\r\n0123456789\r\n", "0123456789", E_MORE, 0},
        {"5 \r\nhello\r\n0\r\n\r\n", "", E_PROTO, 0},
        {" 5\r\nhello\r\n0\r\n\r\n", "", E_PROTO, 0},
        {"0x5\r\nhello\r\n0\r\n\r\n", "", E_PROTO, 0},
        {"-5\r\nhello\r\n0\r\n\r\n", "", E_PROTO, 0},
        {"\r\nhello", "", E_PROTO, 0},
        {"5\nhello\n0\n\n", "", E_PROTO, 0},
        {"5;a\nhello\r\n0\r\n\r\n", "", E_PROTO, 0},
        {"5\r\nhelloX\r\n0\r\n\r\n", "hello", E_PROTO, 0},
        {"5\r\nhello0\r\n\r\n", "hello", E_PROTO, 0},
        {"0\r\nT: v\nU: w\r\n\r\n", "", E_PROTO, 0},
        {"0\r\n folded\r\n\r\n", "", E_PROTO, 0},
        {"0\r\n\rX", "", E_PROTO, 0},
        {"ffffffffffffffff\r\n", "", E_LIMIT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct span in = span_str(rows[i].in);
        for (size_t step = 1; step <= in.len; step++) {
            struct str out = {0};
            size_t used;
            assert_int_equal(dechunk(in, step, &out, &used), rows[i].e);
            assert_true(span_is(str_span(&out), rows[i].out));
            /* After the end nothing more is taken: it is the next request. */
            if (rows[i].e == E_OK && step == in.len) assert_int_equal(in.len - used, rows[i].left);
            str_fini(&out);
        }
    }
}

static void chunk_limits(void **state)
{
    (void)state;
    struct str in = {0}, out = {0};
    size_t used;
    while (in.len < 2 * LIMIT_HTTP_CHUNK_EXT_BYTES) str_adds(&in, "1;aaaaaaaaaaaaaaaa\r\nx\r\n");
    assert_int_equal(dechunk(str_span(&in), in.len, &out, &used), E_LIMIT);
    in.len = 0;
    str_adds(&in, "0\r\n");
    while (in.len < 2 * LIMIT_HTTP_TRAILER_BYTES) str_adds(&in, "a: b\r\n");
    assert_int_equal(dechunk(str_span(&in), in.len, &out, &used), E_LIMIT);
    str_fini(&in);
    str_fini(&out);
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* out NULL: refused */
    } rows[] = {
        {"/", "/"},
        {"/a/b.m3u8", "/a/b.m3u8"},
        {"/a%20b%C3%A9", "/a b\xc3\xa9"},
        {"/a+b", "/a+b"},
        {"/..a/a../...", "/..a/a../..."},
        {"//a", "//a"},
        {"/a/../b", NULL},
        {"/..", NULL},
        {"/.", NULL},
        {"/a/./b", NULL},
        {"/%2e%2e/b", NULL},
        {"/.%2E", NULL},
        {"/a%2fb", NULL},
        {"/a%2Fb", NULL},
        {"/a\\b", NULL},
        {"/a%5cb", NULL},
        {"/a%00", NULL},
        {"/a%0d%0ab", NULL},
        {"/a%7f", NULL},
        {"/a%", NULL},
        {"/a%4", NULL},
        {"/a%zz", NULL},
        {"a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[64];
        size_t n;
        const enum err e = http_uri_path(span_str(rows[i].in), out, sizeof out, &n);
        assert_int_equal(e, rows[i].out ? E_OK : E_INVALID);
        if (rows[i].out) assert_string_equal(out, rows[i].out);
    }
    char small[4];
    size_t n;
    assert_int_equal(http_uri_path(SPAN_LIT("/abc"), small, sizeof small, &n), E_LIMIT);
    assert_int_equal(http_uri_path(SPAN_LIT("/ab"), small, sizeof small, &n), E_OK);
}

static void queries(void **state)
{
    (void)state;
    char v[16];
    const struct span q =
        SPAN_LIT("&a=1&b=x+y%2Bz&&c&d=%zz&a=2&%65=5&e%00=6&f=%00&l=123456789012345"
                 "6");
    assert_int_equal(http_uri_query_get(q, "a", v, sizeof v), E_OK);
    assert_string_equal(v, "1");
    assert_int_equal(http_uri_query_get(q, "b", v, sizeof v), E_OK);
    assert_string_equal(v, "x y+z");
    assert_int_equal(http_uri_query_get(q, "c", v, sizeof v), E_OK);
    assert_string_equal(v, "");
    assert_int_equal(http_uri_query_get(q, "d", v, sizeof v), E_PROTO);
    assert_int_equal(http_uri_query_get(q, "e", v, sizeof v), E_OK);
    assert_string_equal(v, "5");
    assert_int_equal(http_uri_query_get(q, "f", v, sizeof v), E_PROTO);
    assert_int_equal(http_uri_query_get(q, "l", v, sizeof v), E_LIMIT);
    assert_int_equal(http_uri_query_get(q, "g", v, sizeof v), E_NOTFOUND);
    assert_int_equal(http_uri_query_get(SPAN_NULL, "g", v, sizeof v), E_NOTFOUND);
}

static void cookies(void **state)
{
    (void)state;
    struct span v;
    const struct span f = SPAN_LIT("session2=no; session=a=b ;x=; flag; session=later");
    assert_true(http_cookie_get(f, "session", &v) && span_is(v, "a=b"));
    assert_true(http_cookie_get(f, "x", &v) && span_is(v, ""));
    assert_false(http_cookie_get(f, "flag", &v));
    assert_false(http_cookie_get(f, "Session", &v));
    assert_false(http_cookie_get(SPAN_NULL, "session", &v));
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        uint64_t size;
        enum http_range kind;
        uint64_t first, last;
    } rows[] = {
        {"bytes=0-", 10, HTTP_RANGE_PART, 0, 9},
        {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 0},
        {"Bytes=2-5", 10, HTTP_RANGE_PART, 2, 5},
        {"bytes=9-100", 10, HTTP_RANGE_PART, 9, 9},
        {"bytes=-3", 10, HTTP_RANGE_PART, 7, 9},
        {"bytes=-30", 10, HTTP_RANGE_PART, 0, 9},
        {"bytes=10-", 10, HTTP_RANGE_BAD, 0, 0},
        {"bytes=-0", 10, HTTP_RANGE_BAD, 0, 0},
        {"bytes=0-", 0, HTTP_RANGE_BAD, 0, 0},
        {"bytes=5-2", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=0-1,3-4", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1--2", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"items=0-1", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=99999999999999999999-", 10, HTTP_RANGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t a = 0, b = 0;
        assert_int_equal(http_range_parse(span_str(rows[i].in), rows[i].size, &a, &b),
                         rows[i].kind);
        assert_int_equal(a, rows[i].first);
        assert_int_equal(b, rows[i].last);
    }
}

static void encodings_and_tags(void **state)
{
    (void)state;
    assert_true(http_accepts_gzip(SPAN_LIT("gzip, deflate, br")));
    assert_true(http_accepts_gzip(SPAN_LIT("br;q=1.0, GZIP ; q=0.5")));
    assert_true(http_accepts_gzip(SPAN_LIT("*")));
    assert_false(http_accepts_gzip(SPAN_LIT("*, gzip;q=0")));
    assert_false(http_accepts_gzip(SPAN_LIT("gzip;q=0.000")));
    assert_false(http_accepts_gzip(SPAN_LIT("br, xgzip")));
    assert_false(http_accepts_gzip(SPAN_LIT("")));
    assert_true(http_etag_matches(SPAN_LIT("\"a\", W/\"b\""), SPAN_LIT("\"b\"")));
    assert_true(http_etag_matches(SPAN_LIT("*"), SPAN_LIT("\"b\"")));
    assert_false(http_etag_matches(SPAN_LIT("\"a\""), SPAN_LIT("\"b\"")));
    assert_false(http_etag_matches(SPAN_NULL, SPAN_LIT("\"b\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),
        cmocka_unit_test(chunk_limits),
        cmocka_unit_test(paths),
        cmocka_unit_test(queries),
        cmocka_unit_test(cookies),
        cmocka_unit_test(ranges),
        cmocka_unit_test(encodings_and_tags),
    };
    return RUN_TESTS(tests);
}
