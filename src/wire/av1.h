/* SPDX-License-Identifier: MIT */
/* wire/av1.h - what a carrier of AV1 must know: OBUs, sequence header, av1C, key frames.
 *
 * Sources: AV1 bitstream specification 5.3 to 5.9; AV1 Codec ISO Media File Format Binding 1.2,
 * 2.3 (av1C) and 5 (codecs string). A frame is OBUs with size fields ("low overhead"), without
 * temporal delimiter. Pure; spans in results are views. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

enum av1_obu_type {
    AV1_SEQUENCE_HEADER = 1,
    AV1_TEMPORAL_DELIMITER = 2,
    AV1_FRAME_HEADER = 3,
    AV1_FRAME = 6,
    AV1_REDUNDANT_FRAME_HEADER = 7,
};

struct av1_obu {
    uint8_t type;
    uint8_t temporal_id, spatial_id;
    struct span whole, payload;
};

struct av1_seq {
    uint8_t profile, level, tier, bit_depth;
    bool still, reduced_still, mono, subsampling_x, subsampling_y;
    uint8_t chroma_position;
    bool has_color;
    uint8_t primaries, transfer, matrix;
    bool full_range;
    uint16_t width, height; /* the largest, which is the picture's unless a frame says less */
    uint32_t fps_milli;     /* 0: it does not say */
};

struct av1_config {
    uint8_t profile, level, tier, bit_depth;
    bool mono, subsampling_x, subsampling_y;
    uint8_t chroma_position;
    struct span obus; /* may be empty; normally a sequence header */
};

/* Takes the next OBU off *rest; one without size field reaches to the end. E_NOTFOUND: no more.
 * E_PROTO: broken. */
enum err av1_obu_next(struct span *rest, struct av1_obu *out) WARN_UNUSED;
/* The payload of a sequence header OBU. E_PROTO, E_LIMIT (LIMIT_VIDEO_SIDE). */
enum err av1_seq_parse(struct span payload, struct av1_seq *out) WARN_UNUSED;
/* The first sequence header in a row of OBUs; `obu` (or NULL) gets its payload. E_NOTFOUND: none.
 */
enum err av1_seq_find(struct span obus, struct av1_seq *out, struct span *obu) WARN_UNUSED;
/* E_MORE: cut short. E_PROTO: not version 1, or a marker is missing. */
enum err av1_config_parse(struct span in, struct av1_config *out) WARN_UNUSED;
/* An av1C with that sequence header as its only OBU. */
void av1_config_build(const struct av1_seq *seq, struct span obu, struct wr *w);
/* "av01.0.04M.08", with the optional part when the sequence header describes colour (seq may be
 * NULL). `cap` of 40 always suffices. */
void av1_codecs_string(const struct av1_config *c, const struct av1_seq *seq, char *out,
                       size_t cap);
/* Whether a decoder can start at this access unit: its first frame is a shown key frame, and a
 * sequence header comes before it when `need_seq`. E_PROTO: broken. */
enum err av1_frame_is_key(struct span frame, bool need_seq, bool *out) WARN_UNUSED;
