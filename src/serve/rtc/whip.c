/* SPDX-License-Identifier: MIT */
/* A publisher by WHIP. What arrives goes two ways: as packets, in bursts, to those who pass them
 * on; and, put in order and made whole, as frames to segments, recordings and RTMP players. */
#include "base/clock.h"
#include "base/log.h"
#include "serve/rtc/whip_priv.h"

#define HOLD_US US_PER_MS

/* --- sources: which SSRC is which track and layer --- */

static int layer_of(const struct rtc_track_set *t, struct span rid)
{
    for (unsigned i = 0; i < t->n_rids; i++)
        if (span_is(rid, t->rids[i])) return (int)i;
    return -1;
}

/* The media source of a layer: what an RTX source repairs, what a new source takes over from. */
static struct whip_source *media_of(struct whip *w, uint8_t track, uint8_t layer)
{
    for (unsigned i = w->n_sources; i-- > 0;) {
        struct whip_source *s = &w->sources[i];
        if (!s->rtx && s->track == track && s->layer == layer) return s;
    }
    return NULL;
}

/* NULL: not to be told yet (a layer without its name), or too many. */
static struct whip_source *new_source(struct whip *w, const struct rtp *p)
{
    for (unsigned k = 0; k < 2; k++) {
        const struct rtc_track_set *t = &w->tracks[k];
        const bool rtx = t->is && t->rtx_pt >= 0 && p->pt == t->rtx_pt;
        if (!t->is || (p->pt != t->pt && !rtx)) continue;
        const int layer =
            t->n_rids ? layer_of(t, rtp_ext(p, t->ext[rtx ? SDP_EXT_REPAIRED_RID : SDP_EXT_RID]))
                      : 0;
        if (layer < 0 || w->n_sources == LIMIT_RTC_SOURCES) return NULL;
        const struct whip_source *before = media_of(w, (uint8_t)k, (uint8_t)layer);
        struct whip_source *s = &w->sources[w->n_sources++];
        *s = (struct whip_source){.track = (uint8_t)k, .layer = (uint8_t)layer, .rtx = rtx};
        if (before) s->lane_top = before->lane_top;
        rtc_in_init(&s->in, p->ssrc, t->clock);
        log_debug("whip-source", "session=%.8s ssrc=%u track=%u layer=%d rtx=%d", w->peer->id,
                  p->ssrc, k, layer, rtx);
        return s;
    }
    return NULL;
}

static struct whip_source *source_of(struct whip *w, const struct rtp *p)
{
    for (unsigned i = 0; i < w->n_sources; i++)
        if (w->sources[i].in.ssrc == p->ssrc) return &w->sources[i];
    return new_source(w, p);
}

/* --- numbers for the lane: no gap but what is really missing --- */

/* Padding dropped before `ext` makes the numbers after it move up. */
static uint64_t lane_number(const struct whip_source *s, uint64_t ext)
{
    uint64_t n = ext - s->shift;
    for (unsigned i = 0; i < WHIP_DROPS; i++)
        if (s->drops[i] > ext) n++; /* dropped after this one, which comes late */
    return n;
}

static void drop_number(struct whip_source *s, uint64_t ext)
{
    s->shift++;
    s->drops[s->n_drops++ % WHIP_DROPS] = ext;
}

/* After a jump, or from a new source, numbers go on where they were, with a gap of one to tell
 * decoders. */
static void renumber(struct whip_source *s, uint64_t ext)
{
    s->shift = ext - (s->lane_top + 2);
    memset(s->drops, 0, sizeof s->drops);
}

/* --- packets to the lane --- */

void whip_flush(struct whip *w)
{
    struct rtc_loop *l = w->peer->l;
    l->staging = NULL;
    timer_stop(&l->hold);
    if (w->publisher && w->ready) {
        struct lane_burst *b = lane_burst_new(l->n_staged, l->staged_bytes);
        b->at_us = loop_now_us(l->loop);

        memcpy(b->packets, l->staged, l->n_staged * sizeof *l->staged);
        memcpy(b->bytes, l->staged_data, l->staged_bytes);
        lane_publish_burst(w->publisher, b);
    }
    l->n_staged = 0;
    l->staged_bytes = 0;
}

/* A frame that leaves in one burst costs each viewer one call. So a piece waits for the rest, but
 * no longer than a packet may be late unnoticed. */
void whip_batch_end(struct rtc_loop *l)
{
    if (!l->staging) return;
    const struct lane_packet *last = &l->staged[l->n_staged - 1];
    if (last->marker || last->track == MEDIA_AUDIO)
        whip_flush(l->staging);
    else if (!timer_active(&l->hold))
        timer_at(&l->hold, loop_now_us(l->loop) + HOLD_US);
}

void whip_hold_over(struct timer *t, void *ctx)
{
    struct rtc_loop *l = ctx;
    (void)t;
    if (l->staging) whip_flush(l->staging);
}

