/* SPDX-License-Identifier: MIT */
/* A transport: checks are answered, a handshake is let in from where a check was authentic, keys
 * open media. Nothing is believed of an address before that. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"
#include <stdio.h>

static void on_timer(struct timer *t, void *ctx);

static void set_timer(struct rtc_peer *p, int64_t now_us)
{
    int64_t at = ice_deadline_us(&p->ice);
    const int64_t dtls = p->in ? INT64_MAX : dtls_deadline_us(p->dtls, now_us);
    const int64_t keys = p->in ? INT64_MAX : p->opened_us + LIMIT_RTC_DTLS_MS * US_PER_MS;
    if (dtls < at) at = dtls;
    if (keys < at) at = keys;
    if (p->wish_us < at) at = p->wish_us;
    timer_at(&p->timer, at);
}

static void new_etag(struct rtc_peer *p)
{
    char id[9];
    rand_id(id, 8);
    snprintf(p->etag, sizeof p->etag, "\"%s\"", id);
}

/* Our ICE fragment begins with the loop's number, so that the first check finds its way. */
static void new_creds(const struct rtc_loop *l, char ufrag[ICE_UFRAG_LEN + 1],
                      char pwd[ICE_PWD_LEN + 1])
{
    char random[ICE_UFRAG_LEN - 1];
    rand_id(random, ICE_UFRAG_LEN - 2);
    snprintf(ufrag, ICE_UFRAG_LEN + 1, "%02x%s", loop_id(l->loop), random);
    rand_id(pwd, ICE_PWD_LEN);
}

static void keep_media_line(struct rtc_peer *p, const struct sdp *offer, const struct rtc_agreed *g)
{
    for (unsigned i = 0; i < offer->n_media; i++) {
        const struct sdp_media *m = &offer->media[i];
        if (!(g->tracks[0].is && g->tracks[0].section == i) &&
            !(g->tracks[1].is && g->tracks[1].section == i))
            continue;
        snprintf(p->media_line, sizeof p->media_line, "%.*s 9 %.*s 0", (int)m->name.len,
                 (const char *)m->name.p, (int)m->proto.len, (const char *)m->proto.p);
        (void)span_cstr(m->mid, p->mid, sizeof p->mid);
        return;
    }
}

/* Sessions that are opening stand at the end of the list, the oldest first. Of too many, the one
 * that has been silent longest gives way to a newcomer: there is nobody, or nobody who reaches us.
 */
static void make_room(struct rtc_loop *l)
{
    struct rtc_peer *silent = NULL;
    const int64_t before = loop_now_us(l->loop) - LIMIT_RTC_SILENT_MS * US_PER_MS;
    for (struct list *it = l->peers.prev; it != &l->peers; it = it->prev) {
        struct rtc_peer *p = CONTAINER_OF(it, struct rtc_peer, node);
        if (p->in) break;
        if (!p->ice.heard_us && p->opened_us < before) silent = p;
    }
    if (silent) rtc_peer_close(silent, E_TIMEOUT, "made room for another session");
}

