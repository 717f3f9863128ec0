/* SPDX-License-Identifier: MIT */
#include "../media_file.h"
#include "../test.h"
#include "base/limits.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/h265.h"
#include "wire/vp9.h"

/* What the encoders that made the files were told, and what ffprobe says of them. */
static const struct {
    const char *file, *codecs;
    unsigned width, height, fps_milli, rate, channels, samples;
    bool reorder;
} FILES[] = {
    {"h264-bframes.mp4", "avc1.64000b", 160, 90, 30000, 0, 0, 0, true},
    {"h264-baseline.mp4", "avc1.42c00b", 160, 90, 30000, 0, 0, 0, false},
    {"h264-cropped.mp4", "avc1.64000b", 170, 94, 30000, 0, 0, 0, true},
    {"h265.mp4", "hvc1.1.6.L30.90", 160, 90, 0, 0, 0, 0, true},
    {"av1.mp4", "av01.0.00M.08", 160, 90, 0, 0, 0, 0, false},
    {"vp9.mp4", "vp09.00.10.08", 0, 0, 0, 0, 0, 0, false},
    {"aac-48000.mp4", "mp4a.40.2", 0, 0, 0, 48000, 1, 1024, false},
    {"aac-44100-stereo.mp4", "mp4a.40.2", 0, 0, 0, 44100, 2, 1024, false},
    {"opus.mp4", "Opus", 0, 0, 0, 48000, 2, 0, false},
};
#define N_FILES (sizeof FILES / sizeof *FILES)

static void real_configurations(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        struct media_file m;
        media_file_open(&m, FILES[i].file);
        const struct track *t = m.track;
        assert_string_equal(t->codecs, FILES[i].codecs);
        assert_int_equal(t->width, FILES[i].width);
        assert_int_equal(t->height, FILES[i].height);
        assert_int_equal(t->fps_milli, FILES[i].fps_milli);
        assert_int_equal(t->sample_rate, FILES[i].rate);
        assert_int_equal(t->channels, FILES[i].channels);
        assert_int_equal(t->samples_per_frame, FILES[i].samples);
        assert_int_equal(t->may_reorder, FILES[i].reorder);
        assert_int_equal(t->timescale, FILES[i].rate ? FILES[i].rate : 90000);
        /* The normalised configuration makes the same track again. */
        struct track *again;
        assert_int_equal(track_from_config(t->id, t->codec, buf_span(t->config), &again), E_OK);
        assert_true(track_same(t, again));
        assert_string_equal(t->codecs, again->codecs);
        track_unref(again);
        media_file_close(&m);
    }
}

/* Every proper prefix of a configuration is refused, never read past. */
static void cut_configurations(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        struct media_file m;
        media_file_open(&m, FILES[i].file);
        for (size_t n = 0; n < m.config_len; n++) {
            uint8_t *copy = malloc(n + 1);
            memcpy(copy, m.config, n);
            struct track *t = NULL;
            const enum err e = track_from_config(0, m.codec, span_of(copy, n), &t);
            if (e == E_OK)
                track_unref(t); /* av1C needs no OBU; vpcC ends in two bytes of nothing */
            else
                assert_null(t);
            if (e == E_OK)
                assert_true(m.codec == CODEC_AV1 || m.codec == CODEC_VP9 || m.codec == CODEC_AAC ||
                            m.codec == CODEC_H264);
            free(copy);
        }
        media_file_close(&m);
    }
}

static bool frame_is_key(enum codec c, struct span s)
{
    struct h264_frame_info h264;
    struct h265_frame_info h265;
    struct vp9_frame vp9;
    bool key = true;
    switch ((int)c) {
    case CODEC_H264:
        assert_int_equal(h264_frame_parse(s, 4, &h264), E_OK);
        assert_true(h264.has_slice);
        return h264.idr;
    case CODEC_H265:
        assert_int_equal(h265_frame_parse(s, 4, &h265), E_OK);
        assert_true(h265.has_slice);
        return h265.irap;
    case CODEC_AV1:
        assert_int_equal(av1_frame_is_key(s, true, &key), E_OK);
        return key;
    case CODEC_VP9:
        assert_int_equal(vp9_frame_parse(s, &vp9), E_OK);
        return vp9.key;
    default:
        return true;
    }
}

static void key_frames_as_the_container_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FILES; i++) {
        struct media_file m;
        media_file_open(&m, FILES[i].file);
        unsigned keys = 0;
        for (unsigned k = 0; k < m.n; k++) {
            assert_int_equal(frame_is_key(m.codec, m.samples[k].data), m.samples[k].key);
            keys += m.samples[k].key;
        }
        if (m.track->kind == MEDIA_VIDEO) assert_in_range(keys, 1, 3);
        media_file_close(&m);
    }
}

