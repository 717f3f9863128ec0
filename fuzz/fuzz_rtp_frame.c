/* SPDX-License-Identifier: MIT */
/* First byte: the format, or 5 for a frame of H.264 to be cut, 6 to 8 of VP8, VP9 and AV1; then
 * payloads, each behind its length in two bytes. */
#include "base/rd.h"
#include "base/xalloc.h"
#include "engine/rtc_picture.h"
#include "wire/nal.h"
#include "wire/rtp_cut.h"
#include "wire/rtp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOADS 64

/* What is cut is joined to the same units. */
static void cut(struct span in)
{
    const size_t mtu = 64 + (in.len ? in.p[0] : 0);
    struct rtp_h264_cut c = {.mtu = mtu};
    uint8_t *frame = xmalloc(nal_max_bytes(in.len)), *out = xmalloc(in.len * 8 + 1024);
    uint8_t *back = xmalloc(in.len * 24 + 4096);
    struct wr w = wr_to(frame, nal_max_bytes(in.len)), o = wr_to(out, in.len * 8 + 1024);
    struct span *payloads = xcalloc(in.len + 1, sizeof *payloads);
    unsigned n = 0;
    bool last = false, ok = nal_widen(in, 1, &w) == E_OK && wr_used(&w) > 0;
    for (struct span f = wr_span(&w), nal; ok && nal_next(&f, 4, &nal) == E_OK;)
        ok = (nal.p[0] & 0x1f) > 0 && (nal.p[0] & 0x1f) < 24 && !(nal.p[0] & 0x80);
    c.frame = wr_span(&w);
    while (ok && !last) {
        const uint8_t *at = o.p;
        CHECK(rtp_h264_cut_next(&c, &o, &last) == E_OK);
        CHECK((size_t)(o.p - at) <= mtu && n <= in.len);
        payloads[n++] = span_of(at, (size_t)(o.p - at));
    }
    if (ok) {
        struct wr b = wr_to(back, in.len * 24 + 4096);
        CHECK(rtp_join(RTP_H264, payloads, n, &b) == E_OK && span_eq(wr_span(&b), wr_span(&w)));
    }
    free(payloads);
    free(back);
    free(out);
    free(frame);
}

/* What is cut has the size asked for, and can be joined; VP8 and VP9 to the same bytes. */
static void cut_other(enum rtp_format format, struct span in)
{
    const size_t mtu = 64 + (in.len ? in.p[0] : 0), cap = in.len * 3 + 1024;
    const size_t back_cap = rtp_join_max(cap, (unsigned)in.len + 2);
    struct rtp_cut c = {.format = format, .frame = in, .mtu = mtu, .key = in.len & 1};
    uint8_t *out = xmalloc(cap), *back = xmalloc(back_cap);
    struct span *payloads = xcalloc(in.len + 2, sizeof *payloads);
    struct wr w = wr_to(out, cap), b = wr_to(back, back_cap);
    unsigned n = 0;
    bool last = false;
    enum err e = E_OK;
    while (e == E_OK && !last) {
        const uint8_t *at = w.p;
        e = rtp_cut_next(&c, &w, &last);
        CHECK(e != E_LIMIT && n <= in.len + 1 && (size_t)(w.p - at) <= mtu);
        payloads[n++] = span_of(at, (size_t)(w.p - at));
    }
    if (e == E_OK) {
        CHECK(rtp_join(format, payloads, n, &b) == E_OK);
        CHECK(format == RTP_AV1 || span_eq(wr_span(&b), in));
        CHECK(rtp_cut_next(&c, &w, &last) == E_NOTFOUND);
    }
    free(payloads);
    free(back);
    free(out);
}

/* Counters that were moved are where they were, and nothing else is touched. */
static void counters(enum rtp_format f, struct span in)
{
    struct rtp_vpx_ids before, after;
    uint8_t *copy = xmalloc(in.len + 1);
    if (in.len) memcpy(copy, in.p, in.len);
    const bool has = rtp_vpx_ids(f, in, &before);
    rtp_vpx_add(f, copy, in.len, 5, 9);
    CHECK(rtp_vpx_ids(f, span_of(copy, in.len), &after) == has);
    if (has) CHECK((uint16_t)(after.picture - before.picture - 5) % 128 == 0);
    if (has && before.has_tl0) CHECK((uint8_t)(after.tl0 - before.tl0) == 9);
    rtp_vpx_add(f, copy, in.len, 0x7ffb, 247);
    CHECK(in.len == 0 || memcmp(copy, in.p, in.len) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span payloads[PAYLOADS];
    unsigned n = 0;
    uint16_t width = 0, height = 0;
    struct rd r = rd_from(span_of(data, size));
    const unsigned f = rd_u8(&r) % 9;
    if (f == 5) {
        cut(rd_rest(&r));
        return 0;
    }
    if (f > 5) {
        cut_other((enum rtp_format[]){RTP_VP8, RTP_VP9, RTP_AV1}[f - 6], rd_rest(&r));
        return 0;
    }
    while (rd_left(&r) > 0 && n < PAYLOADS) {
        const size_t len = rd_u16be(&r);
        payloads[n] = rd_span(&r, len < rd_left(&r) ? len : rd_left(&r));
        counters((enum rtp_format)f, payloads[n]);
        (void)rtc_picture_size(f == RTP_VP8 ? CODEC_VP8 : CODEC_H264, payloads[n], &width, &height);
        (void)rtp_peek((enum rtp_format)f, payloads[n++]);
    }
    const size_t cap = rtp_join_max(size, n);
    uint8_t *out = xmalloc(cap);
    struct wr w = wr_to(out, cap);
    CHECK(rtp_join((enum rtp_format)f, payloads, n, &w) != E_LIMIT && !w.overflow);
    free(out);
    return 0;
}
