/* SPDX-License-Identifier: MIT */
/* wire/h265.h - what a carrier of H.265 must know: SPS, VPS timing, hvcC, kinds of access units.
 *
 * Sources: ITU-T H.265 7.3.2.1 (VPS), 7.3.2.2 (SPS), 7.3.3 (profile, tier, level); ISO/IEC
 * 14496-15 8.3.3.1 (hvcC) and Annex E (codecs string). Pure; spans in results are views. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

enum h265_nal { /* nal_unit_type: (first byte >> 1) & 63 */
                H265_BLA_W_LP = 16,
                H265_CRA = 21,
                H265_IRAP_LAST = 23,
                H265_VPS = 32,
                H265_SPS = 33,
                H265_PPS = 34,
};

struct h265_ptl { /* general_* of profile_tier_level() */
    uint8_t profile_space, profile, tier, level;
    uint32_t compat;        /* bit 31 is general_profile_compatibility_flag[0] */
    uint8_t constraints[6]; /* the 48 bits from progressive_source_flag on */
};

struct h265_sps {
    struct h265_ptl ptl;
    uint8_t chroma_format, bit_depth;
    uint16_t width, height; /* after the conformance window */
    bool may_reorder;
};

#define H265_SETS_MAX 64

struct h265_config {
    struct h265_ptl ptl;
    unsigned nal_size;
    unsigned n_sets;
    struct span sets[H265_SETS_MAX]; /* whole NAL units of all arrays, in order */
    struct span vps, sps, pps;       /* the first of each; empty: none */
};

/* A whole SPS NAL unit of the base layer. E_PROTO: not one, broken, cut short. E_LIMIT: too large.
 */
enum err h265_sps_parse(struct span nal, struct h265_sps *out) WARN_UNUSED;
/* Frames a second * 1000 from a VPS's timing information; 0: it has none. */
uint32_t h265_vps_fps_milli(struct span nal);

/* E_MORE: cut short. E_PROTO: broken or without SPS and PPS. E_LIMIT: too many sets. */
enum err h265_hvcc_parse(struct span in, struct h265_config *out) WARN_UNUSED;

/* "hvc1.1.6.L93.B0"; `cap` of 40 always suffices. */
void h265_codecs_string(const struct h265_ptl *ptl, char *out, size_t cap);

struct h265_frame_info {
    bool irap; /* a decoder can start here */
    bool has_slice;
};

enum err h265_frame_parse(struct span frame, unsigned nal_size,
                          struct h265_frame_info *out) WARN_UNUSED;
