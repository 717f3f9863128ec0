/* SPDX-License-Identifier: MIT */
/* VP8 payload (RFC 7741, 4.2):               VP9 payload (RFC 9628, 4.2), flexible or not:
 *   X R N S R PID(3)                           I P L F B E V Z
 *   X: I L T K RSV(4)                          I: M, picture id (7, or 15 with M)
 *   I: M, picture id (7, or 15 with M)         L: TID(3) U SID(3) D; not F: TL0PICIDX
 *   L: TL0PICIDX                               F and P: up to 3 of P_DIFF(7) N
 *   T or K: TID(2) Y KEYIDX(5)                 V: N_S(3) Y G; sizes; groups of pictures
 * Then the codec's own bytes. */
#include "base/rd.h"
#include "wire/rtp_frame_priv.h"

static void skip_picture_id(struct rd *r)
{
    if (rd_u8(r) & 0x80) rd_skip(r, 1);
}

struct vp8 {
    bool start; /* of the first partition, so of the frame */
    struct span data;
};

static enum err vp8_descriptor(struct span p, struct vp8 *out)
{
    struct rd r = rd_from(p);
    const uint8_t b = rd_u8(&r);
    if (b & 0x80) {
        const uint8_t x = rd_u8(&r);
        if (x & 0x80) skip_picture_id(&r);
        if (x & 0x40) rd_skip(&r, 1);
        if (x & 0x30) rd_skip(&r, 1);
    }
    if (r.underflow) return E_PROTO;
    out->start = (b & 0x10) && (b & 7) == 0;
    out->data = rd_rest(&r);
    return E_OK;
}

struct rtp_peek rtp_peek_vp8(struct span p)
{
    struct vp8 d = {0};
    if (vp8_descriptor(p, &d) != E_OK || d.data.len == 0) return (struct rtp_peek){0};
    return (struct rtp_peek){.start = d.start, .key = d.start && !(d.data.p[0] & 1)};
}

enum err rtp_join_vp8(const struct span *payloads, unsigned n, struct wr *w)
{
    for (unsigned i = 0; i < n; i++) {
        struct vp8 d = {0};
        const enum err e = vp8_descriptor(payloads[i], &d);
        if (e != E_OK) return e;
        if ((i == 0) != d.start) return E_PROTO;
        wr_str(w, d.data);
    }
    return E_OK;
}

struct vp9 {
    bool start, end; /* of a layer's frame */
    bool predicted;
    unsigned spatial;
    struct span data;
};

static void skip_structure(struct rd *r)
{
    const uint8_t v = rd_u8(r);
    if (v & 0x10) rd_skip(r, ((v >> 5) + 1u) * 4);
    const unsigned groups = v & 8 ? rd_u8(r) : 0;
    for (unsigned i = 0; i < groups; i++) rd_skip(r, rd_u8(r) >> 2 & 3);
}

static enum err vp9_descriptor(struct span p, struct vp9 *out)
{
    struct rd r = rd_from(p);
    const uint8_t b = rd_u8(&r);
    *out = (struct vp9){.start = b & 8, .end = b & 4, .predicted = b & 0x40};
    if (b & 0x80) skip_picture_id(&r);
    if (b & 0x20) {
        out->spatial = rd_u8(&r) >> 1 & 7;
        if (!(b & 0x10)) rd_skip(&r, 1);
    }
    if ((b & 0x50) == 0x50)
        for (unsigned i = 0; i < 3 && rd_u8(&r) & 1; i++) continue;
    if (b & 2) skip_structure(&r);
    out->data = rd_rest(&r);
    return r.underflow ? E_PROTO : E_OK;
}

struct rtp_peek rtp_peek_vp9(struct span p)
{
    struct vp9 d;
    if (vp9_descriptor(p, &d) != E_OK || d.data.len == 0) return (struct rtp_peek){0};
    const bool start = d.start && d.spatial == 0;
    return (struct rtp_peek){.start = start, .key = start && !d.predicted};
}

/* One spatial layer: with more, the frames of a picture would need a superframe's index. */
enum err rtp_join_vp9(const struct span *payloads, unsigned n, struct wr *w)
{
    for (unsigned i = 0; i < n; i++) {
        struct vp9 d;
        const enum err e = vp9_descriptor(payloads[i], &d);
        if (e != E_OK) return e;
        if (d.spatial > 0) return E_UNSUPPORTED;
        if ((i == 0) != d.start || (i + 1 == n) != d.end) return E_PROTO;
        wr_str(w, d.data);
    }
    return E_OK;
}

/* --- counters --- */

/* Where they are; 0: nowhere (the first byte is neither). */
struct places {
    size_t picture, tl0;
    bool wide;
};

static struct places find(enum rtp_format f, const uint8_t *p, size_t len)
{
    struct places at = {0};
    const bool eight = f == RTP_VP8;
    if (len < 4 || (!eight && f != RTP_VP9)) return at;
    if (eight && !(p[0] & 0x80)) return at;
    const uint8_t flags = eight ? p[1] : p[0];
    if (!(flags & 0x80)) return at;
    at.picture = eight ? 2 : 1;
    at.wide = p[at.picture] & 0x80;
    size_t next = at.picture + (at.wide ? 2 : 1);
    if (eight && (flags & 0x40)) at.tl0 = next;
    if (!eight && (flags & 0x20) && !(flags & 0x10)) at.tl0 = next + 1;
    return at.tl0 >= len || next > len ? (struct places){0} : at;
}

bool rtp_vpx_ids(enum rtp_format f, struct span payload, struct rtp_vpx_ids *out)
{
    const struct places at = find(f, payload.p, payload.len);
    if (!at.picture) return false;
    const uint8_t *p = payload.p + at.picture;
    out->picture = at.wide ? (uint16_t)((p[0] & 0x7f) << 8 | p[1]) : p[0];
    out->has_tl0 = at.tl0;
    out->tl0 = at.tl0 ? payload.p[at.tl0] : 0;
    return true;
}

void rtp_vpx_add(enum rtp_format f, uint8_t *payload, size_t len, uint16_t picture, uint8_t tl0)
{
    const struct places at = find(f, payload, len);
    struct rtp_vpx_ids ids;
    if (!rtp_vpx_ids(f, span_of(payload, len), &ids)) return;
    const unsigned sum = ids.picture + picture;
    if (at.wide) {
        payload[at.picture] = (uint8_t)(0x80 | (sum >> 8 & 0x7f));
        payload[at.picture + 1] = (uint8_t)sum;
    } else {
        payload[at.picture] = sum & 0x7f;
    }
    if (at.tl0) payload[at.tl0] = (uint8_t)(ids.tl0 + tl0);
}
