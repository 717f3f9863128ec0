/* SPDX-License-Identifier: MIT */
/* A packet (RFC 3550, 5.1):
 *
 *   offset  size
 *   0       1     10, padding, extension, number of CSRCs (4 bits)
 *   1       1     marker, payload type (7 bits)
 *   2       2     sequence number
 *   4       4     timestamp
 *   8       4     SSRC
 *   12      .     CSRCs, 4 bytes each
 *   .       .     extension: profile (2), length in 4-byte words (2), elements
 *   .       .     payload, padding (its last byte counts itself) */
#include "wire/rtp.h"
#include "base/rd.h"

#define ONE_BYTE 0xbede

bool rtcp_is(struct span in)
{
    return in.len >= 2 && in.p[0] >> 6 == 2 && in.p[1] >= 192 && in.p[1] <= 223;
}

bool rtp_is(struct span in)
{
    return in.len >= RTP_HEADER && in.p[0] >> 6 == 2 && !rtcp_is(in);
}

enum err rtp_parse(struct span in, struct rtp *out)
{
    struct rd r = rd_from(in);
    struct rtp p = {0};
    const uint8_t b0 = rd_u8(&r), b1 = rd_u8(&r);
    if (in.len > 0 && b0 >> 6 != 2) return E_PROTO;
    p.padded = b0 & 0x20;
    p.marker = b1 & 0x80;
    p.pt = b1 & 0x7f;
    p.seq = rd_u16be(&r);
    p.ts = rd_u32be(&r);
    p.ssrc = rd_u32be(&r);
    rd_skip(&r, (size_t)(b0 & 0xf) * 4);
    if (b0 & 0x10) {
        p.ext_profile = rd_u16be(&r);
        p.ext = rd_span(&r, (size_t)rd_u16be(&r) * 4);
    }
    if (r.underflow) return E_MORE;
    p.header_len = rd_used(&r);
    p.payload = rd_rest(&r);
    *out = p;
    return E_OK;
}

enum err rtp_unpad(struct rtp *p)
{
    if (!p->padded) return E_OK;
    if (p->payload.len == 0) return E_PROTO;
    const size_t n = p->payload.p[p->payload.len - 1];
    if (n == 0 || n > p->payload.len) return E_PROTO;
    p->payload.len -= n;
    p->padded = false;
    return E_OK;
}

struct span rtp_ext(const struct rtp *p, uint8_t id)
{
    const bool one = p->ext_profile == ONE_BYTE, two = p->ext_profile >> 4 == 0x100;
    struct rd r = rd_from(p->ext);
    while ((one || two) && id && rd_left(&r) > 0) {
        const uint8_t b = rd_u8(&r);
        if (b == 0) continue; /* padding between elements */
        const uint8_t got = one ? b >> 4 : b;
        if (one && got == 15) break; /* reserved: the rest is not to be read */
        const size_t n = one ? (b & 0xfu) + 1 : rd_u8(&r);
        const struct span v = rd_span(&r, n);
        if (r.underflow) break;
        if (got == id) return v;
    }
    return SPAN_NULL;
}

void rtp_write(struct wr *w, const struct rtp *p, bool has_ext)
{
    wr_u8(w, (uint8_t)(0x80 | (p->padded ? 0x20 : 0) | (has_ext ? 0x10 : 0)));
    wr_u8(w, (uint8_t)((p->marker ? 0x80 : 0) | p->pt));
    wr_u16be(w, p->seq);
    wr_u32be(w, p->ts);
    wr_u32be(w, p->ssrc);
}

size_t rtp_ext_begin(struct wr *w)
{
    wr_u16be(w, ONE_BYTE);
    wr_u16be(w, 0);
    return wr_used(w);
}

void rtp_ext_put(struct wr *w, uint8_t id, struct span value)
{
    wr_u8(w, (uint8_t)(id << 4 | (value.len - 1)));
    wr_str(w, value);
}

void rtp_ext_end(struct wr *w, size_t mark)
{
    while ((wr_used(w) - mark) % 4 != 0 && !w->overflow) wr_u8(w, 0);
    if (w->overflow) return;
    const size_t words = (wr_used(w) - mark) / 4;
    w->start[mark - 2] = (uint8_t)(words >> 8);
    w->start[mark - 1] = (uint8_t)words;
}
