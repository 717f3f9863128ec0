/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "serve/http/router.h"

static void handler(struct http_request *r, void *ctx)
{
    (void)r, (void)ctx;
}

#define ROUTE(m, p)                                                                                \
    {                                                                                              \
        m, p, handler, NULL, 0                                                                     \
    }

static const struct http_route ROUTES[] = {
    ROUTE(HTTP_GET, "/*"),
    ROUTE(HTTP_GET, "/{}.m3u8"),
    ROUTE(HTTP_GET, "/{}"),
    ROUTE(HTTP_GET, "/login"),
    ROUTE(HTTP_GET, "/api/streams"),
    ROUTE(HTTP_POST, "/api/streams"),
    ROUTE(HTTP_GET, "/api/streams/{}"),
    ROUTE(HTTP_DELETE, "/api/streams/{}"),
    ROUTE(HTTP_GET, "/api/streams/mine"),
    ROUTE(HTTP_POST, "/api/streams/{}/end"),
    ROUTE(HTTP_GET, "/media/{}/{}.m4s"),
    ROUTE(HTTP_GET, "/media/{}/{}-{}.m4s"),
    ROUTE(HTTP_GET, "/media/{}/init-{}.mp4"),
    ROUTE(HTTP_GET, "/assets/*"),
};

static void finds(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *path;
        const char *pattern; /* NULL: none */
        const char *params[3];
        unsigned allowed;
    } rows[] = {
        {HTTP_GET, "/", "/*", {""}, 0},
        {HTTP_GET, "/login", "/login", {0}, 0},
        {HTTP_HEAD, "/login", "/login", {0}, 0},
        {HTTP_GET, "/abc", "/{}", {"abc"}, 0},
        {HTTP_GET, "/abc.m3u8", "/{}.m3u8", {"abc"}, 0},
        {HTTP_GET, "/a.m3u8.m3u8", "/{}.m3u8", {"a.m3u8"}, 0},
        {HTTP_GET, "/.m3u8", "/{}", {".m3u8"}, 0},
        {HTTP_GET, "/api/streams/mine", "/api/streams/mine", {0}, 0},
        {HTTP_GET, "/api/streams/x", "/api/streams/{}", {"x"}, 0},
        {HTTP_DELETE, "/api/streams/mine", "/api/streams/{}", {"mine"}, 0},
        {HTTP_POST, "/api/streams/x/end", "/api/streams/{}/end", {"x"}, 0},
        {HTTP_GET, "/media/p/12.m4s", "/media/{}/{}.m4s", {"p", "12"}, 0},
        {HTTP_GET, "/media/p/12-3.m4s", "/media/{}/{}.m4s", {"p", "12-3"}, 0},
        {HTTP_GET, "/media/p/init-1.mp4", "/media/{}/init-{}.mp4", {"p", "1"}, 0},
        {HTTP_GET, "/assets/js/app.js", "/assets/*", {"js/app.js"}, 0},
        {HTTP_GET, "/assets/", "/assets/*", {""}, 0},
        {HTTP_GET, "/deep/er", "/*", {"deep/er"}, 0},
        {HTTP_POST, "/api/streams/x/begin", NULL, {0}, 1u << HTTP_GET | 1u << HTTP_HEAD},
        {HTTP_PUT, "/api/streams", NULL, {0}, 1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_POST},
        {HTTP_POST, "/api/streams//end", NULL, {0}, 1u << HTTP_GET | 1u << HTTP_HEAD},
    };
    struct router *r = router_new(ROUTES, sizeof ROUTES / sizeof ROUTES[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct router_match m;
        router_find(r, rows[i].method, span_str(rows[i].path), &m);
        if (!rows[i].pattern) {
            assert_null(m.route);
            assert_int_equal(m.allowed, rows[i].allowed);
            continue;
        }
        if (!m.route || strcmp(m.route->pattern, rows[i].pattern) != 0)
            fail_msg("%s: %s", rows[i].path, m.route ? m.route->pattern : "none");
        for (unsigned k = 0; k < 3 && rows[i].params[k]; k++)
            assert_true(k < m.n_params && span_is(m.params[k], rows[i].params[k]));
    }
    router_free(r);
}

static void long_captures_do_not_match(void **state)
{
    (void)state;
    static const struct http_route one[] = {ROUTE(HTTP_GET, "/{}")};
    char path[300] = "/";
    struct router_match m;
    struct router *r = router_new(one, 1);
    memset(path + 1, 'a', 255);
    router_find(r, HTTP_GET, span_of(path, 256), &m);
    assert_non_null(m.route);
    path[256] = 'a';
    router_find(r, HTTP_GET, span_of(path, 257), &m);
    assert_null(m.route);
    router_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(long_captures_do_not_match),
    };
    return RUN_TESTS(tests);
}
