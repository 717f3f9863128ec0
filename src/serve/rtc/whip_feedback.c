/* SPDX-License-Identifier: MIT */
/* What a publisher is told: what is missing, when its packets came, what was received, and that a
 * key frame is wanted. Browsers send no faster than this lets them believe they may. */
#include "base/clock.h"
#include "media/segmenter.h"
#include "serve/rtc/whip_priv.h"

#define FEEDBACK_US  (50 * US_PER_MS)
#define REPORT_US    US_PER_SEC
#define KEY_AGAIN_US (500 * US_PER_MS)
#define SILENT_US    US_PER_SEC /* a layer that sends nothing is not asked */
#define NACKS_MAX    64
#define REMB_BPS     UINT64_C(10000000) /* for senders that know no other feedback */
#define ROOM         1400

/* Every compound begins with a report: not everybody takes reduced size. */
static struct wr compound(struct whip *w, uint8_t *room)
{
    struct wr c = wr_to(room, ROOM);
    rtcp_put_rr(&c, w->our_ssrc, NULL, 0);
    return c;
}

static void send(struct whip *w, struct wr *c)
{
    if (!c->overflow) rtc_peer_send_rtcp(w->peer, c->start, wr_used(c));
}

static void ask_missing(struct whip *w, int64_t now)
{
    uint8_t room[ROOM + SRTPX_GROW];
    uint16_t seqs[NACKS_MAX];
    struct wr c = compound(w, room);
    const size_t empty = wr_used(&c);
    for (unsigned i = 0; i < w->n_sources; i++) {
        struct whip_source *s = &w->sources[i];
        bool gave_up = false;
        if (s->rtx || !(w->tracks[s->track].fb & SDP_FB_NACK)) continue;
        const unsigned n = rtc_in_nacks(&s->in, now, seqs, NACKS_MAX, &gave_up);
        w->network.nacks += n;
        if (n) rtcp_put_nack(&c, w->our_ssrc, s->in.ssrc, seqs, n);
        if (gave_up && s->track == MEDIA_VIDEO) whip_want_key(w, s->layer);
    }
    if (wr_used(&c) > empty) send(w, &c);
}

static void tell_arrivals(struct whip *w)
{
    uint8_t room[ROOM + SRTPX_GROW];
    struct twcc t;
    struct wr c = compound(w, room);
    if (!rtc_arrivals_take(&w->arrivals, w->heard_ssrc, &t)) return;
    twcc_put(&c, w->our_ssrc, &t);
    send(w, &c);
}

static void report(struct whip *w, int64_t now)
{
    uint8_t room[ROOM + SRTPX_GROW];
    struct rtcp_report blocks[LIMIT_RTC_SOURCES] = {0};
    uint32_t video[LIMIT_RTC_SOURCES];
    unsigned n = 0, n_video = 0;
    bool remb = false;
    struct wr c = wr_to(room, ROOM);
    for (unsigned i = 0; i < w->n_sources; i++) {
        struct whip_source *s = &w->sources[i];
        if (s->rtx) continue;
        blocks[n++] = rtc_in_report(&s->in, now);
        whip_health_report(w, s, &blocks[n - 1]);
        if (s->track == MEDIA_VIDEO) video[n_video++] = s->in.ssrc;
        remb |= (w->tracks[s->track].fb & SDP_FB_REMB) && !w->twcc_id;
    }
    rtcp_put_rr(&c, w->our_ssrc, blocks, n);
    rtcp_put_rrtr(&c, w->our_ssrc, now); /* for the round trip */
    if (remb && n_video) rtcp_put_remb(&c, w->our_ssrc, video, n_video, REMB_BPS);
    send(w, &c);
}

void whip_want_key(struct whip *w, uint8_t layer)
{
    if (layer >= LANE_LAYERS) return;
    w->want_key[layer] = true;
    rtc_peer_wake(w->peer, w->asked_us[layer] + KEY_AGAIN_US);
}

/* Only a key frame that is late enough begins a segment; see media/segmenter.h. */
void whip_saw_key(struct whip *w, uint8_t layer, int64_t now)
{
    const int64_t interval = w->peer->l->service->cfg.key_interval_ms * US_PER_MS;
    if (now - w->cut_us[layer] >= interval - SEGMENTER_EARLY_US) w->cut_us[layer] = now;
}

static bool is_picture(const struct whip_source *s, int64_t now)
{
    return !s->rtx && s->track == MEDIA_VIDEO && now - s->heard_us < SILENT_US;
}

/* Whether a segment needs one, or somebody who watches. */
static bool key_due(const struct whip *w, uint8_t layer, int64_t now)
{
    const int64_t interval = w->peer->l->service->cfg.key_interval_ms * US_PER_MS;
    const bool segment = interval && w->order[layer] && now - w->cut_us[layer] >= interval;
    return (w->want_key[layer] || segment) && now - w->asked_us[layer] >= KEY_AGAIN_US;
}

/* All layers are asked together, so that their segments can begin together. Many viewers may want a
 * key frame at once: one request does for all. */
static void ask_keys(struct whip *w, int64_t now)
{
    uint8_t room[ROOM + SRTPX_GROW];
    struct wr c = compound(w, room);
    bool due = false;
    for (unsigned i = 0; i < w->n_sources; i++)
        due = due || (is_picture(&w->sources[i], now) && key_due(w, w->sources[i].layer, now));
    if (!due) return;
    for (unsigned i = 0; i < w->n_sources; i++) {
        const struct whip_source *s = &w->sources[i];
        if (!is_picture(s, now)) continue;
        w->want_key[s->layer] = false;
        w->asked_us[s->layer] = now;
        rtcp_put_pli(&c, w->our_ssrc, s->in.ssrc);
    }
    send(w, &c);
}

int64_t whip_feedback(struct rtc_peer *peer, int64_t now)
{
    struct whip *w = peer->ctx;
    if (!peer->out) return INT64_MAX;
    int64_t next = now + FEEDBACK_US;
    ask_missing(w, now);
    if (now >= w->feedback_us) {
        w->feedback_us = now + FEEDBACK_US;
        if (w->twcc_id) tell_arrivals(w);
        whip_frames_poll(w, now);
    }
    if (now >= w->report_us) {
        w->report_us = now + REPORT_US;
        report(w, now);
    }
    ask_keys(w, now);
    for (unsigned i = 0; i < w->n_sources; i++) {
        const int64_t at = rtc_in_deadline_us(&w->sources[i].in);
        if (!w->sources[i].rtx && at < next) next = at > now ? at : now + US_PER_MS;
    }
    return next;
}
