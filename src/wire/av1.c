/* SPDX-License-Identifier: MIT */
/* OBU header (5.3.2): 0 (1 bit), type (4), extension (1), has size (1), 0 (1);
 *   extension: temporal id (3), spatial id (2), 0 (3); size: leb128.
 * av1C: 1 and version 1 (7 bits); profile (3), level (5); tier (1), high depth (1), twelve (1),
 *   mono (1), subsampling x, y, chroma position (2); delay (8); OBUs. As SVT-AV1 made it:
 *   81 00 0c 00  0a 0b 00 00 00 04 3c ff bc ... */
#include "wire/av1.h"
#include "base/limits.h"
#include "base/rd.h"
#include "wire/bits.h"
#include <stdio.h>

static bool leb128(struct rd *r, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        const uint8_t b = rd_u8(r);
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            *out = v;
            return !r->underflow && v <= UINT32_MAX;
        }
    }
    return false;
}

enum err av1_obu_next(struct span *rest, struct av1_obu *out)
{
    if (rest->len == 0) return E_NOTFOUND;
    struct rd r = rd_from(*rest);
    const uint8_t h = rd_u8(&r);
    struct av1_obu o = {.type = h >> 3 & 15};
    if (h & 0x80) return E_PROTO;
    if (h & 0x04) {
        const uint8_t ext = rd_u8(&r);
        o.temporal_id = ext >> 5;
        o.spatial_id = ext >> 3 & 3;
    }
    uint64_t size = rd_left(&r);
    if ((h & 0x02) && !leb128(&r, &size)) return E_PROTO;
    o.payload = rd_span(&r, (size_t)size);
    if (r.underflow) return E_PROTO;
    o.whole = span_head(*rest, rd_used(&r));
    *rest = span_skip(*rest, rd_used(&r));
    *out = o;
    return E_OK;
}

static uint32_t uvlc(struct bits *b)
{
    return bits_ue(b); /* the same code; 32 zeros or more do not occur in what we use */
}

static bool timing_info(struct bits *b, struct av1_seq *s)
{
    const uint64_t units = bits_u(b, 32), scale = bits_u(b, 32);
    uint64_t ticks = 1;
    if (bits_flag(b)) ticks = (uint64_t)uvlc(b) + 1;
    if (units && scale && units * ticks / 1000 <= scale) {
        s->fps_milli = (uint32_t)((scale * 1000 + units * ticks / 2) / (units * ticks));
    }
    return bits_flag(b); /* decoder_model_info_present */
}

static void operating_points(struct bits *b, struct av1_seq *s)
{
    bool model = false;
    unsigned delay_bits = 0;
    s->fps_milli = 0;
    if (bits_flag(b)) {
        model = timing_info(b, s);
        if (model) {
            delay_bits = (unsigned)bits_u(b, 5) + 1;
            bits_skip(b, 32 + 5 + 5);
        }
    }
    const bool initial_delay = bits_flag(b);
    const unsigned n = (unsigned)bits_u(b, 5) + 1;
    for (unsigned i = 0; i < n; i++) {
        bits_skip(b, 12);
        const uint8_t level = (uint8_t)bits_u(b, 5);
        const uint8_t tier = level > 7 ? (uint8_t)bits_u(b, 1) : 0;
        if (i == 0) {
            s->level = level;
            s->tier = tier;
        }
        if (model && bits_flag(b)) bits_skip(b, 2 * delay_bits + 1);
        if (initial_delay && bits_flag(b)) bits_skip(b, 4);
    }
}

/* Between the size and the colour: tools that we only have to step over (5.5.1). */
static void tools(struct bits *b, struct av1_seq *s)
{
    if (!s->reduced_still && bits_flag(b)) bits_skip(b, 4 + 3); /* frame ids */
    bits_skip(b, 3);
    if (!s->reduced_still) {
        bits_skip(b, 4);
        const bool order_hint = bits_flag(b);
        if (order_hint) bits_skip(b, 2);
        const unsigned screen = bits_flag(b) ? 2 : (unsigned)bits_u(b, 1);
        if (screen > 0 && !bits_flag(b)) bits_skip(b, 1);
        if (order_hint) bits_skip(b, 3);
    }
    bits_skip(b, 3);
}

static void color_config(struct bits *b, struct av1_seq *s)
{
    const bool high = bits_flag(b);
    s->bit_depth = high ? 10 : 8;
    if (s->profile == 2 && high && bits_flag(b)) s->bit_depth = 12;
    s->mono = s->profile != 1 && bits_flag(b);
    s->has_color = bits_flag(b);
    s->primaries = s->transfer = s->matrix = 2;
    if (s->has_color) {
        s->primaries = (uint8_t)bits_u(b, 8);
        s->transfer = (uint8_t)bits_u(b, 8);
        s->matrix = (uint8_t)bits_u(b, 8);
    }
    s->subsampling_x = s->subsampling_y = true;
    if (s->mono) {
        s->full_range = bits_flag(b);
    } else if (s->primaries == 1 && s->transfer == 13 && s->matrix == 0) { /* sRGB */
        s->full_range = true;
        s->subsampling_x = s->subsampling_y = false;
    } else {
        s->full_range = bits_flag(b);
        if (s->profile == 1) {
            s->subsampling_x = s->subsampling_y = false;
        } else if (s->profile == 2) {
            s->subsampling_x = s->bit_depth != 12 || bits_flag(b);
            s->subsampling_y = s->bit_depth == 12 && s->subsampling_x && bits_flag(b);
        }
        if (s->subsampling_x && s->subsampling_y) s->chroma_position = (uint8_t)bits_u(b, 2);
    }
}

