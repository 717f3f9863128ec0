/* SPDX-License-Identifier: MIT */
/* Which packets a viewer is sent, and when. Live ones leave as they come, one call a frame. Video
 * that is older, or more than the line may be given at once, goes by the clock from the relay's
 * history: the viewer is `behind`. */
#include "base/clock.h"
#include "serve/rtc/whep_priv.h"

#define KEY_YOUNG_US US_PER_SEC /* a key frame made when asked for costs all viewers */
/* Between two sendings of all since the last key frame. The first may come before a browser is
 * ready, which then asks at once. */
#define REPEAT_US     (50 * US_PER_MS)
#define REPEAT_MAX_US (3 * US_PER_SEC)
#define PACE_US       (5 * US_PER_MS)
#define PACE_BPS      INT64_C(25000000) /* to catch up with, when the line shows no limit */
#define PACE_LEAST    INT64_C(300000)
#define PACE_MOST     65536 /* bytes at once */
#define BEHIND_US     (4 * US_PER_SEC)
#define AT_ONCE_MIN   12000 /* bytes of a frame that any line takes at once */
#define AT_ONCE_A_SEC 25    /* or so much of a second's */
#define LIMITED_US    (10 * US_PER_SEC)

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

static void begin_span(struct whep *v, struct whep_track *t, const struct lane_burst *burst,
                       const struct lane_packet *p, uint32_t live_ts, int64_t now)
{
    struct rtp_vpx_ids ids;
    const struct rtc_span *last = rtc_rewrite_now(&t->map);
    struct rtc_begin b = {
        .layer = p->layer, .seq = p->seq, .ts = p->ts, .live_ts = live_ts, .clock = t->clock};
    if (last && !t->fresh) b.same_clock = convert(v, last->layer, p->layer, t->clock, &b.convert);
    struct rtc_span *s = rtc_rewrite_begin(&t->map, &b, now);
    if (last && p->track == MEDIA_VIDEO && rtp_vpx_ids(t->format, lane_payload(burst, p), &ids)) {
        s->picture_add = (uint16_t)(t->ids.picture + 1 - ids.picture);
        s->tl0_add = (uint8_t)(t->ids.tl0 + 1 - ids.tl0);
    }
    t->fresh = false;
    t->started = true;
}

static void fall_behind(struct whep *v, uint64_t cursor, int64_t now)
{
    v->behind = true;
    v->cursor = cursor;
    v->behind_us = now;
    v->paced_us = now - PACE_US;
    v->credit = 0;
}

void whep_begin_video(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const struct lane_burst *key_in, *top_in;
    v->look = false;
    if (!t->is || t->started || v->layers.target == RTC_LAYER_NONE) return;
    const uint8_t layer = v->layers.target;
    const bool asks = relay_track(v->relay, MEDIA_VIDEO)->makes_keys;
    const struct packet_history *h = relay_history(v->relay, MEDIA_VIDEO, layer);
    const bool usable = h->key && h->key != v->skip && packet_history_whole(h);
    const struct lane_packet *key = usable ? packet_history_find(h, h->key, &key_in) : NULL,
                             *top = key ? packet_history_find(h, h->top, &top_in) : NULL;
    if (!top || (asks && now - h->key_us > KEY_YOUNG_US)) {
        if (asks) relay_want_key(v->relay, layer, now);
        return;
    }
    begin_span(v, t, key_in, key, top->ts, now);
    fall_behind(v, h->key, now);
    rtc_peer_wake(v->peer, whep_pace(v, now));
}

void whep_want_key(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    if (relay_track(v->relay, MEDIA_VIDEO)->makes_keys) {
        const uint8_t layer = t->started ? rtc_rewrite_now(&t->map)->layer : v->layers.target;
        if (layer != RTC_LAYER_NONE) relay_want_key(v->relay, layer, now);
        return;
    }
    if (!t->started || v->behind) return;
    if (now - v->caught_us > REPEAT_MAX_US) v->repeat_us = REPEAT_US;
    if (now - v->caught_us < v->repeat_us + v->bwe.rtt_us) return; /* asked before it had that */
    v->repeat_us = v->repeat_us < REPEAT_MAX_US ? 2 * v->repeat_us : REPEAT_MAX_US;
    t->started = false;
    whep_begin_video(v, now);
}

/* --- by the clock --- */

static bool limited(const struct whep *v, int64_t now)
{
    return v->bwe.limited && now - v->bwe.down_us < LIMITED_US;
}

