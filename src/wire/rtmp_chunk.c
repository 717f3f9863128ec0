/* SPDX-License-Identifier: MIT */
/* OBS's first chunk after the handshake, Set Chunk Size 4096:
 *
 *   02 | 00 00 00 | 00 00 04 | 01 | 00 00 00 00 | 00 00 10 00
 *   fmt 0, csid 2 | time 0 | length 4 | type 1 | stream 0 | the payload */
#include "wire/rtmp_chunk.h"
#include "base/rd.h"

enum err rtmp_chunk_hdr_parse(struct span in, struct rtmp_chunk_hdr *out)
{
    struct rd r = rd_from(in);
    const uint8_t b0 = rd_u8(&r);
    struct rtmp_chunk_hdr h = {.fmt = b0 >> 6, .csid = b0 & 0x3f};

    if (h.csid == 0) {
        h.csid = 64u + rd_u8(&r);
    } else if (h.csid == 1) {
        h.csid = 64u + rd_u16le(&r);
    }
    if (h.fmt <= 2) h.ts_ms = rd_u24be(&r);
    if (h.fmt <= 1) {
        h.msg_len = rd_u24be(&r);
        h.msg_type = rd_u8(&r);
    }
    if (h.fmt == 0) h.msg_stream = rd_u32le(&r);
    if (h.ts_ms == RTMP_TS_EXT) {
        h.ext = true;
        h.ts_ms = rd_u32be(&r);
    }
    if (r.underflow) return E_MORE;
    h.size = (uint8_t)rd_used(&r);
    *out = h;
    return E_OK;
}

void rtmp_chunk_hdr_write(struct wr *w, const struct rtmp_chunk_hdr *h)
{
    const unsigned fmt = (unsigned)h->fmt << 6;
    const bool ext = h->fmt <= 2 ? h->ts_ms >= RTMP_TS_EXT : h->ext;

    if (h->csid < 64) {
        wr_u8(w, (uint8_t)(fmt | h->csid));
    } else if (h->csid < 64 + 256) {
        wr_u8(w, (uint8_t)fmt);
        wr_u8(w, (uint8_t)(h->csid - 64));
    } else {
        wr_u8(w, (uint8_t)(fmt | 1));
        wr_le(w, h->csid - 64, 2);
    }
    if (h->fmt <= 2) wr_u24be(w, ext ? RTMP_TS_EXT : h->ts_ms);
    if (h->fmt <= 1) {
        wr_u24be(w, h->msg_len);
        wr_u8(w, h->msg_type);
    }
    if (h->fmt == 0) wr_u32le(w, h->msg_stream);
    if (ext) wr_u32be(w, h->ts_ms);
}
