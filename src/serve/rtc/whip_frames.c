/* SPDX-License-Identifier: MIT */
/* From a publisher's packets to the frames lane: in order, made whole, each layer of the picture a
 * track of its own. Frames are held until every track has its configuration and, of several layers,
 * its clock, so that the first announcement is complete and the layers show the same at the same
 * time. A layer that stops is taken out of the announcement until it is back. */
#include "base/clock.h"
#include "base/log.h"
#include "serve/rtc/whip_priv.h"

#define WAIT_FOR_ALL_US   (3 * US_PER_SEC)
#define WAIT_FOR_CLOCK_US (2 * US_PER_SEC)
#define STOPPED_US        (1500 * US_PER_MS) /* longer than a still screen shared is silent */
#define HELD_FRAMES       1024
#define HELD_BYTES        (16u << 20)

struct whip_held {
    uint8_t slot;
    struct rtc_frame f;
    int64_t now_us, wall_us;
};

static unsigned slot_of(const struct whip_source *s)
{
    return s->track == MEDIA_AUDIO ? RTP_SLOT_AUDIO : s->layer;
}

static void open_slot(struct whip *w, unsigned slot, const struct rtc_track_set *t)
{
    w->order[slot] = rtc_order_new(t->format);
    rtp_to_frames_track(&w->frames, slot, t->codec, t->clock);
}

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
    const struct rtc_track_set *v = &w->tracks[MEDIA_VIDEO], *a = &w->tracks[MEDIA_AUDIO];
    rtp_to_frames_init(&w->frames, base_us, base_us > 0);
    w->inward = inward_new(
        &(struct inward_config){.publisher = w->publisher,
                                .channel = channel_id(w->channel),
                                .gop_ms = (uint16_t)w->peer->l->service->cfg.key_interval_ms,
                                .on_want_key = want_key,
                                .ctx = w});
    if (v->is && !carries(v->codec)) {
        log_warn("whip-frames", "session=%.8s codec=%s recorded=0 reason=\"no worker is free\"",
                 w->peer->id, codec_name(v->codec));
        return; /* its sound alone would be no recording of it */
    }
    for (unsigned k = 0; v->is && k < v->layers; k++) open_slot(w, k, v);
    if (a->is && rtp_to_frames_carries(a->codec)) open_slot(w, RTP_SLOT_AUDIO, a);
}

void whip_frames_close(struct whip *w)
{
    for (unsigned k = 0; k < RTP_SLOTS; k++) rtc_order_free(w->order[k]);
    for (unsigned i = 0; i < w->n_held; i++) buf_unref(w->held[i].f.data);
    free(w->held);
    rtp_to_frames_fini(&w->frames);
    inward_close(w->inward);
}

/* --- to the lane -------------------------------------------------------------------------------
 */

static void to_lane_tracks(struct whip *w, struct track *const *set, unsigned n)
{
    inward_tracks(w->inward, set, n);
}

/* Takes the frame over. */
static void to_lane_frame(struct whip *w, struct frame *f)
{
    inward_frame(w->inward, f);
}

static unsigned pixels(const struct track *t)
{
    return (unsigned)t->width * t->height;
}

/* Those that are there, the best picture first, the sound last. */
static unsigned list_tracks(const struct whip *w, struct track *set[RTP_SLOTS])
{
    unsigned n = 0;
    for (unsigned k = 0; k < RTP_SLOT_AUDIO; k++) {
        struct track *t = w->frames.tracks[k];
        if (!t || !w->slots[k].told || w->slots[k].stopped) continue;
        unsigned at = n++;
        for (; at > 0 && pixels(set[at - 1]) < pixels(t); at--) set[at] = set[at - 1];
        set[at] = t;
    }
    if (w->frames.tracks[RTP_SLOT_AUDIO]) set[n++] = w->frames.tracks[RTP_SLOT_AUDIO];
    return n;
}

