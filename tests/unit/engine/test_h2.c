/* SPDX-License-Identifier: MIT */
/* The engine against nghttp2's own client, in memory. */
#include "../test.h"
#include "base/clock.h"
#include "engine/h2.h"
#include <nghttp2/nghttp2.h>

struct world {
    struct h2 *server;
    nghttp2_session *client;
    struct str got; /* the bodies that the client received */
    int status, closed, wholes, gone;
    uint32_t goaway, reset;
    size_t to_send, received;
    enum err fed;
    int64_t now_us;
    struct str log;
    /* The body that the server sends. */
    struct span body;
    bool hold, stalled, deaf;
    bool holds; /* the server does not take the body of what comes */
    struct h2_stream *held;
};

static int client_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *n, size_t nl,
                         const uint8_t *v, size_t vl, uint8_t flags, void *user)
{
    (void)s, (void)f, (void)flags, (void)vl;
    struct world *w = user;
    if (nl == 7 && memcmp(n, ":status", 7) == 0) w->status = atoi((const char *)v);
    return 0;
}

static int client_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                       void *user)
{
    (void)s, (void)flags, (void)id;
    struct world *w = user;
    str_add(&w->got, span_of(p, n));
    return 0;
}

static int client_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
    (void)s;
    struct world *w = user;
    if (f->hd.type == NGHTTP2_GOAWAY) w->goaway = f->goaway.error_code + 1;
    if (f->hd.type == NGHTTP2_RST_STREAM) w->reset = f->rst_stream.error_code + 1;
    return 0;
}

static int client_close(nghttp2_session *s, int32_t id, uint32_t code, void *user)
{
    (void)s, (void)id, (void)code;
    ((struct world *)user)->closed++;
    return 0;
}

static void world_init(struct world *w)
{
    nghttp2_session_callbacks *cb;
    *w = (struct world){.server = h2_new(0), .body = SPAN_LIT("hello")};
    nghttp2_session_callbacks_new(&cb);
    nghttp2_session_callbacks_set_on_header_callback(cb, client_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, client_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, client_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, client_close);
    nghttp2_session_client_new(&w->client, cb, w);
    nghttp2_session_callbacks_del(cb);
    nghttp2_submit_settings(w->client, 0, NULL, 0);
}

static void world_fini(struct world *w)
{
    h2_free(w->server);
    nghttp2_session_del(w->client);
    str_fini(&w->got);
    str_fini(&w->log);
}

static enum err read_body(void *ctx, uint8_t *dst, size_t cap, size_t *n, bool *end)
{
    struct world *w = ctx;
    if (w->hold) return E_OK;
    const struct span piece = span_head(w->body, cap);
    memcpy(dst, piece.p, piece.len);
    *n = piece.len;
    w->body = span_skip(w->body, piece.len);
    *end = w->body.len == 0;
    return E_OK;
}

static void serve(struct world *w)
{
    struct h2_event ev;
    while (h2_next(w->server, &ev)) {
        if (ev.kind == H2_REQUEST) {
            const struct http_reply bad = {.status = ev.problem.status};
            if (!ev.problem.status) h2_stream_set_ctx(ev.stream, w);
            if (w->holds) h2_stream_hold(w->server, w->held = ev.stream, true);
            if (ev.problem.status) {
                h2_reply(w->server, ev.stream, &bad, NULL);
                continue;
            }
            const struct span p = http_head_path(ev.head), q = http_head_query(ev.head);
            str_addf(&w->log, "%s %.*s %.*s %.*s;", http_method_name(ev.head->method), (int)p.len,
                     p.p, (int)q.len, q.p, (int)http_head_host(ev.head).len,
                     http_head_host(ev.head).p);
        } else if (ev.kind == H2_BODY) {
            w->received += ev.body.len;
        } else if (ev.kind == H2_END && h2_stream_ctx(ev.stream)) {
            const struct http_reply ok = {.status = 200, .length = HTTP_LENGTH_UNKNOWN};
            const struct h2_source source = {read_body, w};
            h2_reply(w->server, ev.stream, &ok, &source);
        } else if (ev.kind == H2_CLOSED) {
            w->wholes += ev.whole;
            w->gone += !ev.whole;
        }
    }
}

/* Lets both talk until they have nothing to say. */
static void talk(struct world *w)
{
    for (bool busy = true; busy;) {
        const uint8_t *p;
        struct span out;
        busy = false;
        const ssize_t n = nghttp2_session_mem_send(w->client, &p);
        if (n > 0 && w->fed == E_OK) {
            w->fed = h2_feed(w->server, span_of(p, (size_t)n), w->now_us);
            busy = true;
        }
        serve(w);
        while (h2_output(w->server, &out)) {
            /* A deaf client's own window updates are the only thing it would answer DATA with. */
            if (w->deaf && out.len > 3 && out.p[3] == NGHTTP2_DATA) continue;
            assert_true(nghttp2_session_mem_recv(w->client, out.p, out.len) == (ssize_t)out.len);
            busy = true;
        }
    }
}

