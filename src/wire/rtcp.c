/* SPDX-License-Identifier: MIT */
/* A packet (RFC 3550, 6.4.1): 10, padding, count (5 bits); type (1); length in words minus one
 * (2); SSRC (4); the rest by type. Feedback puts the SSRC of the media next (RFC 4585, 6.1). */
#include "wire/rtcp.h"
#include "base/limits.h"
#include "base/rd.h"

#define REPORT_BYTES 24

enum err rtcp_next(struct span *rest, struct rtcp *out)
{
    if (rest->len == 0) return E_NOTFOUND;
    struct rd r = rd_from(*rest);
    *rest = SPAN_NULL; /* until it turns out well */
    const uint8_t b0 = rd_u8(&r);
    struct rtcp p = {.count = b0 & 0x1f, .type = rd_u8(&r)};
    struct span body = rd_span(&r, (size_t)rd_u16be(&r) * 4);
    if (r.underflow || b0 >> 6 != 2) return E_PROTO;
    if (b0 & 0x20) {
        const size_t pad = body.len ? body.p[body.len - 1] : 0;
        if (pad == 0 || pad > body.len) return E_PROTO;
        body.len -= pad;
    }
    struct rd b = rd_from(body);
    if (body.len >= 4) p.ssrc = rd_u32be(&b);
    p.body = rd_rest(&b);
    *rest = rd_rest(&r);
    *out = p;
    return E_OK;
}

enum err rtcp_sr_parse(const struct rtcp *p, struct rtcp_sr *out)
{
    struct rd r = rd_from(p->body);
    struct rtcp_sr sr = {.ntp = rd_u64be(&r)};
    sr.rtp_ts = rd_u32be(&r);
    sr.packets = rd_u32be(&r);
    sr.bytes = rd_u32be(&r);
    if (p->type != RTCP_SR || r.underflow) return E_PROTO;
    *out = sr;
    return E_OK;
}

bool rtcp_report_at(const struct rtcp *p, unsigned i, struct rtcp_report *out)
{
    if ((p->type != RTCP_SR && p->type != RTCP_RR) || i >= p->count) return false;
    struct rd r = rd_from(span_skip(p->body, (p->type == RTCP_SR ? 20u : 0u) + i * REPORT_BYTES));
    struct rtcp_report b = {.ssrc = rd_u32be(&r), .fraction_lost = rd_u8(&r)};
    b.lost = (int32_t)(rd_u24be(&r) << 8) >> 8;
    b.highest_seq = rd_u32be(&r);
    b.jitter = rd_u32be(&r);
    b.last_sr = rd_u32be(&r);
    b.delay = rd_u32be(&r);
    if (r.underflow) return false;
    *out = b;
    return true;
}

enum err rtcp_nack_parse(const struct rtcp *p, struct rtcp_nack *out)
{
    struct rd r = rd_from(p->body);
    if (p->type != RTCP_RTPFB || p->count != RTCP_NACK) return E_NOTFOUND;
    struct rtcp_nack n = {.media = rd_u32be(&r)};
    if (r.underflow) return E_PROTO;
    n.entries = rd_rest(&r);
    *out = n;
    return E_OK;
}

bool rtcp_nack_next(struct rtcp_nack *n, uint16_t *seq, uint16_t *bits)
{
    struct rd r = rd_from(n->entries);
    const uint16_t s = rd_u16be(&r), b = rd_u16be(&r);
    if (r.underflow) return false;
    n->entries = rd_rest(&r);
    *seq = s;
    *bits = b;
    return true;
}

bool rtcp_key_request_at(const struct rtcp *p, unsigned i, uint32_t *media)
{
    struct rd r = rd_from(p->body);
    const uint32_t first = rd_u32be(&r);
    if (p->type != RTCP_PSFB || r.underflow) return false;
    if (p->count == RTCP_PLI) {
        *media = first;
        return i == 0;
    }
    if (p->count != RTCP_FIR) return false;
    rd_skip(&r, (size_t)i * 8); /* entries: SSRC, sequence number, three zeros */
    const uint32_t ssrc = rd_u32be(&r);
    rd_skip(&r, 4);
    if (r.underflow) return false;
    *media = ssrc;
    return true;
}

enum err rtcp_remb_parse(const struct rtcp *p, uint64_t *bps)
{
    struct rd r = rd_from(p->body);
    rd_skip(&r, 4); /* always 0 */
    const uint32_t name = rd_u32be(&r);
    rd_skip(&r, 1); /* number of SSRCs: the estimate is for all */
    const uint32_t v = rd_u24be(&r);
    if (p->type != RTCP_PSFB || p->count != RTCP_AFB || r.underflow || name != 0x52454d42)
        return E_NOTFOUND;
    const unsigned exp = v >> 18;
    if (exp > 40) return E_PROTO; /* beyond any network */
    *bps = (uint64_t)(v & 0x3ffff) << exp;
    return E_OK;
}

#define XR_RRTR    4
#define XR_DLRR    5
#define SECOND_US  INT64_C(1000000)
#define RTT_MAX_US (30 * SECOND_US)

/* Seconds in 32.32. */
static uint64_t ntp_of(int64_t us)
{
    return (uint64_t)(us / SECOND_US) << 32 | ((uint64_t)(us % SECOND_US) << 32) / SECOND_US;
}