static void announce(struct whip *w)
{
    struct track *set[RTP_SLOTS];
    const unsigned n = list_tracks(w, set);
    if (n == 0) return;
    for (unsigned i = 0; i < n; i++)
        log_info("whip-track", "session=%.8s channel=%s id=%u codec=%s size=%ux%u", w->peer->id,
                 channel_id(w->channel), set[i]->id, set[i]->codecs, set[i]->width, set[i]->height);
    to_lane_tracks(w, set, n);
}

/* A frame of a track that has been told of. */
static void pass(struct whip *w, unsigned slot, const struct rtc_frame *f, int64_t now,
                 int64_t wall_us)
{
    struct rtp_media m = {0};
    struct whip_slot *s = &w->slots[slot];
    const enum err e = rtp_to_frames(&w->frames, slot, f, now, wall_us, &m);
    s->heard_us = now;
    if (e != E_OK) {
        if (slot != RTP_SLOT_AUDIO) whip_want_key(w, (uint8_t)slot);
        return;
    }
    const bool back = s->stopped && m.frame && m.frame->key;
    if (back) s->stopped = false;
    if (m.track || back) announce(w); /* before the frame that needs it */
    track_unref(m.track);
    if (m.frame) to_lane_frame(w, m.frame);
}

/* --- until they are told of --------------------------------------------------------------------
 */

static bool hold(struct whip *w, unsigned slot, const struct rtc_frame *f, int64_t now)
{
    if (w->n_held == HELD_FRAMES || w->held_bytes > HELD_BYTES) return false;
    if (!w->held) w->held = xcalloc(HELD_FRAMES, sizeof *w->held);
    w->held[w->n_held++] = (struct whip_held){(uint8_t)slot, *f, now, clock_wall_us()};
    w->held_bytes += f->data->len;
    return true;
}

static const struct whip_held *first_held(const struct whip *w, unsigned slot)
{
    for (unsigned i = 0; i < w->n_held; i++)
        if (w->held[i].slot == slot) return &w->held[i];
    return NULL;
}

/* Of several layers each must have told its clock, or have had its time to. */
static bool slot_ready(const struct whip *w, unsigned slot, int64_t now)
{
    const struct whip_held *h = first_held(w, slot);
    if (!h) return false;
    return slot == RTP_SLOT_AUDIO || w->tracks[MEDIA_VIDEO].layers == 1 ||
           rtp_to_frames_synced(&w->frames, slot) || now - h->now_us > WAIT_FOR_CLOCK_US;
}

/* Gives ids to layers by their real size, the largest first: rids may have any names and order. */
static void give_ids(struct whip *w, const bool fresh[RTP_SLOTS])
{
    unsigned size[RTP_SLOTS] = {0};
    for (unsigned k = 0; k < RTP_SLOT_AUDIO; k++)
        if (fresh[k] && rtp_to_frames_pixels(&w->frames, k, &first_held(w, k)->f, &size[k]) != E_OK)
            size[k] = 0;
    for (;;) {
        unsigned best = RTP_SLOTS;
        for (unsigned k = 0; k < RTP_SLOT_AUDIO; k++)
            if (fresh[k] && !w->slots[k].told && (best == RTP_SLOTS || size[k] > size[best]))
                best = k;
        if (best == RTP_SLOTS) break;
        const unsigned n = w->n_layers_told++;
        rtp_to_frames_id(&w->frames, best, (uint8_t)(n == 0 ? TRACK_ID_VIDEO : TRACK_ID_AUDIO + n));
        w->slots[best].told = true;
    }
}

/* What was held of the tracks that are told of now goes, in the order in which it came; the rest
 * stays. */
static void release(struct whip *w, const bool fresh[RTP_SLOTS])
{
    struct frame **ready = xcalloc(w->n_held, sizeof(struct frame *));
    unsigned n = 0, kept = 0;
    for (unsigned i = 0; i < w->n_held; i++) {
        struct whip_held *h = &w->held[i];
        struct rtp_media m = {0};
        if (!fresh[h->slot]) {
            w->held[kept++] = *h;
            continue;
        }
        w->held_bytes -= h->f.data->len;
        w->slots[h->slot].heard_us = h->now_us;
        if (rtp_to_frames(&w->frames, h->slot, &h->f, h->now_us, h->wall_us, &m) == E_OK) {
            track_unref(m.track);
            if (m.frame) ready[n++] = m.frame;
        }
        buf_unref(h->f.data);
    }
    w->n_held = kept;
    announce(w);
    for (unsigned i = 0; i < n; i++) to_lane_frame(w, ready[i]);
    free(ready);
}

