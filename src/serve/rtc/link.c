/* SPDX-License-Identifier: MIT */
/* ICE over TCP, for those whose network lets no UDP through. A connection is a stranger until a
 * check came on it that was authentic; from then on it is one session's, and its frames are
 * datagrams. The connection goes to the session's loop with its first frame. */
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"
#include "wire/framed.h"

#define LOOK_US US_PER_SEC /* how often a connection's time limits are looked at */

struct rtc_link {
    struct list node; /* of the strangers, or of its peer's */
    struct rtc_loop *l;
    struct rtc_peer *peer; /* NULL: a stranger */
    struct tcp *tcp;       /* NULL: closed, or gone to another loop */
    struct framed in;
    struct ice_via via;
    int64_t since_us, begun_us; /* it is open; the frame that is not whole began */
    struct timer timer;
};

static void free_link(void *arg)
{
    free(arg);
}

/* From its list and its timer; the memory goes at the end of the iteration. */
static struct tcp *take_out(struct rtc_link *k)
{
    struct tcp *c = k->tcp;
    list_remove(&k->node);
    timer_stop(&k->timer);
    if (!k->peer) k->l->n_strangers--;
    k->tcp = NULL;
    loop_defer(k->l->loop, free_link, k);
    return c;
}

static void close_link(struct rtc_link *k, const char *why)
{
    if (!k->tcp) return;
    log_debug("rtc-tcp-closed", "peer=%s session=%.8s reason=\"%s\"", tcp_peer(k->tcp),
              k->peer ? k->peer->id : "-", why);
    if (k->peer) ice_drop_link(&k->peer->ice, k->via.link);
    tcp_close(take_out(k));
}

void rtc_links_close(struct list *links)
{
    while (!list_empty(links))
        tcp_close_gently(take_out(CONTAINER_OF(links->next, struct rtc_link, node)));
}

/* --- time --- */

static void on_timer(struct timer *t, void *ctx)
{
    struct rtc_link *k = ctx;
    const int64_t now = loop_now_us(k->l->loop);
    if (!k->peer && now >= k->since_us + LIMIT_RTC_TCP_FIRST_MS * US_PER_MS)
        close_link(k, "no authentic check");
    else if (framed_partial(&k->in) && now >= k->begun_us + LIMIT_RTC_TCP_FRAME_MS * US_PER_MS)
        close_link(k, "a frame that does not end");
    else if (tcp_queued(k->tcp) &&
             now >= tcp_progress_us(k->tcp) + LIMIT_RTC_TCP_STALL_MS * US_PER_MS)
        close_link(k, "nothing is read");
    else
        timer_at(t, now + LOOK_US);
}

/* --- frames --- */

static unsigned count(const struct list *links)
{
    unsigned n = 0;
    LIST_EACH(it, links) n++;
    return n;
}

static void set_peer(struct rtc_link *k, struct rtc_peer *p)
{
    list_remove(&k->node);
    list_push_back(p ? &p->links : &k->l->strangers, &k->node);
    if (p && !k->peer) k->l->n_strangers--;
    if (!p && k->peer) k->l->n_strangers++;
    k->peer = p;
}

static void on_arrival(void *ctx, struct tcp *c);

/* A connection on its way to its session's loop, with what has been read of it. */
struct crossing {
    struct rtc_loop *to;
    struct framed first;
    size_t n_rest;
    uint8_t rest[];
};

static void cross_over(struct rtc_link *k, struct rtc_loop *to, struct span rest)
{
    struct crossing *x = xmalloc(sizeof *x + rest.len);
    x->to = to;
    x->first = k->in;
    x->n_rest = rest.len;
    if (rest.len) memcpy(x->rest, rest.p, rest.len);
    tcp_move(take_out(k), to->loop, on_arrival, x);
}

/* A stranger's frame: only a check that is authentic makes it known. */
static void introduce(struct rtc_link *k, struct span rest, int64_t now)
{
    struct span ufrag;
    struct rtc_loop *to = rtc_mux_loop(k->l->service, span_of(k->in.bytes, k->in.len), &ufrag);
    if (to && to != k->l) {
        cross_over(k, to, rest);
        return;
    }
    struct rtc_peer *p = to ? map_get(&k->l->by_ufrag, ufrag) : NULL;
    if (!p || count(&p->links) >= ICE_PAIRS) {
        close_link(k, "not for any session");
        return;
    }
    const struct rtc_datagram d = {k->in.bytes, k->in.len, k->via};
    set_peer(k, p); /* so that the answer finds it */
    rtc_peer_datagram(p, &d, now);
    if (k->tcp && !ice_knows(&p->ice, &k->via)) set_peer(k, NULL);
}

