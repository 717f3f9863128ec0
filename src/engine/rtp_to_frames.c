/* SPDX-License-Identifier: MIT */
#include "engine/rtp_to_frames.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/track_config.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include "wire/opus.h"
#include "wire/vp9.h"

#define SKEW_US 10000 /* less is not worth a step in the sound */
/* What reports say of the renditions of a picture is not believed when it is further than this from
 * when they arrived. */
#define APART_US (2 * US_PER_SEC)

bool rtp_to_frames_carries(enum codec c)
{
    return c == CODEC_H264 || c == CODEC_VP8 || c == CODEC_VP9 || c == CODEC_AV1 || c == CODEC_OPUS;
}

void rtp_to_frames_init(struct rtp_to_frames *t, int64_t base_us, bool continued)
{
    *t = (struct rtp_to_frames){0};
    timeline_init(&t->timeline, base_us, continued);
}

void rtp_to_frames_fini(struct rtp_to_frames *t)
{
    for (unsigned k = 0; k < RTP_SLOTS; k++) track_unref(t->tracks[k]);
    *t = (struct rtp_to_frames){0};
}

void rtp_to_frames_track(struct rtp_to_frames *t, unsigned slot, enum codec codec, uint32_t rate)
{
    t->clocks[slot] = (struct rtp_clock){.rate = rate, .codec = codec};
    t->ids[slot] = slot == RTP_SLOT_AUDIO ? TRACK_ID_AUDIO : TRACK_ID_VIDEO;
}

void rtp_to_frames_id(struct rtp_to_frames *t, unsigned slot, uint8_t id)
{
    t->ids[slot] = id;
}

/* --- configurations out of key frames --- */

static enum err h264_config(struct span frame, struct wr *w)
{
    struct h264_config c = {.nal_size = 4};
    struct span nal = SPAN_NULL;
    enum err e;
    while ((e = nal_next(&frame, 4, &nal)) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        if (type == H264_SPS && nal.len >= 4 && c.n_sps < H264_SPS_MAX) c.sps[c.n_sps++] = nal;
        if (type == H264_PPS && c.n_pps < H264_PPS_MAX) c.pps[c.n_pps++] = nal;
    }
    if (e != E_NOTFOUND) return e;
    if (c.n_sps == 0 || c.n_pps == 0) return E_NOTFOUND;
    c.profile = c.sps[0].p[1];
    c.constraints = c.sps[0].p[2];
    c.level = c.sps[0].p[3];
    h264_avcc_build(&c, w);
    return w->overflow ? E_LIMIT : E_OK;
}

static enum err av1_config(struct span frame, struct wr *w)
{
    struct av1_seq seq;
    struct span obu = SPAN_NULL;
    const enum err e = av1_seq_find(frame, &seq, &obu);
    if (e != E_OK) return e;
    av1_config_build(&seq, obu, w);
    return w->overflow ? E_LIMIT : E_OK;
}

static enum err vp9_config(struct span frame, struct wr *w)
{
    struct vp9_frame f;
    const enum err e = vp9_frame_parse(frame, &f);
    if (e != E_OK) return e;
    if (!f.key) return E_NOTFOUND;
    const struct vp9_config c = {.profile = f.profile,
                                 .level = vp9_level(f.width, f.height, 30000),
                                 .bit_depth = f.bit_depth,
                                 .chroma = f.subsampling_x && f.subsampling_y ? 1 : 3,
                                 .full_range = f.full_range,
                                 .primaries = 2, /* unspecified, as WebRTC leaves it */
                                 .transfer = 2,
                                 .matrix = 2};
    vp9_config_build(&c, w);
    return w->overflow ? E_LIMIT : E_OK;
}

static enum err opus_config(struct wr *w)
{
    const struct opus_head h = {.channels = 2, .input_rate = 48000};
    opus_head_build(&h, w);
    return E_OK;
}

