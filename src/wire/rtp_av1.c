/* SPDX-License-Identifier: MIT */
/* Aggregation header (AV1 RTP, 4.4): Z Y W(2) N 000. Z: the first element goes on from the packet
 * before; Y: the last goes on in the next; W: number of elements, the last of them without length,
 * or 0: all have one (leb128); N: first packet of a coded video sequence. An element is an OBU, or
 * a piece of one, usually without size field. */
#include "base/rd.h"
#include "wire/rtp_frame_priv.h"

#define TEMPORAL_DELIMITER 2
#define TILE_LIST          8

static size_t leb128(struct rd *r)
{
    size_t v = 0;
    for (unsigned i = 0; i < 4; i++) { /* 28 bits: more than any frame */
        const uint8_t b = rd_u8(r);
        v |= (size_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) return v;
    }
    r->underflow = true;
    return 0;
}

struct rtp_peek rtp_peek_av1(struct span p)
{
    if (p.len < 2) return (struct rtp_peek){0};
    const bool start = !(p.p[0] & 0x80);
    return (struct rtp_peek){.start = start, .key = start && (p.p[0] & 8)};
}

/* The size field takes four bytes, so that it can be set when the OBU is whole. */
static void set_size(struct wr *w, size_t at)
{
    const size_t n = wr_used(w) - at - 4;
    if (w->overflow) return;
    for (unsigned i = 0; i < 4; i++)
        w->start[at + i] = (uint8_t)((n >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
}

/* The OBU that is being joined. */
struct open_obu {
    bool is, skip; /* skip: temporal delimiters and tile lists are not kept */
    size_t size_at;
};

static enum err begin_obu(struct rd *r, struct open_obu *o, struct wr *w)
{
    const uint8_t b = rd_u8(r);
    const unsigned type = b >> 3 & 15;
    o->is = true;
    o->skip = type == TEMPORAL_DELIMITER || type == TILE_LIST;
    const uint8_t ext = b & 4 ? rd_u8(r) : 0;
    if (b & 2) (void)leb128(r); /* a size is allowed, and says what we know */
    if (r->underflow) return E_PROTO;
    if (o->skip) return E_OK;
    wr_u8(w, b | 2);
    if (b & 4) wr_u8(w, ext);
    o->size_at = wr_used(w);
    wr_u32be(w, 0);
    return E_OK;
}

static enum err element(struct span e, bool goes_on, struct open_obu *o, struct wr *w)
{
    struct rd r = rd_from(e);
    if (!o->is) {
        if (e.len == 0) return E_OK;
        const enum err err = begin_obu(&r, o, w);
        if (err != E_OK) return err;
    }
    if (!o->skip) wr_str(w, rd_rest(&r));
    if (goes_on) return E_OK;
    if (!o->skip) set_size(w, o->size_at);
    o->is = false;
    return E_OK;
}

static enum err packet(struct span p, struct open_obu *o, struct wr *w)
{
    struct rd r = rd_from(p);
    const uint8_t h = rd_u8(&r);
    const unsigned count = h >> 4 & 3;
    if (r.underflow || o->is != (bool)(h & 0x80)) return E_PROTO;
    for (unsigned i = 0; rd_left(&r) > 0; i++) {
        const bool unsized = count && i + 1 == count;
        const size_t n = unsized ? rd_left(&r) : leb128(&r);
        const struct span e = rd_span(&r, n);
        if (r.underflow) return E_PROTO;
        const enum err err = element(e, rd_left(&r) == 0 && (h & 0x40), o, w);
        if (err != E_OK) return err;
    }
    return E_OK;
}

enum err rtp_join_av1(const struct span *payloads, unsigned n, struct wr *w)
{
    struct open_obu o = {0};
    for (unsigned i = 0; i < n; i++) {
        const enum err e = packet(payloads[i], &o, w);
        if (e != E_OK) return e;
    }
    return o.is ? E_PROTO : E_OK;
}
