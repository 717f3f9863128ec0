/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same fields and extension elements, written and read again. */
static void again(const struct rtp *p)
{
    uint8_t room[512];
    struct rtp q;
    struct wr w = wr_to(room, sizeof room);
    rtp_write(&w, p, true);
    const size_t mark = rtp_ext_begin(&w);
    for (uint8_t id = 1; id <= 14; id++) {
        const struct span v = rtp_ext(p, id);
        if (v.p && v.len >= 1 && v.len <= 16) rtp_ext_put(&w, id, v);
    }
    rtp_ext_end(&w, mark);
    CHECK(!w.overflow && rtp_parse(wr_span(&w), &q) == E_OK && q.payload.len == 0);
    CHECK(q.seq == p->seq && q.ts == p->ts && q.ssrc == p->ssrc && q.pt == p->pt);
    CHECK(q.marker == p->marker && q.padded == p->padded);
    for (uint8_t id = 1; id <= 14; id++) {
        const struct span v = rtp_ext(p, id);
        if (v.p && v.len >= 1 && v.len <= 16) CHECK(span_eq(v, rtp_ext(&q, id)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size);
    struct rtp p, cut;
    const enum err e = rtp_parse(in, &p);
    if (e != E_OK) return 0;
    for (size_t n = 0; n < p.header_len; n++) CHECK(rtp_parse(span_head(in, n), &cut) == E_MORE);
    again(&p);
    (void)rtp_ext(&p, 255);
    const size_t before = p.payload.len;
    if (rtp_unpad(&p) == E_OK) CHECK(p.payload.len <= before && !p.padded);
    return 0;
}
