/* SPDX-License-Identifier: MIT */
#include "wire/vp9.h"
#include "base/limits.h"
#include "base/rd.h"
#include "wire/bits.h"
#include <stdio.h>

#define CS_RGB 7

static bool color_config(struct bits *b, struct vp9_frame *f)
{
    f->bit_depth = f->profile >= 2 ? (bits_flag(b) ? 12 : 10) : 8;
    f->color_space = (uint8_t)bits_u(b, 3);
    if (f->color_space != CS_RGB) {
        f->full_range = bits_flag(b);
        f->subsampling_x = f->subsampling_y = true;
        if (f->profile & 1) {
            f->subsampling_x = bits_flag(b);
            f->subsampling_y = bits_flag(b);
            bits_skip(b, 1);
        }
        return true;
    }
    f->full_range = true;
    if (!(f->profile & 1)) return false; /* RGB needs profile 1 or 3 */
    bits_skip(b, 1);
    return true;
}

enum err vp9_frame_parse(struct span frame, struct vp9_frame *out)
{
    struct bits b = bits_from(frame, false);
    struct vp9_frame f = {0};
    if (bits_u(&b, 2) != 2) return E_PROTO;
    f.profile = (uint8_t)bits_u(&b, 1);
    f.profile |= (uint8_t)(bits_u(&b, 1) << 1);
    if (f.profile == 3 && bits_flag(&b)) return E_PROTO;
    f.show_existing = bits_flag(&b);
    if (!f.show_existing) {
        f.key = !bits_flag(&b); /* frame_type: 0 is a key frame */
        f.shown = bits_flag(&b);
        bits_skip(&b, 1);
    }
    if (b.underflow) return E_PROTO;
    if (f.key) {
        if (bits_u(&b, 24) != 0x498342) return E_PROTO;
        if (!color_config(&b, &f)) return E_PROTO;
        const uint32_t w = (uint32_t)bits_u(&b, 16) + 1, h = (uint32_t)bits_u(&b, 16) + 1;
        if (b.underflow) return E_PROTO;
        if (w > LIMIT_VIDEO_SIDE || h > LIMIT_VIDEO_SIDE) return E_LIMIT;
        f.width = (uint16_t)w;
        f.height = (uint16_t)h;
    }
    *out = f;
    return E_OK;
}

/* Both shapes are about: the record alone, and the body of the vpcC box. The first byte of version
 * and flags is 1, and then 0 0 0; as a record that would be a depth of 0. */
enum err vp9_config_parse(struct span in, struct vp9_config *out)
{
    if (in.len >= 4 && in.p[0] == 1 && in.p[1] == 0 && in.p[2] == 0 && in.p[3] == 0) {
        in = span_skip(in, 4);
    }
    struct rd r = rd_from(in);
    struct vp9_config c = {0};
    c.profile = rd_u8(&r);
    c.level = rd_u8(&r);
    const uint8_t b = rd_u8(&r);
    c.bit_depth = b >> 4;
    c.chroma = b >> 1 & 7;
    c.full_range = b & 1;
    c.primaries = rd_u8(&r);
    c.transfer = rd_u8(&r);
    c.matrix = rd_u8(&r);
    if (r.underflow) return E_MORE;
    if (c.profile > 3 || c.chroma > 3) return E_PROTO;
    if (c.bit_depth != 8 && c.bit_depth != 10 && c.bit_depth != 12) return E_PROTO;
    *out = c;
    return E_OK;
}

void vp9_config_build(const struct vp9_config *c, struct wr *w)
{
    wr_u8(w, c->profile);
    wr_u8(w, c->level);
    wr_u8(w, (uint8_t)(c->bit_depth << 4 | c->chroma << 1 | c->full_range));
    wr_u8(w, c->primaries);
    wr_u8(w, c->transfer);
    wr_u8(w, c->matrix);
    wr_u16be(w, 0); /* no codec initialisation data */
}

uint8_t vp9_level(uint32_t width, uint32_t height, uint32_t fps_milli)
{
    static const struct {
        uint8_t level;
        uint64_t rate; /* luma samples a second */
        uint32_t size; /* of a picture */
    } LEVELS[] = {
        {10, 829440, 36864},        {11, 2764800, 73728},      {20, 4608000, 122880},
        {21, 9216000, 245760},      {30, 20736000, 552960},    {31, 36864000, 983040},
        {40, 83558400, 2228224},    {41, 160432128, 2228224},  {50, 311951360, 8912896},
        {51, 588251136, 8912896},   {52, 1176502272, 8912896}, {60, 1176502272, 35651584},
        {61, 2353004544, 35651584},
    };
    const uint64_t size = (uint64_t)width * height;
    const uint64_t rate = size * (fps_milli ? fps_milli : 30000) / 1000;
    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++) {
        if (rate <= LEVELS[i].rate && size <= LEVELS[i].size) return LEVELS[i].level;
    }
    return 62;
}

static bool plain(uint8_t v)
{
    return v <= 2; /* BT.709, not specified, or never filled in */
}

void vp9_codecs_string(const struct vp9_config *c, char *out, size_t cap)
{
    const int n = snprintf(out, cap, "vp09.%02u.%02u.%02u", c->profile, c->level ? c->level : 10,
                           c->bit_depth);
    const bool usual = plain(c->primaries) && plain(c->transfer) && plain(c->matrix) &&
                       c->chroma <= 1 && !c->full_range;
    if (usual || n < 0 || (size_t)n >= cap) return;
    snprintf(out + n, cap - (size_t)n, ".%02u.%02u.%02u.%02u.%02u", c->chroma, c->primaries,
             c->transfer, c->matrix, c->full_range);
}

/* Frame tag (RFC 6386, 9.1): key (inverted), version (3), show (1), first partition size (19),
 * little-endian; key frames go on with 9d 01 2a, width (14) and scale (2), height and scale. */
enum err vp8_frame_parse(struct span frame, struct vp8_frame *out)
{
    struct rd r = rd_from(frame);
    const uint32_t tag = (uint32_t)rd_le(&r, 3);
    struct vp8_frame f = {.key = !(tag & 1), .shown = tag >> 4 & 1};
    if (f.key) {
        if (rd_u24be(&r) != 0x9d012a) return E_PROTO;
        f.width = rd_u16le(&r) & 0x3fff;
        f.height = rd_u16le(&r) & 0x3fff;
    }
    if (r.underflow) return E_PROTO;
    *out = f;
    return E_OK;
}