static void refine_from_key_frames(void **state)
{
    (void)state;
    struct media_file m;
    struct track *t = NULL, *again = NULL;
    media_file_open(&m, "vp9.mp4");
    assert_int_equal(track_refine(m.track, m.samples[1].data, &t), E_NOTFOUND);
    assert_int_equal(track_refine(m.track, m.samples[0].data, &t), E_OK);
    assert_int_equal(t->width, 160);
    assert_int_equal(t->height, 90);
    assert_int_equal(track_refine(t, m.samples[0].data, &again), E_NOTFOUND);
    track_unref(t);
    media_file_close(&m);

    media_file_open(&m, "av1.mp4");
    assert_int_equal(track_refine(m.track, m.samples[0].data, &t), E_NOTFOUND);
    m.track->width = 1;
    assert_int_equal(track_refine(m.track, m.samples[0].data, &t), E_OK);
    assert_int_equal(t->width, 160);
    assert_string_equal(t->codecs, m.track->codecs);
    assert_memory_equal(t->config->data, m.track->config->data, 4);
    track_unref(t);
    media_file_close(&m);
}

static void refused(void **state)
{
    (void)state;
    struct track *t = NULL;
    assert_int_equal(track_from_config(0, CODEC_MP3, SPAN_LIT("x"), &t), E_UNSUPPORTED);
    assert_int_equal(track_from_config(0, (enum codec)99, SPAN_LIT("x"), &t), E_UNSUPPORTED);
    /* AAC Main; a reserved rate; no channels at all. */
    assert_int_equal(track_from_config(1, CODEC_AAC, SPAN_LIT("\x09\x90"), &t), E_UNSUPPORTED);
    assert_int_equal(track_from_config(1, CODEC_AAC, SPAN_LIT("\x16\x90"), &t), E_PROTO);
    assert_int_equal(track_from_config(1, CODEC_AAC, SPAN_LIT("\x11"), &t), E_MORE);
    assert_int_equal(track_from_config(1, CODEC_AAC, SPAN_NULL, &t), E_MORE);
    assert_int_equal(track_from_config(0, CODEC_H264, SPAN_LIT("\x02\x64\x00\x1f\xff\xe1"), &t),
                     E_PROTO);
    static uint8_t big[LIMIT_CODEC_CONFIG_BYTES + 1];
    assert_int_equal(track_from_config(0, CODEC_H264, span_of(big, sizeof big), &t), E_LIMIT);
    assert_null(t);
}

static void aac_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *codecs;
        unsigned rate, channels, samples;
    } ASC[] = {
        {"\x12\x10", 2, "mp4a.40.2", 44100, 2, 1024},
        {"\x11\x90", 2, "mp4a.40.2", 48000, 2, 1024},
        {"\x11\x94", 2, "mp4a.40.2", 48000, 2, 960},          /* short frames */
        {"\x2b\x11\x88\x00", 4, "mp4a.40.5", 48000, 2, 2048}, /* HE-AAC, explicit */
        {"\xeb\x09\x88\x00", 4, "mp4a.40.29", 48000, 2,
         2048}, /* HE-AAC v2, explicit: one core channel */
        {"\x13\x10\x56\xe5\x98", 5, "mp4a.40.5", 48000, 2, 2048}, /* backward compatible */
        {"\x11\xb0", 2, "mp4a.40.2", 48000, 6, 1024},
    };
    for (size_t i = 0; i < sizeof ASC / sizeof *ASC; i++) {
        struct track *t = NULL;
        assert_int_equal(track_from_config(1, CODEC_AAC, span_of(ASC[i].bytes, ASC[i].n), &t),
                         E_OK);
        assert_string_equal(t->codecs, ASC[i].codecs);
        assert_int_equal(t->sample_rate, ASC[i].rate);
        assert_int_equal(t->channels, ASC[i].channels);
        assert_int_equal(t->samples_per_frame, ASC[i].samples);
        track_unref(t);
    }
}

static void vp9_both_shapes(void **state)
{
    (void)state;
    struct track *a = NULL, *b = NULL;
    const struct span bare = SPAN_LIT("\x00\x1f\x80\x02\x02\x02\x00\x00");
    const struct span full = SPAN_LIT("\x01\x00\x00\x00\x00\x1f\x80\x02\x02\x02\x00\x00");
    assert_int_equal(track_from_config(0, CODEC_VP9, bare, &a), E_OK);
    assert_int_equal(track_from_config(0, CODEC_VP9, full, &b), E_OK);
    assert_true(track_same(a, b));
    assert_string_equal(a->codecs, "vp09.00.31.08");
    track_unref(a);
    track_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_configurations),
        cmocka_unit_test(cut_configurations),
        cmocka_unit_test(key_frames_as_the_container_says),
        cmocka_unit_test(refine_from_key_frames),
        cmocka_unit_test(refused),
        cmocka_unit_test(aac_kinds),
        cmocka_unit_test(vp9_both_shapes),
    };
    return RUN_TESTS(tests);
}
