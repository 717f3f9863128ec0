/* SPDX-License-Identifier: MIT */
/* A viewer by WHEP: the relay's packets under a header of its own, sealed with its own keys. */
#include "base/clock.h"
#include "base/log.h"
#include "base/wr.h"
#include "base/xalloc.h"
#include "serve/rtc/whep_priv.h"

#define HEADER_MAX 48 /* fixed header and the MID extension */

/* --- sending --- */

/* What is being sealed into the loop's burst buffer. */
struct batch {
    uint8_t *at, *end;
    uint16_t sizes[2 * LANE_BURST_MAX];
    unsigned n;
};

static struct batch batch_on(struct rtc_loop *l)
{
    return (struct batch){l->burst, l->burst + sizeof l->burst, {0}, 0};
}

static void flush_batch(struct whep *v, struct batch *b)
{
    rtc_peer_send(v->peer, v->peer->l->burst, b->sizes, b->n);
    *b = batch_on(v->peer->l);
}

static void seal(struct whep *v, struct batch *b, struct span header, struct span payload,
                 uint64_t number)
{
    size_t n = 0;
    const size_t room = header.len + payload.len + SRTPX_GROW;
    if (b->n == sizeof b->sizes / sizeof *b->sizes || (size_t)(b->end - b->at) < room)
        flush_batch(v, b);
    srtpx_seal_rtp(v->peer->out, header, payload, (uint32_t)(number >> 16), b->at, &n);
    b->sizes[b->n++] = (uint16_t)n;
    b->at += n;
}

static struct span write_header(const struct whep_track *t, const struct lane_packet *p, bool rtx,
                                uint64_t number, uint8_t room[HEADER_MAX])
{
    struct wr w = wr_to(room, HEADER_MAX);
    const struct rtp h = {.marker = p->marker,
                          .pt = rtx ? t->rtx_pt : t->pt,
                          .seq = (uint16_t)number,
                          .ts = p->ts,
                          .ssrc = rtx ? t->rtx_ssrc : t->ssrc};
    rtp_write(&w, &h, t->ext_len > 0);
    wr_bytes(&w, t->ext, t->ext_len);
    return wr_span(&w);
}

static void send_packet(struct whep *v, struct whep_track *t, struct batch *b,
                        const struct lane_burst *burst, const struct lane_packet *p)
{
    uint8_t room[HEADER_MAX];
    const uint64_t number = p->seq + t->delta;
    seal(v, b, write_header(t, p, false, number, room), lane_payload(burst, p), number);
    if (number >= t->next) t->next = number + 1;
    t->packets++;
    t->bytes += p->len;
}

/* The lane's numbers go on from where ours are; both stay far from 0. */
static void begin(struct whep_track *t, uint64_t seq)
{
    t->started = true;
    t->delta = t->next - seq;
}

void whep_send(struct list *viewer, const struct lane_burst *burst)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    struct batch b = batch_on(v->peer->l);
    for (unsigned i = 0; i < burst->n; i++) {
        const struct lane_packet *p = &burst->packets[i];
        struct whep_track *t = &v->tracks[p->track];
        if (!t->is || p->layer != t->layer) continue;
        if (!t->started) {
            if (p->track == MEDIA_VIDEO && !p->key) continue;
            begin(t, p->seq);
        }
        send_packet(v, t, &b, burst, p);
    }
    flush_batch(v, &b);
}

/* A first picture at once when the last key frame is young, else a new one is asked for. */
static void begin_video(struct whep *v)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    uint64_t from = 0, to = 0;
    const struct lane_burst *burst;
    if (!t->is || t->started) return;
    if (!relay_key(v->relay, t->layer, &from, &to)) {
        relay_want_key(v->relay, t->layer, loop_now_us(v->peer->l->loop));
        return;
    }
    struct batch b = batch_on(v->peer->l);
    begin(t, from);
    for (uint64_t s = from; s <= to; s++) {
        const struct lane_packet *p = relay_packet(v->relay, MEDIA_VIDEO, t->layer, s, &burst);
        if (p) send_packet(v, t, &b, burst, p);
    }
    flush_batch(v, &b);
}

static bool still_fits(const struct whep *v, const struct lane_track tracks[2])
{
    for (unsigned k = 0; k < 2; k++) {
        const struct whep_track *t = &v->tracks[k];
        if (t->is && tracks[k].codec != CODEC_NONE && tracks[k].codec != t->codec) return false;
    }
    return true;
}

/* Another publisher, or none: what comes next begins with a key frame and goes on in numbers. */
void whep_restart(struct list *viewer, const struct lane_description *d)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    if (!v->relay) return; /* joining now: on_open looks itself */
    if (!still_fits(v, d->tracks)) {
        rtc_peer_close(v->peer, E_CLOSED, "the publisher came back with another codec");
        return;
    }
    for (unsigned k = 0; k < 2; k++) {
        if (v->tracks[k].started) v->tracks[k].next++; /* a gap tells the decoder */
        v->tracks[k].started = false;
    }
    begin_video(v);
}

