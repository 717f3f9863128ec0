/* SPDX-License-Identifier: MIT */
#include "../media_file.h"
#include "../test.h"
#include "wire/av1.h"
#include "wire/nal.h"
#include "wire/rtp_cut.h"
#include "wire/rtp_frame.h"

#define P(s) SPAN_LIT(s)

static uint8_t room[1 << 20];

static enum err join(enum rtp_format f, const struct span *p, unsigned n, struct span *out)
{
    struct wr w = wr_to(room, sizeof room);
    const enum err e = rtp_join(f, p, n, &w);
    *out = wr_span(&w);
    return e;
}

static void h264_of_all_three_kinds(void **state)
{
    const struct span p[] = {P("\x78\x00\x02\x67\x01\x00\x02\x68\x02"), P("\x7c\x85gh"),
                             P("\x7c\x05ij"), P("\x7c\x45k"), P("\x06x")};
    struct span out;
    assert_int_equal(join(RTP_H264, p, 5, &out), E_OK);
    assert_true(span_eq(out, P("\0\0\0\2\x67\x01\0\0\0\2\x68\x02\0\0\0\6\x65ghijk\0\0\0\2\x06x")));
    assert_true(rtp_peek(RTP_H264, p[0]).key && rtp_peek(RTP_H264, p[1]).key);
    assert_false(rtp_peek(RTP_H264, p[2]).start || rtp_peek(RTP_H264, p[4]).key);
    assert_int_equal(join(RTP_H264, p + 1, 2, &out), E_PROTO); /* the end is missing */
    assert_int_equal(join(RTP_H264, p + 2, 2, &out), E_PROTO); /* the start is missing */
    assert_int_equal(join(RTP_H264, (struct span[]){p[1], p[4], p[3]}, 3, &out), E_PROTO);
    assert_int_equal(join(RTP_H264, (struct span[]){P("\x79zz")}, 1, &out), E_UNSUPPORTED);
    assert_int_equal(join(RTP_H264, (struct span[]){P("\x78\x00\x09q")}, 1, &out), E_PROTO);
    assert_int_equal(join(RTP_H264, NULL, 0, &out), E_PROTO);
}

/* Every frame of a real file, at several sizes, comes back as it was. */
static void h264_cut_and_joined(void **state)
{
    static uint8_t packets[1 << 20];
    static struct span payloads[4096];
    struct media_file f;
    media_file_open(&f, "h264-baseline.mp4");
    for (size_t mtu = 64; mtu < 4000; mtu = mtu * 3 / 2)
        for (unsigned i = 0; i < f.n; i++) {
            struct rtp_h264_cut c = {.frame = f.samples[i].data, .mtu = mtu};
            struct wr w = wr_to(packets, sizeof packets);
            struct span out;
            unsigned n = 0;
            for (bool last = false; !last;) {
                const uint8_t *at = w.p;
                assert_int_equal(rtp_h264_cut_next(&c, &w, &last), E_OK);
                payloads[n] = span_of(at, (size_t)(w.p - at));
                assert_true(payloads[n].len <= mtu);
                if (n > 0 && (payloads[n].p[0] & 0x1f) == 28 && !(payloads[n].p[1] & 0x80))
                    assert_true(last || payloads[n].p[1] & 0x40
                                    ? payloads[n].len <= payloads[n - 1].len
                                    : payloads[n].len == payloads[n - 1].len);
                n++;
            }
            assert_int_equal(rtp_h264_cut_next(&c, &w, &(bool){0}), E_NOTFOUND);
            assert_int_equal(join(RTP_H264, payloads, n, &out), E_OK);
            assert_true(span_eq(out, f.samples[i].data));
            bool key = false;
            while (n > 0) key |= rtp_peek(RTP_H264, payloads[--n]).key;
            assert_int_equal(key, f.samples[i].key);
        }
    media_file_close(&f);
}

