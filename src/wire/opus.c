/* SPDX-License-Identifier: MIT */
/* OpusHead, little-endian: "OpusHead" (8), version (1), channels (1), pre-skip (2), input rate
 * (4), gain (2), family (1); family other than 0: streams (1), coupled (1), map (channels). */
#include "wire/opus.h"
#include "base/rd.h"

enum err opus_head_parse(struct span in, struct opus_head *out)
{
    struct rd r = rd_from(in);
    struct opus_head h = {0};
    rd_skip(&r, 8);
    if (memcmp(in.len ? in.p : (const uint8_t *)"", "OpusHead", in.len < 8 ? in.len : 8) != 0) {
        return E_PROTO;
    }
    const uint8_t version = rd_u8(&r);
    h.channels = rd_u8(&r);
    h.pre_skip = rd_u16le(&r);
    h.input_rate = rd_u32le(&r);
    h.gain = (int16_t)rd_u16le(&r);
    h.family = rd_u8(&r);
    if (!r.underflow && h.family != 0) h.mapping = rd_span(&r, 2u + h.channels);
    if (r.underflow) return E_MORE;
    if (version >> 4 != 0) return E_UNSUPPORTED;
    if (h.channels == 0 || (h.family == 0 && h.channels > 2)) return E_PROTO;
    *out = h;
    return E_OK;
}

void opus_head_build(const struct opus_head *h, struct wr *w)
{
    wr_bytes(w, "OpusHead", 8);
    wr_u8(w, 1);
    wr_u8(w, h->channels);
    wr_le(w, h->pre_skip, 2);
    wr_u32le(w, h->input_rate);
    wr_le(w, (uint16_t)h->gain, 2);
    wr_u8(w, h->family);
    wr_str(w, h->mapping);
}

void opus_dops_build(const struct opus_head *h, struct wr *w)
{
    wr_u8(w, 0);
    wr_u8(w, h->channels);
    wr_u16be(w, h->pre_skip);
    wr_u32be(w, h->input_rate);
    wr_u16be(w, (uint16_t)h->gain);
    wr_u8(w, h->family);
    wr_str(w, h->mapping);
}

/* TOC: configuration (5 bits), stereo (1), count code (2). Configurations 0 to 11 are SILK with
 * 10, 20, 40, 60 ms; 12 to 15 hybrid with 10, 20; 16 to 31 CELT with 2.5, 5, 10, 20. */
enum err opus_packet_samples(struct span packet, unsigned *out)
{
    if (packet.len == 0) return E_PROTO;
    const unsigned config = packet.p[0] >> 3, code = packet.p[0] & 3;
    unsigned samples;
    if (config < 12)
        samples = (config & 3) == 3 ? 2880 : 480u << (config & 3);
    else if (config < 16)
        samples = 480u << (config & 1);
    else
        samples = 120u << (config & 3);
    unsigned frames = code == 0 ? 1 : 2;
    if (code == 3) {
        if (packet.len < 2) return E_PROTO;
        frames = packet.p[1] & 63u;
    }
    if (frames == 0 || samples * frames > OPUS_SAMPLES_MAX) return E_PROTO;
    *out = samples * frames;
    return E_OK;
}
