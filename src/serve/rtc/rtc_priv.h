/* SPDX-License-Identifier: MIT */
/* serve/rtc/rtc_priv.h - what the files of serve/rtc/ know of each other. Everything here belongs
 * to one loop, except struct rtc_service, which does not change while loops run. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "engine/dtls.h"
#include "engine/ice.h"
#include "engine/rtc_layers.h"
#include "engine/rtc_offer.h"
#include "hub/packet_history.h"
#include "io/peer_limit.h"
#include "io/tcp.h"
#include "io/udp.h"
#include "serve/rtc/rtc_service.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"
#include <pthread.h>

#define RTC_ID_LEN    24 /* two digits of the loop, then random */
#define RTC_BURST_CAP 131072

struct rtc_peer;
struct whip;

struct rtc_loop {
    struct rtc_service *service;
    struct loop *loop;
    struct udp *udp; /* NULL: drained */
    struct list peers;
    unsigned n_peers, n_opening; /* opening: no keys yet */
    struct map by_id;            /* session id -> peer */
    struct map by_ufrag;         /* our fragment -> peer */
    struct map by_addr;          /* struct net_addr -> peer, of authentic checks only */
    struct map elsewhere;        /* struct net_addr -> rtc_loop whose peer it is */
    struct map relays;           /* channel id -> relay */
    struct list strangers;       /* TCP connections that belong to no session yet */
    unsigned n_strangers;
    uint32_t last_link;   /* the number of the newest of them all */
    struct whip *staging; /* whose packets of this batch are not published yet */
    struct lane_packet staged[LANE_BURST_MAX];
    unsigned n_staged;
    uint8_t staged_data[LANE_BURST_MAX * LIMIT_UDP_BYTES];
    size_t staged_bytes;
    struct timer hold;            /* when what is staged goes, whole frame or not */
    uint8_t burst[RTC_BURST_CAP]; /* where a viewer's packets are sealed before they leave */
};

struct rtc_viewers {
    pthread_mutex_t lock;  /* taken when a viewer comes or goes */
    struct map by_channel; /* channel id -> struct viewer_count */
};

/* A handler that an address may call only so often. */
struct rtc_route {
    struct rtc_service *service;
    void (*handler)(struct http_request *r, void *service);
};

struct rtc_service {
    struct rtc_viewers viewers;
    struct rtc_config cfg;
    struct dtls_ctx *dtls;
    uint8_t fingerprint[32];
    struct net_addr candidates[LIMIT_RTC_CANDIDATES];
    unsigned n_candidates;
    uint16_t port;
    struct tcp_listener *listener;                  /* NULL: drained */
    struct span ice_servers[LIMIT_RTC_ICE_SERVERS]; /* over cfg.ice_servers */
    unsigned n_ice_servers;
    struct peer_limit *limit; /* of what an address may do over HTTP */
    struct rtc_route *limited;
    struct http_route *routes;
    size_t n_routes;
    unsigned n_loops;
    struct rtc_loop loops[];
};

static inline struct rtc_loop *rtc_loop_here(struct rtc_service *s)
{
    return &s->loops[loop_id(loop_current())];
}

/* --- peer.c: one transport: ICE, DTLS, SRTP --- */

struct rtc_peer_ops {
    const char *name; /* "whip" */
    void (*on_open)(struct rtc_peer *p);
    /* Decrypted, padding off. The payload is valid during the call. */
    void (*on_rtp)(struct rtc_peer *p, const struct rtp *rtp, int64_t now_us);
    void (*on_rtcp)(struct rtc_peer *p, const struct rtcp *rtcp, int64_t now_us);
    /* Returns when it wants to be called again; INT64_MAX: not. May be NULL. */
    int64_t (*on_tick)(struct rtc_peer *p, int64_t now_us);
    /* The last call: free ctx. */
    void (*on_closed)(struct rtc_peer *p, enum err why);
};

