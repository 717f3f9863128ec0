/* SPDX-License-Identifier: MIT */
/* The first byte of a payload is F (1 bit), NRI (2), type (5): 1 to 23 one NAL unit; 24 STAP-A,
 * length (2) and NAL unit, repeated; 28 FU-A, a second byte start, end, 0, type, then a piece. */
#include "base/rd.h"
#include "wire/nal.h"
#include "wire/rtp_frame.h"
#include "wire/rtp_frame_priv.h"

enum { IDR = 5, SPS = 7, STAP_A = 24, FU_A = 28 };

static bool starts_key(unsigned type)
{
    return type == IDR || type == SPS;
}

struct rtp_peek rtp_peek_h264(struct span p)
{
    struct rtp_peek out = {.start = true};
    if (p.len < 2) return (struct rtp_peek){0};
    const unsigned type = p.p[0] & 0x1f;
    if (type == FU_A) {
        out.start = p.p[1] & 0x80;
        out.key = out.start && starts_key(p.p[1] & 0x1f);
    } else if (type == STAP_A) {
        struct rd r = rd_from(span_skip(p, 1));
        while (rd_left(&r) > 0) {
            const struct span nal = rd_span(&r, rd_u16be(&r));
            if (nal.len) out.key |= starts_key(nal.p[0] & 0x1f);
        }
    } else {
        out.key = starts_key(type);
    }
    return out;
}

static void put_nal(struct wr *w, struct span nal)
{
    wr_u32be(w, (uint32_t)nal.len);
    wr_str(w, nal);
}

static enum err join_stap(struct span p, struct wr *w)
{
    struct rd r = rd_from(span_skip(p, 1));
    while (rd_left(&r) > 0) {
        const struct span nal = rd_span(&r, rd_u16be(&r));
        if (r.underflow) return E_PROTO;
        if (nal.len) put_nal(w, nal);
    }
    return E_OK;
}

/* `open`: where the length of the NAL unit being joined stands; SIZE_MAX: none. */
static enum err join_fu(struct span p, size_t *open, struct wr *w)
{
    if (p.len < 2) return E_PROTO;
    const bool start = p.p[1] & 0x80, end = p.p[1] & 0x40;
    if (start != (*open == SIZE_MAX)) return E_PROTO;
    if (start) {
        *open = wr_used(w);
        wr_u32be(w, 0);
        wr_u8(w, (uint8_t)((p.p[0] & 0xe0) | (p.p[1] & 0x1f)));
    }
    wr_str(w, span_skip(p, 2));
    if (!end) return E_OK;
    const size_t len = wr_used(w) - *open - 4;
    if (!w->overflow)
        for (unsigned i = 0; i < 4; i++) w->start[*open + i] = (uint8_t)(len >> (24 - 8 * i));
    *open = SIZE_MAX;
    return E_OK;
}

enum err rtp_join_h264(const struct span *payloads, unsigned n, struct wr *w)
{
    size_t open = SIZE_MAX;
    for (unsigned i = 0; i < n; i++) {
        const struct span p = payloads[i];
        if (p.len == 0) continue;
        const unsigned type = p.p[0] & 0x1f;
        enum err e = E_OK;
        if (open != SIZE_MAX && type != FU_A) return E_PROTO;
        if (type == FU_A)
            e = join_fu(p, &open, w);
        else if (type == STAP_A)
            e = join_stap(p, w);
        else if (type > STAP_A || type == 0)
            e = E_UNSUPPORTED;
        else
            put_nal(w, p);
        if (e != E_OK) return e;
    }
    return open == SIZE_MAX ? E_OK : E_PROTO;
}

/* How many of the next NAL units fit into one STAP-A. */
static unsigned fitting(struct span frame, size_t mtu)
{
    size_t size = 1;
    unsigned n = 0;
    struct span nal = SPAN_NULL;
    while (nal_next(&frame, 4, &nal) == E_OK && size + 2 + nal.len <= mtu &&
           nal.len <= UINT16_MAX) {
        size += 2 + nal.len;
        n++;
    }
    return n;
}

static enum err put_stap(struct rtp_h264_cut *c, unsigned n, struct wr *w)
{
    uint8_t *first = w->p, importance = 0;
    wr_u8(w, STAP_A);
    for (unsigned i = 0; i < n; i++) {
        struct span nal = SPAN_NULL;
        const enum err e = nal_next(&c->frame, 4, &nal);
        if (e != E_OK) return e;
        if ((nal.p[0] & 0x60) > importance) importance = nal.p[0] & 0x60;
        wr_u16be(w, (uint16_t)nal.len);
        wr_str(w, nal);
    }
    if (!w->overflow) *first |= importance;
    return E_OK;
}

static void put_fu(struct rtp_h264_cut *c, struct wr *w)
{
    const bool end = c->nal.len <= c->piece;
    wr_u8(w, (uint8_t)((c->nal_byte & 0xe0) | FU_A));
    wr_u8(w, (uint8_t)((c->begun ? 0 : 0x80) | (end ? 0x40 : 0) | (c->nal_byte & 0x1f)));
    wr_str(w, span_head(c->nal, end ? c->nal.len : c->piece));
    c->nal = span_skip(c->nal, end ? c->nal.len : c->piece);
    c->begun = true;
}

static enum err next_payload(struct rtp_h264_cut *c, struct wr *w)
{
    struct span nal = SPAN_NULL;
    if (c->nal.len) {
        put_fu(c, w);
        return E_OK;
    }
    const unsigned n = fitting(c->frame, c->mtu);
    if (n > 1) return put_stap(c, n, w);
    const enum err e = nal_next(&c->frame, 4, &nal);
    if (e != E_OK) return e;
    if (nal.len <= c->mtu) {
        wr_str(w, nal);
        return E_OK;
    }
    c->nal_byte = nal.p[0];
    c->nal = span_skip(nal, 1);
    const size_t pieces = (c->nal.len + c->mtu - 3) / (c->mtu - 2);
    c->piece = (c->nal.len + pieces - 1) / pieces;
    c->begun = false;
    put_fu(c, w);
    return E_OK;
}

enum err rtp_h264_cut_next(struct rtp_h264_cut *c, struct wr *w, bool *last)
{
    struct span rest, nal = SPAN_NULL;
    const enum err e = next_payload(c, w);
    if (e != E_OK) return e;
    rest = c->frame; /* only empty units may be left */
    *last = c->nal.len == 0 && nal_next(&rest, 4, &nal) == E_NOTFOUND;
    return w->overflow ? E_LIMIT : E_OK;
}