enum err rtc_peer_new(struct rtc_loop *l, const char *from, const struct sdp *offer,
                      const struct rtc_agreed *g, const struct rtc_peer_ops *ops, void *ctx,
                      struct rtc_peer **out)
{
    char ufrag[ICE_UFRAG_LEN + 1], pwd[ICE_PWD_LEN + 1], random[RTC_ID_LEN - 1];
    const struct sdp_fingerprint *f = &g->transport->fingerprint;
    if (!l->udp) return E_CLOSED;
    if (l->n_opening >= LIMIT_RTC_OPENING) make_room(l);
    if (l->n_peers >= LIMIT_RTC_PEERS || l->n_opening >= LIMIT_RTC_OPENING) return E_LIMIT;
    struct dtls *dtls = dtls_new(l->service->dtls, f->algorithm, span_of(f->digest, f->len));
    if (!dtls) return E_INVALID;
    uint32_t place;
    if (!peer_limit_enter(l->service->limit, from, &place)) {
        dtls_free(dtls);
        return E_LIMIT;
    }
    struct rtc_peer *p = NEW(struct rtc_peer);
    p->l = l;
    p->ops = ops;
    p->ctx = ctx;
    p->dtls = dtls;
    p->place = place;
    p->wish_us = INT64_MAX;
    p->opened_us = loop_now_us(l->loop);
    rand_id(random, RTC_ID_LEN - 2);
    snprintf(p->id, sizeof p->id, "%02x%s", loop_id(l->loop), random);
    new_etag(p);
    new_creds(l, ufrag, pwd);
    ice_init(&p->ice, ufrag, pwd, g->transport->ufrag, p->opened_us);
    keep_media_line(p, offer, g);
    list_init(&p->links);
    timer_init(&p->timer, l->loop, on_timer, p);
    list_push_back(&l->peers, &p->node);
    l->n_peers++;
    l->n_opening++;
    map_put(&l->by_id, span_str(p->id), p);
    map_put(&l->by_ufrag, span_str(p->ice.now.ufrag), p);
    set_timer(p, p->opened_us);
    *out = p;
    return E_OK;
}

/* It has keys, or will never have any. */
static void opened(struct rtc_peer *p)
{
    p->l->n_opening--;
    peer_limit_leave(p->l->service->limit, p->place);
}

/* --- sending --- */

static void send_by(struct rtc_peer *p, struct span bytes, const struct ice_via *via)
{
    const uint16_t size = (uint16_t)bytes.len;
    if (!p->l->udp || bytes.len == 0 || bytes.len > UINT16_MAX) return;
    if (via->link)
        rtc_link_send(p, via->link, bytes.p, &size, 1, false);
    else
        (void)udp_send(p->l->udp, &via->peer, &via->local, bytes, bytes.len);
}

void rtc_peer_send_rtcp(struct rtc_peer *p, uint8_t *buf, size_t len)
{
    const struct ice_via *path = ice_path(&p->ice);
    if (!path || !p->out || len == 0) return;
    srtpx_seal_rtcp(p->out, buf, &len);
    send_by(p, span_of(buf, len), path);
}

/* A run of equal sizes, whose last may be shorter, is one call into the kernel. */
void rtc_peer_send(struct rtc_peer *p, const uint8_t *bytes, const uint16_t *sizes, unsigned n)
{
    const struct ice_via *path = ice_path(&p->ice);
    if (!path || !p->l->udp) return;
    if (path->link) {
        rtc_link_send(p, path->link, bytes, sizes, n, true);
        return;
    }
    for (unsigned i = 0; i < n;) {
        const uint16_t size = sizes[i];
        size_t run = 0;
        do run += sizes[i];
        while (sizes[i++] == size && i < n && sizes[i] <= size);
        (void)udp_send(p->l->udp, &path->peer, &path->local, span_of(bytes, run), size);
        bytes += run;
    }
}

/* `by` is a copy: a connection that breaks takes its pair with it. */
static void send_handshake(struct rtc_peer *p, struct ice_via by)
{
    struct span out;
    while (dtls_output(p->dtls, &out)) send_by(p, out, &by);
}

/* --- closing --- */

static void free_peer(void *arg)
{
    free(arg);
}

static void drop_ufrags(struct rtc_peer *p)
{
    (void)map_del(&p->l->by_ufrag, span_str(p->ice.now.ufrag));
    if (p->ice.next.ufrag[0]) (void)map_del(&p->l->by_ufrag, span_str(p->ice.next.ufrag));
}

