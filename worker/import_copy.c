/* SPDX-License-Identifier: MIT */
/* Streams that are taken as they are: their configuration and their frames in the packing that the
 * program has inside (media/codec.h). */
#include "base/limits.h"
#include "engine/track_config.h"
#include "import.h"
#include "wire/aac.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include "wire/opus.h"
#include "wire/vp9.h"
#include <libavutil/pixdesc.h>
#include <math.h>

static enum codec codec_of(enum AVCodecID id)
{
    switch (id) {
    case AV_CODEC_ID_H264:
        return CODEC_H264;
    case AV_CODEC_ID_HEVC:
        return CODEC_H265;
    case AV_CODEC_ID_AV1:
        return CODEC_AV1;
    case AV_CODEC_ID_VP9:
        return CODEC_VP9;
    case AV_CODEC_ID_AAC:
        return CODEC_AAC;
    case AV_CODEC_ID_OPUS:
        return CODEC_OPUS;
    default:
        return CODEC_NONE;
    }
}

/* --- configurations --- */

static void avcc_from_annexb(struct span sets, struct wr *w)
{
    uint8_t ext[4];
    struct h264_config c = {.nal_size = 4};
    struct h264_sps sps;
    struct span nal = SPAN_NULL;
    while (nal_next_annexb(&sets, &nal) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        if (type == H264_SPS && nal.len >= 4 && c.n_sps < H264_SPS_MAX) c.sps[c.n_sps++] = nal;
        if (type == H264_PPS && c.n_pps < H264_PPS_MAX) c.pps[c.n_pps++] = nal;
    }
    if (!c.n_sps || !c.n_pps || h264_sps_parse(c.sps[0], &sps) != E_OK) return;
    c.profile = sps.profile;
    c.constraints = sps.constraints;
    c.level = sps.level;
    if (sps.profile == 100 || sps.profile == 110 || sps.profile == 122 || sps.profile == 144) {
        ext[0] = (uint8_t)(0xfc | sps.chroma_format);
        ext[1] = ext[2] = (uint8_t)(0xf8 | (sps.bit_depth - 8));
        ext[3] = 0;
        c.ext = span_of(ext, sizeof ext);
    }
    h264_avcc_build(&c, w);
}

static void h264_config_of(struct line *l, struct span extra, const AVPacket *first, struct wr *w)
{
    struct h264_config c;
    if (extra.len && extra.p[0] == 1) {
        if (h264_avcc_parse(extra, &c) != E_OK) return;
        l->nal_size = c.nal_size;
        wr_str(w, extra);
        return;
    }
    l->nal_size = 0;
    avcc_from_annexb(extra.len ? extra : span_of(first->data, (size_t)first->size), w);
}

static void vp9_config_of(const AVStream *s, const AVPacket *first, struct wr *w)
{
    struct vp9_frame f;
    if (vp9_frame_parse(span_of(first->data, (size_t)first->size), &f) != E_OK || !f.key) return;
    const struct vp9_config c = {
        .profile = f.profile,
        .level = vp9_level(
            f.width, f.height,
            (uint32_t)(av_q2d(s->avg_frame_rate) > 0 ? av_q2d(s->avg_frame_rate) * 1000 : 30000)),
        .bit_depth = f.bit_depth,
        .chroma = f.subsampling_x && f.subsampling_y ? 1
                  : f.subsampling_x                  ? 2
                                                     : 3,
        .full_range = f.full_range,
        .primaries = 1,
        .transfer = 1,
        .matrix = 1,
    };
    vp9_config_build(&c, w);
}

static void av1_config_of(struct span extra, const AVPacket *first, struct wr *w)
{
    struct av1_seq seq;
    struct span obu;
    if (extra.len >= 4 && extra.p[0] == 0x81)
        wr_str(w, extra);
    else if (av1_seq_find(span_of(first->data, (size_t)first->size), &seq, &obu) == E_OK)
        av1_config_build(&seq, obu, w);
}

static void aac_config_of(struct line *l, struct span extra, const AVPacket *first, struct wr *w)
{
    struct adts_header h;
    if (extra.len) {
        wr_str(w, extra);
        return;
    }
    if (adts_parse(span_of(first->data, (size_t)first->size), &h) != E_OK ||
        h.object_type != AAC_LC)
        return;
    l->adts = true;
    (void)aac_config_build(h.sample_rate, h.channel_config, w);
}

static struct span config_of(struct line *l, const AVPacket *first, uint8_t *room, size_t cap)
{
    const AVCodecParameters *c = l->st->codecpar;
    const struct span extra = span_of(c->extradata, (size_t)c->extradata_size);
    struct wr w = wr_to(room, cap);
    if (extra.len > cap) return SPAN_NULL;
    switch (l->codec) {
    case CODEC_H264:
        h264_config_of(l, extra, first, &w);
        break;
    case CODEC_VP9:
        vp9_config_of(l->st, first, &w);
        break;
    case CODEC_AV1:
        av1_config_of(extra, first, &w);
        break;
    case CODEC_AAC:
        aac_config_of(l, extra, first, &w);
        break;
    case CODEC_H265: /* with start codes there is no hvcC, and it is encoded anew */
        if (extra.len > 22 && extra.p[0] == 1) {
            l->nal_size = (extra.p[21] & 3) + 1u;
            wr_str(&w, extra);
        }
        break;
    default:
        wr_str(&w, extra);
    }
    return wr_span(&w);
}

