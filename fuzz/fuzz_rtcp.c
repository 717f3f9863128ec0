/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/xalloc.h"
#include "engine/rtc_bwe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever it says of packets that were sent, the estimate stays in its bounds. */
static void estimate(const struct twcc *t)
{
    static struct rtc_bwe_packet sent[RTC_BWE_SENT];
    static struct rtc_bwe b;
    memset(sent, 0, sizeof sent);
    rtc_bwe_init(&b, sent, 1000000);
    rtc_bwe_probe_begin(&b, 1000000);
    for (int i = 0; i < 900; i++)
        (void)(i % 7 ? rtc_bwe_sent(&b, 1200, 1000000 + i * 1000)
                     : rtc_bwe_probe_sent(&b, 300, 1000000 + i * 1000));
    for (int i = 0; i < 3; i++) {
        rtc_bwe_feedback(&b, t, 2000000 + i * 300000);
        CHECK(b.bps >= RTC_BWE_MIN && b.bps <= RTC_BWE_MAX);
    }
}

/* Feedback that was understood is written and understood again, with the same arrivals. */
static void feedback(const struct rtcp *p)
{
    static struct twcc t, u;
    static uint8_t room[4 * TWCC_MAX];
    struct rtcp q;
    if (twcc_parse(p, &t) != E_OK) return;
    estimate(&t);
    for (unsigned i = 0; i < t.n; i++) { /* of one clock above 0, near each other */
        if (t.at_us[i] == TWCC_NOT_COME) continue;
        if (t.at_us[i] <= TWCC_REF_US || t.at_us[i] > INT64_C(0x7fffff) * TWCC_REF_US) return;
        if (i && t.at_us[i - 1] != TWCC_NOT_COME &&
            (t.at_us[i] - t.at_us[i - 1] > 8000000 || t.at_us[i - 1] - t.at_us[i] > 8000000))
            return;
    }
    struct wr w = wr_to(room, sizeof room);
    twcc_put(&w, p->ssrc, &t);
    CHECK(!w.overflow);
    struct span rest = wr_span(&w);
    CHECK(rtcp_next(&rest, &q) == E_OK && rest.len == 0);
    CHECK(twcc_parse(&q, &u) == E_OK && u.n == t.n && u.base == t.base && u.count == t.count);
}

static void nack(const struct rtcp *p)
{
    struct rtcp_nack n;
    uint16_t seq, bits;
    if (rtcp_nack_parse(p, &n) != E_OK) return;
    while (rtcp_nack_next(&n, &seq, &bits)) CHECK(n.entries.len % 4 == p->body.len % 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct rtcp p;
    for (unsigned n = 0; n < LIMIT_RTCP_PACKETS && rtcp_next(&rest, &p) == E_OK; n++) {
        struct rtcp_sr sr;
        struct rtcp_report b;
        uint32_t media;
        uint64_t bps;
        (void)!rtcp_sr_parse(&p, &sr);
        int64_t rtt_us = 0;
        if (rtcp_dlrr_rtt(&p, 7, 1000000, &rtt_us)) CHECK(rtt_us >= 0);
        (void)!rtcp_remb_parse(&p, &bps);
        for (unsigned i = 0; rtcp_report_at(&p, i, &b); i++) CHECK(i < 31);
        for (unsigned i = 0; rtcp_key_request_at(&p, i, &media); i++) CHECK(i < size);
        nack(&p);
        feedback(&p);
    }
    return 0;
}
