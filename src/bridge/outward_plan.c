/* SPDX-License-Identifier: MIT */
#include "bridge/outward_plan.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/vp9.h"

static enum outward_way of_h264(const struct track *t)
{
    struct h264_config c;
    struct h264_sps sps;
    if (!t->config || h264_avcc_parse(buf_span(t->config), &c) != E_OK || c.n_sps == 0 ||
        h264_sps_parse(c.sps[0], &sps) != E_OK)
        return OUTWARD_LEFT_OUT;
    if (sps.chroma_format > 1 || sps.bit_depth > 8 || sps.interlaced) return OUTWARD_TRANSCODED;
    if (sps.max_num_reorder > 0) return OUTWARD_LIKELY;
    return sps.may_reorder ? OUTWARD_UNSURE : OUTWARD_AS_IT_IS;
}

/* Profile 0 of both is what every browser that has the codec decodes. */
static enum outward_way of_vp9(const struct track *t)
{
    struct vp9_config c;
    if (!t->config || vp9_config_parse(buf_span(t->config), &c) != E_OK) return OUTWARD_LEFT_OUT;
    return c.profile == 0 ? OUTWARD_AS_IT_IS : OUTWARD_TRANSCODED;
}

static enum outward_way of_av1(const struct track *t)
{
    struct av1_config c;
    if (!t->config || av1_config_parse(buf_span(t->config), &c) != E_OK) return OUTWARD_LEFT_OUT;
    return c.profile == 0 ? OUTWARD_AS_IT_IS : OUTWARD_TRANSCODED;
}

enum outward_way outward_way_of(const struct track *t)
{
    if (!t) return OUTWARD_LEFT_OUT;
    switch (t->codec) {
    case CODEC_H264:
        return of_h264(t);
    case CODEC_H265:
    case CODEC_AAC:
        return OUTWARD_TRANSCODED;
    case CODEC_VP8:
        return OUTWARD_AS_IT_IS;
    case CODEC_VP9:
        return of_vp9(t);
    case CODEC_AV1:
        return of_av1(t);
    case CODEC_OPUS:
        return t->channels <= 2 ? OUTWARD_AS_IT_IS : OUTWARD_LEFT_OUT;
    default:
        return OUTWARD_LEFT_OUT;
    }
}
