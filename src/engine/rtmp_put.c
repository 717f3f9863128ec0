/* SPDX-License-Identifier: MIT */
#include "engine/rtmp_put.h"

size_t rtmp_chunks_size(size_t body_len, uint32_t ts_ms, uint32_t chunk_size)
{
    const size_t ext = ts_ms >= RTMP_TS_EXT ? 4 : 0;
    const size_t chunks = body_len ? (body_len + chunk_size - 1) / chunk_size : 1;
    return 12 + ext + (chunks - 1) * (1 + ext) + body_len;
}

/* n bytes of head and body together, from both. */
static void put_two(struct wr *w, struct span *head, struct span *body, size_t n)
{
    const struct span a = span_head(*head, n), b = span_head(*body, n - a.len);
    wr_str(w, a);
    wr_str(w, b);
    *head = span_skip(*head, a.len);
    *body = span_skip(*body, b.len);
}

void rtmp_put_chunks(struct wr *w, uint32_t csid, enum rtmp_type type, uint32_t stream,
                     uint32_t ts_ms, struct span head, struct span body, uint32_t chunk_size)
{
    struct rtmp_chunk_hdr h = {
        .csid = csid,
        .msg_type = (uint8_t)type,
        .msg_stream = stream,
        .ts_ms = ts_ms,
        .msg_len = (uint32_t)(head.len + body.len),
        .ext = ts_ms >= RTMP_TS_EXT,
    };
    for (;;) {
        rtmp_chunk_hdr_write(w, &h);
        const size_t left = head.len + body.len;
        put_two(w, &head, &body, left < chunk_size ? left : chunk_size);
        if (left <= chunk_size) return;
        h.fmt = 3;
    }
}

void rtmp_put_message(struct str *out, uint32_t csid, enum rtmp_type type, uint32_t stream,
                      uint32_t ts_ms, struct span body, uint32_t chunk_size)
{
    const size_t size = rtmp_chunks_size(body.len, ts_ms, chunk_size);
    str_reserve(out, size);
    struct wr w = wr_to(out->p + out->len, size);
    rtmp_put_chunks(&w, csid, type, stream, ts_ms, SPAN_NULL, body, chunk_size);
    out->len += wr_used(&w);
}

static void put_control(struct str *out, enum rtmp_type type, const struct wr *w)
{
    rtmp_put_message(out, RTMP_CS_CONTROL, type, 0, 0, wr_span(w), 128);
}

void rtmp_put_number(struct str *out, enum rtmp_type type, uint32_t n)
{
    uint8_t b[4];
    struct wr w = wr_to(b, sizeof b);
    wr_u32be(&w, n);
    put_control(out, type, &w);
}

void rtmp_put_peer_bandwidth(struct str *out, uint32_t n)
{
    uint8_t b[5];
    struct wr w = wr_to(b, sizeof b);
    wr_u32be(&w, n);
    wr_u8(&w, 2); /* dynamic */
    put_control(out, RTMP_SET_PEER_BANDWIDTH, &w);
}

void rtmp_put_user_control(struct str *out, enum rtmp_control event, uint32_t value)
{
    uint8_t b[6];
    struct wr w = wr_to(b, sizeof b);
    wr_u16be(&w, (uint16_t)event);
    wr_u32be(&w, value);
    put_control(out, RTMP_USER_CONTROL, &w);
}