static void stage(struct whip *w, struct whip_source *s, const struct rtp *p, uint64_t number)
{
    struct rtc_loop *l = w->peer->l;
    const struct rtc_track_set *t = &w->tracks[s->track];
    if (l->staging && (l->staging != w || l->n_staged == LANE_BURST_MAX)) whip_flush(l->staging);
    l->staging = w;
    const struct rtp_peek peek = rtp_peek(t->format, p->payload);
    l->staged[l->n_staged++] = (struct lane_packet){.track = s->track,
                                                    .layer = s->layer,
                                                    .marker = p->marker,
                                                    .key = peek.key,
                                                    .seq = number,
                                                    .ts = p->ts,
                                                    .at = (uint32_t)l->staged_bytes,
                                                    .len = (uint32_t)p->payload.len};
    if (p->payload.len) memcpy(l->staged_data + l->staged_bytes, p->payload.p, p->payload.len);
    l->staged_bytes += p->payload.len;
    if (peek.key && s->track == MEDIA_VIDEO) whip_saw_key(w, s->layer, loop_now_us(l->loop));
}

/* --- receiving --- */

static void on_media(struct whip *w, struct whip_source *s, const struct rtp *p, int64_t now)
{
    uint64_t ext = 0;
    const enum rtc_in_news news = rtc_in_packet(&s->in, p->seq, p->ts, now, &ext);
    if (news == RTC_IN_STALE) return;
    if (news == RTC_IN_RESET || (!s->begun && s->lane_top)) {
        renumber(s, ext);
        if (s->track == MEDIA_VIDEO) whip_want_key(w, s->layer);
    }
    s->begun = true;
    whip_health_level(w, s, p);
    if (p->payload.len == 0 && news == RTC_IN_NEXT && s->lane_top) {
        drop_number(s, ext); /* padding that came in order leaves no trace */
        return;
    }
    if (p->payload.len) s->heard_us = now;
    const uint64_t number = lane_number(s, ext);
    if (number > s->lane_top) s->lane_top = number;
    whip_frames_add(w, s, number, p, now);
    stage(w, s, p, number);
}

/* RFC 4588, 4: the payload begins with the number of the packet that it repeats. */
static void on_rtx(struct whip *w, struct whip_source *s, const struct rtp *p, int64_t now)
{
    struct whip_source *media = media_of(w, s->track, s->layer);
    if (!media || p->payload.len < 2) return; /* less is padding, to probe the line */
    struct rtp again = *p;
    again.seq = (uint16_t)(p->payload.p[0] << 8 | p->payload.p[1]);
    again.payload = span_skip(p->payload, 2);
    again.ssrc = media->in.ssrc;
    on_media(w, media, &again, now);
}

static void on_rtp(struct rtc_peer *peer, const struct rtp *p, int64_t now)
{
    struct whip *w = peer->ctx;
    struct whip_source *s = source_of(w, p);
    if (w->twcc_id) {
        const struct span v = rtp_ext(p, w->twcc_id);
        if (v.len == 2) rtc_arrivals_add(&w->arrivals, (uint16_t)(v.p[0] << 8 | v.p[1]), now);
        w->heard_ssrc = p->ssrc;
    }
    if (!s || p->payload.len > LIMIT_UDP_BYTES) return;
    /* Numbers go on with the newest source of a layer; from an older one they would come twice. */
    if (!s->rtx && media_of(w, s->track, s->layer) != s) return;
    if (s->rtx)
        on_rtx(w, s, p, now);
    else
        on_media(w, s, p, now);
    rtc_peer_wake(peer, rtc_in_deadline_us(&s->in));
}

static void on_rtcp(struct rtc_peer *peer, const struct rtcp *c, int64_t now)
{
    struct whip *w = peer->ctx;
    struct rtcp_sr sr;
    whip_health_xr(w, c, now);
    if (rtcp_sr_parse(c, &sr) != E_OK) return;
    for (unsigned i = 0; i < w->n_sources; i++) {
        struct whip_source *s = &w->sources[i];
        if (s->rtx || s->in.ssrc != c->ssrc) continue;
        rtc_in_sr(&s->in, &sr, now);
        if (w->ready) lane_publish_clock(w->publisher, s->track, s->layer, sr.ntp, sr.rtp_ts);
        whip_frames_clock(w, s, sr.rtp_ts);
    }
}

static void on_open(struct rtc_peer *peer)
{
    rtc_peer_wake(peer, loop_now_us(peer->l->loop));
}

static void on_closed(struct rtc_peer *peer, enum err why)
{
    struct whip *w = peer->ctx;
    if (peer->l->staging == w) whip_flush(w);
    whip_frames_close(w);
    if (w->publisher) publisher_close(w->publisher, why == E_OK || why == E_CLOSED);
    if (w->r) rtc_reply_error(w->r, 503, "closed", "The session ended before it began.");
    channel_unref(w->channel);
    free(w->offer);
    free(w);
}

const struct rtc_peer_ops WHIP_OPS = {.name = "whip",
                                      .on_open = on_open,
                                      .on_rtp = on_rtp,
                                      .on_rtcp = on_rtcp,
                                      .on_tick = whip_feedback,
                                      .on_closed = on_closed};
