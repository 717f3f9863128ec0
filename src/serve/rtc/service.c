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
    {HTTP_GET, "/rtc/{}/layer", rtc_on_layer_get, 0},
    {HTTP_POST, "/rtc/{}/layer", rtc_on_layer_set, LIMIT_LAYER_BYTES},
    {HTTP_OPTIONS, "/rtc/{}/layer", rtc_on_options, 0},
    {HTTP_GET, "/whip", rtc_on_get, 0},
    {HTTP_GET, "/whip/{}", rtc_on_get, 0},
    {HTTP_GET, "/whep/{}", rtc_on_get, 0},
    {HTTP_GET, "/rtc/{}", rtc_on_get, 0},
    {HTTP_OPTIONS, "/whip", rtc_on_options, 0},
    {HTTP_OPTIONS, "/whip/{}", rtc_on_options, 0},
    {HTTP_OPTIONS, "/whep/{}", rtc_on_options, 0},
    {HTTP_OPTIONS, "/rtc/{}", rtc_on_options, 0},
};
#define PORT_TRIES 16 /* when any port will do */
#define N_ROUTES   (sizeof ROUTES / sizeof *ROUTES)

static void make_routes(struct rtc_service *s)
{
    s->n_routes = N_ROUTES;
    s->routes = xcalloc(N_ROUTES, sizeof *s->routes);
    s->limited = xcalloc(N_ROUTES, sizeof *s->limited);
    for (size_t i = 0; i < N_ROUTES; i++) {
        const bool free = ROUTES[i].method == HTTP_GET;
        s->limited[i] = (struct rtc_route){s, ROUTES[i].handler};
        s->routes[i] = (struct http_route){ROUTES[i].method, ROUTES[i].pattern,
                                           free ? ROUTES[i].handler : rtc_limited,
                                           free ? (void *)s : &s->limited[i], ROUTES[i].body_max};
    }
}

/* --- addresses --- */

static void add_candidate(struct rtc_service *s, struct net_addr a)
{
    a.port = s->port;
    for (unsigned i = 0; i < s->n_candidates; i++)
        if (net_addr_eq(&s->candidates[i], &a)) return;
    if (s->n_candidates < LIMIT_RTC_CANDIDATES) s->candidates[s->n_candidates++] = a;
}

static enum err add_public(struct rtc_service *s, const char *list, char *problem, size_t cap)
{
    struct span rest = span_str(list);
    struct net_addr a;
    while (rest.p) {
        const struct span one = span_trim(span_cut(&rest, ','));
        if (!net_addr_parse(one, s->port, &a)) {
            snprintf(problem, cap, "the public address '%.*s' is no IP address", (int)one.len,
                     (const char *)one.p);
            return E_INVALID;
        }
        add_candidate(s, a);
    }
    return E_OK;
}

/* What the answers announce: the public addresses, else the one bound to, else all of this machine.
 */
static enum err find_candidates(struct rtc_service *s, const struct net_addr *at, char *problem,
                                size_t cap)
{
    static const struct net_addr any = {0};
    struct net_addr v4_any, own[LIMIT_RTC_CANDIDATES];
    net_addr_set_v4(&v4_any, any.ip, 0);
    if (s->cfg.public_ip && s->cfg.public_ip[0])
        return add_public(s, s->cfg.public_ip, problem, cap);
    const bool v4 = memcmp(at->ip, v4_any.ip, sizeof v4_any.ip) == 0;
    if (!v4 && memcmp(at->ip, any.ip, sizeof any.ip) != 0) {
        add_candidate(s, *at);
        return E_OK;
    }
    const unsigned n = local_addrs(own, LIMIT_RTC_CANDIDATES);
    for (unsigned i = 0; i < n; i++)
        if (!v4 || net_addr_is_v4(&own[i])) add_candidate(s, own[i]);
    return E_OK;
}

