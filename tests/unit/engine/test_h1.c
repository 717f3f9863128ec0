/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "engine/h1.h"

/* A server that answers every request with "METHOD path body-length", and writes down what it saw.
 * `step` bytes are fed at a time. Stops at the first error or close. */
struct run {
    struct str out, seen;
    int status; /* of the error event; 0: none */
    bool open;
    size_t used;
};

static void answer(struct h1 *h, const struct http_head *head, size_t body, struct run *r)
{
    char text[64];
    const struct span path = http_head_path(head);
    snprintf(text, sizeof text, "%s %.*s %zu", http_method_name(head->method), (int)path.len,
             path.p, body);
    const struct http_reply reply = {.status = 200, .length = strlen(text)};
    h1_reply_head(h, &reply, &r->out);
    if (h1_reply_has_body(h, 200)) str_adds(&r->out, text);
    str_addf(&r->seen, "%s;", text);
    r->open = h1_reply_done(h, 0);
}

static void run(struct span in, size_t step, struct run *r)
{
    static struct http_head head, parsed;
    struct h1 h;
    struct h1_event ev;
    struct str bytes = {0};
    size_t body = 0;
    *r = (struct run){.open = true};
    h1_init(&h, 0);
    while (r->open && r->used < in.len) {
        const struct span piece = span_head(span_skip(in, r->used), step);
        uint8_t *copy = malloc(piece.len); /* the engine must not keep pointers into it */
        memcpy(copy, piece.p, piece.len);
        h1_feed(&h, span_of(copy, piece.len), 0);
        r->used += piece.len;
        while (r->open && h1_next(&h, &parsed, &ev)) {
            if (ev.kind == H1_REQUEST) {
                head = parsed;
                bytes.len = body = 0;
                str_add(&bytes, span_of(head.base, head.size));
                head.base = bytes.p;
            } else if (ev.kind == H1_BODY) {
                body += ev.body.len;
            } else if (ev.kind == H1_END) {
                answer(&h, &head, body, r);
            } else {
                r->status = ev.problem.status;
                r->open = false;
            }
        }
        free(copy);
    }
    h1_fini(&h);
    str_fini(&bytes);
}

static void run_free(struct run *r)
{
    str_fini(&r->out);
    str_fini(&r->seen);
}

static void every_split_says_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *in, *seen;
        int status;
        bool open;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a 0;", 0, true},
        {"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET /a 0;GET /b 0;", 0, true},
        {"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n"
         "Host: h\r\n\r\n",
         "POST /a 5;GET /b 0;", 0, true},
        {"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x\r\nabc"
         "\r\n0\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "POST /a 8;HEAD /b 0;", 0, true},
        {"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\n", "GET /a 0;",
         0, false},
        {"GET /a HTTP/1.0\r\n\r\n", "GET /a 0;", 0, false},
        {"GET /a HTTP/1.1\r\nHost: h\r\n\r\nBAD\r\n\r\n", "GET /a 0;", 400, false},
        {"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", 400, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct span in = span_str(rows[i].in);
        struct run whole;
        run(in, in.len, &whole);
        for (size_t step = 1; step <= in.len; step++) {
            struct run r;
            run(in, step, &r);
            assert_true(span_is(str_span(&r.seen), rows[i].seen));
            assert_true(span_eq(str_span(&r.out), str_span(&whole.out)));
            assert_int_equal(r.status, rows[i].status);
            assert_int_equal(r.open, rows[i].open);
            run_free(&r);
        }
        run_free(&whole);
    }
}

static void what_a_reply_looks_like(void **state)
{
    (void)state;
    struct run r;
    run(SPAN_LIT("GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.0\r\nConnection: keep-alive\r\n"
                 "\r\n"),
        1000, &r);
    assert_true(span_is(str_span(&r.out), "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nGET /a 0"
                                          "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n"
                                          "connection: keep-alive\r\n\r\n"));
    run_free(&r);
}

/* Feeds a head and returns the engine after its events. */
static void feed(struct h1 *h, const char *in, int64_t now_us)
{
    static struct http_head head;
    struct h1_event ev;
    h1_feed(h, span_str(in), now_us);
    while (h1_next(h, &head, &ev)) {
    }
}