void whep_report(struct list *viewer, const struct relay_clock *clocks, int64_t now_us)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    uint8_t room[256];
    struct wr w = wr_to(room, sizeof room - SRTPX_GROW);
    for (unsigned k = 0; k < 2; k++) {
        const struct whep_track *t = &v->tracks[k];
        const unsigned i = k * LANE_LAYERS + t->layer;
        if (!t->started || !clocks[i].ntp) continue;
        const int64_t since = now_us - clocks[i].at_us;
        const struct rtcp_sr sr = {.ntp = clocks[i].ntp + ((uint64_t)(since / US_PER_SEC) << 32) +
                                          ((uint64_t)(since % US_PER_SEC) << 32) / US_PER_SEC,
                                   .rtp_ts =
                                       clocks[i].ts + (uint32_t)(since * t->clock / US_PER_SEC),
                                   .packets = t->packets,
                                   .bytes = t->bytes};
        rtcp_put_sr(&w, t->ssrc, &sr);
        rtcp_put_cname(&w, t->ssrc, SPAN_LIT(WHEP_CNAME));
    }
    if (!w.overflow) rtc_peer_send_rtcp(v->peer, room, wr_used(&w));
}

/* --- what the viewer says --- */

static void send_again(struct whep *v, struct whep_track *t, uint8_t track, uint16_t seq,
                       struct batch *b)
{
    uint8_t room[HEADER_MAX + 2];
    const struct lane_burst *burst;
    const uint64_t number = seq_extend(t->next, seq);
    const struct lane_packet *p =
        relay_packet(v->relay, track, t->layer, number - t->delta, &burst);
    if (!p) return;
    if (!t->rtx_ssrc) { /* on the same source: the same bytes once more */
        seal(v, b, write_header(t, p, false, number, room), lane_payload(burst, p), number);
        return;
    }
    uint8_t payload[LIMIT_UDP_BYTES];
    struct wr w = wr_to(payload, sizeof payload);
    wr_u16be(&w, seq);
    wr_str(&w, lane_payload(burst, p));
    if (w.overflow) return;
    const uint64_t rtx = t->rtx_seq++;
    seal(v, b, write_header(t, p, true, rtx, room), wr_span(&w), rtx);
}

static void on_nack(struct whep *v, struct rtcp_nack *n)
{
    uint16_t seq, bits;
    struct batch b = batch_on(v->peer->l);
    for (unsigned k = 0; k < 2; k++) {
        struct whep_track *t = &v->tracks[k];
        if (!t->started || t->ssrc != n->media) continue;
        for (unsigned i = 0; i < LANE_BURST_MAX && rtcp_nack_next(n, &seq, &bits); i++) {
            send_again(v, t, (uint8_t)k, seq, &b);
            for (unsigned j = 0; j < 16; j++)
                if (bits >> j & 1) send_again(v, t, (uint8_t)k, (uint16_t)(seq + j + 1), &b);
        }
    }
    flush_batch(v, &b);
}

static void on_rtcp(struct rtc_peer *p, const struct rtcp *c, int64_t now_us)
{
    struct whep *v = p->ctx;
    struct rtcp_nack n;
    uint32_t media = 0;
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    if (!v->relay) return;
    if (rtcp_nack_parse(c, &n) == E_OK) on_nack(v, &n);
    if (t->is && rtcp_key_request_at(c, 0, &media) && media == t->ssrc)
        relay_want_key(v->relay, t->layer, now_us);
}

static void on_rtp(struct rtc_peer *p, const struct rtp *rtp, int64_t now_us)
{
    (void)p, (void)rtp, (void)now_us; /* a viewer sends nothing */
}

static void on_open(struct rtc_peer *p)
{
    struct whep *v = p->ctx;
    struct lane_track tracks[2];
    v->relay = relay_join(p->l, v->channel, &v->node);
    if (lane_describe(v->channel, tracks) == E_OK && !still_fits(v, tracks))
        rtc_peer_close(p, E_CLOSED, "the publisher came back with another codec");
    else
        begin_video(v);
}

static void on_closed(struct rtc_peer *p, enum err why)
{
    struct whep *v = p->ctx;
    (void)why;
    if (v->relay) relay_leave(v->relay, &v->node);
    channel_unref(v->channel);
    free(v);
}

const struct rtc_peer_ops WHEP_OPS = {.name = "whep",
                                      .on_open = on_open,
                                      .on_rtp = on_rtp,
                                      .on_rtcp = on_rtcp,
                                      .on_closed = on_closed};
