/* SPDX-License-Identifier: MIT */
/* Corners of the bitstream parsers that whole files do not show: see test_track_config.c for those.
 */
#include "../test.h"

#include "base/limits.h"
#include "wire/aac.h"
#include "wire/bits.h"
#include "wire/h264.h"
#include "wire/h265.h"
#include "wire/nal.h"
#include "wire/opus.h"
#include "wire/vp9.h"

static void bits_and_golomb(void **state)
{
    (void)state;
    struct bits b = bits_from(SPAN_LIT("\xa6\x42\x98\xe2\x04\x8a"), false);
    /* 1 010 011 00100 00101 00110 00111 ...: H.264, table 9-2 */
    for (unsigned i = 0; i < 7; i++) assert_int_equal(bits_ue(&b), i);
    b = bits_from(SPAN_LIT("\x4c\x85\x30"), false); /* 010 011 00100 00101 00110: 1 -1 2 -2 3 */
    static const int32_t SIGNED[] = {1, -1, 2, -2, 3};
    for (size_t i = 0; i < 5; i++) assert_int_equal(bits_se(&b), SIGNED[i]);
    /* Emulation prevention bytes are left out, and only there. */
    b = bits_from(SPAN_LIT("\x00\x00\x03\x01\x00\x03"), true);
    assert_int_equal(bits_u(&b, 40), 0x0000010003);
    assert_false(b.underflow);
    assert_int_equal(bits_u(&b, 1), 0);
    assert_true(b.underflow);
    /* 32 zeros are no number. */
    b = bits_from(SPAN_LIT("\x00\x00\x00\x00\xff\xff\xff\xff\xff"), false);
    (void)bits_ue(&b);
    assert_true(b.underflow);
}

static void nal_units(void **state)
{
    (void)state;
    struct span nal = SPAN_NULL;
    struct span in = SPAN_LIT("\x00\x02"
                              "ab"
                              "\x00\x00"
                              "\x00\x01"
                              "c");
    assert_int_equal(nal_next(&in, 2, &nal), E_OK);
    assert_true(span_is(nal, "ab"));
    assert_int_equal(nal_next(&in, 2, &nal), E_OK); /* the empty one is skipped */
    assert_true(span_is(nal, "c"));
    assert_int_equal(nal_next(&in, 2, &nal), E_NOTFOUND);
    in = SPAN_LIT("\x00\x05"
                  "abcd");
    assert_int_equal(nal_next(&in, 2, &nal), E_PROTO);

    in = SPAN_LIT("\x00\x00\x00\x01\x67\x01\x00\x00\x01\x68\x00\x00\x00\x00\x01\x65\x88\x00");
    uint8_t out[64];
    struct wr w = wr_to(out, sizeof out);
    assert_int_equal(nal_from_annexb(in, &w), E_OK);
    static const uint8_t WANT[] = {0, 0, 0, 2, 0x67, 1, 0, 0, 0, 1, 0x68, 0, 0, 0, 2, 0x65, 0x88};
    assert_int_equal(wr_used(&w), sizeof WANT);
    assert_memory_equal(out, WANT, sizeof WANT);
    w = wr_to(out, 8);
    assert_int_equal(nal_from_annexb(in, &w), E_LIMIT);

    static uint8_t many[2 * (LIMIT_NALS_PER_FRAME + 1)];
    for (size_t i = 0; i < sizeof many; i += 2) many[i] = 1;
    struct h264_frame_info f;
    assert_int_equal(h264_frame_parse(span_of(many, sizeof many), 1, &f), E_LIMIT);
    assert_int_equal(h264_frame_parse(span_of(many, sizeof many - 2), 1, &f), E_OK);
}

static void h264_frames(void **state)
{
    (void)state;
    struct h264_frame_info f;
    /* A recovery point (SEI 6) after another message, then a slice that is no IDR. */
    const struct span open_gop = SPAN_LIT("\x00\x00\x00\x07\x06\x05\x01\xaa\x06\x01\xc0"
                                          "\x00\x00\x00\x02\x41\x9a");
    assert_int_equal(h264_frame_parse(open_gop, 4, &f), E_OK);
    assert_true(f.recovery && f.has_slice && !f.idr);
    unsigned type;
    assert_int_equal(h264_slice_type(SPAN_LIT("\x65\x88\x84"), &type), E_OK);
    assert_int_equal(type, 2); /* 1, then 0001000: ue 7: an I slice, all of them */
    assert_int_equal(h264_slice_type(SPAN_LIT("\x41\x9a"), &type), E_OK);
    assert_int_equal(type, 0); /* 1, then 00110: ue 5: P */
    assert_int_equal(h264_slice_type(SPAN_LIT("\x67\x42"), &type), E_PROTO);
}