static void on_frame(struct rtc_link *k, struct span rest, int64_t now)
{
    const struct rtc_datagram d = {k->in.bytes, k->in.len, k->via};
    if (k->peer)
        rtc_peer_datagram(k->peer, &d, now);
    else
        introduce(k, rest, now);
}

static void on_read(void *ctx, struct span in)
{
    struct rtc_link *k = ctx;
    struct rtc_loop *const l = k->l;
    const int64_t now = loop_now_us(l->loop);
    enum err e = E_OK;
    if (!framed_partial(&k->in)) k->begun_us = now;
    while (k->tcp && (e = framed_next(&k->in, &in)) == E_OK) {
        k->begun_us = now;
        on_frame(k, in, now);
    }
    if (e == E_LIMIT) close_link(k, "a frame that is too long");
    whip_batch_end(l);
}

static void on_closed(void *ctx, enum err e)
{
    close_link(ctx, e == E_CLOSED ? "the peer closed" : "the connection broke");
}

static const struct tcp_ops OPS = {.on_read = on_read, .on_closed = on_closed};

/* --- coming --- */

static struct rtc_link *link_new(struct rtc_loop *l, struct tcp *c)
{
    if (!l->udp || l->n_strangers >= LIMIT_RTC_TCP_STRANGERS) {
        tcp_close(c);
        return NULL;
    }
    struct rtc_link *k = NEW(struct rtc_link);
    k->l = l;
    k->tcp = c;
    k->since_us = loop_now_us(l->loop);
    tcp_addrs(c, &k->via.peer, &k->via.local);
    if (++l->last_link == 0) l->last_link = 1;
    k->via.link = l->last_link;
    list_push_back(&l->strangers, &k->node);
    l->n_strangers++;
    timer_init(&k->timer, l->loop, on_timer, k);
    timer_at(&k->timer, k->since_us + LOOK_US);
    tcp_send_buffer(c, LIMIT_RTC_TCP_SEND_BUFFER);
    tcp_start(c, &OPS, k);
    return k;
}

void rtc_link_accept(void *service, struct tcp *c)
{
    struct rtc_service *s = service;
    (void)link_new(rtc_loop_here(s), c);
}

static void on_arrival(void *ctx, struct tcp *c)
{
    struct crossing *x = ctx;
    struct rtc_link *k = link_new(x->to, c);
    if (k) {
        const struct span rest = span_of(x->rest, x->n_rest);
        k->in = x->first;
        on_frame(k, rest, k->since_us);
        if (k->tcp) on_read(k, rest);
    }
    free(x);
}

/* --- sending --- */

static struct rtc_link *find(struct rtc_peer *p, uint32_t number)
{
    LIST_EACH(it, &p->links)
    {
        struct rtc_link *k = CONTAINER_OF(it, struct rtc_link, node);
        if (k->via.link == number) return k;
    }
    return NULL;
}

static struct buf *frames(const uint8_t *bytes, const uint16_t *sizes, unsigned n)
{
    struct str out = {0};
    uint8_t head[FRAMED_HEAD];
    for (unsigned i = 0; i < n; bytes += sizes[i++]) {
        framed_head(head, sizes[i]);
        str_add(&out, span_of(head, sizeof head));
        str_add(&out, span_of(bytes, sizes[i]));
    }
    return str_take_buf(&out);
}

void rtc_link_send(struct rtc_peer *p, uint32_t link, const uint8_t *bytes, const uint16_t *sizes,
                   unsigned n, bool media)
{
    struct rtc_link *k = find(p, link);
    if (!k || n == 0) return;
    const size_t queued = tcp_queued(k->tcp);
    if (media && queued > LIMIT_RTC_TCP_MEDIA_BYTES) return;
    if (queued > LIMIT_RTC_TCP_QUEUE_BYTES) {
        close_link(k, "nothing is read");
        return;
    }
    struct buf *b = frames(bytes, sizes, n);
    tcp_send(k->tcp, b, 0, b->len);
    buf_unref(b);
}
