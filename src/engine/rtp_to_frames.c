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
    for (unsigned k = 0; k < 2; k++) track_unref(t->tracks[k]);
    *t = (struct rtp_to_frames){0};
}

void rtp_to_frames_track(struct rtp_to_frames *t, enum codec codec, uint32_t rate)
{
    t->clocks[codec_kind(codec)] = (struct rtp_clock){.rate = rate, .codec = codec};
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

/* A new track when the frame brings another configuration than the one announced. */
static enum err update_track(struct rtp_to_frames *t, enum media_kind kind, struct span frame,
                             struct track **fresh)
{
    uint8_t room[LIMIT_CODEC_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    struct track *made = NULL, *refined = NULL;
    if (kind == MEDIA_AUDIO && t->tracks[kind]) return E_OK;
    enum err e = config_of(t->clocks[kind].codec, frame, &w);
    if (e == E_NOTFOUND) return E_OK;
    if (e != E_OK) return e;
    const uint8_t id = kind == MEDIA_AUDIO ? TRACK_ID_AUDIO : TRACK_ID_VIDEO;
    e = track_from_config(id, t->clocks[kind].codec, wr_span(&w), &made);
    if (e != E_OK) return e;
    if (kind == MEDIA_VIDEO && track_refine(made, frame, &refined) == E_OK) {
        track_unref(made);
        made = refined;
    }
    const struct track *old = t->tracks[kind];
    if (old && track_same(old, made) && old->width == made->width && old->height == made->height) {
        track_unref(made);
        return E_OK;
    }
    track_unref(t->tracks[kind]);
    t->tracks[kind] = made;
    *fresh = track_ref(made);
    return E_OK;
}

/* --- time --- */

static int64_t us_of(const struct rtp_clock *c, int64_t ticks)
{
    return ticks / c->rate * US_PER_SEC + ticks % c->rate * US_PER_SEC / c->rate;
}

static int64_t advance(struct rtp_to_frames *t, struct rtp_clock *c, uint32_t ts, int64_t now_us)
{
    if (!c->seen) {
        c->seen = true;
        c->zero_us = now_us;
    } else {
        c->ticks += (int32_t)(ts - c->last_ts);
    }
    c->last_ts = ts;
    return c->zero_us + us_of(c, c->ticks);
}

/* Both have told: the sound moves to where the pictures say that it belongs. */
static void align(struct rtp_to_frames *t)
{
    struct rtp_clock *v = &t->clocks[MEDIA_VIDEO], *a = &t->clocks[MEDIA_AUDIO];
    if (t->aligned || !v->synced || !a->synced) return;
    t->aligned = true;
    const int64_t should = v->zero_us + (a->ntp_zero_us - v->ntp_zero_us);
    const int64_t skew = should - a->zero_us;
    if (skew > SKEW_US || skew < -SKEW_US) a->zero_us = should;
}

void rtp_to_frames_sync(struct rtp_to_frames *t, enum media_kind kind, uint32_t ts, int64_t ntp_us)
{
    struct rtp_clock *c = &t->clocks[kind];
    if (!c->seen || c->synced || !c->rate) return;
    const int64_t since = c->ticks + (int32_t)(ts - c->last_ts);
    c->ntp_zero_us = ntp_us - us_of(c, since);
    c->synced = true;
    align(t);
}

/* --- frames --- */

/* Parameter sets are in the track's configuration, delimiters are the container's. */
static struct frame *h264_frame(struct span in)
{
    struct frame *f = frame_new(in.len);
    struct wr w = wr_to(f->data, in.len);
    struct span nal = SPAN_NULL;
    while (nal_next(&in, 4, &nal) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        if (type == H264_SPS || type == H264_PPS || type == H264_AUD) continue;
        if (type == H264_IDR) f->key = true;
        wr_u32be(&w, (uint32_t)nal.len);
        wr_str(&w, nal);
    }
    f->len = wr_used(&w);
    return f;
}

static struct frame *make_frame(enum codec c, struct span in, bool key)
{
    if (c == CODEC_H264) return h264_frame(in);
    struct frame *f = frame_new(in.len);
    memcpy(f->data, in.p, in.len);
    f->key = key;
    return f;
}

enum err rtp_to_frames(struct rtp_to_frames *t, enum media_kind kind, const struct rtc_frame *in,
                       int64_t now_us, int64_t wall_us, struct rtp_media *out)
{
    struct rtp_clock *c = &t->clocks[kind];
    const struct span data = buf_span(in->data);
    struct rtp_media m = {0};
    if (!c->rate) return E_UNSUPPORTED;
    if (data.len > LIMIT_FRAME_BYTES) return E_LIMIT;
    const int64_t source_us = advance(t, c, in->ts, now_us);
    if (in->key) {
        const enum err e = update_track(t, kind, data, &m.track);
        if (e != E_OK) return e;
    }
    if (!t->tracks[kind]) return E_MORE;
    const struct timeline_stamp s =
        timeline_map(&t->timeline, t->tracks[kind]->id, (uint32_t)(source_us / US_PER_MS), 0);
    m.frame = make_frame(c->codec, data, in->key);
    if (m.frame->len == 0) { /* parameter sets alone */
        frame_unref(m.frame);
        m.frame = NULL;
    } else {
        m.frame->track = t->tracks[kind]->id;
        m.frame->codec = c->codec;
        m.frame->discontinuity = s.discontinuity;
        m.frame->dts_us = s.dts_us;
        m.frame->pts_us = s.pts_us;
        m.frame->wall_us = wall_us;
    }
    *out = m;
    return E_OK;
}
