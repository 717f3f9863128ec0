/* SPDX-License-Identifier: MIT */
/* The packets of a viewer: the relay's payloads under a header of its own, sealed with its own keys
 * into the loop's buffer, from where they leave together. */
#include "base/clock.h"
#include "base/wr.h"
#include "serve/rtc/whep_priv.h"

#define PADDING   255 /* RFC 3550, 5.1: as much as one byte can count */
#define PROBE_MIN 10
#define EVEN_MAX  8 /* bytes of padding that make a frame's packets equal */
#define PROBE_MAX 64

struct whep_batch whep_batch(struct whep *v)
{
    struct rtc_loop *l = v->peer->l;
    struct whep_batch b;
    b.at = l->burst;
    b.end = l->burst + sizeof l->burst;
    b.n = 0;
    b.even = 0;
    b.now_us = loop_now_us(l->loop);
    return b;
}

void whep_flush(struct whep *v, struct whep_batch *b)
{
    if (b->n) rtc_peer_send(v->peer, v->peer->l->burst, b->sizes, b->n);
    b->at = v->peer->l->burst;
    b->n = 0;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* What a header says besides what all of the track's say. */
struct head {
    bool rtx, marker, padding, probe;
    uint64_t number;
    uint32_t ts;
};

/* The header is written where it leaves from. */
static void seal(struct whep *v, const struct whep_track *t, struct whep_batch *b,
                 const struct head *w, struct span payload)
{
    size_t n = 0;
    if (b->n == sizeof b->sizes / sizeof *b->sizes ||
        (size_t)(b->end - b->at) < t->head_len + payload.len + SRTPX_GROW)
        whep_flush(v, b);
    uint8_t *h = b->at;
    memcpy(h, t->head, t->head_len);
    if (w->padding) h[0] |= 0x20;
    h[1] = (uint8_t)((w->marker ? 0x80 : 0) | (w->rtx ? t->rtx_pt : t->pt));
    put16(h + 2, (unsigned)w->number);
    put32(h + 4, w->ts);
    if (w->rtx) put32(h + 8, t->rtx_ssrc);
    if (t->twcc_at && v->sent) {
        const size_t size = t->head_len + payload.len;
        put16(h + t->twcc_at, w->probe ? rtc_bwe_probe_sent(&v->bwe, size, b->now_us)
                                       : rtc_bwe_sent(&v->bwe, size, b->now_us));
    }
    srtpx_seal_rtp(v->peer->out, span_of(h, t->head_len), payload, (uint32_t)(w->number >> 16), h,
                   &n);
    b->sizes[b->n++] = (uint16_t)n;
    b->at += n;
}

/* The payload as this viewer is to have it: counters of VP8 and VP9 go on from layer to layer. */
static struct span payload_of(const struct whep_track *t, const struct rtc_span *s,
                              const struct lane_burst *burst, const struct lane_packet *p,
                              uint8_t room[LIMIT_UDP_BYTES])
{
    const struct span in = lane_payload(burst, p);
    if ((!s->picture_add && !s->tl0_add) || in.len > LIMIT_UDP_BYTES) return in;
    memcpy(room, in.p, in.len);
    rtp_vpx_add(t->format, room, in.len, s->picture_add, s->tl0_add);
    return span_of(room, in.len);
}

/* Browsers cut a frame into packets of two sizes, one byte apart. Made equal, they leave by one
 * call. Where a packet is sent again on its own source it would not be the same. */
static struct span even(const struct whep_track *t, const struct whep_batch *b, struct span in,
                        uint8_t room[LIMIT_UDP_BYTES])
{
    const size_t more = b->even > in.len ? b->even - in.len : 0;
    if (!more || more > EVEN_MAX || !t->rtx_ssrc || b->even > LIMIT_UDP_BYTES) return in;
    if (in.p != room) memcpy(room, in.p, in.len);
    memset(room + in.len, 0, more);
    room[b->even - 1] = (uint8_t)more;
    return span_of(room, b->even);
}

/* Remembers where the counters are, for the next span to go on from. */
static void note_ids(struct whep_track *t, const struct rtc_span *s, struct span in)
{
    struct rtp_vpx_ids ids;
    if (t->codec != CODEC_VP8 && t->codec != CODEC_VP9) return;
    if (!rtp_vpx_ids(t->format, in, &ids)) return;
    ids.picture += s->picture_add;
    ids.tl0 += s->tl0_add;
    t->ids = ids;
}

void whep_packet(struct whep *v, struct whep_track *t, struct whep_batch *b,
                 const struct lane_burst *burst, const struct lane_packet *p)
{
    uint8_t room[LIMIT_UDP_BYTES];
    struct head w = {.marker = p->marker};
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    if (!rtc_span_number(s, p->seq, &w.number)) return; /* late, of what came before */
    w.ts = rtc_span_ts(s, p->ts);
    const struct span in = payload_of(t, s, burst, p, room), out = even(t, b, in, room);
    w.padding = out.len > in.len;
    seal(v, t, b, &w, out);
    if (p->marker) note_ids(t, s, lane_payload(burst, p));
    rtc_rewrite_sent(&t->map, w.number, w.ts, b->now_us);
    t->packets++;
    t->bytes += p->len;
}

enum err whep_again(struct whep *v, struct whep_track *t, uint8_t track, uint64_t number,
                    struct whep_batch *b, size_t *n)
{
    uint8_t room[LIMIT_UDP_BYTES], payload[LIMIT_UDP_BYTES];
    const struct lane_burst *burst;
    const struct rtc_span *s = rtc_rewrite_find(&t->map, number);
    if (!s) return E_NOTFOUND;
    const struct lane_packet *p =
        packet_history_find(relay_history(v->relay, track, s->layer), number - s->delta, &burst);
    if (!p) return E_NOTFOUND;
    struct head w = {.marker = p->marker, .number = number, .ts = rtc_span_ts(s, p->ts)};
    const struct span in = payload_of(t, s, burst, p, room);
    *n = p->len;
    if (!t->rtx_ssrc) { /* on the same source: the same bytes once more */
        seal(v, t, b, &w, in);
        return E_OK;
    }
    struct wr again = wr_to(payload, sizeof payload);
    wr_u16be(&again, (uint16_t)number);
    wr_str(&again, in);
    if (again.overflow) return E_LIMIT;
    w.rtx = true;
    w.number = t->rtx_seq++;
    seal(v, t, b, &w, wr_span(&again));
    return E_OK;
}

/* On the source that packets sent again have, where numbers mean nothing to a decoder. */
void whep_probe(struct whep *v, size_t bytes)
{
    static const uint8_t padding[PADDING] = {[PADDING - 1] = PADDING};
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    struct whep_batch b = whep_batch(v);
    size_t n = bytes / PADDING;
    if (!t->twcc_at || !t->rtx_ssrc) return;
    if (n < PROBE_MIN) n = PROBE_MIN;
    if (n > PROBE_MAX) n = PROBE_MAX;
    rtc_bwe_probe_begin(&v->bwe, b.now_us);
    for (; n > 0; n--) {
        const struct head w = {.rtx = true,
                               .padding = true,
                               .probe = true,
                               .number = t->rtx_seq++,
                               .ts = t->map.last_ts};
        seal(v, t, &b, &w, span_of(padding, sizeof padding));
    }
    whep_flush(v, &b);
}