/* --- whether --- */

/* Not all players stretch pictures, and none says the same of their size. */
static bool is_square(const struct line *l)
{
    const AVRational sar = av_guess_sample_aspect_ratio(l->in->fmt, l->st, NULL);
    return sar.num <= 0 || sar.den <= 0 || fabs(av_q2d(sar) - 1) < 0.01;
}

/* What every browser with that codec shows: 8 bits (HEVC, AV1, VP9: or 10), 4:2:0, upright. */
static bool picture_fits(const struct line *l)
{
    const AVCodecParameters *c = l->st->codecpar;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)c->format);
    if (d && (d->log2_chroma_w != 1 || d->log2_chroma_h != 1 ||
              d->comp[0].depth > (l->codec == CODEC_H264 ? 8 : 10)))
        return false;
    if ((c->width | c->height) & 1) return false;
    const int side = c->width < c->height ? c->width : c->height;
    if (import_wish.lines && side > import_wish.lines) return false;
    if (!is_square(l)) return false;
    /* Such a file has no decoding times, and no other ones either. */
    if (!strcmp(l->in->fmt->iformat->name, "avi") && c->video_delay > 0) return false;
    return c->field_order <= AV_FIELD_PROGRESSIVE;
}

bool copy_begin(struct line *l, const AVPacket *first)
{
    uint8_t room[LIMIT_CODEC_CONFIG_BYTES];
    struct track *t = NULL;
    const AVCodecParameters *c = l->st->codecpar;
    l->codec = codec_of(c->codec_id);
    if (l->codec == CODEC_NONE) return false;
    if (l->kind == MEDIA_VIDEO ? !picture_fits(l) : c->ch_layout.nb_channels > 2) return false;
    const struct span config = config_of(l, first, room, sizeof room);
    if (!config.len || track_from_config(0, l->codec, config, &t) != E_OK) return false;
    const double fps = av_q2d(av_guess_frame_rate(l->in->fmt, l->st, NULL));
    out_track(&(struct worker_msg){
        .type = WORKER_TRACK,
        .kind = (uint8_t)l->kind,
        .codec = (uint8_t)l->codec,
        .width = l->kind == MEDIA_VIDEO && c->width <= LIMIT_VIDEO_SIDE ? (uint16_t)c->width : 0,
        .height = l->kind == MEDIA_VIDEO && c->height <= LIMIT_VIDEO_SIDE ? (uint16_t)c->height : 0,
        .fps_milli = fps > 0 && fps <= 1000 ? (uint32_t)(fps * 1000 + 0.5) : 0,
        .sample_rate = t->sample_rate,
        .channels = t->channels,
        .data = config,
    });
    track_unref(t);
    return true;
}

/* --- frames --- */

/* With lengths of four bytes. NULL: broken. */
static AVBufferRef *repacked(const struct line *l, const AVPacket *p, size_t *len)
{
    const struct span in = span_of(p->data, (size_t)p->size);
    AVBufferRef *b = av_buffer_alloc(nal_max_bytes(in.len));
    if (!b) outbox_fail("out of memory");
    struct wr w = wr_to(b->data, b->size);
    const enum err e = l->nal_size ? nal_widen(in, l->nal_size, &w) : nal_from_annexb(in, &w);
    *len = wr_used(&w);
    if (e == E_OK && *len) return b;
    av_buffer_unref(&b);
    return NULL;
}

/* A program stream's AV1 may have temporal delimiters, which a sample must not. */
static struct span without_delimiter(struct span in)
{
    struct av1_obu obu;
    struct span rest = in;
    while (av1_obu_next(&rest, &obu) == E_OK && obu.type == AV1_TEMPORAL_DELIMITER) in = rest;
    return in;
}

static struct span payload_of(const struct line *l, const AVPacket *p)
{
    struct adts_header h;
    struct span s = span_of(p->data, (size_t)p->size);
    if (l->codec == CODEC_AV1) return without_delimiter(s);
    if (!l->adts) return s;
    if (adts_parse(s, &h) != E_OK || h.blocks != 1 || h.frame_len > s.len) return SPAN_NULL;
    return span_head(span_skip(s, h.header_len), h.frame_len - h.header_len);
}

void copy_packet(struct line *l, AVPacket *p)
{
    struct worker_msg m = {.type = WORKER_FRAME, .kind = (uint8_t)l->kind};
    const bool nals = l->codec == CODEC_H264 || l->codec == CODEC_H265;
    AVBufferRef *b = NULL;
    if (nals && l->nal_size != 4) {
        size_t len = 0;
        b = repacked(l, p, &len);
        if (b) m.data = span_of(b->data, len);
    } else {
        m.data = payload_of(l, p);
    }
    if (m.data.len && m.data.len <= LIMIT_FRAME_BYTES) {
        line_times(l, p, &m.dts_us, &m.pts_us);
        m.key = l->kind == MEDIA_AUDIO || (p->flags & AV_PKT_FLAG_KEY);
        out_frame(&m, b ? b : p->buf);
        l->frames++;
    }
    av_buffer_unref(&b);
}