/* Tells of the tracks that are ready: of the first ones together, as far as they come in time. */
static void consider(struct whip *w, int64_t now, bool full)
{
    bool fresh[RTP_SLOTS] = {false}, any = false, all = true;
    if (w->n_held == 0) return;
    for (unsigned k = 0; k < RTP_SLOTS; k++) {
        if (!w->order[k] || w->slots[k].told) continue;
        fresh[k] = full ? first_held(w, k) != NULL : slot_ready(w, k, now);
        any = any || fresh[k];
        all = all && fresh[k];
    }
    const bool patient = !w->told && now - w->first_us < WAIT_FOR_ALL_US && !full;
    if (!any || (!all && patient)) return;
    give_ids(w, fresh);
    if (fresh[RTP_SLOT_AUDIO]) w->slots[RTP_SLOT_AUDIO].told = true;
    w->told = true;
    release(w, fresh);
}

/* --- from packets ------------------------------------------------------------------------------
 */

static void take(struct whip *w, unsigned slot, const struct rtc_frame *f, int64_t now)
{
    unsigned ignored;
    if (w->slots[slot].told) {
        pass(w, slot, f, now, clock_wall_us());
        buf_unref(f->data);
        return;
    }
    if (w->first_us == 0) w->first_us = now;
    const bool begins =
        first_held(w, slot) || rtp_to_frames_pixels(&w->frames, slot, f, &ignored) == E_OK;
    if (!begins) {
        whip_want_key(w, (uint8_t)slot);
        buf_unref(f->data);
        return;
    }
    if (!hold(w, slot, f, now)) {
        consider(w, now, true);
        take(w, slot, f, now);
        return;
    }
    consider(w, now, false);
}

static void drain(struct whip *w, unsigned slot, int64_t now)
{
    struct rtc_frame f;
    enum err e;
    while ((e = rtc_order_next(w->order[slot], now, &f)) != E_MORE)
        if (e == E_OK) take(w, slot, &f, now);
    if (rtc_order_wants_key(w->order[slot]) && slot != RTP_SLOT_AUDIO)
        whip_want_key(w, (uint8_t)slot);
}

void whip_frames_add(struct whip *w, const struct whip_source *s, uint64_t number,
                     const struct rtp *p, int64_t now)
{
    const unsigned slot = slot_of(s);
    if (!w->ready || !w->order[slot]) return;
    rtc_order_add(w->order[slot], number, p->ts, p->marker, p->payload, now);
    drain(w, slot, now);
}

void whip_frames_clock(struct whip *w, const struct whip_source *s, uint32_t ts)
{
    int64_t ntp_us = 0;
    if (!w->order[slot_of(s)] || !rtc_in_ntp_us(&s->in, ts, &ntp_us)) return;
    rtp_to_frames_sync(&w->frames, slot_of(s), ts, ntp_us);
}

/* Layers of which nothing comes any more while others go on. */
static void find_stopped(struct whip *w, int64_t now)
{
    bool any = false, alive = false;
    for (unsigned k = 0; k < RTP_SLOT_AUDIO; k++)
        alive = alive || (w->slots[k].told && now - w->slots[k].heard_us < STOPPED_US / 2);
    for (unsigned k = 0; k < RTP_SLOT_AUDIO && alive; k++) {
        struct whip_slot *s = &w->slots[k];
        if (!s->told || s->stopped || now - s->heard_us < STOPPED_US) continue;
        s->stopped = any = true;
    }
    if (any) announce(w);
}

/* Gaps that have been waited for long enough are left behind here. */
void whip_frames_poll(struct whip *w, int64_t now)
{
    if (!w->ready) return;
    for (unsigned k = 0; k < RTP_SLOTS; k++)
        if (w->order[k]) drain(w, k, now);
    consider(w, now, false);
    if (w->n_layers_told > 1) find_stopped(w, now);
}
