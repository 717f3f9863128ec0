/* SPDX-License-Identifier: MIT */
#include "engine/rtc_picture.h"
#include "base/rd.h"
#include "base/wr.h"
#include "wire/h264.h"
#include "wire/rtp_frame.h"
#include "wire/vp9.h"

#define STAP_A 24

static bool by_sps(struct span nal, uint16_t *width, uint16_t *height)
{
    struct h264_sps sps;
    if (nal.len == 0 || (nal.p[0] & 0x1f) != H264_SPS || h264_sps_parse(nal, &sps) != E_OK)
        return false;
    *width = sps.width;
    *height = sps.height;
    return true;
}

static bool of_h264(struct span p, uint16_t *width, uint16_t *height)
{
    if (p.len == 0 || (p.p[0] & 0x1f) != STAP_A) return by_sps(p, width, height);
    struct rd r = rd_from(span_skip(p, 1));
    while (rd_left(&r) > 2) {
        const struct span nal = rd_span(&r, rd_u16be(&r));
        if (r.underflow) return false;
        if (by_sps(nal, width, height)) return true;
    }
    return false;
}

static bool of_vp8(struct span p, uint16_t *width, uint16_t *height)
{
    uint8_t room[LIMIT_UDP_BYTES];
    struct wr w = wr_to(room, sizeof room);
    struct vp8_frame f;
    if (rtp_join(RTP_VP8, &p, 1, &w) != E_OK || w.overflow) return false;
    if (vp8_frame_parse(wr_span(&w), &f) != E_OK || !f.key) return false;
    *width = f.width;
    *height = f.height;
    return true;
}

bool rtc_picture_size(enum codec c, struct span payload, uint16_t *width, uint16_t *height)
{
    if (c == CODEC_H264) return of_h264(payload, width, height);
    return c == CODEC_VP8 && of_vp8(payload, width, height);
}
