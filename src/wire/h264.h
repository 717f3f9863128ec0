/* SPDX-License-Identifier: MIT */
/* wire/h264.h - what a carrier of H.264 must know: parameter sets, avcC, kinds of access units.
 *
 * Sources: ITU-T H.264 7.3.2.1 (SPS), E.1 (VUI); ISO/IEC 14496-15 5.3.3.1 (avcC). Pure; spans in
 * results are views into the input. A frame is NAL units with four-byte lengths. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

enum h264_nal { /* nal_unit_type, the low five bits of the first byte */
                H264_SLICE = 1,
                H264_IDR = 5,
                H264_SEI = 6,
                H264_SPS = 7,
                H264_PPS = 8,
                H264_AUD = 9,
};

struct h264_sps {
    uint8_t profile, constraints, level; /* the three bytes of avc1.PPCCLL */
    uint8_t chroma_format;               /* 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4 */
    uint8_t bit_depth;                   /* luma */
    uint16_t width, height;              /* after cropping */
    uint32_t fps_milli;                  /* from the VUI, 0: it does not say */
    uint8_t poc_type;
    bool interlaced;     /* fields are possible */
    bool may_reorder;    /* pictures may be shown in another order than decoded */
    int max_num_reorder; /* from bitstream_restriction; -1: it does not say */
};

#define H264_SPS_MAX 32
#define H264_PPS_MAX 32

struct h264_config {
    uint8_t profile, constraints, level;
    unsigned nal_size; /* of the length fields: 1, 2 or 4 */
    unsigned n_sps, n_pps;
    struct span sps[H264_SPS_MAX], pps[H264_PPS_MAX]; /* whole NAL units */
    struct span ext; /* chroma format and depths of high profiles, as they are; may be empty */
};

/* A whole SPS NAL unit. E_PROTO: not one, broken or cut short. E_LIMIT: larger than
 * LIMIT_VIDEO_SIDE. */
enum err h264_sps_parse(struct span nal, struct h264_sps *out) WARN_UNUSED;

/* E_MORE: cut short. E_PROTO: broken or without parameter sets. E_LIMIT: too many. */
enum err h264_avcc_parse(struct span in, struct h264_config *out) WARN_UNUSED;
/* Writes an avcC with four-byte lengths whatever c->nal_size says. */
void h264_avcc_build(const struct h264_config *c, struct wr *w);

struct h264_frame_info {
    bool idr;      /* a decoder can start here */
    bool recovery; /* recovery point SEI: one can start here and be right a little later */
    bool has_slice;
    bool has_sps;
};

/* Looks at every NAL unit of a frame with length fields of nal_size. E_PROTO: a length past the
 * end. E_LIMIT: more than LIMIT_NALS_PER_FRAME. */
enum err h264_frame_parse(struct span frame, unsigned nal_size,
                          struct h264_frame_info *out) WARN_UNUSED;

/* slice_type modulo 5: 0 P, 1 B, 2 I, 3 SP, 4 SI. E_PROTO: not a slice NAL unit. */
enum err h264_slice_type(struct span nal, unsigned *out) WARN_UNUSED;
