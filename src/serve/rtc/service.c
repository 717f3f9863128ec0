/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/local_addrs.h"
#include "serve/rtc/rtc_priv.h"
#include <stdio.h>

static const struct {
    enum http_method method;
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
    size_t body_max;
} ROUTES[] = {
    {HTTP_POST, "/whip", rtc_on_whip_bearer, LIMIT_SDP_BYTES},
    {HTTP_POST, "/whip/{}", rtc_on_whip, LIMIT_SDP_BYTES},
    {HTTP_POST, "/whep/{}", rtc_on_whep, LIMIT_SDP_BYTES},
    {HTTP_PATCH, "/rtc/{}", rtc_on_patch, LIMIT_SDP_BYTES},
    {HTTP_DELETE, "/rtc/{}", rtc_on_delete, 0},
    {HTTP_GET, "/whip", rtc_on_get, 0},
    {HTTP_GET, "/whip/{}", rtc_on_get, 0},
    {HTTP_GET, "/whep/{}", rtc_on_get, 0},
    {HTTP_GET, "/rtc/{}", rtc_on_get, 0},
    {HTTP_OPTIONS, "/whip", rtc_on_options, 0},
    {HTTP_OPTIONS, "/whip/{}", rtc_on_options, 0},
    {HTTP_OPTIONS, "/whep/{}", rtc_on_options, 0},
    {HTTP_OPTIONS, "/rtc/{}", rtc_on_options, 0},
};
#define N_ROUTES (sizeof ROUTES / sizeof *ROUTES)

static void make_routes(struct rtc_service *s)
{
    s->n_routes = N_ROUTES;
    s->routes = xcalloc(N_ROUTES, sizeof *s->routes);
    for (size_t i = 0; i < N_ROUTES; i++)
        s->routes[i] = (struct http_route){ROUTES[i].method, ROUTES[i].pattern, ROUTES[i].handler,
                                           s, ROUTES[i].body_max};
}

/* What the answers announce: the public address, else the one bound to, else all of this machine.
 */
static enum err find_candidates(struct rtc_service *s, const struct net_addr *at, char *problem,
                                size_t cap)
{
    static const struct net_addr any = {0};
    const char *public_ip = s->cfg.public_ip;
    if (public_ip && public_ip[0]) {
        if (!net_addr_parse(span_str(public_ip), s->port, &s->candidates[0])) {
            snprintf(problem, cap, "the public address '%s' is no IP address", public_ip);
            return E_INVALID;
        }
        s->n_candidates = 1;
        return E_OK;
    }
    if (memcmp(at->ip, any.ip, sizeof any.ip) != 0) {
        s->candidates[0] = *at;
        s->n_candidates = 1;
    } else {
        s->n_candidates = local_addrs(s->candidates, LIMIT_RTC_CANDIDATES);
    }
    for (unsigned i = 0; i < s->n_candidates; i++) s->candidates[i].port = s->port;
    return E_OK;
}

/* One socket a loop, all on the port that the first one got. */
static enum err open_sockets(struct rtc_service *s, char *problem, size_t cap)
{
    struct net_addr at = {0};
    const char *host = s->cfg.host;
    if (host[0] && !net_addr_parse(span_str(host), 0, &at)) {
        snprintf(problem, cap, "'%s' is no IP address", host);
        return E_INVALID;
    }
    at.port = s->cfg.port;
    for (unsigned i = 0; i < s->n_loops; i++) {
        const enum err e = udp_open(s->loops[i].loop, &at, &s->loops[i].udp, problem, cap);
        if (e != E_OK) return e;
        at.port = s->port = udp_port(s->loops[i].udp);
        udp_start(s->loops[i].udp, rtc_mux_read, &s->loops[i]);
    }
    return find_candidates(s, &at, problem, cap);
}

enum err rtc_service_open(const struct rtc_config *cfg, struct rtc_service **out, char *problem,
                          size_t cap)
{
    struct rtc_service *s = xcalloc(1, sizeof *s + cfg->n_loops * sizeof s->loops[0]);
    CHECK(cfg->n_loops <= LIMIT_LOOPS_MAX);
    s->cfg = *cfg;
    s->n_loops = cfg->n_loops;
    for (unsigned i = 0; i < s->n_loops; i++) {
        s->loops[i].service = s;
        s->loops[i].loop = cfg->loops[i];
        list_init(&s->loops[i].peers);
        timer_init(&s->loops[i].hold, cfg->loops[i], whip_hold_over, &s->loops[i]);
    }
    s->dtls = dtls_ctx_new();
    dtls_ctx_fingerprint(s->dtls, s->fingerprint);
    make_routes(s);
    const enum err e = open_sockets(s, problem, cap);
    if (e != E_OK) {
        rtc_service_free(s);
        return e;
    }
    *out = s;
    return E_OK;
}

const struct http_route *rtc_routes(const struct rtc_service *s, size_t *n)
{
    *n = s->n_routes;
    return s->routes;
}

uint16_t rtc_service_port(const struct rtc_service *s)
{
    return s->port;
}

void rtc_service_drain_loop(struct rtc_service *s)
{
    struct rtc_loop *l = rtc_loop_here(s);
    if (!l->udp) return;
    while (!list_empty(&l->peers))
        rtc_peer_close(CONTAINER_OF(l->peers.next, struct rtc_peer, node), E_CLOSED,
                       "the server stops");
    udp_close(l->udp);
    l->udp = NULL;
}

void rtc_service_free(struct rtc_service *s)
{
    if (!s) return;
    for (unsigned i = 0; i < s->n_loops; i++) {
        if (s->loops[i].udp) udp_close(s->loops[i].udp);
        map_fini(&s->loops[i].by_id);
        map_fini(&s->loops[i].by_ufrag);
        map_fini(&s->loops[i].by_addr);
        map_fini(&s->loops[i].elsewhere);
        map_fini(&s->loops[i].relays);
    }
    dtls_ctx_free(s->dtls);
    free(s->routes);
    free(s);
}