/* From a phone: lengths of two bytes; the configuration is rewritten with four. */
static void avcc_with_short_lengths(void **state)
{
    (void)state;
    const struct span in =
        SPAN_LIT("\x01\x42\x00\x1e\xfd\xe1\x00\x04\x67\x42\x00\x1e\x01\x00\x02\x68\xce");
    struct h264_config c;
    uint8_t out[64];
    struct wr w = wr_to(out, sizeof out);
    assert_int_equal(h264_avcc_parse(in, &c), E_OK);
    assert_int_equal(c.nal_size, 2);
    h264_avcc_build(&c, &w);
    assert_int_equal(wr_used(&w), in.len);
    assert_int_equal(out[4], 0xff);
    assert_memory_equal(out + 5, in.p + 5, in.len - 5);
    for (size_t n = 0; n < in.len; n++) {
        assert_int_equal(h264_avcc_parse(span_head(in, n), &c), E_MORE);
    }
    /* No PPS; an SPS that is none. */
    assert_int_equal(h264_avcc_parse(SPAN_LIT("\x01\x42\x00\x1e\xff\xe1\x00\x01\x67\x00"), &c),
                     E_PROTO);
    assert_int_equal(h264_avcc_parse(SPAN_LIT("\x01\x42\x00\x1e\xff\xe1\x00\x01\x68\x00"), &c),
                     E_PROTO);
}

static void hevc_codecs_string(void **state)
{
    (void)state;
    char s[40];
    /* The examples of ISO/IEC 14496-15, annex E, and Apple's Main 10. */
    struct h265_ptl p = {.profile = 1, .compat = 0x60000000, .level = 93, .constraints = {0xb0}};
    h265_codecs_string(&p, s, sizeof s);
    assert_string_equal(s, "hvc1.1.6.L93.B0");
    p = (struct h265_ptl){
        .profile = 2, .tier = 1, .compat = 0x20000000, .level = 150, .constraints = {0xb0, 0x23}};
    h265_codecs_string(&p, s, sizeof s);
    assert_string_equal(s, "hvc1.2.4.H150.B0.23");
    p = (struct h265_ptl){.profile_space = 1, .profile = 4, .compat = 0x41000000, .level = 120};
    h265_codecs_string(&p, s, sizeof s);
    assert_string_equal(s, "hvc1.A4.82.L120");
}

static void opus_durations(void **state)
{
    (void)state;
    static const struct {
        const char *packet;
        size_t n;
        unsigned samples; /* 0: refused */
    } PACKETS[] = {
        {"\x00", 1, 480},      /* SILK, 10 ms */
        {"\x18", 1, 2880},     /* SILK, 60 ms */
        {"\x68", 1, 960},      /* hybrid, 20 ms */
        {"\x80", 1, 120},      /* CELT, 2.5 ms */
        {"\xfc", 1, 960},      /* CELT, 20 ms, stereo */
        {"\xfd", 1, 1920},     /* two of them */
        {"\xff\x06", 2, 5760}, /* six: 120 ms */
        {"\xff\x07", 2, 0},    /* more than that */
        {"\xff\x00", 2, 0},    {"\xff", 1, 0}, {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof PACKETS / sizeof *PACKETS; i++) {
        unsigned n = 0;
        const enum err e = opus_packet_samples(span_of(PACKETS[i].packet, PACKETS[i].n), &n);
        assert_int_equal(e, PACKETS[i].samples ? E_OK : E_PROTO);
        assert_int_equal(n, PACKETS[i].samples);
    }
}

static void adts(void **state)
{
    (void)state;
    struct adts_header h;
    const struct span in = SPAN_LIT("\xff\xf1\x50\x80\x2e\x7f\xfc"
                                    "...");
    assert_int_equal(adts_parse(in, &h), E_OK);
    assert_int_equal(h.object_type, AAC_LC);
    assert_int_equal(h.sample_rate, 44100);
    assert_int_equal(h.channel_config, 2);
    assert_int_equal(h.frame_len, 371);
    assert_int_equal(h.header_len, 7);
    assert_int_equal(adts_parse(span_head(in, 6), &h), E_MORE);
    assert_int_equal(adts_parse(SPAN_LIT("\xff\x01\x50\x80\x2e\x7f\xfc"), &h), E_PROTO);
    assert_int_equal(adts_parse(SPAN_LIT("\xff\xf1\x7c\x80\x2e\x7f\xfc"), &h), E_PROTO);
    uint8_t asc[2];
    struct wr w = wr_to(asc, sizeof asc);
    assert_true(aac_config_build(44100, 2, &w));
    assert_memory_equal(asc, "\x12\x10", 2);
    assert_false(aac_config_build(44000, 2, &w));
    assert_false(aac_config_build(48000, 9, &w));
}

static void vp9_levels(void **state)
{
    (void)state;
    assert_int_equal(vp9_level(160, 90, 30000), 10);
    assert_int_equal(vp9_level(1280, 720, 30000), 31);
    assert_int_equal(vp9_level(1920, 1080, 30000), 40);
    assert_int_equal(vp9_level(1920, 1080, 60000), 41);
    assert_int_equal(vp9_level(3840, 2160, 60000), 51);
    assert_int_equal(vp9_level(16384, 16384, 240000), 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_and_golomb),
        cmocka_unit_test(nal_units),
        cmocka_unit_test(h264_frames),
        cmocka_unit_test(avcc_with_short_lengths),
        cmocka_unit_test(hevc_codecs_string),
        cmocka_unit_test(opus_durations),
        cmocka_unit_test(adts),
        cmocka_unit_test(vp9_levels),
    };
    return RUN_TESTS(tests);
}
