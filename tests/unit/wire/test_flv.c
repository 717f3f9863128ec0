/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/flv.h"

struct video_case {
    const char *name;
    struct span in;
    enum err err;
    struct flv_tag want; /* body: its length only */
};

static const struct video_case VIDEO[] = {
    {"avc config",
     SPAN_LIT("\x17\x00\x00\x00\x00\x01\x64"),
     E_OK,
     {FLV_SEQ_START, FLV_AVC1, 7, false, 0, 0, 0, {NULL, 2}}},
    {"avc key",
     SPAN_LIT("\x17\x01\x00\x00\x42xx"),
     E_OK,
     {FLV_FRAMES, FLV_AVC1, 7, true, 0, 66, 0, {NULL, 2}}},
    {"avc, time before",
     SPAN_LIT("\x27\x01\xff\xff\xffx"),
     E_OK,
     {FLV_FRAMES, FLV_AVC1, 7, false, 0, -1, 0, {NULL, 1}}},
    {"avc end, short",
     SPAN_LIT("\x17\x02"),
     E_OK,
     {FLV_SEQ_END, FLV_AVC1, 7, false, 0, 0, 0, {NULL, 0}}},
    {"avc cut", SPAN_LIT("\x17\x01\x00"), E_MORE, {0}},
    {"command", SPAN_LIT("\x57\x00"), E_OK, {FLV_COMMAND, FLV_AVC1, 7, false, 0, 0, 0, {NULL, 1}}},
    {"h263", SPAN_LIT("\x22xyz"), E_OK, {FLV_FRAMES, FLV_NONE, 2, false, 0, 0, 0, {NULL, 3}}},
    {"hevc config",
     SPAN_LIT("\x90hvc1c"),
     E_OK,
     {FLV_SEQ_START, FLV_HVC1, 255, false, 0, 0, 0, {NULL, 1}}},
    {"hevc frame",
     SPAN_LIT("\xa1hvc1\x00\x00\x21zz"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, false, 0, 33, 0, {NULL, 2}}},
    {"hevc frame x",
     SPAN_LIT("\x93hvc1zz"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 0, 0, 0, {NULL, 2}}},
    {"av1 frame has no time",
     SPAN_LIT("\x91"
              "av01zz"),
     E_OK,
     {FLV_FRAMES, FLV_AV01, 255, true, 0, 0, 0, {NULL, 2}}},
    {"metadata",
     SPAN_LIT("\xd4hvc1m"),
     E_OK,
     {FLV_METADATA, FLV_HVC1, 255, false, 0, 0, 0, {NULL, 1}}},
    {"av1 for transport streams",
     SPAN_LIT("\x95"
              "av01abcdef"),
     E_OK,
     {FLV_TS_SEQ_START, FLV_AV01, 255, false, 0, 0, 0, {NULL, 6}}},
    {"one track of several",
     SPAN_LIT("\x96\x03hvc1\x00zz"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 0, 0, 0, {NULL, 2}}},
    {"another one",
     SPAN_LIT("\x96\x01hvc1\x05\x00\x00\x10zz"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 5, 16, 0, {NULL, 2}}},
    {"many tracks",
     SPAN_LIT("\x96\x13hvc1\x01\x00\x00\x01"
              "a\x00\x00\x00\x02"
              "bb"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 0, 0, 0, {NULL, 2}}},
    {"many codecs",
     SPAN_LIT("\x96\x23hvc1\x01\x00\x00\x01"
              "aav01\x00\x00\x00\x02"
              "bb"),
     E_OK,
     {FLV_FRAMES, FLV_AV01, 255, true, 0, 0, 0, {NULL, 2}}},
    {"a track longer than the message",
     SPAN_LIT("\x96\x13hvc1\x01\x00\xff\x01"
              "a"),
     E_PROTO,
     {0}},
    {"nanoseconds",
     SPAN_LIT("\x97\x02\x00\x01\x00\x03hvc1z"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 0, 0, 256, {NULL, 1}}},
    {"modex twice, one unknown",
     SPAN_LIT("\x97\x00?\x17\x02\x00\x00\x09\x03hvc1z"),
     E_OK,
     {FLV_FRAMES, FLV_HVC1, 255, true, 0, 0, 9, {NULL, 1}}},
    {"modex cut", SPAN_LIT("\x97\x09xx"), E_MORE, {0}},
    {"command, enhanced",
     SPAN_LIT("\xd0\x01"),
     E_OK,
     {FLV_COMMAND, FLV_NONE, 255, false, 0, 0, 0, {NULL, 1}}},
    {"nothing", {NULL, 0}, E_MORE, {0}},
};

