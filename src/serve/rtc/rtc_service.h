/* SPDX-License-Identifier: MIT */
/* serve/rtc/rtc_service.h - WebRTC: WHIP publishers and WHEP viewers on one UDP port,
 * and over TCP on the same number.
 *
 * Sources: RFC 9725 (WHIP), draft-ietf-wish-whep. Each loop has a socket on the same address; a
 * session lives on the loop where its POST came in. */
#pragma once
#include "serve/gate.h"
#include "serve/http/http.h"

struct rtc_service;

struct rtc_config {
    struct loop *const *loops;
    unsigned n_loops;
    const struct gate *gate;  /* must outlive the service */
    const char *host;         /* "" = every address */
    uint16_t port;            /* 0: any free one */
    const char *public_ip;    /* announced instead of our own addresses (NAT), divided by commas;
                               * "" or NULL: our own */
    const char *ice_servers;  /* "stun:..." and "turn:..." for clients, divided by commas */
    const char *turn_secret;  /* shared with the TURN servers; "" or NULL: none */
    unsigned turn_ttl_s;      /* how long a credential is good */
    unsigned key_interval_ms; /* publishers are asked for a key frame this often, for HLS; 0: no */
    /* A viewer has come from this address with this program: who counts others may forget it
     * there. Any loop. May be NULL. */
    void (*on_viewer)(void *ctx, const char *stream_id, struct span address, struct span program);
    void *on_viewer_ctx;
};

/* Before the loops run. On failure `problem` says why (address in use). */
enum err rtc_service_open(const struct rtc_config *cfg, struct rtc_service **out, char *problem,
                          size_t cap) WARN_UNUSED;
/* To be mounted beside the API's; valid as long as the service. */
const struct http_route *rtc_routes(const struct rtc_service *s, size_t *n);
uint16_t rtc_service_port(const struct rtc_service *s);
/* Viewers connected now. Any thread. */
unsigned rtc_service_viewers(struct rtc_service *s, const char *stream_id);
/* Ends every session of the calling loop and closes its socket. On each loop before it stops. */
void rtc_service_drain_loop(struct rtc_service *s);
/* After all loops have stopped, before they are freed. */
void rtc_service_free(struct rtc_service *s);
