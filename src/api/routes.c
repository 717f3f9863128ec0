/* SPDX-License-Identifier: MIT */
/* The table of contents of the API. */
#include "api/api_priv.h"
#include "api/app_auth.h"
#include "api/app_streams.h"
#include "base/limits.h"
#include "base/xalloc.h"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/auth/register", app_register, CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/auth/login", app_login, CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/auth/logout", app_logout, 0, {0}},
    {HTTP_GET, "/api/me", app_me, CALL_USER, {0}},
    {HTTP_POST, "/api/streams", app_stream_create, CALL_USER | CALL_BODY, {0}},
    {HTTP_GET,
     "/api/streams",
     app_stream_list,
     CALL_USER_MAYBE,
     {"status", "mine", "limit", "cursor"}},
    {HTTP_GET, "/api/streams/{}", app_stream_get, CALL_USER_MAYBE, {0}},
    {HTTP_GET, "/api/playback/{}", app_stream_played, 0, {0}},
    {HTTP_PATCH, "/api/streams/{}", app_stream_change, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}", app_stream_delete, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/end", app_stream_end, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/reset-key", app_stream_reset_key, CALL_USER, {0}},
    {HTTP_GET, "/api/streams/{}/health", app_stream_health, CALL_USER, {0}},
    {HTTP_PUT, "/api/streams/{}/direct/offer", app_direct_offer, CALL_USER | CALL_BODY, {0}},
    {HTTP_PUT, "/api/streams/{}/direct/answer", app_direct_answer, CALL_BODY, {0}},
    {HTTP_GET, "/api/streams/{}/direct", app_direct_get, CALL_USER_MAYBE, {0}},
    {HTTP_DELETE, "/api/streams/{}/direct", app_direct_end, CALL_USER, {0}},
};

static const struct {
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
} PLAIN[] = {
    {"/api/streams/{}/events", api_events_handler},
    {"/healthz", api_healthz},
    {"/readyz", api_readyz},
    {"/metrics", api_metrics},
    {"/*", api_pages},
};

enum { N_ENDPOINTS = sizeof ENDPOINTS / sizeof *ENDPOINTS, N_PLAIN = sizeof PLAIN / sizeof *PLAIN };

void api_routes_make(struct api *a)
{
    a->n_routes = N_ENDPOINTS + N_PLAIN;
    a->routes = xcalloc(a->n_routes, sizeof *a->routes);
    a->bound = xcalloc(N_ENDPOINTS, sizeof *a->bound);
    for (size_t i = 0; i < N_ENDPOINTS; i++) {
        const struct endpoint *ep = &ENDPOINTS[i];
        const bool body = ep->method != HTTP_GET;
        a->bound[i] = (struct bound){a, ep};
        a->routes[i] = (struct http_route){ep->method, ep->pattern, call_begin, &a->bound[i],
                                           body ? LIMIT_HTTP_JSON_BYTES : 0};
    }
    for (size_t i = 0; i < N_PLAIN; i++)
        a->routes[N_ENDPOINTS + i] =
            (struct http_route){HTTP_GET, PLAIN[i].pattern, PLAIN[i].handler, a, 0};
}

const struct http_route *api_routes(const struct api *a, size_t *n)
{
    *n = a->n_routes;
    return a->routes;
}