static enum err config_of(enum codec c, struct span frame, struct wr *w)
{
    switch (c) {
    case CODEC_H264:
        return h264_config(frame, w);
    case CODEC_AV1:
        return av1_config(frame, w);
    case CODEC_VP9:
        return vp9_config(frame, w);
    case CODEC_VP8:
        return E_OK; /* needs none */
    default:
        return opus_config(w);
    }
}

/* The track that a key frame describes. E_NOTFOUND: it has no configuration. */
static enum err read_track(const struct rtp_to_frames *t, unsigned slot, struct span frame,
                           struct track **out)
{
    uint8_t room[LIMIT_CODEC_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    struct track *made = NULL, *refined = NULL;
    enum err e = config_of(t->clocks[slot].codec, frame, &w);
    if (e == E_OK) e = track_from_config(t->ids[slot], t->clocks[slot].codec, wr_span(&w), &made);
    if (e != E_OK) return e;
    if (slot != RTP_SLOT_AUDIO && track_refine(made, frame, &refined) == E_OK) {
        track_unref(made);
        made = refined;
    }
    *out = made;
    return E_OK;
}

enum err rtp_to_frames_pixels(const struct rtp_to_frames *t, unsigned slot,
                              const struct rtc_frame *f, unsigned *pixels)
{
    struct track *made = NULL;
    const enum err e = read_track(t, slot, buf_span(f->data), &made);
    if (e != E_OK) return e;
    *pixels = (unsigned)made->width * made->height;
    track_unref(made);
    return E_OK;
}

/* A new track when the frame brings another configuration than the one announced. */
static enum err update_track(struct rtp_to_frames *t, unsigned slot, struct span frame,
                             struct track **fresh)
{
    struct track *made = NULL;
    const struct track *old = t->tracks[slot];
    if (slot == RTP_SLOT_AUDIO && old) return E_OK;
    const enum err e = read_track(t, slot, frame, &made);
    if (e == E_NOTFOUND) return E_OK;
    if (e != E_OK) return e;
    if (old && track_same(old, made) && old->width == made->width && old->height == made->height) {
        track_unref(made);
        return E_OK;
    }
    t->changed[slot] = old != NULL;
    track_unref(t->tracks[slot]);
    t->tracks[slot] = made;
    *fresh = track_ref(made);
    return E_OK;
}

/* --- time --- */

static int64_t us_of(const struct rtp_clock *c, int64_t ticks)
{
    return ticks / c->rate * US_PER_SEC + ticks % c->rate * US_PER_SEC / c->rate;
}

/* A rendition of the picture that has been placed and whose clock is known. */
static const struct rtp_clock *reference(const struct rtp_to_frames *t,
                                         const struct rtp_clock *except)
{
    for (unsigned k = 0; k < RTP_SLOT_AUDIO; k++) {
        const struct rtp_clock *c = &t->clocks[k];
        if (c != except && c->seen && c->reported) return c;
    }
    return NULL;
}

static void note_ntp(struct rtp_clock *c)
{
    const int64_t since = c->ticks + (int32_t)(c->sr_ts - c->last_ts);
    c->ntp_zero_us = c->sr_ntp_us - us_of(c, since);
}

/* The first frame: where the reports say that it belongs, or else when it arrived. */
static void begin(struct rtp_to_frames *t, struct rtp_clock *c, uint32_t ts, int64_t now_us)
{
    c->seen = true;
    c->last_ts = ts;
    c->zero_us = now_us;
    if (!c->reported) return;
    note_ntp(c);
    const struct rtp_clock *r = reference(t, c);
    if (!r) return;
    const int64_t at = r->zero_us + (c->ntp_zero_us - r->ntp_zero_us);
    if (at > now_us - APART_US && at < now_us + APART_US) c->zero_us = at;
}

static int64_t advance(struct rtp_to_frames *t, struct rtp_clock *c, uint32_t ts, int64_t now_us)
{
    if (!c->seen) begin(t, c, ts, now_us);
    c->ticks += (int32_t)(ts - c->last_ts);
    c->last_ts = ts;
    return c->zero_us + us_of(c, c->ticks);
}

/* Both have told: the sound moves to where the pictures say that it belongs. */
static void align(struct rtp_to_frames *t)
{
    struct rtp_clock *a = &t->clocks[RTP_SLOT_AUDIO];
    const struct rtp_clock *v = reference(t, a);
    if (t->aligned || !v || !a->reported || !a->seen) return;
    t->aligned = true;
    const int64_t should = v->zero_us + (a->ntp_zero_us - v->ntp_zero_us);
    const int64_t skew = should - a->zero_us;
    if (skew > SKEW_US || skew < -SKEW_US) a->zero_us = should;
}

void rtp_to_frames_sync(struct rtp_to_frames *t, unsigned slot, uint32_t ts, int64_t ntp_us)
{
    struct rtp_clock *c = &t->clocks[slot];
    if (c->reported || !c->rate) return;
    c->reported = true;
    c->sr_ts = ts;
    c->sr_ntp_us = ntp_us;
    if (c->seen) note_ntp(c);
    align(t);
}

/* --- frames --- */

/* Parameter sets are in the track's configuration, delimiters are the container's. After a change
 * of configuration the sets stay in key frames as well: there are readers of HLS (libavformat's)
 * that know only the first initialisation segment. */
static struct frame *h264_frame(struct span in, bool keep_sets)
{
    struct frame *f = frame_new(in.len);
    struct wr w = wr_to(f->data, in.len);
    struct span nal = SPAN_NULL;
    bool picture = false;
    while (nal_next(&in, 4, &nal) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        const bool set = type == H264_SPS || type == H264_PPS;
        if ((set && !keep_sets) || type == H264_AUD) continue;
        if (type == H264_IDR) f->key = true;
        picture = picture || !set;
        wr_u32be(&w, (uint32_t)nal.len);
        wr_str(&w, nal);
    }
    f->len = picture ? wr_used(&w) : 0;
    return f;
}

static struct frame *make_frame(enum codec c, struct span in, bool key, bool keep_sets)
{
    if (c == CODEC_H264) return h264_frame(in, keep_sets);
    struct frame *f = frame_new(in.len);
    memcpy(f->data, in.p, in.len);
    f->key = key;
    return f;
}

enum err rtp_to_frames(struct rtp_to_frames *t, unsigned slot, const struct rtc_frame *in,
                       int64_t now_us, int64_t wall_us, struct rtp_media *out)
{
    struct rtp_clock *c = &t->clocks[slot];
    const struct span data = buf_span(in->data);
    struct rtp_media m = {0};
    if (!c->rate) return E_UNSUPPORTED;
    if (data.len > LIMIT_FRAME_BYTES) return E_LIMIT;
    const int64_t source_us = advance(t, c, in->ts, now_us);
    align(t);
    if (in->key) {
        const enum err e = update_track(t, slot, data, &m.track);
        if (e != E_OK) return e;
    }
    if (!t->tracks[slot]) return E_MORE;
    const struct timeline_stamp s =
        timeline_map(&t->timeline, t->tracks[slot]->id, (uint32_t)(source_us / US_PER_MS), 0);
    m.frame = make_frame(c->codec, data, in->key, t->changed[slot]);
    if (m.frame->len == 0) { /* parameter sets alone */
        frame_unref(m.frame);
        m.frame = NULL;
    } else {
        m.frame->track = t->tracks[slot]->id;
        m.frame->codec = c->codec;
        m.frame->discontinuity = s.discontinuity;
        m.frame->dts_us = s.dts_us;
        m.frame->pts_us = s.pts_us;
        m.frame->wall_us = wall_us;
    }
    *out = m;
    return E_OK;
}