enum err av1_seq_parse(struct span payload, struct av1_seq *out)
{
    struct bits b = bits_from(payload, false);
    struct av1_seq s = {0};
    s.profile = (uint8_t)bits_u(&b, 3);
    s.still = bits_flag(&b);
    s.reduced_still = bits_flag(&b);
    if (s.profile > 2 || (s.reduced_still && !s.still)) return E_PROTO;
    if (s.reduced_still)
        s.level = (uint8_t)bits_u(&b, 5);
    else
        operating_points(&b, &s);
    const unsigned wbits = (unsigned)bits_u(&b, 4) + 1, hbits = (unsigned)bits_u(&b, 4) + 1;
    const uint32_t w = (uint32_t)bits_u(&b, wbits) + 1, h = (uint32_t)bits_u(&b, hbits) + 1;
    tools(&b, &s);
    color_config(&b, &s);
    if (b.underflow) return E_PROTO;
    if (w > LIMIT_VIDEO_SIDE || h > LIMIT_VIDEO_SIDE) return E_LIMIT;
    s.width = (uint16_t)w;
    s.height = (uint16_t)h;
    *out = s;
    return E_OK;
}

enum err av1_seq_find(struct span obus, struct av1_seq *out, struct span *obu)
{
    struct av1_obu o;
    for (unsigned n = 0; n < LIMIT_NALS_PER_FRAME; n++) {
        const enum err e = av1_obu_next(&obus, &o);
        if (e != E_OK) return e;
        if (o.type != AV1_SEQUENCE_HEADER) continue;
        if (obu) *obu = o.payload;
        return av1_seq_parse(o.payload, out);
    }
    return E_NOTFOUND;
}

enum err av1_config_parse(struct span in, struct av1_config *out)
{
    if (in.len > 0 && in.p[0] != 0x81) return E_PROTO;
    if (in.len < 4) return E_MORE;
    struct bits b = bits_from(span_skip(in, 1), false);
    struct av1_config c = {0};
    c.profile = (uint8_t)bits_u(&b, 3);
    c.level = (uint8_t)bits_u(&b, 5);
    c.tier = (uint8_t)bits_u(&b, 1);
    const bool high = bits_flag(&b), twelve = bits_flag(&b);
    c.bit_depth = high ? (twelve ? 12 : 10) : 8;
    c.mono = bits_flag(&b);
    c.subsampling_x = bits_flag(&b);
    c.subsampling_y = bits_flag(&b);
    c.chroma_position = (uint8_t)bits_u(&b, 2);
    c.obus = span_skip(in, 4);
    if (c.profile > 2) return E_PROTO;
    *out = c;
    return E_OK;
}

void av1_config_build(const struct av1_seq *s, struct span obu, struct wr *w)
{
    const bool high = s->bit_depth > 8, twelve = s->bit_depth == 12;
    wr_u8(w, 0x81);
    wr_u8(w, (uint8_t)(s->profile << 5 | s->level));
    wr_u8(w, (uint8_t)(s->tier << 7 | high << 6 | twelve << 5 | s->mono << 4 |
                       s->subsampling_x << 3 | s->subsampling_y << 2 | s->chroma_position));
    wr_u8(w, 0);
    wr_u8(w, AV1_SEQUENCE_HEADER << 3 | 2);
    for (size_t n = obu.len;; n >>= 7) {
        wr_u8(w, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
        if (n <= 0x7f) break;
    }
    wr_str(w, obu);
}

void av1_codecs_string(const struct av1_config *c, const struct av1_seq *seq, char *out, size_t cap)
{
    const int n = snprintf(out, cap, "av01.%u.%02u%c.%02u", c->profile, c->level,
                           c->tier ? 'H' : 'M', c->bit_depth);
    if (!seq || !seq->has_color || n < 0 || (size_t)n >= cap) return;
    snprintf(out + n, cap - (size_t)n, ".%u.%u%u%u.%02u.%02u.%02u.%u", c->mono, c->subsampling_x,
             c->subsampling_y, c->subsampling_x && c->subsampling_y ? c->chroma_position : 0,
             seq->primaries, seq->transfer, seq->matrix, seq->full_range);
}

/* uncompressed_header() begins (5.9.2): show_existing_frame, frame_type (2), show_frame. */
enum err av1_frame_is_key(struct span frame, bool need_seq, bool *out)
{
    struct av1_obu o;
    struct av1_seq seq = {0};
    bool have_seq = false;
    for (unsigned n = 0; n < LIMIT_NALS_PER_FRAME; n++) {
        const enum err e = av1_obu_next(&frame, &o);
        if (e == E_NOTFOUND) break;
        if (e != E_OK) return e;
        if (o.type == AV1_SEQUENCE_HEADER) {
            const enum err s = av1_seq_parse(o.payload, &seq);
            if (s != E_OK) return s;
            have_seq = true;
        }
        if (o.type != AV1_FRAME && o.type != AV1_FRAME_HEADER) continue;
        if (o.payload.len == 0) return E_PROTO;
        const uint8_t h = o.payload.p[0];
        const bool key = seq.reduced_still || (h & 0xf0) == 0x10; /* 0, 00, 1 */
        *out = key && (have_seq || !need_seq);
        return E_OK;
    }
    *out = false;
    return E_OK;
}