void rtc_peer_close(struct rtc_peer *p, enum err why, const char *reason)
{
    const struct ice_via *path = ice_path(&p->ice);
    if (p->closed) return;
    p->closed = true;
    log_info("rtc-closed", "session=%.8s kind=%s why=%s reason=\"%s\" opened=%d", p->id,
             p->ops->name, err_label(why), reason, p->in != NULL);
    if (path && p->in) {
        dtls_close(p->dtls);
        send_handshake(p, *path);
    }
    rtc_mux_forget(p);
    rtc_links_close(&p->links);
    drop_ufrags(p);
    (void)map_del(&p->l->by_id, span_str(p->id));
    list_remove(&p->node);
    p->l->n_peers--;
    if (!p->in) opened(p);
    timer_stop(&p->timer);
    p->ops->on_closed(p, why);
    dtls_free(p->dtls);
    srtpx_free(p->in);
    srtpx_free(p->out);
    loop_defer(p->l->loop, free_peer, p);
}

/* --- time --- */

static void on_timer(struct timer *t, void *ctx)
{
    struct rtc_peer *p = ctx;
    const int64_t now = loop_now_us(p->l->loop);
    const struct ice_via *path = ice_path(&p->ice);
    if (now >= ice_deadline_us(&p->ice)) {
        rtc_peer_close(p, E_TIMEOUT, "no ICE checks");
        return;
    }
    if (!p->in) {
        if (now >= p->opened_us + LIMIT_RTC_DTLS_MS * US_PER_MS) {
            rtc_peer_close(p, E_TIMEOUT, "no DTLS handshake");
            return;
        }
        if (dtls_deadline_us(p->dtls, now) <= now && dtls_tick(p->dtls) == E_OK && path)
            send_handshake(p, *path);
    }
    if (p->wish_us <= now && p->ops->on_tick) {
        p->wish_us = INT64_MAX;
        const int64_t next = p->ops->on_tick(p, now);
        if (p->closed) return;
        if (next < p->wish_us) p->wish_us = next;
    }
    set_timer(p, now);
}

void rtc_peer_wake(struct rtc_peer *p, int64_t at_us)
{
    if (at_us >= p->wish_us) return;
    p->wish_us = at_us;
    if (at_us < p->timer.at_us || !timer_active(&p->timer)) timer_at(&p->timer, at_us);
}

/* --- receiving --- */

static void on_stun(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now)
{
    uint8_t room[ICE_REPLY_MAX];
    struct wr w = wr_to(room, sizeof room);
    char before[ICE_UFRAG_LEN + 1];
    memcpy(before, p->ice.now.ufrag, sizeof before);
    if (ice_feed(&p->ice, span_of(d->p, d->len), &d->via, now, &w) != E_OK) return;
    if (strcmp(before, p->ice.now.ufrag) != 0)
        (void)map_del(&p->l->by_ufrag, span_str(before)); /* restarted */
    /* Before the answer: what the peer sends next must not be earlier than the lesson. */
    if (!d->via.link) rtc_mux_learn(p, &d->via.peer);
    send_by(p, wr_span(&w), &d->via);
}

static void open_media(struct rtc_peer *p)
{
    struct dtls_keys k;
    if (!dtls_get_keys(p->dtls, &k)) return;
    p->in = srtpx_new(k.profile, k.client, k.client + srtpx_key_len(k.profile));
    p->out = srtpx_new(k.profile, k.server, k.server + srtpx_key_len(k.profile));
    opened(p);
    list_remove(&p->node);
    list_push_front(&p->l->peers, &p->node);
    log_info("rtc-open", "session=%.8s kind=%s profile=%d after_ms=%lld", p->id, p->ops->name,
             k.profile, (long long)((loop_now_us(p->l->loop) - p->opened_us) / US_PER_MS));
    p->ops->on_open(p);
}

static void on_dtls(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now)
{
    if (!ice_knows(&p->ice, &d->via)) return;
    const enum err e = dtls_feed(p->dtls, span_of(d->p, d->len));
    send_handshake(p, d->via);
    if (e != E_OK) {
        rtc_peer_close(p, e, e == E_CLOSED ? "the peer closed" : "the DTLS handshake failed");
        return;
    }
    if (!p->in) open_media(p);
    if (!p->closed) set_timer(p, now);
}

