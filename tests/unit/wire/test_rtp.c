/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/rtp.h"
#include "wire/twcc.h"

static void header_and_extensions(void **state)
{
    uint8_t room[128];
    struct rtp p = {.marker = true, .pt = 108, .seq = 65535, .ts = 90000, .ssrc = 0x11223344}, q;
    struct wr w = wr_to(room, sizeof room);
    rtp_write(&w, &p, true);
    const size_t mark = rtp_ext_begin(&w);
    rtp_ext_put(&w, 9, SPAN_LIT("0"));
    rtp_ext_put(&w, 4, SPAN_LIT("\x12\x34"));
    rtp_ext_end(&w, mark);
    wr_str(&w, SPAN_LIT("payload"));
    assert_int_equal(rtp_parse(wr_span(&w), &q), E_OK);
    assert_true(q.marker && q.pt == 108 && q.seq == 65535 && q.ssrc == 0x11223344);
    assert_true(span_is(rtp_ext(&q, 9), "0") && span_is(rtp_ext(&q, 4), "\x12\x34"));
    assert_null(rtp_ext(&q, 3).p);
    assert_null(rtp_ext(&q, 0).p);
    assert_true(span_is(q.payload, "payload"));
    assert_true(rtp_is(wr_span(&w)) && !rtcp_is(wr_span(&w)));
}

static void two_byte_extensions(void **state)
{
    static const uint8_t in[] = {0x90, 96, 0, 1, 0, 0,   0,   0, 0, 0, 0, 1,  0x10,
                                 0x03, 0,  2, 7, 2, 'a', 'b', 0, 9, 0, 0, 'x'};
    struct rtp p;
    assert_int_equal(rtp_parse(span_of(in, sizeof in), &p), E_OK);
    assert_true(span_is(rtp_ext(&p, 7), "ab"));
    assert_true(rtp_ext(&p, 9).p && rtp_ext(&p, 9).len == 0);
    assert_true(span_is(p.payload, "x"));
}

static void padding(void **state)
{
    uint8_t in[] = {0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'x', 0, 2};
    struct rtp p;
    assert_int_equal(rtp_parse(span_of(in, sizeof in), &p), E_OK);
    assert_int_equal(rtp_unpad(&p), E_OK);
    assert_true(span_is(p.payload, "x"));
    assert_int_equal(rtp_unpad(&p), E_OK); /* once */
    assert_true(span_is(p.payload, "x"));
    in[14] = 3; /* nothing else */
    assert_int_equal(rtp_parse(span_of(in, sizeof in), &p), E_OK);
    assert_int_equal(rtp_unpad(&p), E_OK);
    assert_int_equal(p.payload.len, 0);
    in[14] = 4;
    assert_int_equal(rtp_parse(span_of(in, sizeof in), &p), E_OK);
    assert_int_equal(rtp_unpad(&p), E_PROTO);
    in[14] = 0;
    assert_int_equal(rtp_parse(span_of(in, sizeof in), &p), E_OK);
    assert_int_equal(rtp_unpad(&p), E_PROTO);
    assert_int_equal(rtp_parse(span_of(in, 12), &p), E_OK);
    assert_int_equal(rtp_unpad(&p), E_PROTO);
}

static void sequence_numbers_wrap(void **state)
{
    assert_true(seq_after(0, 65535) && !seq_after(65535, 0) && !seq_after(7, 7));
    uint64_t ext = 65536 + 65530;
    for (uint16_t s = 65530; s != 20; s++) {
        assert_int_equal(seq_extend(ext, s), s >= 65530 ? 65536 + s : 131072 + s);
        ext = seq_extend(ext, s);
    }
    assert_int_equal(seq_extend(131072 + 2, 65535), 131071);
    assert_int_equal(seq_extend(131071, 2), 131074);
}

static struct rtcp only(const struct wr *w)
{
    struct span rest = wr_span(w);
    struct rtcp p = {0};
    assert_false(w->overflow);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_int_equal(rest.len, 0);
    return p;
}

