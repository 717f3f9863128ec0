/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/http_head.h"

#define H "Host: a\r\n"

/* Input, and the status of the refusal; 0: accepted. The same table is run against another
 * implementation by tests/e2e/http_heads.mjs for the rows where strict parsers agree. */
static const struct {
    const char *name, *in;
    int status;
} CASES[] = {
    {"plain", "GET / HTTP/1.1\r\n" H "\r\n", 0},
    {"empty line before", "\r\nGET / HTTP/1.1\r\n" H "\r\n", 0},
    {"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400},
    {"http/1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
    {"http/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 0},
    {"absolute form", "GET http://b:80/x?y HTTP/1.1\r\n" H "\r\n", 0},
    {"absolute form, ftp", "GET ftp://b/x HTTP/1.1\r\n" H "\r\n", 400},
    {"absolute form, user", "GET http://u@b/x HTTP/1.1\r\n" H "\r\n", 400},
    {"absolute form, no path", "GET http://b HTTP/1.1\r\n" H "\r\n", 400},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0},
    {"asterisk with GET", "GET * HTTP/1.1\r\n" H "\r\n", 400},
    {"authority form", "GET a:80 HTTP/1.1\r\n" H "\r\n", 400},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 501},
    {"TRACE", "TRACE / HTTP/1.1\r\n" H "\r\n", 501},
    {"lower-case method", "get / HTTP/1.1\r\n" H "\r\n", 501},
    {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501},
    {"http/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 505},
    {"http/0.9", "GET /\r\n", 400},
    {"http/1.", "GET / HTTP/1.\r\n" H "\r\n", 400},
    {"HTTP/11", "GET / HTTP/1.11\r\n" H "\r\n", 400},
    {"http lower", "GET / http/1.1\r\n" H "\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400},
    {"two spaces after", "GET /  HTTP/1.1\r\n" H "\r\n", 400},
    {"tab", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400},
    {"space before the end", "GET / HTTP/1.1 \r\n" H "\r\n", 400},
    {"space first", " GET / HTTP/1.1\r\n" H "\r\n", 400},
    {"fragment", "GET /#a HTTP/1.1\r\n" H "\r\n", 400},
    {"raw utf-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400},
    {"bare LF in the request line", "GET / HTTP/1.1\n" H "\r\n", 400},
    {"bare LF in a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"bare LF at the end", "GET / HTTP/1.1\r\n" H "\n", 400},
    {"bare CR in a value", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400},
    {"CR before CRLF", "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n", 400},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"v6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0},
    {"space before colon", "GET / HTTP/1.1\r\n" H "X : a\r\n\r\n", 400},
    {"folded line", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400},
    {"folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"no name", "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400},
    {"no colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 400},
    {"name with a slash", "GET / HTTP/1.1\r\n" H "X/Y: a\r\n\r\n", 400},
    {"name with utf-8", "GET / HTTP/1.1\r\n" H "\xc3\xa9: a\r\n\r\n", 400},
    {"utf-8 value", "GET / HTTP/1.1\r\n" H "X: \xc3\xa9\r\n\r\n", 0},
    {"DEL in a value", "GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n", 400},
    {"empty value", "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", 0},
    {"length", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", 0},
    {"length twice", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"length list", "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", 400},
    {"length with a sign", "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", 400},
    {"negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n", 400},
    {"hex length", "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n", 400},
    {"length with spaces", "POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n", 400},
    {"empty length", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
    {"length above 63 bits", "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n",
     400},
    {"chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 0},
    {"Chunked", "POST / HTTP/1.1\r\n" H "transfer-encoding: Chunked\r\n\r\n", 0},
    {"both", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"both, turned",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"chunked not last", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
    {"gzip, chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"identity", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501},
    {"xchunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"vertical tab", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n", 400},
    {"chunked twice",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"chunked in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400},
    {"expect", "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", 0},
    {"expect else", "POST / HTTP/1.1\r\n" H "Expect: magic\r\n\r\n", 417},
};

static void table(void **state)
{
    (void)state;
    static struct http_head h;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct http_problem why = {0};
        const struct span in = span_str(CASES[i].in);
        const enum err e = http_head_parse(in, &h, &why);
        if ((e == E_OK ? 0 : why.status) != CASES[i].status)
            fail_msg("%s: %s, %d %s", CASES[i].name, err_label(e), why.status,
                     why.why ? why.why : "");
        /* A beginning of an accepted head is never refused. */
        for (size_t cut = 0; e == E_OK && cut < h.size; cut++) {
            static struct http_head part;
            assert_int_equal(http_head_parse(span_head(in, cut), &part, &why), E_MORE);
        }
    }
}

static void nul_is_refused(void **state)
{
    (void)state;
    static struct http_head h;
    struct http_problem why;
    assert_int_equal(http_head_parse(SPAN_LIT("GET /\0 HTTP/1.1\r\n" H "\r\n"), &h, &why), E_PROTO);
    assert_int_equal(http_head_parse(SPAN_LIT("GET / HTTP/1.1\r\n" H "X: \0\r\n\r\n"), &h, &why),
                     E_PROTO);
    assert_int_equal(http_head_parse(SPAN_LIT("GET / HTTP/1.1\r\n" H "X\0: a\r\n\r\n"), &h, &why),
                     E_PROTO);
}

static void what_it_says(void **state)
{
    (void)state;
    static struct http_head h;
    struct http_problem why;
    const struct span in = SPAN_LIT("\r\nPOST http://b:1/p/q?x=1&y HTTP/1.1\r\nhOST: a\r\n"
                                    "X-One:\t first \r\nx-one: second\r\n"
                                    "Connection: foo, Close\r\nContent-Length: 7\r\n\r\nleft");
    assert_int_equal(http_head_parse(in, &h, &why), E_OK);
    assert_int_equal(h.method, HTTP_POST);
    assert_true(span_is(http_head_path(&h), "/p/q"));
    assert_true(h.has_query && span_is(http_head_query(&h), "x=1&y"));
    assert_true(span_is(http_head_host(&h), "b:1"));
    assert_true(span_is(http_head_get(&h, "x-one"), "first"));
    assert_null(http_head_get(&h, "x-two").p);
    assert_false(h.keep_alive);
    assert_int_equal(h.framing, HTTP_LENGTH);
    assert_int_equal(h.content_length, 7);
    assert_int_equal(h.size, in.len - 4);
}

static void keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        bool keep;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", true},
        {"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
    };
    static struct http_head h;
    struct http_problem why;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(http_head_parse(span_str(rows[i].in), &h, &why), E_OK);
        assert_int_equal(h.keep_alive, rows[i].keep);
    }
}

static void limits(void **state)
{
    (void)state;
    static struct http_head h;
    static char in[LIMIT_HTTP_HEAD_BYTES * 2];
    struct http_problem why;
    int n = snprintf(in, sizeof in, "GET / HTTP/1.1\r\n" H);
    for (int i = 1; i < LIMIT_HTTP_HEADERS; i++) n += snprintf(in + n, sizeof in - n, "a: b\r\n");
    snprintf(in + n, sizeof in - n, "\r\n");
    assert_int_equal(http_head_parse(span_str(in), &h, &why), E_OK);
    snprintf(in + n, sizeof in - n, "a: b\r\n\r\n");
    assert_int_equal(http_head_parse(span_str(in), &h, &why), E_LIMIT);
    assert_int_equal(why.status, 431);

    memset(in, 'a', sizeof in);
    memcpy(in, "GET /", 5);
    assert_int_equal(http_head_parse(span_of(in, LIMIT_HTTP_TARGET_BYTES), &h, &why), E_MORE);
    assert_int_equal(http_head_parse(span_of(in, sizeof in), &h, &why), E_LIMIT);
    assert_int_equal(why.status, 414);

    n = snprintf(in, sizeof in, "GET / HTTP/1.1\r\nX: ");
    in[n] = 'a';
    assert_int_equal(http_head_parse(span_of(in, LIMIT_HTTP_HEAD_BYTES - 1), &h, &why), E_MORE);
    assert_int_equal(http_head_parse(span_of(in, LIMIT_HTTP_HEAD_BYTES), &h, &why), E_LIMIT);
    assert_int_equal(why.status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),      cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(keep_alive), cmocka_unit_test(what_it_says),
        cmocka_unit_test(limits),
    };
    return RUN_TESTS(tests);
}