static void vp8_descriptors(void **state)
{
    const struct span p[] = {P("\x90\xf0\x81\x02\x07\x40\x10zz"), P("\x80\x80\x05yy"), P("\x00xx")};
    struct span out;
    assert_int_equal(join(RTP_VP8, p, 3, &out), E_OK);
    assert_true(span_eq(out, P("\x10zzyyxx")));
    assert_true(rtp_peek(RTP_VP8, p[0]).key && !rtp_peek(RTP_VP8, p[1]).start);
    assert_false(rtp_peek(RTP_VP8, P("\x10\x11")).key);
    for (size_t n = 0; n < 6; n++) /* at the edge */
        assert_false(rtp_peek(RTP_VP8, span_head(p[0], n)).start);
    assert_int_equal(join(RTP_VP8, p + 1, 2, &out), E_PROTO);
    assert_int_equal(join(RTP_VP8, (struct span[]){p[0], p[0]}, 2, &out), E_PROTO);
}

static void vp9_descriptors(void **state)
{
    /* a key frame with a scalability structure, then its end */
    const struct span p[] = {P("\x8a\x81\x02\x18\x05\x00\x02\xd0\x01\x04\x00zz"), P("\x84\x03yy")};
    struct span out;
    assert_int_equal(join(RTP_VP9, p, 2, &out), E_OK);
    assert_true(span_eq(out, P("zzyy")));
    assert_true(rtp_peek(RTP_VP9, p[0]).key);
    assert_false(rtp_peek(RTP_VP9, P("\xc8\x01zz")).key);
    for (size_t n = 0; n < 11; n++) assert_false(rtp_peek(RTP_VP9, span_head(p[0], n)).start);
    assert_int_equal(join(RTP_VP9, p, 1, &out), E_PROTO);
    assert_int_equal(join(RTP_VP9, p + 1, 1, &out), E_PROTO);
}

/* Every access unit of a real file, cut as AV1 RTP says: first OBU whole, the rest in pieces. */
static void av1_elements(void **state)
{
    struct media_file f;
    media_file_open(&f, "av1.mp4");
    for (unsigned i = 0; i < f.n; i++) {
        static uint8_t packets[1 << 20];
        struct span p[2], rest = f.samples[i].data, out, back;
        struct av1_obu obu, got;
        struct wr w = wr_to(packets, sizeof packets);
        wr_u8(&w, 0x48); /* Y, W = 0, N */
        unsigned n = 0;
        size_t half = 0;
        while (av1_obu_next(&rest, &obu) == E_OK) {
            half = obu.payload.len / 2;
            const size_t len = 1 + (rest.len ? obu.payload.len : half);
            wr_u8(&w, (uint8_t)(0x80 | (len & 0x7f)));
            wr_u8(&w, (uint8_t)(0x80 | (len >> 7 & 0x7f)));
            wr_u8(&w, (uint8_t)(len >> 14));
            wr_u8(&w, obu.whole.p[0] & 0xfd); /* without a size field */
            wr_bytes(&w, obu.payload.p, len - 1);
            n++;
        }
        p[0] = wr_span(&w);
        wr_u8(&w, 0x90); /* Z, W = 1 */
        wr_str(&w, span_skip(obu.payload, half));
        p[1] = span_skip(wr_span(&w), p[0].len);
        assert_int_equal(join(RTP_AV1, p, 2, &out), E_OK);
        rest = f.samples[i].data;
        for (back = out; av1_obu_next(&back, &got) == E_OK; n--) {
            assert_int_equal(av1_obu_next(&rest, &obu), E_OK);
            assert_true(got.type == obu.type && span_eq(got.payload, obu.payload));
        }
        assert_int_equal(n, 0);
        assert_true(rtp_peek(RTP_AV1, p[0]).key && !rtp_peek(RTP_AV1, p[1]).start);
        assert_int_equal(join(RTP_AV1, p, 1, &out), E_PROTO);
        assert_int_equal(join(RTP_AV1, p + 1, 1, &out), E_PROTO);
    }
    media_file_close(&f);
}

