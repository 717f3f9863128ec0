/* SPDX-License-Identifier: MIT */
/* The kernel gives all datagrams of one address to one of our sockets, which need not be the one of
 * the loop where the session lives. So the socket's loop passes them on. Whose an address is it
 * learns from the session, after an authentic check: a forged datagram teaches nothing. */
#include "base/hash.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"

static struct span key_of(const struct net_addr *a)
{
    return span_of(a, sizeof *a);
}

/* A datagram on its way to its loop, or a lesson about an address (no bytes). */
struct parcel {
    struct rtc_loop *to;
    struct udp_datagram d;
    uint8_t bytes[];
};

static void give(struct rtc_loop *l, const struct udp_datagram *d, int64_t now);

static void to_peer(struct rtc_peer *p, const struct udp_datagram *d, int64_t now)
{
    const struct rtc_datagram in = {d->p, d->len, {.peer = d->from, .local = d->to}};
    rtc_peer_datagram(p, &in, now);
}

static void on_parcel(void *arg)
{
    struct parcel *p = arg;
    p->d.p = p->bytes;
    give(p->to, &p->d, loop_now_us(p->to->loop));
    whip_batch_end(p->to);
    free(p);
}

static void pass_on(struct rtc_loop *to, const struct udp_datagram *d)
{
    if (d->len > LIMIT_UDP_BYTES) return;
    struct parcel *p = xmalloc(sizeof *p + d->len);
    p->to = to;
    p->d = *d;
    memcpy(p->bytes, d->p, d->len);
    loop_post(to->loop, on_parcel, p);
}

/* The loop named in our half of a check's user name; NULL: no loop of ours. */
static struct rtc_loop *named_loop(struct rtc_service *s, struct span ufrag)
{
    uint8_t id = 0;
    char hex[3];
    if (!span_cstr(span_head(ufrag, 2), hex, sizeof hex)) return NULL;
    if (ufrag.len != ICE_UFRAG_LEN || !hash_unhex(span_str(hex), &id, 1)) return NULL;
    return id < s->n_loops ? &s->loops[id] : NULL;
}

struct rtc_loop *rtc_mux_loop(struct rtc_service *s, struct span stun, struct span *ufrag)
{
    struct stun_msg m;
    if (!stun_is(stun) || stun_parse(stun, &m) != E_OK || !m.username.p) return NULL;
    *ufrag = ice_local_ufrag(m.username);
    return named_loop(s, *ufrag);
}

/* From an address that nobody has vouched for: only a check can say whose it is. */
static void on_stranger(struct rtc_loop *l, const struct udp_datagram *d, int64_t now)
{
    struct span ufrag;
    struct rtc_loop *to = rtc_mux_loop(l->service, span_of(d->p, d->len), &ufrag);
    if (!to) return;
    if (to != l) {
        pass_on(to, d);
        return;
    }
    struct rtc_peer *p = map_get(&l->by_ufrag, ufrag);
    if (p) to_peer(p, d, now);
}

static void give(struct rtc_loop *l, const struct udp_datagram *d, int64_t now)
{
    struct rtc_peer *p = map_get(&l->by_addr, key_of(&d->from));
    /* A check may name another session than the one that has this address: a page reloaded. */
    if (p && !stun_is(span_of(d->p, d->len))) {
        to_peer(p, d, now);
        return;
    }
    if (stun_is(span_of(d->p, d->len)))
        on_stranger(l, d, now);
    else if (map_get(&l->elsewhere, key_of(&d->from)))
        pass_on(map_get(&l->elsewhere, key_of(&d->from)), d);
}

void rtc_mux_read(void *ctx, struct udp_datagram *d, unsigned n)
{
    struct rtc_loop *l = ctx;
    const int64_t now = loop_now_us(l->loop);
    for (unsigned i = 0; i < n && l->udp; i++) give(l, &d[i], now);
    whip_batch_end(l);
}

/* --- lessons --- */

static void on_learn(void *arg)
{
    struct parcel *p = arg;
    struct rtc_loop *here = &p->to->service->loops[loop_id(loop_current())];
    if (here->udp) map_put(&here->elsewhere, key_of(&p->d.from), p->to);
    free(p);
}

static void on_forget(void *arg)
{
    struct parcel *p = arg;
    struct rtc_loop *here = &p->to->service->loops[loop_id(loop_current())];
    if (map_get(&here->elsewhere, key_of(&p->d.from)) == p->to)
        (void)map_del(&here->elsewhere, key_of(&p->d.from));
    free(p);
}

static void tell_all(struct rtc_loop *l, const struct net_addr *addr, loop_fn *fn)
{
    for (unsigned i = 0; i < l->service->n_loops; i++) {
        if (&l->service->loops[i] == l) continue;
        struct parcel *p = xcalloc(1, sizeof *p);
        p->to = l;
        p->d.from = *addr;
        loop_post(l->service->loops[i].loop, fn, p);
    }
}

/* The place `i` holds an address no more; two places may have held the same one. */
static void forget(struct rtc_peer *p, int i)
{
    const struct net_addr addr = p->known[i];
    p->known[i].port = 0;
    if (!addr.port || map_get(&p->l->by_addr, key_of(&addr)) != p) return;
    for (int k = 0; k < ICE_PAIRS; k++)
        if (net_addr_eq(&p->known[k], &addr)) return;
    (void)map_del(&p->l->by_addr, key_of(&addr));
    tell_all(p->l, &addr, on_forget);
}

void rtc_mux_learn(struct rtc_peer *p, const struct net_addr *from)
{
    static const struct net_addr none = {0};
    for (int i = 0; i < ICE_PAIRS; i++) {
        const struct ice_via *via = &p->ice.pairs[i].via;
        const struct net_addr now = via->link ? none : via->peer;
        if (net_addr_eq(&p->known[i], &now)) continue;
        forget(p, i); /* its place was taken */
        p->known[i] = now;
    }
    if (map_get(&p->l->by_addr, key_of(from)) == p) return;
    if (!ice_knows(&p->ice, &(struct ice_via){.peer = *from})) return;
    map_put(&p->l->by_addr, key_of(from), p);
    tell_all(p->l, from, on_learn);
}

void rtc_mux_forget(struct rtc_peer *p)
{
    for (int i = 0; i < ICE_PAIRS; i++) forget(p, i);
}