static void close_sockets(struct rtc_service *s)
{
    for (unsigned i = 0; i < s->n_loops; i++) {
        if (s->loops[i].udp) udp_close(s->loops[i].udp);
        s->loops[i].udp = NULL;
    }
    if (s->listener) tcp_listener_close(s->listener);
    s->listener = NULL;
}

/* One UDP socket a loop, all on the port that the first one got, and TCP on the same number. */
static enum err open_sockets(struct rtc_service *s, struct net_addr at, char *problem, size_t cap)
{
    enum err e = E_OK;
    for (unsigned i = 0; i < s->n_loops && e == E_OK; i++) {
        e = udp_open(s->loops[i].loop, &at, &s->loops[i].udp, problem, cap);
        if (e == E_OK) at.port = s->port = udp_port(s->loops[i].udp);
    }
    if (e == E_OK)
        e = tcp_listen(s->cfg.loops, s->n_loops, s->cfg.host, s->port, rtc_link_accept, s,
                       &s->listener, problem, cap);
    return e;
}

static enum err listen_on(struct rtc_service *s, char *problem, size_t cap)
{
    struct net_addr at = {0};
    if (s->cfg.host[0] && !net_addr_parse(span_str(s->cfg.host), 0, &at)) {
        snprintf(problem, cap, "'%s' is no IP address", s->cfg.host);
        return E_INVALID;
    }
    at.port = s->cfg.port;
    enum err e = open_sockets(s, at, problem, cap);
    for (int i = 0; i < PORT_TRIES && e != E_OK && at.port == 0; i++) {
        close_sockets(s); /* free for UDP was not free for TCP */
        e = open_sockets(s, at, problem, cap);
    }
    if (e != E_OK) return e;
    for (unsigned i = 0; i < s->n_loops; i++)
        udp_start(s->loops[i].udp, rtc_mux_read, &s->loops[i]);
    return find_candidates(s, &at, problem, cap);
}

enum err rtc_service_open(const struct rtc_config *cfg, struct rtc_service **out, char *problem,
                          size_t cap)
{
    struct rtc_service *s = xcalloc(1, sizeof *s + cfg->n_loops * sizeof s->loops[0]);
    CHECK(cfg->n_loops <= LIMIT_LOOPS_MAX);
    s->cfg = *cfg;
    rtc_viewers_init(&s->viewers);
    s->n_loops = cfg->n_loops;
    for (unsigned i = 0; i < s->n_loops; i++) {
        s->loops[i].service = s;
        s->loops[i].loop = cfg->loops[i];
        list_init(&s->loops[i].peers);
        list_init(&s->loops[i].strangers);
        timer_init(&s->loops[i].hold, cfg->loops[i], whip_hold_over, &s->loops[i]);
    }
    s->dtls = dtls_ctx_new();
    dtls_ctx_fingerprint(s->dtls, s->fingerprint);
    s->limit = peer_limit_new(LIMIT_RTC_RATE_BURST, LIMIT_RTC_RATE_PER_S, LIMIT_RTC_OPENING_PER_IP);
    make_routes(s);
    enum err e = rtc_ice_links_open(s, problem, cap);
    if (e == E_OK) e = listen_on(s, problem, cap);
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
    rtc_links_close(&l->strangers);
    if (loop_id(l->loop) == 0) tcp_listener_close(s->listener);
    if (loop_id(l->loop) == 0) s->listener = NULL;
    udp_close(l->udp);
    l->udp = NULL;
}

void rtc_service_free(struct rtc_service *s)
{
    if (!s) return;
    close_sockets(s);
    for (unsigned i = 0; i < s->n_loops; i++) {
        map_fini(&s->loops[i].by_id);
        map_fini(&s->loops[i].by_ufrag);
        map_fini(&s->loops[i].by_addr);
        map_fini(&s->loops[i].elsewhere);
        map_fini(&s->loops[i].relays);
    }
    rtc_viewers_fini(&s->viewers);
    dtls_ctx_free(s->dtls);
    peer_limit_free(s->limit);
    free(s->limited);
    free(s->routes);
    free(s);
}