/* Cut at several sizes and joined again: the same bytes, and payloads of equal size. */
static void cut_and_joined(enum rtp_format format, const char *name)
{
    static uint8_t packets[1 << 20];
    static struct span payloads[4096];
    struct media_file f;
    media_file_open(&f, name);
    for (size_t mtu = RTP_CUT_MTU_MIN; mtu < 4000; mtu = mtu * 3 / 2)
        for (unsigned i = 0; i < f.n; i++) {
            struct rtp_cut c = {.format = format,
                                .frame = f.samples[i].data,
                                .mtu = mtu,
                                .key = f.samples[i].key,
                                .picture_id = (uint16_t)i};
            struct wr w = wr_to(packets, sizeof packets);
            struct span out = SPAN_NULL;
            unsigned n = 0, shorter = 0;
            for (bool last = false; !last; n++) {
                const uint8_t *at = w.p;
                assert_int_equal(rtp_cut_next(&c, &w, &last), E_OK);
                payloads[n] = span_of(at, (size_t)(w.p - at));
                assert_true(payloads[n].len <= mtu);
                shorter += n > 0 && payloads[n].len != payloads[n - 1].len;
            }
            if (format != RTP_AV1) assert_true(shorter <= 1);
            assert_int_equal(rtp_cut_next(&c, &w, &(bool){0}), E_NOTFOUND);
            assert_int_equal(join(format, payloads, n, &out), E_OK);
            if (format == RTP_AV1) {
                struct span rest = f.samples[i].data;
                struct av1_obu a, b;
                while (av1_obu_next(&rest, &a) == E_OK) {
                    assert_int_equal(av1_obu_next(&out, &b), E_OK);
                    assert_true(a.type == b.type && span_eq(a.payload, b.payload));
                }
                assert_int_equal(out.len, 0);
            } else {
                assert_true(span_eq(out, f.samples[i].data));
            }
            assert_true(rtp_peek(format, payloads[0]).start);
            if (format != RTP_VP8)
                assert_int_equal(rtp_peek(format, payloads[0]).key, f.samples[i].key);
        }
    media_file_close(&f);
}

static void others_cut_and_joined(void **state)
{
    cut_and_joined(RTP_VP9, "vp9.mp4");
    cut_and_joined(RTP_AV1, "av1.mp4");
    cut_and_joined(RTP_VP8, "vp9.mp4"); /* any bytes will do */
}

/* Counters go on from source to source, each in its width. */
static void vpx_counters(void **state)
{
    struct rtp_vpx_ids ids;
    uint8_t wide[] = {0x90, 0xc0, 0xff, 0xfe, 0xff, 1, 2}, narrow[] = {0x90, 0x80, 0x7f, 1, 2};
    uint8_t nine[] = {0xa8, 0x81, 0x00, 0x00, 0x07, 1};
    uint8_t none[] = {0x10, 1, 2, 3, 4};
    assert_true(rtp_vpx_ids(RTP_VP8, span_of(wide, sizeof wide), &ids));
    assert_true(ids.picture == 0x7ffe && ids.has_tl0 && ids.tl0 == 0xff);
    rtp_vpx_add(RTP_VP8, wide, sizeof wide, 3, 2);
    assert_true(wide[2] == 0x80 && wide[3] == 1 && wide[4] == 1 && wide[5] == 1);
    assert_true(rtp_vpx_ids(RTP_VP8, span_of(narrow, sizeof narrow), &ids));
    assert_true(ids.picture == 0x7f && !ids.has_tl0);
    rtp_vpx_add(RTP_VP8, narrow, sizeof narrow, 2, 2);
    assert_true(narrow[2] == 1 && narrow[3] == 1);
    assert_true(rtp_vpx_ids(RTP_VP9, span_of(nine, sizeof nine), &ids));
    assert_true(ids.picture == 0x100 && ids.has_tl0 && ids.tl0 == 7);
    rtp_vpx_add(RTP_VP9, nine, sizeof nine, 0x7fff, 255);
    assert_true(nine[1] == 0x80 && nine[2] == 0xff && nine[3] == 0 && nine[4] == 6);
    assert_false(rtp_vpx_ids(RTP_VP8, span_of(none, sizeof none), &ids));
    assert_false(rtp_vpx_ids(RTP_H264, span_of(wide, sizeof wide), &ids));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_of_all_three_kinds),
        cmocka_unit_test(h264_cut_and_joined),
        cmocka_unit_test(others_cut_and_joined),
        cmocka_unit_test(vp8_descriptors),
        cmocka_unit_test(vp9_descriptors),
        cmocka_unit_test(av1_elements),
        cmocka_unit_test(vpx_counters),
    };
    return RUN_TESTS(tests);
}