static void on_media(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now)
{
    struct rtp rtp;
    size_t len = d->len;
    if (!p->in || srtpx_open_rtp(p->in, d->p, &len) != E_OK) return;
    if (rtp_parse(span_of(d->p, len), &rtp) != E_OK || rtp_unpad(&rtp) != E_OK) return;
    ice_heard(&p->ice, &d->via, now);
    p->ops->on_rtp(p, &rtp, now);
}

static void on_control(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now)
{
    struct rtcp c;
    size_t len = d->len;
    if (!p->in || srtpx_open_rtcp(p->in, d->p, &len) != E_OK) return;
    ice_heard(&p->ice, &d->via, now);
    dtls_settle(p->dtls); /* it has the keys */
    struct span rest = span_of(d->p, len);
    for (unsigned i = 0; i < LIMIT_RTCP_PACKETS && rtcp_next(&rest, &c) == E_OK && !p->closed; i++)
        p->ops->on_rtcp(p, &c, now);
}

void rtc_peer_datagram(struct rtc_peer *p, const struct rtc_datagram *d, int64_t now)
{
    const struct span in = span_of(d->p, d->len);
    if (p->closed) return;
    if (stun_is(in))
        on_stun(p, d, now);
    else if (dtls_is(in))
        on_dtls(p, d, now);
    else if (rtcp_is(in))
        on_control(p, d, now);
    else if (rtp_is(in))
        on_media(p, d, now);
}

/* --- the answer --- */

void rtc_peer_answer(const struct rtc_peer *p, struct sdp_answer *a)
{
    const struct rtc_service *s = p->l->service;
    const struct ice_creds *c = p->ice.next.ufrag[0] ? &p->ice.next : &p->ice.now;
    a->session = (uint64_t)p->opened_us;
    a->ufrag = span_str(c->ufrag);
    a->pwd = span_str(c->pwd);
    memcpy(a->fingerprint, s->fingerprint, sizeof a->fingerprint);
    a->candidates = s->candidates;
    a->n_candidates = s->n_candidates;
    a->tcp = true;
}

static bool same_tag(const struct rtc_peer *p, struct span if_match)
{
    return span_is(if_match, "*") || span_is(if_match, "\"*\"") || span_is(if_match, p->etag);
}

static int restart(struct rtc_peer *p, struct span peer_ufrag, struct str *out)
{
    char ufrag[ICE_UFRAG_LEN + 1], pwd[ICE_PWD_LEN + 1];
    struct sdp_answer a = {0};
    new_creds(p->l, ufrag, pwd);
    if (p->ice.next.ufrag[0]) (void)map_del(&p->l->by_ufrag, span_str(p->ice.next.ufrag));
    if (ice_restart(&p->ice, ufrag, pwd, peer_ufrag) != E_OK) return 204;
    map_put(&p->l->by_ufrag, span_str(p->ice.next.ufrag), p);
    new_etag(p);
    rtc_peer_answer(p, &a);
    sdp_frag_write(&a, span_str(p->media_line), span_str(p->mid), out);
    return 200;
}

/* RFC 9725, 4.3: the same credentials are trickle, whose candidates a lite agent needs not know;
 * others are a restart. The entity tag guards both. */
int rtc_peer_patch(struct rtc_peer *p, struct span body, struct span if_match, struct str *out)
{
    struct sdp_frag f;
    if (sdp_frag_parse(body, &f) != E_OK) return 400;
    if (!if_match.p) return 428;
    if (!same_tag(p, if_match)) return 412;
    const struct ice_creds *next = &p->ice.next;
    if (f.ufrag.len == 0 || span_is(f.ufrag, p->ice.now.peer_ufrag)) return 204;
    if (next->ufrag[0] && span_is(f.ufrag, next->peer_ufrag)) return 204;
    return restart(p, f.ufrag, out);
}