static void reports(void **state)
{
    uint8_t room[256];
    struct wr w = wr_to(room, sizeof room);
    const struct rtcp_sr sr = {0x123456789abcdef0, 90000, 7, 8000};
    const struct rtcp_report b[2] = {{1, 128, -5, 70000, 9, 10, 11}, {2, 0, 0x7fffff, 1, 1, 1, 1}};
    struct rtcp_sr sr2;
    struct rtcp_report c;
    struct rtcp p;
    rtcp_put_sr(&w, 99, &sr);
    rtcp_put_rr(&w, 99, b, 2);
    rtcp_put_cname(&w, 99, SPAN_LIT("abc"));
    rtcp_put_bye(&w, 99);
    struct span rest = wr_span(&w);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_int_equal(rtcp_sr_parse(&p, &sr2), E_OK);
    assert_true(sr2.ntp == sr.ntp && sr2.rtp_ts == 90000 && sr2.packets == 7 && sr2.bytes == 8000);
    assert_false(rtcp_report_at(&p, 0, &c));
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_true(rtcp_report_at(&p, 0, &c));
    assert_true(c.ssrc == 1 && c.fraction_lost == 128 && c.lost == -5 && c.highest_seq == 70000);
    assert_true(rtcp_report_at(&p, 1, &c) && c.lost == 0x7fffff);
    assert_false(rtcp_report_at(&p, 2, &c));
    assert_int_equal(rtcp_sr_parse(&p, &sr2), E_PROTO);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_int_equal(p.type, RTCP_SDES);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_true(p.type == RTCP_BYE && p.ssrc == 99);
    assert_int_equal(rtcp_next(&rest, &p), E_NOTFOUND);
    for (size_t n = 0; n < wr_used(&w); n++) /* cut anywhere: it ends, without harm */
        for (rest = span_head(wr_span(&w), n); rtcp_next(&rest, &p) == E_OK;) continue;
}

static void nack_joins_neighbours(void **state)
{
    static const uint16_t lost[] = {65534, 65535, 0, 14, 15, 100};
    uint8_t room[64];
    struct wr w = wr_to(room, sizeof room);
    struct rtcp_nack n;
    uint16_t seq, bits;
    rtcp_put_nack(&w, 1, 2, lost, 6);
    const struct rtcp p = only(&w);
    assert_int_equal(rtcp_nack_parse(&p, &n), E_OK);
    assert_int_equal(n.media, 2);
    assert_true(rtcp_nack_next(&n, &seq, &bits) && seq == 65534 && bits == 0x8003);
    assert_true(rtcp_nack_next(&n, &seq, &bits) && seq == 15 && bits == 0);
    assert_true(rtcp_nack_next(&n, &seq, &bits) && seq == 100 && bits == 0);
    assert_false(rtcp_nack_next(&n, &seq, &bits));
}

static void key_requests_and_remb(void **state)
{
    static const uint8_t fir[] = {0x84, 206, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                                  0,    5,   1, 0, 0, 0, 0, 0, 0, 6, 1, 0, 0, 0};
    static const uint64_t RATES[] = {0, 1, 262143, 262144, 2500000, 10000000000};
    uint8_t room[64];
    uint32_t media = 0;
    uint64_t bps = 0;
    struct wr w = wr_to(room, sizeof room);
    rtcp_put_pli(&w, 1, 77);
    struct rtcp p = only(&w);
    assert_true(rtcp_key_request_at(&p, 0, &media) && media == 77);
    assert_false(rtcp_key_request_at(&p, 1, &media));
    assert_int_equal(rtcp_remb_parse(&p, &bps), E_NOTFOUND);
    struct span rest = span_of(fir, sizeof fir);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_true(rtcp_key_request_at(&p, 0, &media) && media == 5);
    assert_true(rtcp_key_request_at(&p, 1, &media) && media == 6);
    assert_false(rtcp_key_request_at(&p, 2, &media));
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++) {
        w = wr_to(room, sizeof room);
        rtcp_put_remb(&w, 1, &media, 1, RATES[i]);
        p = only(&w);
        assert_int_equal(rtcp_remb_parse(&p, &bps), E_OK);
        assert_true(bps <= RATES[i] && bps >= RATES[i] - RATES[i] / 100000);
    }
}

