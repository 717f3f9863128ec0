/* SPDX-License-Identifier: MIT */
#include "engine/track_config.h"
#include "base/limits.h"
#include "wire/aac.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/h265.h"
#include "wire/opus.h"
#include "wire/vp9.h"
#include <stdio.h>

/* The first SPS is the one in use: encoders for RTMP have one. */
static enum err from_h264(struct track *t, struct span config)
{
    struct h264_config c;
    struct h264_sps sps;
    enum err e = h264_avcc_parse(config, &c);
    if (e == E_OK) e = h264_sps_parse(c.sps[0], &sps);
    if (e != E_OK) return e;
    uint8_t room[LIMIT_CODEC_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    h264_avcc_build(&c, &w);
    if (w.overflow) return E_LIMIT;
    t->config = buf_copy(wr_span(&w));
    /* The SPS, not avcC's copy, is what a decoder goes by; some encoders write them apart. */
    snprintf(t->codecs, sizeof t->codecs, "avc1.%02x%02x%02x", sps.profile, sps.constraints,
             sps.level);
    t->width = sps.width;
    t->height = sps.height;
    t->fps_milli = sps.fps_milli;
    t->may_reorder = sps.may_reorder;
    return E_OK;
}

#define HVCC_VERSION     0
#define HVCC_LENGTH_SIZE 21

static enum err from_h265(struct track *t, struct span config)
{
    struct h265_config c;
    struct h265_sps sps;
    enum err e = h265_hvcc_parse(config, &c);
    if (e == E_OK) e = h265_sps_parse(c.sps, &sps);
    if (e != E_OK) return e;
    t->config = buf_copy(config);
    t->config->data[HVCC_VERSION] = 1;
    t->config->data[HVCC_LENGTH_SIZE] |= 3;
    h265_codecs_string(&sps.ptl, t->codecs, sizeof t->codecs);
    t->width = sps.width;
    t->height = sps.height;
    t->fps_milli = h265_vps_fps_milli(c.vps);
    t->may_reorder = sps.may_reorder;
    return E_OK;
}

static void apply_av1(struct track *t, const struct av1_config *c, const struct av1_seq *seq)
{
    av1_codecs_string(c, seq, t->codecs, sizeof t->codecs);
    if (!seq) return;
    t->width = seq->width;
    t->height = seq->height;
    t->fps_milli = seq->fps_milli;
}

static enum err from_av1(struct track *t, struct span config)
{
    struct av1_config c;
    struct av1_seq seq;
    enum err e = av1_config_parse(config, &c);
    if (e != E_OK) return e;
    e = av1_seq_find(c.obus, &seq, NULL);
    if (e != E_OK && e != E_NOTFOUND) return e;
    t->config = buf_copy(config);
    apply_av1(t, &c, e == E_OK ? &seq : NULL); /* AV1 shows frames in order: never may_reorder */
    return E_OK;
}

static enum err from_vp9(struct track *t, struct span config)
{
    struct vp9_config c;
    const enum err e = vp9_config_parse(config, &c);
    if (e != E_OK) return e;
    uint8_t room[VP9_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    vp9_config_build(&c, &w);
    t->config = buf_copy(wr_span(&w));
    vp9_codecs_string(&c, t->codecs, sizeof t->codecs);
    return E_OK;
}

/* VP8 needs no configuration; what may come is not looked at. */
static enum err from_vp8(struct track *t, struct span config)
{
    if (config.len > 0) t->config = buf_copy(config);
    snprintf(t->codecs, sizeof t->codecs, "vp08.00.10.08");
    return E_OK;
}

static enum err from_aac(struct track *t, struct span config)
{
    struct aac_config c;
    const enum err e = aac_config_parse(config, &c);
    if (e != E_OK) return e;
    /* Nothing that browsers play: Main, SSR, LTP, scalable. */
    if (c.core_type != AAC_LC) return E_UNSUPPORTED;
    if (c.sample_rate < 7350 || c.sample_rate > 96000) return E_UNSUPPORTED;
    t->config = buf_copy(config);
    t->sample_rate = t->timescale = c.sample_rate;
    t->channels = c.channels;
    t->samples_per_frame = c.samples;
    snprintf(t->codecs, sizeof t->codecs, "mp4a.40.%u", c.object_type);
    return E_OK;
}

static enum err from_opus(struct track *t, struct span config)
{
    struct opus_head h;
    const enum err e = opus_head_parse(config, &h);
    if (e != E_OK) return e;
    t->config = buf_copy(config);
    t->sample_rate = t->timescale = OPUS_RATE;
    t->channels = h.channels;
    snprintf(t->codecs, sizeof t->codecs, "Opus");
    return E_OK;
}

enum err track_from_config(uint8_t id, enum codec codec, struct span config, struct track **out)
{
    static enum err (*const READ[CODEC_COUNT])(struct track *, struct span) = {
        [CODEC_H264] = from_h264, [CODEC_H265] = from_h265, [CODEC_AV1] = from_av1,
        [CODEC_VP8] = from_vp8,   [CODEC_VP9] = from_vp9,   [CODEC_AAC] = from_aac,
        [CODEC_OPUS] = from_opus,
    };
    if ((unsigned)codec >= CODEC_COUNT || !READ[codec]) return E_UNSUPPORTED;
    if (config.len > LIMIT_CODEC_CONFIG_BYTES) return E_LIMIT;
    struct track *t = track_new(id, codec);
    const enum err e = READ[codec](t, config);
    if (e != E_OK) {
        track_unref(t);
        return e;
    }
    *out = t;
    return E_OK;
}

/* The record of many sources says level 0 or 1.0 for VP9; with the size known it can be right. */
static enum err refine_vp9(const struct track *t, struct span key_frame, struct track **out)
{
    struct vp9_frame f;
    struct vp9_config c;
    enum err e = vp9_frame_parse(key_frame, &f);
    if (e != E_OK) return e;
    if (!f.key || (f.width == t->width && f.height == t->height)) return E_NOTFOUND;
    if ((e = vp9_config_parse(buf_span(t->config), &c)) != E_OK) return e;
    const uint8_t level = vp9_level(f.width, f.height, t->fps_milli);
    if (c.level < level) c.level = level;
    uint8_t room[VP9_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    vp9_config_build(&c, &w);
    struct track *n = track_copy(t);
    buf_unref(n->config);
    n->config = buf_copy(wr_span(&w));
    vp9_codecs_string(&c, n->codecs, sizeof n->codecs);
    n->width = f.width;
    n->height = f.height;
    *out = n;
    return E_OK;
}

static enum err refine_vp8(const struct track *t, struct span key_frame, struct track **out)
{
    struct vp8_frame f;
    const enum err e = vp8_frame_parse(key_frame, &f);
    if (e != E_OK) return e;
    if (!f.key || (f.width == t->width && f.height == t->height)) return E_NOTFOUND;
    struct track *n = track_copy(t);
    n->width = f.width;
    n->height = f.height;
    *out = n;
    return E_OK;
}

static enum err refine_av1(const struct track *t, struct span key_frame, struct track **out)
{
    struct av1_seq seq;
    struct av1_config c;
    struct span obu = SPAN_NULL;
    enum err e = av1_seq_find(key_frame, &seq, &obu);
    if (e != E_OK) return e;
    if (seq.width == t->width && seq.height == t->height) return E_NOTFOUND;
    uint8_t room[LIMIT_CODEC_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    av1_config_build(&seq, obu, &w);
    if (w.overflow) return E_LIMIT;
    if ((e = av1_config_parse(wr_span(&w), &c)) != E_OK) return e;
    struct track *n = track_copy(t);
    buf_unref(n->config);
    n->config = buf_copy(wr_span(&w));
    apply_av1(n, &c, &seq);
    *out = n;
    return E_OK;
}

enum err track_refine(const struct track *t, struct span key_frame, struct track **out)
{
    switch (t->codec) {
    case CODEC_VP9:
        return refine_vp9(t, key_frame, out);
    case CODEC_VP8:
        return refine_vp8(t, key_frame, out);
    case CODEC_AV1:
        return refine_av1(t, key_frame, out);
    default:
        return E_NOTFOUND;
    }
}
