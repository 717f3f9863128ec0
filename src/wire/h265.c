/* SPDX-License-Identifier: MIT */
/* hvcC (ISO/IEC 14496-15, 8.3.3.1):
 *
 *   offset  size
 *   0       1     version, 1 (0 in files from before the standard)
 *   1       1     profile space (2 bits), tier (1), profile (5)
 *   2       4     compatibility flags
 *   6       6     constraint flags
 *   12      1     level
 *   13      8     segmentation, parallelism, chroma, depths, average frame rate
 *   21      1     frame rate kind, temporal layers, nesting, size of length fields minus 1
 *   22      1     number of arrays, each: 1 bit complete, 1 bit 0, 6 bits NAL type;
 *                 number of units (2), each: length (2), NAL unit */
#include "wire/h265.h"
#include "base/limits.h"
#include "base/rd.h"
#include "wire/bits.h"
#include "wire/nal.h"
#include <stdio.h>

static unsigned nal_type(struct span nal)
{
    return nal.len >= 2 ? nal.p[0] >> 1 & 63u : 255;
}

static void read_ptl(struct bits *b, unsigned sub_layers_minus1, struct h265_ptl *p)
{
    p->profile_space = (uint8_t)bits_u(b, 2);
    p->tier = (uint8_t)bits_u(b, 1);
    p->profile = (uint8_t)bits_u(b, 5);
    p->compat = (uint32_t)bits_u(b, 32);
    for (int i = 0; i < 6; i++) p->constraints[i] = (uint8_t)bits_u(b, 8);
    p->level = (uint8_t)bits_u(b, 8);
    bool profile[8] = {false}, level[8] = {false};
    for (unsigned i = 0; i < sub_layers_minus1; i++) {
        profile[i] = bits_flag(b);
        level[i] = bits_flag(b);
    }
    if (sub_layers_minus1 > 0) bits_skip(b, 2 * (8 - sub_layers_minus1));
    for (unsigned i = 0; i < sub_layers_minus1; i++) {
        if (profile[i]) bits_skip(b, 88);
        if (level[i]) bits_skip(b, 8);
    }
}

enum err h265_sps_parse(struct span nal, struct h265_sps *out)
{
    if (nal_type(nal) != H265_SPS) return E_PROTO;
    struct bits b = bits_from(span_skip(nal, 2), true);
    struct h265_sps s = {0};
    bits_skip(&b, 4); /* VPS id */
    const unsigned layers1 = (unsigned)bits_u(&b, 3);
    if (layers1 > 6) return E_PROTO;
    bits_skip(&b, 1);
    read_ptl(&b, layers1, &s.ptl);
    if (bits_ue(&b) > 15) return E_PROTO;
    const uint32_t chroma = bits_ue(&b);
    const bool separate = chroma == 3 && bits_flag(&b);
    const uint64_t w = bits_ue(&b), h = bits_ue(&b);
    uint64_t crop_w = 0, crop_h = 0;
    if (bits_flag(&b)) {
        crop_w = (uint64_t)bits_ue(&b) + bits_ue(&b);
        crop_h = (uint64_t)bits_ue(&b) + bits_ue(&b);
    }
    const uint32_t depth = bits_ue(&b);
    (void)bits_ue(&b); /* chroma depth */
    (void)bits_ue(&b); /* log2_max_pic_order_cnt */
    const bool all_layers = bits_flag(&b);
    for (unsigned i = all_layers ? 0 : layers1; i <= layers1; i++) {
        (void)bits_ue(&b); /* buffering */
        s.may_reorder = bits_ue(&b) > 0;
        (void)bits_ue(&b); /* latency */
    }
    if (b.underflow || chroma > 3 || depth > 8) return E_PROTO;
    if (w > LIMIT_VIDEO_SIDE || h > LIMIT_VIDEO_SIDE) return E_LIMIT;
    const unsigned c = separate ? 0 : (unsigned)chroma;
    crop_w *= c == 1 || c == 2 ? 2 : 1;
    crop_h *= c == 1 ? 2 : 1;
    if (crop_w >= w || crop_h >= h) return E_PROTO;
    s.chroma_format = (uint8_t)chroma;
    s.bit_depth = (uint8_t)(8 + depth);
    s.width = (uint16_t)(w - crop_w);
    s.height = (uint16_t)(h - crop_h);
    *out = s;
    return E_OK;
}

