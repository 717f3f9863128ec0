/* SPDX-License-Identifier: MIT */
/* wire/rtp_frame.h - RTP payloads <-> access units, for H.264, VP8, VP9, AV1 and Opus.
 *
 * Sources: RFC 6184 (H.264: single, STAP-A, FU-A), RFC 7741 (VP8), RFC 9628 (VP9), AV1 RTP 1.0.0,
 * RFC 7587 (Opus). Frames are laid out as media/codec.h says of them: H.264 as NAL units with
 * four-byte lengths, AV1 as OBUs with size fields. Pure. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "base/wr.h"

enum rtp_format { RTP_H264, RTP_VP8, RTP_VP9, RTP_AV1, RTP_OPUS };

/* What one payload says by itself, for those who pass packets on. */
struct rtp_peek {
    bool start; /* a frame may begin with this packet */
    bool key;   /* with `start`: a decoder can begin here (H.264: parameter sets or an IDR) */
};
/* Never fails: of a broken payload nothing is said. */
struct rtp_peek rtp_peek(enum rtp_format f, struct span payload);

/* Counters in VP8's and VP9's descriptors, which must go on when a viewer is given another source.
 * False: the payload has none. */
struct rtp_vpx_ids {
    bool has_tl0;
    uint16_t picture; /* of 15 bits, or of 7 */
    uint8_t tl0;      /* TL0PICIDX */
};
bool rtp_vpx_ids(enum rtp_format f, struct span payload, struct rtp_vpx_ids *out);
/* Adds to them in place, each modulo its width. */
void rtp_vpx_add(enum rtp_format f, uint8_t *payload, size_t len, uint16_t picture, uint8_t tl0);

/* Joins the payloads of one frame, complete and in order. A size that always suffices:
 * rtp_join_max(). E_PROTO: broken, or fragments are missing. E_LIMIT: w is too small.
 * E_UNSUPPORTED: an H.264 packet type that nobody offered (STAP-B, MTAP, FU-B). */
enum err rtp_join(enum rtp_format f, const struct span *payloads, unsigned n,
                  struct wr *w) WARN_UNUSED;

static inline size_t rtp_join_max(size_t bytes, unsigned n)
{
    return bytes * 3 + n * 16u + 16; /* two bytes of STAP-A length may become four, and so on */
}

/* Cuts a frame with four-byte lengths into H.264 payloads of at most `mtu` bytes (at least 64).
 * Start with .frame and .mtu set. Small NAL units share a STAP-A, large ones become FU-A pieces of
 * equal size, the last one shorter, so that they leave in one segmented send. Gives one payload a
 * call; `last` with the frame's last one. E_NOTFOUND: no more. E_PROTO: a length past the end. */
struct rtp_h264_cut {
    struct span frame;
    size_t mtu;
    struct span nal; /* private: of which pieces remain, without its first byte */
    size_t piece;    /* private: size of the pieces */
    uint8_t nal_byte;
    bool begun;
};
enum err rtp_h264_cut_next(struct rtp_h264_cut *c, struct wr *w, bool *last) WARN_UNUSED;