struct rtc_peer {
    struct rtc_loop *l;
    struct list node;
    const struct rtc_peer_ops *ops;
    void *ctx;
    char id[RTC_ID_LEN + 1];
    char etag[12]; /* with its quotes */
    struct ice ice;
    struct dtls *dtls;
    struct srtpx *in, *out; /* NULL: not open yet */
    struct list links;      /* its TCP connections */
    struct timer timer;
    uint32_t place;                   /* among its address's sessions without keys */
    int64_t opened_us;                /* when the session began */
    int64_t wish_us;                  /* when on_tick is due */
    struct net_addr known[ICE_PAIRS]; /* what the multiplexer was told; port 0: nothing */
    char media_line[128], mid[20];    /* of the section that stands for the transport */
    bool closed;
};

/* `from`: the client's address as text. E_LIMIT: too many, of all or from there. E_INVALID: a
 * fingerprint of an unknown kind. */
enum err rtc_peer_new(struct rtc_loop *l, const char *from, const struct sdp *offer,
                      const struct rtc_agreed *g, const struct rtc_peer_ops *ops, void *ctx,
                      struct rtc_peer **out) WARN_UNUSED;
/* At once; on_closed is called before it returns, memory goes at the end of the iteration. */
void rtc_peer_close(struct rtc_peer *p, enum err why, const char *reason);
/* STUN, DTLS, RTP or RTCP, by datagram or in a frame; it is decrypted in place. */
struct rtc_datagram {
    uint8_t *p;
    size_t len;
    struct ice_via via;
};
void rtc_peer_datagram(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now_us);
/* Seals and sends; `buf` has room for SRTPX_GROW more. */
void rtc_peer_send_rtcp(struct rtc_peer *p, uint8_t *buf, size_t len);
/* Sends what was sealed: datagrams of these sizes, one behind the other. */
void rtc_peer_send(struct rtc_peer *p, const uint8_t *bytes, const uint16_t *sizes, unsigned n);
void rtc_peer_wake(struct rtc_peer *p, int64_t at_us); /* on_tick by then */
/* The answer's parts that are the transport's. */
void rtc_peer_answer(const struct rtc_peer *p, struct sdp_answer *a);
/* PATCH: a status, and for 200 the body. `if_match` p == NULL: absent. */
int rtc_peer_patch(struct rtc_peer *p, struct span body, struct span if_match, struct str *out);

/* --- viewers.c --- */

void rtc_viewers_init(struct rtc_viewers *v);
void rtc_viewers_fini(struct rtc_viewers *v);
void rtc_viewer_count(struct rtc_service *s, const char *channel_id, int change);
/* It is let in: whoever else counts it hears of it. */
void rtc_viewer_came(struct rtc_service *s, struct http_request *r, const char *channel_id);

/* --- mux.c: whose datagram is it? --- */

void rtc_mux_read(void *ctx, struct udp_datagram *d, unsigned n);
/* The loop of the session that a check's user name is for; NULL: no loop of ours, or no check. */
struct rtc_loop *rtc_mux_loop(struct rtc_service *s, struct span stun, struct span *ufrag);
/* After an authentic check by datagram: tells all loops whose datagrams come from there, and which
 * address of the peer gave way. */
void rtc_mux_learn(struct rtc_peer *p, const struct net_addr *from);
void rtc_mux_forget(struct rtc_peer *p); /* it has no addresses any more */

/* --- link.c: TCP in place of datagrams (RFC 6544), for those whose network lets no UDP through ---
 */

void rtc_link_accept(void *service, struct tcp *c); /* a tcp_accept_fn */
/* Sends as frames. Of media, what a slow reader does not take is lost, as with UDP. */
void rtc_link_send(struct rtc_peer *p, uint32_t link, const uint8_t *bytes, const uint16_t *sizes,
                   unsigned n, bool media);
void rtc_links_close(struct list *links); /* what is queued still goes */

/* --- whip.c, whep.c, session.c: over HTTP --- */

