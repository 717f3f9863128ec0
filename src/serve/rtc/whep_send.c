/* SPDX-License-Identifier: MIT */
/* What a viewer is sent: the relay's packets under a header of its own, sealed with its own keys.
 * Live packets leave as they come, one call a frame. Video that is older, or more than the line may
 * be given at once, goes by the clock from the relay's history: the viewer is `behind`. */
#include "base/clock.h"
#include "base/wr.h"
#include "serve/rtc/whep_priv.h"

#define KEY_YOUNG_US US_PER_SEC /* a key frame made when asked for costs all viewers */
/* Between two sendings of all since the last key frame. The first may come before a browser is
 * ready, which then asks at once. */
#define REPEAT_US     (50 * US_PER_MS)
#define REPEAT_MAX_US (3 * US_PER_SEC)
#define PACE_US       (5 * US_PER_MS)
#define PACE_BPS      INT64_C(25000000) /* to catch up with, when nothing is known of the line */
#define PACE_MOST     65536             /* bytes at once */

struct whep_batch whep_batch(struct whep *v)
{
    struct rtc_loop *l = v->peer->l;
    return (struct whep_batch){l->burst, l->burst + sizeof l->burst, {0}, 0};
}

void whep_flush(struct whep *v, struct whep_batch *b)
{
    rtc_peer_send(v->peer, v->peer->l->burst, b->sizes, b->n);
    *b = whep_batch(v);
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

/* The header is written where it leaves from. */
static void seal(struct whep *v, const struct whep_track *t, struct whep_batch *b, bool rtx,
                 bool marker, uint64_t number, uint32_t ts, struct span payload)
{
    size_t n = 0;
    if (b->n == sizeof b->sizes / sizeof *b->sizes ||
        (size_t)(b->end - b->at) < t->head_len + payload.len + SRTPX_GROW)
        whep_flush(v, b);
    uint8_t *h = b->at;
    memcpy(h, t->head, t->head_len);
    h[1] = (uint8_t)((marker ? 0x80 : 0) | (rtx ? t->rtx_pt : t->pt));
    put16(h + 2, (unsigned)number);
    put32(h + 4, ts);
    if (rtx) put32(h + 8, t->rtx_ssrc);
    srtpx_seal_rtp(v->peer->out, span_of(h, t->head_len), payload, (uint32_t)(number >> 16), h, &n);
    b->sizes[b->n++] = (uint16_t)n;
    b->at += n;
}

static void send_packet(struct whep *v, struct whep_track *t, struct whep_batch *b,
                        const struct lane_burst *burst, const struct lane_packet *p, int64_t now)
{
    uint64_t number = 0;
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    if (!rtc_span_number(s, p->seq, &number)) return; /* late, of what came before */
    const uint32_t ts = rtc_span_ts(s, p->ts);
    seal(v, t, b, false, p->marker, number, ts, lane_payload(burst, p));
    rtc_rewrite_sent(&t->map, number, ts, now);
    t->packets++;
    t->bytes += p->len;
}

enum err whep_again(struct whep *v, struct whep_track *t, uint8_t track, uint64_t number,
                    struct whep_batch *b, size_t *n)
{
    const struct lane_burst *burst;
    const struct rtc_span *s = rtc_rewrite_find(&t->map, number);
    if (!s) return E_NOTFOUND;
    const struct lane_packet *p =
        packet_history_find(relay_history(v->relay, track, s->layer), number - s->delta, &burst);
    if (!p) return E_NOTFOUND;
    const uint32_t ts = rtc_span_ts(s, p->ts);
    *n = p->len;
    if (!t->rtx_ssrc) { /* on the same source: the same bytes once more */
        seal(v, t, b, false, p->marker, number, ts, lane_payload(burst, p));
        return E_OK;
    }
    uint8_t payload[LIMIT_UDP_BYTES];
    struct wr w = wr_to(payload, sizeof payload);
    wr_u16be(&w, (uint16_t)number);
    wr_str(&w, lane_payload(burst, p));
    if (!w.overflow) seal(v, t, b, true, p->marker, t->rtx_seq++, ts, wr_span(&w));
    return E_OK;
}

/* --- spans --- */

/* Makes timestamps of layer `to` those of layer `from`, by what the publisher's reports said. */
static bool convert(const struct whep *v, uint8_t from, uint8_t to, uint32_t rate, uint32_t *out)
{
    const struct relay_clock *a = relay_clock(v->relay, MEDIA_VIDEO, from),
                             *b = relay_clock(v->relay, MEDIA_VIDEO, to);
    *out = 0;
    if (from == to) return true;
    if (!a->ntp || !b->ntp) return false;
    const int64_t ntp = (int64_t)(b->ntp - a->ntp); /* in 2^-32 s */
    const int64_t us = (ntp >> 32) * US_PER_SEC + ((ntp & 0xffffffff) * US_PER_SEC >> 32);
    *out = a->ts - b->ts + (uint32_t)(us * rate / US_PER_SEC);
    return true;
}

static void begin_span(struct whep *v, struct whep_track *t, const struct lane_packet *p,
                       uint32_t live_ts, int64_t now)
{
    const struct rtc_span *last = rtc_rewrite_now(&t->map);
    struct rtc_begin b = {
        .layer = p->layer, .seq = p->seq, .ts = p->ts, .live_ts = live_ts, .clock = t->clock};
    if (last && !t->fresh) b.same_clock = convert(v, last->layer, p->layer, t->clock, &b.convert);
    rtc_rewrite_begin(&t->map, &b, now);
    t->fresh = false;
    t->started = true;
}

void whep_begin_video(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const struct lane_burst *burst;
    const bool asks = relay_track(v->relay, MEDIA_VIDEO)->makes_keys;
    const struct packet_history *h = relay_history(v->relay, MEDIA_VIDEO, v->target);
    v->look = false;
    if (!t->is || t->started) return;
    const struct lane_packet *key = h->key ? packet_history_find(h, h->key, &burst) : NULL,
                             *top = key ? packet_history_find(h, h->top, &burst) : NULL;
    if (!top || !packet_history_whole(h) || (asks && now - h->key_us > KEY_YOUNG_US)) {
        if (asks) relay_want_key(v->relay, v->target, now);
        return;
    }
    begin_span(v, t, key, top->ts, now);
    v->behind = true;
    v->cursor = h->key;
    v->paced_us = now - PACE_US;
    v->credit = 0;
    rtc_peer_wake(v->peer, whep_pace(v, now));
}

void whep_want_key(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    if (relay_track(v->relay, MEDIA_VIDEO)->makes_keys) {
        relay_want_key(v->relay, t->started ? s->layer : v->target, now);
        return;
    }
    if (!t->started || v->behind) return;
    if (now - v->caught_us > REPEAT_MAX_US) v->repeat_us = REPEAT_US;
    if (now - v->caught_us < v->repeat_us) return; /* it asked before it had that */
    v->repeat_us = v->repeat_us < REPEAT_MAX_US ? 2 * v->repeat_us : REPEAT_MAX_US;
    t->started = false;
    whep_begin_video(v, now);
}

/* --- by the clock --- */

static int64_t pace_bps(const struct whep *v)
{
    return PACE_BPS;
}

int64_t whep_pace(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const struct lane_burst *burst;
    if (!v->behind) return INT64_MAX;
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    const struct packet_history *h = relay_history(v->relay, MEDIA_VIDEO, s->layer);
    struct whep_batch b = whep_batch(v);
    v->credit += (now - v->paced_us) * pace_bps(v) / (8 * US_PER_SEC);
    v->paced_us = now;
    if (v->credit > PACE_MOST) v->credit = PACE_MOST;
    for (; v->credit > 0 && v->cursor <= h->top; v->cursor++) {
        const struct lane_packet *p = packet_history_find(h, v->cursor, &burst);
        if (!p) continue; /* it may come later, and leaves at once then */
        send_packet(v, t, &b, burst, p, now);
        v->credit -= p->len;
    }
    whep_flush(v, &b);
    v->behind = v->cursor <= h->top;
    v->caught_us = now;
    return v->behind ? now + PACE_US : INT64_MAX;
}

/* --- as it comes --- */

static void on_video(struct whep *v, struct whep_batch *b, const struct lane_burst *burst,
                     const struct lane_packet *p, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    if (!t->started) {
        if (p->key && p->layer == v->target) v->look = true;
        return;
    }
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    if (p->layer == s->layer && (!v->behind || p->seq < v->cursor))
        send_packet(v, t, b, burst, p, now);
}

void whep_send(struct list *viewer, const struct lane_burst *burst, int64_t now)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    struct whep_track *sound = &v->tracks[MEDIA_AUDIO];
    struct whep_batch b = whep_batch(v);
    for (unsigned i = 0; i < burst->n; i++) {
        const struct lane_packet *p = &burst->packets[i];
        if (!v->tracks[p->track].is) continue;
        if (p->track == MEDIA_VIDEO) {
            on_video(v, &b, burst, p, now);
            continue;
        }
        if (!sound->started) begin_span(v, sound, p, p->ts, now);
        send_packet(v, sound, &b, burst, p, now);
    }
    whep_flush(v, &b);
    if (v->look) rtc_peer_wake(v->peer, now); /* when all that came with it is in the history */
}

void whep_tick(struct list *viewer, int64_t now)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    if (!v->tracks[MEDIA_VIDEO].started && v->relay) whep_begin_video(v, now);
}