#define NV(n, v)                                                                                   \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), strlen(n), strlen(v), 0              \
    }

static ssize_t send_body(nghttp2_session *s, int32_t id, uint8_t *buf, size_t cap, uint32_t *flags,
                         nghttp2_data_source *src, void *user)
{
    (void)s, (void)id, (void)src;
    struct world *w = user;
    const size_t n = w->to_send < cap ? w->to_send : cap;
    if (w->stalled) return NGHTTP2_ERR_DEFERRED;
    memset(buf, 'x', n);
    w->to_send -= n;
    if (w->to_send == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int32_t request(struct world *w, const char *method, const char *path, size_t body)
{
    const nghttp2_nv nv[] = {NV(":method", method), NV(":path", path), NV(":scheme", "https"),
                             NV(":authority", "h:1")};
    const nghttp2_data_provider provider = {.read_callback = send_body};
    w->to_send = body;
    return nghttp2_submit_request(w->client, NULL, nv, 4, body ? &provider : NULL, NULL);
}

static void a_request_and_its_reply(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    request(&w, "GET", "/a/b?x=1", 0);
    talk(&w);
    assert_true(span_is(str_span(&w.log), "GET /a/b x=1 h:1;"));
    assert_true(span_is(str_span(&w.got), "hello"));
    assert_int_equal(w.status, 200);
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.wholes, 1);
    world_fini(&w);
}

/* More than the windows of 64 KiB in both directions. */
static void bodies_flow(void **state)
{
    (void)state;
    struct world w;
    static uint8_t big[1000000];
    world_init(&w);
    w.body = span_of(big, sizeof big);
    request(&w, "POST", "/up", 500000);
    talk(&w);
    assert_int_equal(w.received, 500000);
    assert_int_equal(w.got.len, sizeof big);
    assert_int_equal(w.wholes, 1);
    world_fini(&w);
}

/* Not taken, a body stops at the stream's window, and is not late; others go on beside it. */
static void a_held_body_stops_its_sender(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.holds = true;
    request(&w, "PUT", "/up", 3 * LIMIT_HTTP2_STREAM_WINDOW);
    talk(&w);
    assert_int_equal(w.received, 0);
    const size_t left = w.to_send;
    assert_true(left >= 2 * LIMIT_HTTP2_STREAM_WINDOW);
    assert_int_equal(h2_deadline_us(w.server), INT64_MAX);
    w.holds = false;
    request(&w, "GET", "/other", 0);
    w.to_send = left; /* of the first */
    talk(&w);
    assert_int_equal(w.closed, 1);
    w.body = SPAN_LIT("hello");
    h2_stream_hold(w.server, w.held, false);
    talk(&w);
    assert_int_equal(w.received, 3 * LIMIT_HTTP2_STREAM_WINDOW);
    assert_int_equal(w.closed, 2);
    world_fini(&w);
}

static void a_held_reply_goes_on(void **state)
{
    (void)state;
    struct world w;
    struct h2_event ev;
    world_init(&w);
    request(&w, "GET", "/", 0);
    talk(&w);
    w.hold = true;
    w.body = SPAN_LIT("later");
    w.got.len = 0;
    request(&w, "GET", "/2", 0);
    struct h2_stream *held = NULL;
    const uint8_t *p;
    const ssize_t n = nghttp2_session_mem_send(w.client, &p);
    assert_int_equal(h2_feed(w.server, span_of(p, (size_t)n), 0), E_OK);
    while (h2_next(w.server, &ev)) {
        if (ev.kind != H2_END) continue;
        const struct http_reply ok = {.status = 200, .length = 5};
        const struct h2_source source = {read_body, &w};
        held = ev.stream;
        h2_reply(w.server, held, &ok, &source);
    }
    talk(&w);
    assert_int_equal(w.got.len, 0);
    w.hold = false;
    h2_resume(w.server, held);
    talk(&w);
    assert_true(span_is(str_span(&w.got), "later"));
    world_fini(&w);
}

static void bad_heads_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        {"BREW", "/", 501},
        {"GET", "a", 400},
        {"GET", "/a#b", 400},
        {"GET", "*", 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        world_init(&w);
        request(&w, rows[i].method, rows[i].path, 0);
        talk(&w);
        /* nghttp2 itself resets the stream for some of them. */
        if (w.status || !w.reset) assert_int_equal(w.status, rows[i].status);
        assert_int_equal(w.closed, 1);
        assert_int_equal(w.log.len, 0);
        world_fini(&w);
    }
}

