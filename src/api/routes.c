/* SPDX-License-Identifier: MIT */
/* The table of contents of the API. */
#include "api/api_priv.h"
#include "api/app_auth.h"
#include "api/app_streams.h"
#include "api/upload_take.h"
#include "base/limits.h"
#include "base/xalloc.h"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/auth/register", app_register, CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/auth/login", app_login, CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/auth/logout", app_logout, 0, {0}},
    {HTTP_GET, "/api/me", app_me, CALL_USER, {0}},
    {HTTP_GET, "/api/settings", app_settings, 0, {0}},
    {HTTP_POST, "/api/streams", app_stream_create, CALL_USER | CALL_BODY, {0}},
    {HTTP_GET,
     "/api/streams",
     app_stream_list,
     CALL_USER_MAYBE,
     {"status", "mine", "limit", "cursor", "q", "user", "following"}},
    {HTTP_GET, "/api/streams/{}", app_stream_get, CALL_USER_MAYBE, {0}},
    {HTTP_GET, "/api/playback/{}", app_stream_played, CALL_USER_MAYBE, {0}},
    {HTTP_PATCH, "/api/streams/{}", app_stream_change, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}", app_stream_delete, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/end", app_stream_end, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/reset-key", app_stream_reset_key, CALL_USER, {0}},
    {HTTP_GET, "/api/streams/{}/health", app_stream_health, CALL_USER, {0}},
    {HTTP_PUT, "/api/streams/{}/direct/offer", app_direct_offer, CALL_USER | CALL_BODY, {0}},
    {HTTP_PUT,
     "/api/streams/{}/direct/answer",
     app_direct_answer,
     CALL_BODY | CALL_USER_MAYBE,
     {0}},
    {HTTP_GET, "/api/streams/{}/direct", app_direct_get, CALL_USER_MAYBE, {0}},
    {HTTP_DELETE, "/api/streams/{}/direct", app_direct_end, CALL_USER, {0}},
};

#define MUX_TABLE(name) extern const struct endpoint_table name;
#include "api/mux_tables.def"
#undef MUX_TABLE

static const struct endpoint_table PRODUCT = ENDPOINT_TABLE(ENDPOINTS);
static const struct endpoint_table *const TABLES[] = {
    &PRODUCT,
    &upload_endpoints,
    &app_recording_endpoints,
#define MUX_TABLE(name) &name,
#include "api/mux_tables.def"
#undef MUX_TABLE
};

static const struct {
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
} PLAIN[] = {
    {"/api/streams/{}/events", api_events_handler},
    {"/api/lobby/events", api_lobby_handler},
    {"/healthz", api_healthz},
    {"/readyz", api_readyz},
    {"/metrics", api_metrics},
    {"/*", api_pages},
};

enum { N_TABLES = sizeof TABLES / sizeof *TABLES, N_PLAIN = sizeof PLAIN / sizeof *PLAIN };

static struct http_route route_of(struct bound *b)
{
    const size_t most = b->ep->body_max ? b->ep->body_max : LIMIT_HTTP_JSON_BYTES;
    return (struct http_route){
        b->ep->method, b->ep->pattern, call_begin, b, b->ep->method != HTTP_GET ? most : 0,
        b->ep->intake};
}

void api_routes_make(struct api *a)
{
    size_t n = 0, at = 0;
    for (size_t t = 0; t < N_TABLES; t++) n += TABLES[t]->n;
    a->n_routes = n + N_PLAIN;
    a->routes = xcalloc(a->n_routes, sizeof *a->routes);
    a->bound = xcalloc(n, sizeof *a->bound);
    for (size_t t = 0; t < N_TABLES; t++)
        for (size_t i = 0; i < TABLES[t]->n; i++, at++) {
            a->bound[at] = (struct bound){a, &TABLES[t]->endpoints[i]};
            a->routes[at] = route_of(&a->bound[at]);
        }
    for (size_t i = 0; i < N_PLAIN; i++, at++)
        a->routes[at] =
            (struct http_route){HTTP_GET, PLAIN[i].pattern, PLAIN[i].handler, a, 0, NULL};
}

const struct http_route *api_routes(const struct api *a, size_t *n)
{
    *n = a->n_routes;
    return a->routes;
}