static int64_t pace_bps(const struct whep *v, int64_t now)
{
    if (!limited(v, now)) return PACE_BPS;
    const int64_t bps = 2 * (int64_t)v->bwe.bps;
    return bps < PACE_LEAST ? PACE_LEAST : bps > PACE_BPS ? PACE_BPS : bps;
}

/* The line does not even take what comes: on with the next key frame. */
static void give_up(struct whep *v, const struct packet_history *h)
{
    v->behind = false;
    v->tracks[MEDIA_VIDEO].started = false;
    v->skip = h->key;
    v->look = true;
}

int64_t whep_pace(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const struct lane_burst *burst;
    if (!v->behind) return INT64_MAX;
    const struct packet_history *h =
        relay_history(v->relay, MEDIA_VIDEO, rtc_rewrite_now(&t->map)->layer);
    struct whep_batch b = whep_batch(v);
    v->credit += (now - v->paced_us) * pace_bps(v, now) / (8 * US_PER_SEC);
    v->paced_us = now;
    if (v->credit > PACE_MOST) v->credit = PACE_MOST;
    if (v->cursor < h->tail || now - v->behind_us > BEHIND_US) {
        give_up(v, h);
        return now;
    }
    for (; v->credit > 0 && v->cursor <= h->top; v->cursor++) {
        const struct lane_packet *p = packet_history_find(h, v->cursor, &burst);
        if (!p) continue; /* it may come later, and leaves at once then */
        whep_packet(v, t, &b, burst, p);
        v->credit -= p->len;
    }
    whep_flush(v, &b);
    v->behind = v->cursor <= h->top;
    v->caught_us = now;
    return v->behind ? now + PACE_US : INT64_MAX;
}

/* A large frame is not thrown at a line that is known to be narrow. */
static void mind_the_line(struct whep *v, const struct lane_burst *burst, int64_t now)
{
    const struct rtc_span *s = rtc_rewrite_now(&v->tracks[MEDIA_VIDEO].map);
    uint64_t bytes = 0, first = 0;
    if (!v->tracks[MEDIA_VIDEO].started || v->behind || !limited(v, now)) return;
    for (unsigned i = 0; i < burst->n; i++) {
        const struct lane_packet *p = &burst->packets[i];
        if (p->track != MEDIA_VIDEO || p->layer != s->layer) continue;
        bytes += p->len;
        if (!first || p->seq < first) first = p->seq;
    }
    const uint64_t at_once = v->bwe.bps / 8 / AT_ONCE_A_SEC;
    if (bytes > (at_once > AT_ONCE_MIN ? at_once : AT_ONCE_MIN)) fall_behind(v, first, now);
}

/* --- as it comes --- */

static void on_video(struct whep *v, struct whep_batch *b, const struct lane_burst *burst,
                     const struct lane_packet *p, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    const uint8_t target = v->layers.target;
    if (!t->started) {
        if (p->key && (p->layer == target || target == RTC_LAYER_NONE)) v->look = true;
        return;
    }
    const struct rtc_span *s = rtc_rewrite_now(&t->map);
    if (p->key && p->layer == target && p->layer != s->layer &&
        relay_history(v->relay, MEDIA_VIDEO, target)->key == p->seq) {
        begin_span(v, t, burst, p, p->ts, now);
        v->behind = false;
        s = rtc_rewrite_now(&t->map);
    }
    b->even = relay_largest(v->relay, p->layer);
    if (p->layer == s->layer && (!v->behind || p->seq < v->cursor)) whep_packet(v, t, b, burst, p);
    b->even = 0;
}

void whep_send(struct list *viewer, const struct lane_burst *burst, int64_t now)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    struct whep_track *sound = &v->tracks[MEDIA_AUDIO];
    struct whep_batch b = whep_batch(v);
    mind_the_line(v, burst, now);
    for (unsigned i = 0; i < burst->n; i++) {
        const struct lane_packet *p = &burst->packets[i];
        if (!v->tracks[p->track].is) continue;
        if (p->track == MEDIA_VIDEO) {
            on_video(v, &b, burst, p, now);
            continue;
        }
        if (!sound->started) begin_span(v, sound, burst, p, p->ts, now);
        whep_packet(v, sound, &b, burst, p);
    }
    whep_flush(v, &b);
    if (v->look || (v->behind && v->paced_us < now))
        rtc_peer_wake(v->peer, now); /* when all that came with it is in the history */
}
