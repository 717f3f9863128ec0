/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/limits.h"
#include "wire/worker_msg.h"

static struct span write(const struct worker_msg *m, uint8_t *room, size_t cap)
{
    struct wr w = wr_to(room, cap);
    worker_msg_head(m, &w);
    wr_str(&w, m->data);
    assert_false(w.overflow);
    return wr_span(&w);
}

static void frame_there_and_back(void **state)
{
    const struct worker_msg m = {.type = WORKER_FRAME,
                                 .kind = 1,
                                 .key = true,
                                 .discontinuity = true,
                                 .dts_us = 1234567890123,
                                 .pts_us = 1234567890124,
                                 .data = SPAN_LIT("bytes")};
    uint8_t room[100];
    struct worker_msg got;
    (void)state;
    const struct span s = write(&m, room, sizeof room);
    for (size_t n = 0; n < s.len; n++) {
        struct span cut = span_head(s, n);
        assert_int_equal(worker_msg_next(&cut, &got), E_MORE);
        assert_int_equal(cut.len, n);
    }
    struct span rest = s;
    assert_int_equal(worker_msg_next(&rest, &got), E_OK);
    assert_int_equal(rest.len, 0);
    assert_true(got.type == WORKER_FRAME && got.kind == 1 && got.key && got.discontinuity);
    assert_true(got.dts_us == m.dts_us && got.pts_us == m.pts_us);
    assert_true(span_eq(got.data, m.data));
}

static void track_and_want(void **state)
{
    const struct worker_msg track = {.type = WORKER_TRACK,
                                     .codec = 3,
                                     .width = 1920,
                                     .height = 1080,
                                     .fps_milli = 29970,
                                     .sample_rate = 44100,
                                     .channels = 6,
                                     .data = SPAN_LIT("config")};
    const struct worker_msg want = {.type = WORKER_WANT,
                                    .codec = 1,
                                    .bitrate = 2500000,
                                    .max_height = 720,
                                    .gop_ms = 2000,
                                    .pts_us = 77};
    uint8_t room[100];
    struct worker_msg got;
    (void)state;
    struct span s = write(&track, room, sizeof room);
    assert_int_equal(worker_msg_next(&s, &got), E_OK);
    assert_true(got.codec == 3 && got.width == 1920 && got.height == 1080);
    assert_true(got.fps_milli == 29970 && got.sample_rate == 44100 && got.channels == 6);
    assert_true(span_is(got.data, "config"));
    s = write(&want, room, sizeof room);
    assert_int_equal(worker_msg_next(&s, &got), E_OK);
    assert_true(got.bitrate == 2500000 && got.max_height == 720 && got.gop_ms == 2000);
    assert_int_equal(got.pts_us, 77);
}

static void refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum err e;
    } ALL[] = {
        {"\x00\x80\x00\x41", 4, E_LIMIT},             /* longer than may be, and said at once */
        {"\x00\x00\x00\x00", 4, E_PROTO},             /* no type */
        {"\x00\x00\x00\x02\x1f\x00", 6, E_PROTO},     /* a type that is none */
        {"\x00\x00\x00\x02\x04\x02", 6, E_PROTO},     /* neither picture nor sound */
        {"\x00\x00\x00\x03\x04\x00x", 7, E_PROTO},    /* more than belongs to it */
        {"\x00\x00\x00\x03\x02\x00\x01", 7, E_PROTO}, /* a track cut short */
        {"\x00\x00\x00\x05\x03\x00\x00\x00\x00", 9, E_PROTO}, /* a frame cut short */
    };
    (void)state;
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        struct span s = span_of(ALL[i].bytes, ALL[i].len);
        struct worker_msg got;
        assert_int_equal(worker_msg_next(&s, &got), ALL[i].e);
        assert_int_equal(s.len, ALL[i].len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_there_and_back),
        cmocka_unit_test(track_and_want),
        cmocka_unit_test(refused),
    };
    return RUN_TESTS(tests);
}
