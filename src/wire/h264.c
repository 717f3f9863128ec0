/* SPDX-License-Identifier: MIT */
/* avcC (ISO/IEC 14496-15, 5.3.3.1):
 *
 *   offset  size
 *   0       1     version, 1
 *   1       3     profile, constraint flags, level: those of the SPS
 *   4       1     111111 and the size of length fields minus 1
 *   5       1     111 and the number of SPS, each: length (2), NAL unit
 *   .       1     number of PPS, each: length (2), NAL unit
 *   .       4     profiles 100, 110, 122, 144: chroma format, depths, number of SPS extensions
 *
 * As OBS 29 sent it: 01 64 00 1f ff e1 00 1d  67 64 00 1f ...  01 00 05  68 ea e0 8c b2 ... */
#include "wire/h264.h"
#include "base/limits.h"
#include "base/rd.h"
#include "wire/bits.h"
#include "wire/nal.h"

static bool has_chroma_info(unsigned profile)
{
    switch (profile) {
    case 100:
    case 110:
    case 122:
    case 244:
    case 44:
    case 83:
    case 86:
    case 118:
    case 128:
    case 138:
    case 139:
    case 134:
    case 135:
        return true;
    default:
        return false;
    }
}

static void skip_scaling_list(struct bits *b, unsigned size)
{
    int last = 8, next = 8;
    for (unsigned j = 0; j < size && !b->underflow; j++) {
        if (next != 0) next = (last + bits_se(b) + 256) & 255;
        if (next != 0) last = next;
    }
}

static void chroma_info(struct bits *b, struct h264_sps *s, bool *separate)
{
    const uint32_t chroma = bits_ue(b);
    s->chroma_format = chroma <= 3 ? (uint8_t)chroma : 255;
    if (chroma == 3) *separate = bits_flag(b);
    const uint32_t depth = bits_ue(b);
    s->bit_depth = depth <= 6 ? (uint8_t)(8 + depth) : 255;
    (void)bits_ue(b); /* chroma depth */
    bits_skip(b, 1);  /* lossless bypass */
    if (!bits_flag(b)) return;
    for (unsigned i = 0; i < (chroma == 3 ? 12u : 8u); i++) {
        if (bits_flag(b)) skip_scaling_list(b, i < 6 ? 16 : 64);
    }
}

static void poc_info(struct bits *b, struct h264_sps *s)
{
    const uint32_t type = bits_ue(b);
    s->poc_type = type <= 2 ? (uint8_t)type : 255;
    if (type == 0) (void)bits_ue(b);
    if (type != 1) return;
    bits_skip(b, 1);
    (void)bits_se(b);
    (void)bits_se(b);
    const uint32_t n = bits_ue(b);
    for (uint32_t i = 0; i < n && i < 256 && !b->underflow; i++) (void)bits_se(b);
    if (n > 255) s->poc_type = 255;
}

static void skip_hrd(struct bits *b)
{
    const uint32_t n = bits_ue(b) + 1;
    bits_skip(b, 8);
    for (uint32_t i = 0; i < n && i < 32 && !b->underflow; i++) {
        (void)bits_ue(b);
        (void)bits_ue(b);
        bits_skip(b, 1);
    }
    bits_skip(b, 20);
}

static uint32_t vui_fps_milli(struct bits *b)
{
    const uint64_t units = bits_u(b, 32), scale = bits_u(b, 32);
    bits_skip(b, 1); /* fixed rate: encoders set it whether or not it is true */
    if (units == 0 || scale == 0 || b->underflow) return 0;
    const uint64_t milli = (scale * 1000 + units) / (2 * units); /* a frame is two ticks */
    return milli <= 1000 * 1000 ? (uint32_t)milli : 0;
}

