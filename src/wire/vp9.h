/* SPDX-License-Identifier: MIT */
/* wire/vp9.h - what a carrier of VP9 (and VP8) must know: frame headers and vpcC.
 *
 * Sources: VP9 bitstream specification 6.2 (uncompressed_header) and Annex B (superframes); VP
 * Codec ISO Media File Format Binding 1.0; RFC 6386, 9.1 (VP8). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

struct vp9_frame {
    uint8_t profile;
    bool show_existing;
    bool key; /* shown or not: in a superframe the first one counts */
    bool shown;
    uint8_t bit_depth;   /* key frames only, as the rest */
    uint8_t color_space; /* 2: BT.709; 7: RGB */
    bool full_range, subsampling_x, subsampling_y;
    uint16_t width, height;
};

struct vp9_config { /* VPCodecConfigurationRecord */
    uint8_t profile, level, bit_depth, chroma;
    bool full_range;
    uint8_t primaries, transfer, matrix;
};

#define VP9_CONFIG_BYTES 8

/* E_PROTO: no VP9 frame, or a key frame cut short. E_LIMIT: LIMIT_VIDEO_SIDE. */
enum err vp9_frame_parse(struct span frame, struct vp9_frame *out) WARN_UNUSED;
/* With or without the four bytes of version and flags before it. E_MORE: cut short. */
enum err vp9_config_parse(struct span in, struct vp9_config *out) WARN_UNUSED;
void vp9_config_build(const struct vp9_config *c, struct wr *w); /* VP9_CONFIG_BYTES */
/* From the least level on that a size and rate fit in (Annex A); 10 for level 1, 62 for 6.2. */
uint8_t vp9_level(uint32_t width, uint32_t height, uint32_t fps_milli);
/* "vp09.00.31.08"; with the optional part when colour is not the default. `cap` of 40 suffices. */
void vp9_codecs_string(const struct vp9_config *c, char *out, size_t cap);

struct vp8_frame {
    bool key, shown;
    uint16_t width, height; /* key frames only */
};

enum err vp8_frame_parse(struct span frame, struct vp8_frame *out) WARN_UNUSED;