static void streamed_replies(void **state)
{
    (void)state;
    struct h1 h;
    char b[H1_CHUNK_HEAD];
    struct str out = {0};
    const struct http_reply reply = {.status = 200, .length = HTTP_LENGTH_UNKNOWN};
    h1_init(&h, 0);
    feed(&h, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 0);
    h1_reply_head(&h, &reply, &out);
    assert_true(span_is(h1_chunk_head(&h, 0x1a2, b), "1a2\r\n"));
    assert_true(span_is(h1_chunk_tail(&h), "\r\n"));
    assert_true(span_is(h1_chunk_last(&h), "0\r\n\r\n"));
    assert_non_null(strstr(str_c(&out), "transfer-encoding: chunked\r\n"));
    assert_true(h1_reply_done(&h, 0));
    out.len = 0;
    feed(&h, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0);
    h1_reply_head(&h, &reply, &out);
    assert_int_equal(h1_chunk_head(&h, 5, b).len, 0);
    assert_non_null(strstr(str_c(&out), "connection: close\r\n"));
    assert_false(h1_reply_done(&h, 0));
    h1_fini(&h);
    str_fini(&out);
}

static void an_early_reply_closes(void **state)
{
    (void)state;
    struct h1 h;
    struct str out = {0};
    h1_init(&h, 0);
    feed(&h, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
         0);
    assert_true(h1_wants_continue(&h));
    feed(&h, "12345", 0);
    assert_false(h1_wants_continue(&h));
    const struct http_reply reply = {.status = 413, .length = 0};
    h1_reply_head(&h, &reply, &out);
    assert_non_null(strstr(str_c(&out), "connection: close\r\n"));
    assert_false(h1_reply_done(&h, 0));
    h1_fini(&h);
    str_fini(&out);
}

/* Bytes do not move the deadline of a head; those of a body do, but only at a fair pace. */
static void trickling_gains_nothing(void **state)
{
    (void)state;
    struct h1 h;
    h1_init(&h, 0);
    assert_true(h1_is_idle(&h));
    assert_int_equal(h1_deadline_us(&h), LIMIT_HTTP_IDLE_MS * US_PER_MS);
    feed(&h, "GET / HT", 5 * US_PER_SEC);
    const int64_t head_by = 5 * US_PER_SEC + LIMIT_HTTP_HEAD_MS * US_PER_MS;
    assert_false(h1_is_idle(&h));
    assert_int_equal(h1_deadline_us(&h), head_by);
    feed(&h, "T", 9 * US_PER_SEC);
    assert_int_equal(h1_deadline_us(&h), head_by);
    feed(&h, "P/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", 10 * US_PER_SEC);
    const int64_t body_by = 10 * US_PER_SEC + LIMIT_HTTP_BODY_MS * US_PER_MS;
    assert_int_equal(h1_deadline_us(&h), body_by);
    for (int i = 1; i <= 29; i++) feed(&h, "x", (10 + i) * US_PER_SEC);
    assert_int_equal(h1_deadline_us(&h), body_by);
    h1_fini(&h);
}

/* While the body is not wanted, the client is not late. */
static void a_held_body_is_not_late(void **state)
{
    (void)state;
    struct h1 h;
    h1_init(&h, 0);
    feed(&h, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", 0);
    h1_hold(&h, true, US_PER_SEC);
    assert_int_equal(h1_deadline_us(&h), INT64_MAX);
    h1_hold(&h, false, 100 * US_PER_SEC);
    assert_int_equal(h1_deadline_us(&h), 99 * US_PER_SEC + LIMIT_HTTP_BODY_MS * US_PER_MS);
    h1_fini(&h);
}

static void sent_ahead_is_bounded(void **state)
{
    (void)state;
    struct h1 h;
    h1_init(&h, 0);
    feed(&h, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0);
    assert_int_equal(h1_deadline_us(&h), INT64_MAX);
    for (int i = 0; i < 4096 && !h1_is_full(&h); i++) feed(&h, "GET / HTTP/1.1\r\nHost: h\r\n", 0);
    assert_true(h1_is_full(&h));
    h1_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_body_is_not_late), cmocka_unit_test(every_split_says_the_same),
        cmocka_unit_test(what_a_reply_looks_like), cmocka_unit_test(streamed_replies),
        cmocka_unit_test(an_early_reply_closes),   cmocka_unit_test(trickling_gains_nothing),
        cmocka_unit_test(sent_ahead_is_bounded),
    };
    return RUN_TESTS(tests);
}