bool rtcp_dlrr_rtt(const struct rtcp *p, uint32_t ssrc, int64_t now_us, int64_t *rtt_us)
{
    const uint32_t now = (uint32_t)(ntp_of(now_us) >> 16);
    if (p->type != RTCP_XR) return false;
    struct rd r = rd_from(p->body);
    while (rd_left(&r) >= 4) {
        const uint8_t kind = rd_u8(&r);
        rd_skip(&r, 1);
        struct rd block = rd_from(rd_span(&r, (size_t)rd_u16be(&r) * 4));
        while (!r.underflow && kind == XR_DLRR && rd_left(&block) >= 12) {
            const uint32_t whose = rd_u32be(&block), last = rd_u32be(&block);
            const int32_t gone = (int32_t)(now - last - rd_u32be(&block)); /* in 1/65536 s */
            const int64_t us = (int64_t)gone * SECOND_US / 65536;
            if (whose != ssrc || last == 0 || us < 0 || us > RTT_MAX_US) continue;
            *rtt_us = us;
            return true;
        }
    }
    return false;
}

static size_t begin(struct wr *w, unsigned type, unsigned count, uint32_t ssrc)
{
    const size_t mark = wr_used(w);
    wr_u8(w, (uint8_t)(0x80 | count));
    wr_u8(w, (uint8_t)type);
    wr_u16be(w, 0);
    wr_u32be(w, ssrc);
    return mark;
}

static void end(struct wr *w, size_t mark)
{
    if (w->overflow) return;
    const size_t words = (wr_used(w) - mark) / 4 - 1;
    w->start[mark + 2] = (uint8_t)(words >> 8);
    w->start[mark + 3] = (uint8_t)words;
}

void rtcp_put_sr(struct wr *w, uint32_t ssrc, const struct rtcp_sr *sr)
{
    const size_t mark = begin(w, RTCP_SR, 0, ssrc);
    wr_u64be(w, sr->ntp);
    wr_u32be(w, sr->rtp_ts);
    wr_u32be(w, sr->packets);
    wr_u32be(w, sr->bytes);
    end(w, mark);
}

void rtcp_put_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *b, unsigned n)
{
    const size_t mark = begin(w, RTCP_RR, n, ssrc);
    for (unsigned i = 0; i < n; i++) {
        wr_u32be(w, b[i].ssrc);
        wr_u8(w, b[i].fraction_lost);
        wr_u24be(w, (uint32_t)b[i].lost & 0xffffff);
        wr_u32be(w, b[i].highest_seq);
        wr_u32be(w, b[i].jitter);
        wr_u32be(w, b[i].last_sr);
        wr_u32be(w, b[i].delay);
    }
    end(w, mark);
}

void rtcp_put_rrtr(struct wr *w, uint32_t ssrc, int64_t now_us)
{
    const size_t mark = begin(w, RTCP_XR, 0, ssrc);
    wr_u8(w, XR_RRTR);
    wr_u8(w, 0);
    wr_u16be(w, 2);
    wr_u64be(w, ntp_of(now_us));
    end(w, mark);
}

void rtcp_put_cname(struct wr *w, uint32_t ssrc, struct span cname)
{
    const size_t mark = begin(w, RTCP_SDES, 1, ssrc);
    cname = span_head(cname, 255);
    wr_u8(w, 1);
    wr_u8(w, (uint8_t)cname.len);
    wr_str(w, cname);
    do wr_u8(w, 0); /* at least one ends the list */
    while ((wr_used(w) - mark) % 4 != 0 && !w->overflow);
    end(w, mark);
}

void rtcp_put_bye(struct wr *w, uint32_t ssrc)
{
    end(w, begin(w, RTCP_BYE, 1, ssrc));
}

void rtcp_put_pli(struct wr *w, uint32_t ssrc, uint32_t media)
{
    const size_t mark = begin(w, RTCP_PSFB, RTCP_PLI, ssrc);
    wr_u32be(w, media);
    end(w, mark);
}

void rtcp_put_remb(struct wr *w, uint32_t ssrc, const uint32_t *media, unsigned n, uint64_t bps)
{
    const size_t mark = begin(w, RTCP_PSFB, RTCP_AFB, ssrc);
    unsigned exp = 0;
    while (bps > 0x3ffff) bps >>= 1, exp++;
    wr_u32be(w, 0);
    wr_u32be(w, 0x52454d42); /* "REMB" */
    wr_u8(w, (uint8_t)n);
    wr_u24be(w, exp << 18 | (uint32_t)bps);
    for (unsigned i = 0; i < n; i++) wr_u32be(w, media[i]);
    end(w, mark);
}

void rtcp_put_nack(struct wr *w, uint32_t ssrc, uint32_t media, const uint16_t *seqs, unsigned n)
{
    const size_t mark = begin(w, RTCP_RTPFB, RTCP_NACK, ssrc);
    wr_u32be(w, media);
    for (unsigned i = 0; i < n;) {
        const uint16_t first = seqs[i++];
        unsigned bits = 0;
        for (; i < n && (uint16_t)(seqs[i] - first - 1) < 16; i++)
            bits |= 1u << (uint16_t)(seqs[i] - first - 1);
        wr_u16be(w, first);
        wr_u16be(w, (uint16_t)bits);
    }
    end(w, mark);
}
