/* SPDX-License-Identifier: MIT */
/* From a publisher's packets to the frames lane: its first layer, in order, made whole. Frames wait
 * until every track has its configuration, so that the first announcement is complete. */
#include "base/clock.h"
#include "base/log.h"
#include "serve/rtc/whip_priv.h"

#define WAIT_FOR_ALL_US (3 * US_PER_SEC)

static void want_key(void *ctx, uint8_t layer)
{
    whip_want_key(ctx, layer);
}

static bool carries(enum codec c)
{
    return rtp_to_frames_carries(c) && inward_carries(c);
}

void whip_frames_open(struct whip *w, int64_t base_us)
{
    rtp_to_frames_init(&w->frames, base_us, base_us > 0);
    w->inward = inward_new(
        &(struct inward_config){.publisher = w->publisher,
                                .channel = channel_id(w->channel),
                                .gop_ms = (uint16_t)w->peer->l->service->cfg.key_interval_ms,
                                .on_want_key = want_key,
                                .ctx = w});
    if (w->tracks[MEDIA_VIDEO].is && !carries(w->tracks[MEDIA_VIDEO].codec)) {
        log_warn("whip-frames", "session=%.8s codec=%s recorded=0 reason=\"no worker is free\"",
                 w->peer->id, codec_name(w->tracks[MEDIA_VIDEO].codec));
        return; /* its sound alone would be no recording of it */
    }
    for (unsigned k = 0; k < 2; k++) {
        const struct rtc_track_set *t = &w->tracks[k];
        if (!t->is || !rtp_to_frames_carries(t->codec)) continue;
        w->order[k] = rtc_order_new(t->format);
        rtp_to_frames_track(&w->frames, t->codec, t->clock);
    }
}

void whip_frames_close(struct whip *w)
{
    for (unsigned k = 0; k < 2; k++) rtc_order_free(w->order[k]);
    for (unsigned i = 0; i < w->n_waiting; i++) frame_unref(w->waiting[i]);
    rtp_to_frames_fini(&w->frames);
    inward_close(w->inward);
}

static void tell(struct whip *w)
{
    struct track *set[2];
    unsigned n = 0;
    for (unsigned k = 0; k < 2; k++)
        if (w->frames.tracks[k]) set[n++] = w->frames.tracks[k];
    if (n == 0) return;
    for (unsigned i = 0; i < n; i++)
        log_info("whip-track", "session=%.8s channel=%s codec=%s", w->peer->id,
                 channel_id(w->channel), set[i]->codecs);
    inward_tracks(w->inward, set, n);
    w->told = true;
    for (unsigned i = 0; i < w->n_waiting; i++) inward_frame(w->inward, w->waiting[i]);
    w->n_waiting = 0;
}

static bool complete(const struct whip *w)
{
    for (unsigned k = 0; k < 2; k++)
        if (w->order[k] && !w->frames.tracks[k]) return false;
    return true;
}

static void take(struct whip *w, struct rtp_media *m, int64_t now)
{
    if (w->first_us == 0) w->first_us = now;
    if (m->track && w->told) tell(w); /* before the frame that needs it */
    track_unref(m->track);
    if (!w->told && (complete(w) || now - w->first_us > WAIT_FOR_ALL_US)) tell(w);
    if (!m->frame) return;
    if (w->told)
        inward_frame(w->inward, m->frame);
    else if (w->n_waiting < WHIP_WAITING)
        w->waiting[w->n_waiting++] = m->frame;
    else
        frame_unref(m->frame);
}

static void drain(struct whip *w, enum media_kind kind, int64_t now)
{
    struct rtc_frame f;
    enum err e;
    while ((e = rtc_order_next(w->order[kind], now, &f)) != E_MORE) {
        struct rtp_media m = {0};
        if (e != E_OK) continue;
        e = rtp_to_frames(&w->frames, kind, &f, now, clock_wall_us(), &m);
        buf_unref(f.data);
        if (e == E_OK)
            take(w, &m, now);
        else if (kind == MEDIA_VIDEO)
            whip_want_key(w, 0);
    }
    if (kind == MEDIA_VIDEO && rtc_order_wants_key(w->order[kind])) whip_want_key(w, 0);
}

void whip_frames_add(struct whip *w, const struct whip_source *s, uint64_t number,
                     const struct rtp *p, int64_t now)
{
    if (!w->ready || !w->order[s->track] || s->layer != 0) return;
    rtc_order_add(w->order[s->track], number, p->ts, p->marker, p->payload, now);
    drain(w, (enum media_kind)s->track, now);
}

void whip_frames_clock(struct whip *w, const struct whip_source *s, uint32_t ts)
{
    int64_t ntp_us = 0;
    if (!w->order[s->track] || s->layer != 0 || !rtc_in_ntp_us(&s->in, ts, &ntp_us)) return;
    rtp_to_frames_sync(&w->frames, (enum media_kind)s->track, ts, ntp_us);
}

/* Gaps that have been waited for long enough are left behind here. */
void whip_frames_poll(struct whip *w, int64_t now)
{
    for (unsigned k = 0; k < 2; k++)
        if (w->ready && w->order[k]) drain(w, (enum media_kind)k, now);
}