static void vui(struct bits *b, struct h264_sps *s)
{
    if (bits_flag(b) && bits_u(b, 8) == 255) bits_skip(b, 32); /* sample aspect ratio */
    if (bits_flag(b)) bits_skip(b, 1);                         /* overscan */
    if (bits_flag(b)) {
        bits_skip(b, 4);
        if (bits_flag(b)) bits_skip(b, 24);
    }
    if (bits_flag(b)) {
        (void)bits_ue(b);
        (void)bits_ue(b);
    }
    if (bits_flag(b)) s->fps_milli = vui_fps_milli(b);
    const bool nal = bits_flag(b);
    if (nal) skip_hrd(b);
    const bool vcl = bits_flag(b);
    if (vcl) skip_hrd(b);
    if (nal || vcl) bits_skip(b, 1);
    bits_skip(b, 1);
    if (!bits_flag(b)) return;
    bits_skip(b, 1);
    for (int i = 0; i < 4; i++) (void)bits_ue(b);
    const uint32_t reorder = bits_ue(b);
    if (!b->underflow && reorder <= 16) s->max_num_reorder = (int)reorder;
}

/* Without a word from the encoder: no B-frames in baseline, with output order 2, and in the
 * intra-only profiles (A.2.8 to A.2.11: constraint_set3). */
static bool may_reorder(const struct h264_sps *s)
{
    if (s->max_num_reorder >= 0) return s->max_num_reorder > 0;
    if (s->profile == 66 || s->poc_type == 2) return false;
    if (s->profile == 44) return false;
    return !(s->profile >= 100 && (s->constraints & 0x10) != 0);
}

enum err h264_sps_parse(struct span nal, struct h264_sps *out)
{
    if (nal.len < 4 || (nal.p[0] & 0x1f) != H264_SPS) return E_PROTO;
    struct bits b = bits_from(span_skip(nal, 1), true);
    struct h264_sps s = {.chroma_format = 1, .bit_depth = 8, .max_num_reorder = -1};
    bool separate = false;
    s.profile = (uint8_t)bits_u(&b, 8);
    s.constraints = (uint8_t)bits_u(&b, 8);
    s.level = (uint8_t)bits_u(&b, 8);
    if (bits_ue(&b) > 31) return E_PROTO;
    if (has_chroma_info(s.profile)) chroma_info(&b, &s, &separate);
    (void)bits_ue(&b); /* log2_max_frame_num */
    poc_info(&b, &s);
    (void)bits_ue(&b); /* reference frames */
    bits_skip(&b, 1);
    const uint64_t mbs_w = (uint64_t)bits_ue(&b) + 1, map_h = (uint64_t)bits_ue(&b) + 1;
    const bool frames_only = bits_flag(&b);
    s.interlaced = !frames_only;
    if (!frames_only) bits_skip(&b, 1);
    bits_skip(&b, 1);
    uint64_t crop_w = 0, crop_h = 0;
    if (bits_flag(&b)) {
        crop_w = (uint64_t)bits_ue(&b) + bits_ue(&b);
        crop_h = (uint64_t)bits_ue(&b) + bits_ue(&b);
    }
    if (b.underflow || s.chroma_format > 3 || s.bit_depth > 14 || s.poc_type > 2) return E_PROTO;
    const uint64_t w = mbs_w * 16, h = map_h * 16 * (frames_only ? 1 : 2);
    if (w > LIMIT_VIDEO_SIDE || h > LIMIT_VIDEO_SIDE) return E_LIMIT;
    const unsigned chroma = separate ? 0 : s.chroma_format;
    crop_w *= chroma == 1 || chroma == 2 ? 2 : 1;
    crop_h *= (chroma == 1 ? 2u : 1u) * (frames_only ? 1u : 2u);
    if (crop_w >= w || crop_h >= h) return E_PROTO;
    s.width = (uint16_t)(w - crop_w);
    s.height = (uint16_t)(h - crop_h);
    /* A VUI that ends early is common enough (fixed up by hand); what was read of it stands. */
    if (bits_flag(&b)) vui(&b, &s);
    s.may_reorder = may_reorder(&s);
    *out = s;
    return E_OK;
}

static enum err read_sets(struct rd *r, unsigned n, unsigned type, struct span *out)
{
    for (unsigned i = 0; i < n; i++) {
        out[i] = rd_span(r, rd_u16be(r));
        if (r->underflow) return E_MORE;
        if (out[i].len == 0 || (out[i].p[0] & 0x1f) != type) return E_PROTO;
    }
    return E_OK;
}

