/* SPDX-License-Identifier: MIT */
/* Images: what a request asks for, the texts of a storyboard, messages to the worker. */
#include "../test.h"
#include "serve/images/image_source.h"

static enum err parse(const char *name, const char *query, struct image_params *p)
{
    const char *problem = NULL;
    const enum err e = image_params_name(span_str(name), p);
    if (e != E_OK) return e;
    const enum err q = image_params_query(p, span_str(query), &problem);
    if (q != E_OK) assert_non_null(problem);
    return q;
}

static void good_requests(void **state)
{
    struct image_params p;
    (void)state;
    assert_int_equal(parse("thumbnail.jpeg", "", &p), E_OK);
    assert_true(p.kind == IMAGE_THUMBNAIL && p.format == IMAGE_JPEG && p.time_us == IMAGE_NO_TIME);
    assert_int_equal(parse("thumbnail.webp",
                           "time=12.0625&width=320&fit_mode=smartcrop&rotate=270&flip_h=true&x=1",
                           &p),
                     E_OK);
    assert_true(p.time_us == 12062500 && p.width == 320 && p.height == 0 && p.rotate == 270);
    assert_true(p.fit == IMAGE_SMARTCROP && p.flip_h && !p.flip_v && p.format == IMAGE_WEBP);
    assert_int_equal(parse("animated.gif", "start=2&end=12&fps=30&height=640&time=bad", &p), E_OK);
    assert_true(p.start_us == 2000000 && p.end_us == 12000000 && p.fps == 30);
    assert_int_equal(parse("storyboard.vtt", "format=webp", &p), E_OK);
    assert_true(p.kind == IMAGE_TILES && p.text == IMAGE_VTT && p.format == IMAGE_WEBP);
}

static void bad_requests(void **state)
{
    static const char *const BAD[] = {
        "time=-1",      "time=",      "time=1.",       "time=1e3",           "width=0",
        "width=4097",   "height=1.5", "fit_mode=zoom", "rotate=45",          "rotate=360",
        "flip_v=maybe", "latest=2",   "time=%zz",      "time=1&latest=true", "program_time=x"};
    struct image_params p;
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(parse("thumbnail.png", BAD[i], &p), E_INVALID);
    assert_int_equal(parse("animated.webp", "end=0.2", &p), E_INVALID);
    assert_int_equal(parse("animated.webp", "end=10.1", &p), E_INVALID);
    assert_int_equal(parse("animated.webp", "start=5&end=4", &p), E_INVALID);
    assert_int_equal(parse("animated.webp", "width=641", &p), E_INVALID);
    assert_int_equal(parse("storyboard.json", "format=gif", &p), E_INVALID);
    static const char *const NONE[] = {"thumbnail.gif", "animated.jpg", "storyboard.gif",
                                       "thumbnail",     "thumbnail.",   "poster.jpg",
                                       "thumbnail.vtt"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_int_equal(parse(NONE[i], "", &p), E_NOTFOUND);
}

static void texts(void **state)
{
    const struct image_tiles t = {.n = 50, .width = 256, .height = 144, .duration_us = 100000000};
    struct str s = {0};
    (void)state;
    image_tiles_vtt(&t, "http://h/i/storyboard.jpg", &s);
    assert_non_null(strstr(str_c(&s), "00:00:12.000 --> 00:00:14.000\n"
                                      "http://h/i/storyboard.jpg#xywh=256,144,256,144\n"));
    assert_non_null(strstr(str_c(&s), "00:01:38.000 --> 00:01:40.000\n"));
    str_fini(&s);
    image_tiles_json(&t, "http://h/\"", &s);
    assert_true(span_starts(str_span(&s), "{\"url\":\"http://h/\\\"\",\"tile_width\":256,"));
    assert_non_null(strstr(str_c(&s), "\"duration\":100.000,"));
    assert_true(span_ends(str_span(&s), "{\"start\":98.000,\"x\":1024,\"y\":1296}]}"));
    str_fini(&s);
}

static void messages(void **state)
{
    const uint32_t times[] = {0, 500000};
    struct str s = {0};
    struct image_msg m;
    (void)state;
    image_msg_want(&(struct image_want){.format = IMAGE_GIF, .fps = 10, .frames = 2}, &s);
    image_msg_piece(times, 2, SPAN_LIT("init"), 5, &s);
    str_adds(&s, "media");
    struct span in = str_span(&s), cut = span_head(in, in.len - 1);
    assert_int_equal(image_msg_next(&in, &m), E_OK);
    assert_true(m.want.fps == 10 && m.want.frames == 2 && m.want.format == IMAGE_GIF);
    assert_int_equal(image_msg_next(&in, &m), E_OK);
    assert_true(m.n_times == 2 && image_msg_time(&m, 1) == 500000);
    assert_true(span_is(m.init, "init") && span_is(m.media, "media") && in.len == 0);
    assert_int_equal(image_msg_next(&cut, &m), E_OK);
    assert_int_equal(image_msg_next(&cut, &m), E_MORE);
    str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(texts),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