/* Who only receives: its time goes out, and comes back with how long it lay there. */
static void round_trip_of_a_receiver(void **state)
{
    (void)state;
    uint8_t room[64];
    struct rtcp p;
    const int64_t sent_us = INT64_C(123456) * 1000000 + 700000;
    struct wr w = wr_to(room, sizeof room);
    rtcp_put_rrtr(&w, 7, sent_us);
    struct span rest = wr_span(&w);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_int_equal(p.type, RTCP_XR);
    assert_int_equal(p.ssrc, 7);
    assert_int_equal(p.body.len, 12);
    int64_t rtt_us = -1;
    assert_false(rtcp_dlrr_rtt(&p, 7, sent_us, &rtt_us)); /* it is the question */
    uint8_t middle[4];
    memcpy(middle, p.body.p + 6, 4);
    w = wr_to(room, sizeof room);
    wr_u32be(&w, 0x80cf0009); /* XR, 10 words */
    wr_u32be(&w, 99);
    wr_u32be(&w, 0x01000000); /* a block of another kind, without content */
    wr_u32be(&w, 0x05000006); /* DLRR: about somebody else, and about us */
    wr_u32be(&w, 8);
    wr_u32be(&w, 1);
    wr_u32be(&w, 1);
    wr_u32be(&w, 7);
    wr_bytes(&w, middle, 4);
    wr_u32be(&w, 65536 / 2); /* half a second */
    rest = wr_span(&w);
    assert_int_equal(rtcp_next(&rest, &p), E_OK);
    assert_true(rtcp_dlrr_rtt(&p, 7, sent_us + 580000, &rtt_us));
    assert_in_range(rtt_us, 79900, 80100);
    assert_false(rtcp_dlrr_rtt(&p, 7, sent_us + 400000, &rtt_us)); /* before it was sent */
    assert_false(rtcp_dlrr_rtt(&p, 9, sent_us + 580000, &rtt_us));
    for (size_t cut = 0; cut < p.body.len; cut++) {
        struct rtcp q = p;
        q.body = span_head(p.body, cut);
        assert_false(rtcp_dlrr_rtt(&q, 7, sent_us + 580000, &rtt_us));
    }
}

static void arrivals(void **state)
{
    static struct twcc t = {.media = 5, .count = 200, .base = 65500, .n = 300}, u;
    static uint8_t room[2048];
    for (unsigned i = 0; i < t.n; i++) {
        const bool lost = i % 7 == 3 || (i > 100 && i < 150);
        t.at_us[i] = lost ? TWCC_NOT_COME : 5000000 + (int64_t)i * 1500 + (i % 11 == 5 ? 90000 : 0);
    }
    struct wr w = wr_to(room, sizeof room);
    twcc_put(&w, 1, &t);
    const struct rtcp p = only(&w);
    assert_int_equal(twcc_parse(&p, &u), E_OK);
    assert_true(u.media == 5 && u.count == 200 && u.base == 65500 && u.n == 300);
    for (unsigned i = 0; i < t.n; i++) {
        assert_int_equal(t.at_us[i] == TWCC_NOT_COME, u.at_us[i] == TWCC_NOT_COME);
        if (t.at_us[i] != TWCC_NOT_COME)
            assert_in_range(t.at_us[i] - u.at_us[i], 0, TWCC_TICK_US - 1);
    }
    for (size_t n = 0; n < p.body.len; n++) {
        const struct rtcp cut = {.type = p.type, .count = p.count, .body = span_head(p.body, n)};
        if (n + 4 < p.body.len) assert_int_not_equal(twcc_parse(&cut, &u), E_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_and_extensions),
        cmocka_unit_test(two_byte_extensions),
        cmocka_unit_test(padding),
        cmocka_unit_test(sequence_numbers_wrap),
        cmocka_unit_test(reports),
        cmocka_unit_test(nack_joins_neighbours),
        cmocka_unit_test(key_requests_and_remb),
        cmocka_unit_test(round_trip_of_a_receiver),
        cmocka_unit_test(arrivals),
    };
    return RUN_TESTS(tests);
}
