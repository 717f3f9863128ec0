/* SPDX-License-Identifier: MIT */
#include "wire/aac.h"
#include "wire/bits.h"

static const uint32_t RATES[13] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                   22050, 16000, 12000, 11025, 8000,  7350};
static const uint8_t CHANNELS[16] = {0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8, 0};

static uint8_t object_type(struct bits *b)
{
    const uint8_t t = (uint8_t)bits_u(b, 5);
    return t == 31 ? (uint8_t)(32 + bits_u(b, 6)) : t;
}

/* 0: reserved. */
static uint32_t frequency(struct bits *b)
{
    const unsigned i = (unsigned)bits_u(b, 4);
    if (i == 15) return (uint32_t)bits_u(b, 24);
    return i < 13 ? RATES[i] : 0;
}

/* program_config_element(): the number of channels it adds up to. */
static unsigned program_config(struct bits *b)
{
    bits_skip(b, 4 + 2 + 4);
    const unsigned front = (unsigned)bits_u(b, 4), side = (unsigned)bits_u(b, 4);
    const unsigned back = (unsigned)bits_u(b, 4), lfe = (unsigned)bits_u(b, 2);
    const unsigned assoc = (unsigned)bits_u(b, 3), coupling = (unsigned)bits_u(b, 4);
    if (bits_flag(b)) bits_skip(b, 4);
    if (bits_flag(b)) bits_skip(b, 4);
    if (bits_flag(b)) bits_skip(b, 3);
    unsigned n = lfe;
    for (unsigned i = 0; i < front + side + back; i++) {
        n += bits_flag(b) ? 2 : 1;
        bits_skip(b, 4);
    }
    bits_skip(b, 4 * lfe + 4 * assoc + 5 * coupling);
    /* byte_alignment() and a comment follow; nothing of ours is behind them. */
    return n;
}

static bool is_ga(unsigned type)
{
    return (type >= 1 && type <= 4) || type == 6 || type == 7 || type == 17 ||
           (type >= 19 && type <= 23);
}

/* 960 instead of 1024 samples, the channels when they are written out. */
static void ga_config(struct bits *b, struct aac_config *c, unsigned channel_config)
{
    const bool short_frame = bits_flag(b);
    if (bits_flag(b)) bits_skip(b, 14);
    const bool extension = bits_flag(b);
    if (channel_config == 0) {
        const unsigned n = program_config(b);
        c->channels = n <= 48 ? (uint8_t)n : 0;
    }
    if (c->core_type == 6 || c->core_type == 20) bits_skip(b, 3);
    if (extension) {
        if (c->core_type == 22)
            bits_skip(b, 5 + 11);
        else if (c->core_type == 17 || (c->core_type >= 19 && c->core_type <= 23))
            bits_skip(b, 3);
        bits_skip(b, 1);
    }
    c->samples = short_frame ? 960 : 1024;
}

/* Backward compatible signalling (1.6.5.3): sync words behind the core's configuration. A decoder
 * that does not know them stops before, so bits that do not fit are not an error. */
static void sync_extension(struct bits *b, struct aac_config *c)
{
    struct bits probe = *b;
    if (bits_u(&probe, 11) != 0x2b7 || object_type(&probe) != AAC_SBR || probe.underflow) return;
    if (!bits_flag(&probe)) return;
    const uint32_t rate = frequency(&probe);
    if (probe.underflow || rate == 0) return;
    c->sbr = true;
    c->sample_rate = rate;
    c->object_type = AAC_SBR;
    if (bits_u(&probe, 11) == 0x548 && bits_flag(&probe) && !probe.underflow) c->ps = true;
}

enum err aac_config_parse(struct span in, struct aac_config *out)
{
    struct bits b = bits_from(in, false);
    struct aac_config c = {0};
    c.core_type = c.object_type = object_type(&b);
    c.core_rate = c.sample_rate = frequency(&b);
    const unsigned channel_config = (unsigned)bits_u(&b, 4);
    if (b.underflow) return E_MORE;
    if (c.core_rate == 0) return E_PROTO;
    c.channels = CHANNELS[channel_config];
    if (c.object_type == AAC_SBR || c.object_type == AAC_PS) {
        c.sbr = true;
        c.ps = c.object_type == AAC_PS;
        c.sample_rate = frequency(&b);
        c.core_type = object_type(&b);
        if (b.underflow) return E_MORE;
        if (c.sample_rate == 0) return E_PROTO;
    }
    if (!is_ga(c.core_type)) return E_UNSUPPORTED;
    ga_config(&b, &c, channel_config);
    if (b.underflow) return E_MORE;
    if (!c.sbr) sync_extension(&b, &c);
    if (c.ps) c.object_type = AAC_PS;
    if (c.ps && c.channels == 1) c.channels = 2;
    if (c.sbr && c.sample_rate == 2 * c.core_rate) c.samples *= 2;
    if (c.channels == 0) return E_UNSUPPORTED;
    *out = c;
    return E_OK;
}

bool aac_config_build(uint32_t sample_rate, uint8_t channels, struct wr *w)
{
    unsigned index = 0;
    while (index < 13 && RATES[index] != sample_rate) index++;
    const unsigned config = channels == 8 ? 7 : channels;
    if (index == 13 || config == 0 || config > 7) return false;
    wr_u16be(w, (uint16_t)(AAC_LC << 11 | index << 7 | config << 3));
    return true;
}

enum err adts_parse(struct span in, struct adts_header *out)
{
    if (in.len < 7) return E_MORE;
    struct bits b = bits_from(in, false);
    struct adts_header h = {0};
    if (bits_u(&b, 12) != 0xfff) return E_PROTO;
    bits_skip(&b, 1); /* MPEG-4 or MPEG-2: the same to us */
    if (bits_u(&b, 2) != 0) return E_PROTO;
    const bool no_crc = bits_flag(&b);
    h.object_type = (uint8_t)(bits_u(&b, 2) + 1);
    h.rate_index = (uint8_t)bits_u(&b, 4);
    bits_skip(&b, 1);
    h.channel_config = (uint8_t)bits_u(&b, 3);
    bits_skip(&b, 4);
    h.frame_len = (size_t)bits_u(&b, 13);
    bits_skip(&b, 11);
    h.blocks = (unsigned)bits_u(&b, 2) + 1;
    h.header_len = no_crc ? 7 : 9;
    if (h.rate_index >= 13 || h.frame_len < h.header_len) return E_PROTO;
    h.sample_rate = RATES[h.rate_index];
    *out = h;
    return E_OK;
}
