/* SPDX-License-Identifier: MIT */
/* wire/rtp_cut.h - frames of VP8, VP9 and AV1 into RTP payloads; H.264 is in rtp_frame.h.
 *
 * Sources: RFC 7741 (VP8), RFC 9628 (VP9, non-flexible, one layer), AV1 RTP 1.0.0. Frames are laid
 * out as media/codec.h says. Payloads of a frame are of equal size as far as the format lets them,
 * the last one shorter, so that they leave in one segmented send. VP8 and VP9 carry the picture id.
 * AV1 leaves temporal delimiters, tile lists and padding out. Pure. */
#pragma once
#include "wire/rtp_frame.h"

#define RTP_CUT_MTU_MIN 64

/* Start with format, frame, mtu (at least RTP_CUT_MTU_MIN), key and picture_id set. */
struct rtp_cut {
    enum rtp_format format; /* RTP_VP8, RTP_VP9 or RTP_AV1 */
    struct span frame;
    size_t mtu;
    bool key;
    uint16_t picture_id; /* 15 bits, one more with each picture */
    /* private */
    bool begun, open, split;
    size_t piece;
    struct span obu; /* AV1: what remains of the one that is being sent */
    uint8_t head[2];
    uint8_t n_head;
};

/* One payload a call; `last` with the frame's last one. E_NOTFOUND: nothing (more) to send.
 * E_PROTO: broken OBUs. E_LIMIT: w has less room than mtu. */
enum err rtp_cut_next(struct rtp_cut *c, struct wr *w, bool *last) WARN_UNUSED;
