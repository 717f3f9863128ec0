/* SPDX-License-Identifier: MIT */
/* What a viewer says of what it was sent, and what it is told besides: reports. Its requests cost
 * it a budget, so that nobody makes the server send more than what is watched. */
#include "base/clock.h"
#include "serve/rtc/whep_priv.h"

#define AGAIN_MS    50    /* the same packet is not sent again sooner, or than a round trip */
#define AGAIN_PART  4     /* of what is sent, so much may be sent again */
#define AGAIN_LEAST 25000 /* bytes a second, in any case */
#define AGAIN_BURST 64000

void whep_report(struct list *viewer, const struct relay_clock *clocks, int64_t now_us)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    uint8_t room[256];
    struct wr w = wr_to(room, sizeof room - SRTPX_GROW);
    for (unsigned k = 0; k < 2; k++) {
        const struct whep_track *t = &v->tracks[k];
        const struct rtc_span *s = rtc_rewrite_now(&t->map);
        const struct relay_clock *c = s ? &clocks[k * LANE_LAYERS + s->layer] : NULL;
        if (!t->started || !c || !c->ntp) continue;
        const int64_t since = now_us - c->at_us;
        const struct rtcp_sr sr = {.ntp = c->ntp + ((uint64_t)(since / US_PER_SEC) << 32) +
                                          ((uint64_t)(since % US_PER_SEC) << 32) / US_PER_SEC,
                                   .rtp_ts = c->ts + s->ts_delta +
                                             (uint32_t)(since * t->clock / US_PER_SEC),
                                   .packets = t->packets,
                                   .bytes = t->bytes};
        rtcp_put_sr(&w, t->ssrc, &sr);
        rtcp_put_cname(&w, t->ssrc, SPAN_LIT(WHEP_CNAME));
    }
    if (!w.overflow) rtc_peer_send_rtcp(v->peer, room, wr_used(&w));
}

static bool sent_lately(struct whep *v, uint16_t seq, int64_t now)
{
    struct whep_resent *r = &v->resent[seq % WHEP_RESENT];
    const uint32_t ms = (uint32_t)(now / US_PER_MS);
    const uint32_t rtt = (uint32_t)(v->bwe.rtt_us / US_PER_MS);
    const uint32_t least = !rtt ? AGAIN_MS : rtt < 20 ? 20 : rtt > 400 ? 400 : rtt;
    if (r->seq == seq && r->ms && ms - r->ms < least) return true;
    *r = (struct whep_resent){seq, ms ? ms : 1};
    return false;
}

static void send_again(struct whep *v, uint8_t track, uint16_t seq, struct whep_batch *b,
                       int64_t now)
{
    struct whep_track *t = &v->tracks[track];
    size_t n = 0;
    if (v->again_credit <= 0 || (track == MEDIA_VIDEO && sent_lately(v, seq, now))) return;
    if (whep_again(v, t, track, seq_extend(t->map.next, seq), b, &n) == E_OK)
        v->again_credit -= (int64_t)n;
}

/* What is asked for again after a break of any length, and no more than a part of what is watched
 * in the long run: a line that loses more has to have a lower layer. */
static void refill(struct whep *v, int64_t now)
{
    const uint8_t layer = whep_layer_now(v);
    const uint64_t part =
        layer == RTC_LAYER_NONE ? 0 : relay_rate(v->relay, layer) / 8 / AGAIN_PART;
    const int64_t rate = part > AGAIN_LEAST ? (int64_t)part : AGAIN_LEAST;
    int64_t since = now - v->again_us;
    if (since > 10 * US_PER_SEC) since = 10 * US_PER_SEC;
    v->again_credit += since * rate / US_PER_SEC;
    if (v->again_credit > AGAIN_BURST) v->again_credit = AGAIN_BURST;
    v->again_us = now;
}

static void on_nack(struct whep *v, struct rtcp_nack *n, int64_t now)
{
    uint16_t seq, bits;
    struct whep_batch b = whep_batch(v);
    refill(v, now);
    for (uint8_t k = 0; k < 2; k++) {
        struct whep_track *t = &v->tracks[k];
        if (!t->is || !t->nack || t->ssrc != n->media) continue;
        for (unsigned i = 0; i < LANE_BURST_MAX && rtcp_nack_next(n, &seq, &bits); i++) {
            send_again(v, k, seq, &b, now);
            for (unsigned j = 0; j < 16; j++)
                if (bits >> j & 1) send_again(v, k, (uint16_t)(seq + j + 1), &b, now);
        }
    }
    whep_flush(v, &b);
}

static void on_arrivals(struct whep *v, const struct rtcp *c, int64_t now)
{
    struct twcc t;
    if (twcc_parse(c, &t) != E_OK) return;
    rtc_bwe_feedback(&v->bwe, &t, now);
    if (v->bwe.down_us == now) whep_choose(v, now); /* at once */
}

static void on_loss(struct whep *v, const struct rtcp_report *b, int64_t now)
{
    struct rtc_layers_there there;
    const uint8_t layer = whep_layer_now(v);
    relay_layers(v->relay, &there);
    if (layer != RTC_LAYER_NONE) rtc_bwe_report(&v->bwe, b->fraction_lost, there.rate[layer], now);
}

void whep_on_rtcp(struct rtc_peer *p, const struct rtcp *c, int64_t now_us)
{
    struct whep *v = p->ctx;
    struct rtcp_nack n;
    struct rtcp_report b;
    uint64_t bps = 0;
    uint32_t media = 0;
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    if (!v->relay) return;
    if (rtcp_nack_parse(c, &n) == E_OK) on_nack(v, &n, now_us);
    if (t->twcc_at) {
        if (c->type == RTCP_RTPFB && c->count == RTCP_TWCC) on_arrivals(v, c, now_us);
    } else if (rtcp_remb_parse(c, &bps) == E_OK) {
        rtc_bwe_remb(&v->bwe, bps, now_us);
    } else {
        for (unsigned i = 0; rtcp_report_at(c, i, &b); i++)
            if (t->is && b.ssrc == t->ssrc) on_loss(v, &b, now_us);
    }
    if (t->is && rtcp_key_request_at(c, 0, &media) && media == t->ssrc) whep_want_key(v, now_us);
}