enum err h264_avcc_parse(struct span in, struct h264_config *out)
{
    struct rd r = rd_from(in);
    struct h264_config c = {0};
    const uint8_t version = rd_u8(&r);
    c.profile = rd_u8(&r);
    c.constraints = rd_u8(&r);
    c.level = rd_u8(&r);
    c.nal_size = (rd_u8(&r) & 3u) + 1;
    c.n_sps = rd_u8(&r) & 31u;
    if (r.underflow) return in.len && version != 1 ? E_PROTO : E_MORE;
    if (version != 1 || c.nal_size == 3 || c.n_sps == 0) return E_PROTO;
    enum err e = read_sets(&r, c.n_sps, H264_SPS, c.sps);
    if (e != E_OK) return e;
    c.n_pps = rd_u8(&r);
    if (r.underflow) return E_MORE;
    if (c.n_pps > H264_PPS_MAX) return E_LIMIT;
    if (c.n_pps == 0) return E_PROTO;
    if ((e = read_sets(&r, c.n_pps, H264_PPS, c.pps)) != E_OK) return e;
    c.ext = rd_rest(&r);
    *out = c;
    return E_OK;
}

void h264_avcc_build(const struct h264_config *c, struct wr *w)
{
    wr_u8(w, 1);
    wr_u8(w, c->profile);
    wr_u8(w, c->constraints);
    wr_u8(w, c->level);
    wr_u8(w, 0xff);
    wr_u8(w, (uint8_t)(0xe0 | c->n_sps));
    for (unsigned i = 0; i < c->n_sps; i++) {
        wr_u16be(w, (uint16_t)c->sps[i].len);
        wr_str(w, c->sps[i]);
    }
    wr_u8(w, (uint8_t)c->n_pps);
    for (unsigned i = 0; i < c->n_pps; i++) {
        wr_u16be(w, (uint16_t)c->pps[i].len);
        wr_str(w, c->pps[i]);
    }
    wr_str(w, c->ext);
}

/* SEI (7.3.2.3): payload type and size are runs of 255 and a last byte. */
static bool has_recovery_point(struct span nal)
{
    struct bits b = bits_from(span_skip(nal, 1), true);
    while (!b.underflow) {
        unsigned type = 0, size = 0;
        uint64_t v;
        while ((v = bits_u(&b, 8)) == 255 && !b.underflow) type += 255;
        type += (unsigned)v;
        while ((v = bits_u(&b, 8)) == 255 && !b.underflow) size += 255;
        size += (unsigned)v;
        if (b.underflow) return false;
        if (type == 6) return true;
        for (; size > 0 && !b.underflow; size--) bits_skip(&b, 8);
    }
    return false;
}

enum err h264_frame_parse(struct span frame, unsigned nal_size, struct h264_frame_info *out)
{
    struct h264_frame_info f = {0};
    struct span nal = SPAN_NULL;
    enum err e;
    unsigned count = 0;
    while ((e = nal_next(&frame, nal_size, &nal)) == E_OK) {
        if (++count > LIMIT_NALS_PER_FRAME) return E_LIMIT;
        switch (nal.p[0] & 0x1f) {
        case H264_IDR:
            f.idr = f.has_slice = true;
            break;
        case H264_SLICE:
            f.has_slice = true;
            break;
        case H264_SPS:
            f.has_sps = true;
            break;
        case H264_SEI:
            f.recovery = f.recovery || has_recovery_point(nal);
            break;
        default:
            break;
        }
    }
    if (e != E_NOTFOUND) return e;
    *out = f;
    return E_OK;
}

enum err h264_slice_type(struct span nal, unsigned *out)
{
    if (nal.len < 2) return E_PROTO;
    const unsigned type = nal.p[0] & 0x1f;
    if (type != H264_SLICE && type != H264_IDR && type != 2) return E_PROTO;
    struct bits b = bits_from(span_skip(nal, 1), true);
    (void)bits_ue(&b); /* first_mb_in_slice */
    const uint32_t v = bits_ue(&b);
    if (b.underflow || v > 9) return E_PROTO;
    *out = v % 5;
    return E_OK;
}