static void long_heads_are_answered(void **state)
{
    (void)state;
    struct world w;
    static char value[15000];
    memset(value, 'a', sizeof value - 1);
    world_init(&w);
    nghttp2_nv nv[] = {NV(":method", "GET"),  NV(":path", "/"), NV(":scheme", "https"),
                       NV(":authority", "h"), NV("x-a", value), NV("x-b", value)};
    nghttp2_submit_request(w.client, NULL, nv, 6, NULL, NULL);
    talk(&w);
    assert_int_equal(w.status, 431);
    world_fini(&w);
}

static void rapid_reset_ends_the_connection(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.hold = true;
    int i = 0;
    for (; i < 2 * LIMIT_HTTP2_RESETS && w.fed == E_OK; i++) {
        const int32_t id = request(&w, "GET", "/", 0);
        talk(&w);
        nghttp2_submit_rst_stream(w.client, 0, id, NGHTTP2_CANCEL);
        talk(&w);
    }
    assert_int_equal(w.fed, E_LIMIT);
    assert_int_equal(w.goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
    assert_true(i > LIMIT_HTTP2_RESETS - 2);
    assert_int_equal(w.wholes, 0);
    assert_true(w.gone >= LIMIT_HTTP2_RESETS);
    world_fini(&w);
    /* The same number, slowly, is fine. */
    world_init(&w);
    w.hold = true;
    for (i = 0; i < 2 * LIMIT_HTTP2_RESETS && w.fed == E_OK; i++) {
        const int32_t id = request(&w, "GET", "/", 0);
        talk(&w);
        nghttp2_submit_rst_stream(w.client, 0, id, NGHTTP2_CANCEL);
        talk(&w);
        w.now_us += US_PER_SEC / 10;
    }
    assert_int_equal(w.fed, E_OK);
    world_fini(&w);
}

static void a_ping_flood_ends_the_connection(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (int i = 0; i < 2 * LIMIT_HTTP2_CONTROL_FRAMES && w.fed == E_OK; i++) {
        nghttp2_submit_ping(w.client, 0, NULL);
        talk(&w);
    }
    assert_int_equal(w.fed, E_LIMIT);
    assert_int_equal(w.goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
    world_fini(&w);
}

static void goaway_finishes_what_runs(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    request(&w, "GET", "/", 0);
    talk(&w);
    h2_goaway(w.server);
    talk(&w);
    assert_int_equal(w.goaway, NGHTTP2_NO_ERROR + 1);
    assert_true(h2_is_done(w.server));
    world_fini(&w);
}

static void a_body_that_does_not_come(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.stalled = true;
    request(&w, "POST", "/", 10);
    talk(&w);
    assert_int_equal(h2_deadline_us(w.server), LIMIT_HTTP_BODY_MS * US_PER_MS);
    assert_true(h2_on_deadline(w.server, LIMIT_HTTP_BODY_MS * US_PER_MS));
    talk(&w);
    assert_int_equal(w.reset, NGHTTP2_CANCEL + 1);
    assert_int_equal(w.gone, 1);
    assert_int_equal(h2_deadline_us(w.server), LIMIT_HTTP_IDLE_MS * US_PER_MS);
    assert_false(h2_on_deadline(w.server, LIMIT_HTTP_IDLE_MS * US_PER_MS));
    world_fini(&w);
}

/* The reply is larger than the peer's window, and the peer does not open it again. */
static void a_window_that_stays_closed(void **state)
{
    (void)state;
    struct world w;
    static uint8_t big[100000];
    const nghttp2_settings_entry small = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000};
    world_init(&w);
    nghttp2_submit_settings(w.client, 0, &small, 1);
    w.body = span_of(big, sizeof big);
    w.deaf = true;
    request(&w, "GET", "/", 0);
    talk(&w);
    assert_int_equal(h2_deadline_us(w.server), LIMIT_HTTP_WRITE_STALL_MS * US_PER_MS);
    assert_true(h2_on_deadline(w.server, LIMIT_HTTP_WRITE_STALL_MS * US_PER_MS));
    talk(&w);
    assert_int_equal(w.gone, 1);
    world_fini(&w);
    /* A stream that has nothing to send has all the time in the world. */
    world_init(&w);
    w.hold = true;
    request(&w, "GET", "/", 0);
    talk(&w);
    assert_int_equal(h2_deadline_us(w.server), INT64_MAX);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_its_reply),
        cmocka_unit_test(bodies_flow),
        cmocka_unit_test(a_held_body_stops_its_sender),
        cmocka_unit_test(a_held_reply_goes_on),
        cmocka_unit_test(bad_heads_are_answered),
        cmocka_unit_test(long_heads_are_answered),
        cmocka_unit_test(rapid_reset_ends_the_connection),
        cmocka_unit_test(a_ping_flood_ends_the_connection),
        cmocka_unit_test(goaway_finishes_what_runs),
        cmocka_unit_test(a_body_that_does_not_come),
        cmocka_unit_test(a_window_that_stays_closed),
    };
    return RUN_TESTS(tests);
}