uint32_t h265_vps_fps_milli(struct span nal)
{
    if (nal_type(nal) != H265_VPS) return 0;
    struct bits b = bits_from(span_skip(nal, 2), true);
    bits_skip(&b, 12);
    const unsigned layers1 = (unsigned)bits_u(&b, 3);
    if (layers1 > 6) return 0;
    bits_skip(&b, 17);
    struct h265_ptl ptl;
    read_ptl(&b, layers1, &ptl);
    const bool all_layers = bits_flag(&b);
    for (unsigned i = all_layers ? 0 : layers1; i <= layers1; i++) {
        for (int k = 0; k < 3; k++) (void)bits_ue(&b);
    }
    const unsigned max_layer_id = (unsigned)bits_u(&b, 6);
    const uint32_t sets1 = bits_ue(&b);
    if (sets1 > 1023) return 0;
    for (uint32_t i = 1; i <= sets1 && !b.underflow; i++) bits_skip(&b, max_layer_id + 1);
    if (!bits_flag(&b)) return 0;
    const uint64_t units = bits_u(&b, 32), scale = bits_u(&b, 32);
    if (b.underflow || units == 0) return 0;
    const uint64_t milli = (scale * 1000 + units / 2) / units;
    return milli <= 1000 * 1000 ? (uint32_t)milli : 0;
}

static enum err read_array(struct rd *r, struct h265_config *c)
{
    rd_skip(r, 1); /* completeness and type; the units tell their type themselves */
    const unsigned n = rd_u16be(r);
    for (unsigned i = 0; i < n; i++) {
        const struct span nal = rd_span(r, rd_u16be(r));
        if (r->underflow) return E_MORE;
        if (c->n_sets == H265_SETS_MAX) return E_LIMIT;
        c->sets[c->n_sets++] = nal;
        const unsigned t = nal_type(nal);
        if (t == 255) return E_PROTO;
        if (t == H265_VPS && c->vps.len == 0) c->vps = nal;
        if (t == H265_SPS && c->sps.len == 0) c->sps = nal;
        if (t == H265_PPS && c->pps.len == 0) c->pps = nal;
    }
    return r->underflow ? E_MORE : E_OK;
}

enum err h265_hvcc_parse(struct span in, struct h265_config *out)
{
    struct rd r = rd_from(in);
    struct h265_config c = {0};
    if (in.len && in.p[0] > 1) return E_PROTO;
    rd_skip(&r, 1);
    const uint8_t b1 = rd_u8(&r);
    c.ptl.profile_space = b1 >> 6;
    c.ptl.tier = b1 >> 5 & 1;
    c.ptl.profile = b1 & 31;
    c.ptl.compat = rd_u32be(&r);
    for (int i = 0; i < 6; i++) c.ptl.constraints[i] = rd_u8(&r);
    c.ptl.level = rd_u8(&r);
    rd_skip(&r, 8);
    c.nal_size = (rd_u8(&r) & 3u) + 1;
    const unsigned arrays = rd_u8(&r);
    if (r.underflow) return E_MORE;
    if (c.nal_size == 3) return E_PROTO;
    for (unsigned i = 0; i < arrays; i++) {
        const enum err e = read_array(&r, &c);
        if (e != E_OK) return e;
    }
    if (c.sps.len == 0 || c.pps.len == 0) return E_PROTO;
    *out = c;
    return E_OK;
}

/* Annex E.3: the compatibility flags in reverse bit order, without leading zeros; constraint bytes
 * without the zero ones at the end. */
void h265_codecs_string(const struct h265_ptl *ptl, char *out, size_t cap)
{
    static const char SPACE[4][2] = {"", "A", "B", "C"};
    uint32_t rev = 0;
    for (int i = 0; i < 32; i++) rev |= (ptl->compat >> i & 1u) << (31 - i);
    int n = snprintf(out, cap, "hvc1.%s%u.%X.%c%u", SPACE[ptl->profile_space & 3], ptl->profile,
                     (unsigned)rev, ptl->tier ? 'H' : 'L', ptl->level);
    int last = 5;
    while (last >= 0 && ptl->constraints[last] == 0) last--;
    for (int i = 0; i <= last && n > 0 && (size_t)n < cap; i++) {
        n += snprintf(out + n, cap - (size_t)n, ".%X", ptl->constraints[i]);
    }
}

enum err h265_frame_parse(struct span frame, unsigned nal_size, struct h265_frame_info *out)
{
    struct h265_frame_info f = {0};
    struct span nal = SPAN_NULL;
    enum err e;
    unsigned count = 0;
    while ((e = nal_next(&frame, nal_size, &nal)) == E_OK) {
        if (++count > LIMIT_NALS_PER_FRAME) return E_LIMIT;
        const unsigned t = nal_type(nal);
        if (t < 32) f.has_slice = true;
        if (t >= H265_BLA_W_LP && t <= H265_IRAP_LAST) f.irap = true;
    }
    if (e != E_NOTFOUND) return e;
    *out = f;
    return E_OK;
}
