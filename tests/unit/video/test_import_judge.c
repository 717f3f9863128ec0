/* SPDX-License-Identifier: MIT */
/* What a worker says of a file is not believed further than it can be. */
#include "../test.h"
#include "base/limits.h"
#include "video/import_judge.h"
#include "video/import_priv.h"

static void a_description(void **state)
{
    struct import_input in;
    (void)state;
    assert_int_equal(import_judge_input(SPAN_LIT("container matroska,webm\nduration -1\n"
                                                 "video vp9 1920 1080 29970 0\n"
                                                 "audio opus 48000 2 96000\n"),
                                        &in),
                     E_OK);
    assert_string_equal(in.container, "matroska,webm");
    assert_int_equal(in.duration_us, -1);
    assert_true(in.stream[0].there && in.stream[1].there);
    assert_int_equal(in.stream[0].width, 1920);
    assert_int_equal(in.stream[0].fps_milli, 29970);
    assert_int_equal(in.stream[1].sample_rate, 48000);
    assert_int_equal(in.stream[1].bitrate, 96000);
}

static void expect_reasons(const char *text, const char *want)
{
    struct import_input in;
    struct str s = {0};
    assert_int_equal(import_judge_input(span_str(text), &in), E_OK);
    import_standard_json(&in, &s);
    assert_string_equal(str_c(&s), want);
    str_fini(&s);
}

static void reasons(void **state)
{
    (void)state;
    expect_reasons("video h264 1920 1080 29970 0\naudio aac 48000 2 96000\n"
                   "picture yuv420p 1 1 20000 16000000 0\nsound 0\n",
                   "");
    expect_reasons("video hevc 1920 1080 25000 0\npicture yuv420p10le 1 1 1 1 0\n", "");
    expect_reasons("video h264 1920 1080 25000 0\npicture yuv420p10le 1 1 1 1 0\n",
                   "{\"unsupported_pixel_format\":\"yuv420p10le\"}");
    expect_reasons("video mpeg2video 2560 1440 4000 0\naudio mp2 48000 2 1\n"
                   "picture yuvj420p 16 15 20001 16000001 1\nsound 1\n",
                   "{\"video_codec\":\"mpeg2video\",\"video_gop_size\":\"high\","
                   "\"video_frame_rate\":\"4.000\",\"video_resolution\":\"2560x1440\","
                   "\"video_bitrate\":\"high\",\"pixel_aspect_ratio\":\"16:15\","
                   "\"video_edit_list\":\"non-standard\",\"audio_codec\":\"mp2\","
                   "\"audio_edit_list\":\"non-standard\"}");
    expect_reasons("audio flac 48000 2 1\n", "{\"audio_codec\":\"flac\"}");
    expect_reasons("video h264 640 360 0 0\n", "{\"video_frame_rate\":\"-1\"}");
}

static void words_that_are_none(void **state)
{
    struct import_input in;
    static const char *const BAD[] = {"container a\"b",
                                      "video h264 1 2",
                                      "colour red",
                                      "video <script> 1 2 3 4",
                                      "audio aac -1 2 3",
                                      "container ",
                                      "picture a\"b 1 1 1 1 0",
                                      "picture yuv420p 1 1 1 1 2",
                                      "sound"};
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(import_judge_input(span_str(BAD[i]), &in), E_PROTO);
}

static struct worker_msg sound(int64_t at, struct span data)
{
    return (struct worker_msg){
        .type = WORKER_FRAME, .kind = MEDIA_AUDIO, .dts_us = at, .pts_us = at, .data = data};
}

static void frames(void **state)
{
    static uint8_t room[LIMIT_AAC_FRAME_BYTES + 1];
    struct import_judge j;
    struct track *t;
    struct frame *f;
    (void)state;
    import_judge_init(&j, 100);
    struct worker_msg m = sound(0, SPAN_LIT("x"));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_PROTO); /* no track */
    const struct worker_msg track = {.type = WORKER_TRACK,
                                     .kind = MEDIA_AUDIO,
                                     .codec = CODEC_AAC,
                                     .data = SPAN_LIT("\x11\x90")};
    struct worker_msg wrong = track;
    wrong.kind = MEDIA_VIDEO;
    assert_int_equal(import_judge_track(&j, &wrong, &t), E_PROTO);
    assert_int_equal(import_judge_track(&j, &track, &t), E_OK);
    track_unref(t);
    assert_int_equal(import_judge_frame(&j, &m, &f), E_OK);
    assert_true(f->key);
    frame_unref(f);
    m = sound(1000, span_of(room, sizeof room));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_MORE); /* no frame of AAC is so long */
    m = sound(2000, SPAN_LIT("x"));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_OK);
    frame_unref(f);
    m = sound(1000, SPAN_LIT("x"));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_MORE); /* backwards */
    m = sound(LIMIT_IMPORT_US + 1, SPAN_LIT("x"));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_LIMIT);
    j.bytes = j.bytes_max;
    m = sound(3000, SPAN_LIT("x"));
    assert_int_equal(import_judge_frame(&j, &m, &f), E_LIMIT); /* more than was in it */
    import_judge_fini(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description),
        cmocka_unit_test(reasons),
        cmocka_unit_test(words_that_are_none),
        cmocka_unit_test(frames),
    };
    return RUN_TESTS(tests);
}