void rtc_on_whip(struct http_request *r, void *ctx);
void rtc_on_whip_bearer(struct http_request *r, void *ctx);
void rtc_on_whep(struct http_request *r, void *ctx);
void rtc_on_layer_get(struct http_request *r, void *ctx);
void rtc_on_layer_set(struct http_request *r, void *ctx);
void rtc_on_patch(struct http_request *r, void *ctx);
void rtc_on_delete(struct http_request *r, void *ctx);
void rtc_on_options(struct http_request *r, void *ctx);
void rtc_on_get(struct http_request *r, void *ctx);
/* Asks the limit first; ctx is a struct rtc_route. */
void rtc_limited(struct http_request *r, void *ctx);
/* The token of "Authorization: Bearer"; false: none. */
bool rtc_bearer(struct http_request *r, char *out, size_t cap);
void whip_flush(struct whip *w);         /* publishes what is staged */
void whip_batch_end(struct rtc_loop *l); /* a read is over: whole frames go, pieces wait shortly */
void whip_hold_over(struct timer *t, void *ctx);

/* ice_links.c: STUN and TURN servers for the client, as Link headers (RFC 9725, 4.6) */
struct rtc_ice_links {
    struct http_header h[LIMIT_RTC_ICE_SERVERS];
    size_t n;
    struct str text[LIMIT_RTC_ICE_SERVERS];
};
/* What --ice-servers says, at the start. */
enum err rtc_ice_links_open(struct rtc_service *s, char *problem, size_t cap) WARN_UNUSED;
/* `turn`: whoever asks may also have credentials. */
void rtc_ice_links_init(struct rtc_ice_links *k, const struct rtc_service *s, bool turn);
void rtc_ice_links_fini(struct rtc_ice_links *k);

/* Reads and parses the offer; answers with an error and returns NULL when it is none. Freed by the
 * caller. Its spans are over the request's body. */
struct sdp *rtc_read_offer(struct http_request *r);
void rtc_reply_error(struct http_request *r, int status, const char *code, const char *message);
/* 201; `a` has the media sections, the transport's parts are added. */
void rtc_reply_created(struct http_request *r, const struct rtc_peer *p, struct sdp_answer *a);

/* --- relay.c: one channel's packets on one loop, for all its viewers there --- */

extern const struct rtc_peer_ops WHEP_OPS;

/* The last sender report of a source; ntp 0: none yet. */
struct relay_clock {
    uint64_t ntp;
    uint32_t ts;
    int64_t at_us; /* when it came */
};

struct relay;
struct whep;
struct relay *relay_join(struct rtc_loop *l, struct channel *c, struct list *viewer);
void relay_leave(struct relay *r, struct list *viewer);
/* What there is of a source, valid until the loop's next message. */
const struct packet_history *relay_history(const struct relay *r, uint8_t track, uint8_t layer);
const struct relay_clock *relay_clock(const struct relay *r, uint8_t track, uint8_t layer);
/* As described; without a codec while nobody publishes. */
const struct lane_track *relay_track(const struct relay *r, uint8_t track);
/* The video layers that have something in them now. */
void relay_layers(const struct relay *r, struct rtc_layers_there *out);
uint64_t relay_rate(const struct relay *r, uint8_t layer); /* video, bits a second */
/* Bytes of the largest packet of a video layer in the burst that is being sent. */
uint32_t relay_largest(const struct relay *r, uint8_t layer);
/* Zeros: not known. */
void relay_picture(const struct relay *r, uint8_t layer, uint16_t *width, uint16_t *height);
void relay_want_key(struct relay *r, uint8_t layer, int64_t now_us);

/* whep_send.c and whep_control.c, called by the relay */
void whep_send(struct list *viewer, const struct lane_burst *b, int64_t now_us);
void whep_restart(struct list *viewer, const struct lane_description *d); /* other packets follow */
void whep_report(struct list *viewer, const struct relay_clock *clocks, int64_t now_us);
void whep_tick(struct list *viewer, int64_t now_us); /* four times a second */