static void same(const char *name, const struct flv_tag *a, const struct flv_tag *b)
{
    if (a->packet != b->packet || a->fourcc != b->fourcc || a->legacy != b->legacy ||
        a->key != b->key || a->track != b->track || a->cts_ms != b->cts_ms || a->nano != b->nano ||
        a->body.len != b->body.len) {
        fail_msg("%s: packet %d fourcc %08x legacy %d key %d track %d cts %d nano %u body %zu",
                 name, a->packet, a->fourcc, a->legacy, a->key, a->track, a->cts_ms, a->nano,
                 a->body.len);
    }
}

static void video_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VIDEO / sizeof *VIDEO; i++) {
        struct flv_tag t;
        const enum err e = flv_video_parse(VIDEO[i].in, &t);
        if (e != VIDEO[i].err) fail_msg("%s: %s", VIDEO[i].name, err_label(e));
        if (e == E_OK) same(VIDEO[i].name, &t, &VIDEO[i].want);
    }
}

static void modex_of_256_bytes_has_a_long_length(void **state)
{
    (void)state;
    uint8_t b[400] = {0x97, 0xff, 0x01, 0x00}; /* 0x0100 + 1 bytes */
    struct wr w = wr_to(b + 4 + 257, 100);
    wr_u8(&w, 0x13);
    wr_str(&w, SPAN_LIT("hvc1zz"));
    struct flv_tag t;
    assert_int_equal(flv_video_parse(span_of(b, 4 + 257 + 7), &t), E_OK);
    assert_int_equal(t.fourcc, FLV_HVC1);
    assert_int_equal(t.body.len, 2);
}

static void audio_headers(void **state)
{
    (void)state;
    struct flv_tag t;
    assert_int_equal(flv_audio_parse(SPAN_LIT("\xaf\x00\x12\x10"), &t), E_OK);
    assert_true(t.packet == FLV_SEQ_START && t.fourcc == FLV_MP4A && t.body.len == 2);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\xaf\x01x"), &t), E_OK);
    assert_true(t.packet == FLV_FRAMES && t.body.len == 1);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\xaf"), &t), E_MORE);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\x90OpusOpusHead"), &t), E_OK);
    assert_true(t.packet == FLV_SEQ_START && t.fourcc == FLV_OPUS && t.body.len == 8);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\x95\x01Opus\x00x"), &t), E_OK);
    assert_true(t.packet == FLV_FRAMES && t.track == 0 && t.body.len == 1);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\x94Opusm"), &t), E_OK);
    assert_int_equal(t.packet, FLV_MULTICHANNEL);
    assert_int_equal(flv_audio_parse(SPAN_LIT("\x5fxx"), &t), E_OK);
    assert_int_equal(t.fourcc, FLV_NONE);
    assert_string_equal(flv_audio_name(&t), "Nellymoser");
    assert_int_equal(flv_audio_parse(SPAN_LIT("\x2fxx"), &t), E_OK);
    assert_string_equal(flv_audio_name(&t), "MP3");
}

static void written_headers_are_read_back(void **state)
{
    (void)state;
    static const uint32_t CODECS[] = {FLV_AVC1, FLV_HVC1, FLV_AV01, FLV_VP09};
    for (size_t i = 0; i < 4; i++) {
        for (int p = FLV_SEQ_START; p <= FLV_FRAMES; p++) {
            uint8_t b[FLV_HDR_MAX + 1];
            struct wr w = wr_to(b, sizeof b);
            const bool has_cts = i < 2;
            flv_video_write(&w, CODECS[i], (enum flv_packet)p, p == FLV_FRAMES,
                            has_cts && p == FLV_FRAMES ? -40 : 0);
            wr_u8(&w, 'z');
            struct flv_tag t;
            assert_int_equal(flv_video_parse(wr_span(&w), &t), E_OK);
            assert_true(t.packet == (enum flv_packet)p && t.fourcc == CODECS[i]);
            assert_int_equal(t.key, p == FLV_FRAMES);
            assert_int_equal(t.cts_ms, has_cts && p == FLV_FRAMES ? -40 : 0);
            assert_int_equal(t.body.len, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video_headers),
        cmocka_unit_test(modex_of_256_bytes_has_a_long_length),
        cmocka_unit_test(audio_headers),
        cmocka_unit_test(written_headers_are_read_back),
    };
    return RUN_TESTS(tests);
}
