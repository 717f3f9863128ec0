/* SPDX-License-Identifier: MIT */
/* What a worker says of a file is not believed further than it can be. */
#include "../test.h"
#include "base/limits.h"
#include "video/import_judge.h"

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

static void words_that_are_none(void **state)
{
    struct import_input in;
    static const char *const BAD[] = {"container a\"b",         "video h264 1 2",   "colour red",
                                      "video <script> 1 2 3 4", "audio aac -1 2 3", "container "};
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
        cmocka_unit_test(words_that_are_none),
        cmocka_unit_test(frames),
    };
    return RUN_TESTS(tests);
}
