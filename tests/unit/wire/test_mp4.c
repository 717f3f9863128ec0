/* SPDX-License-Identifier: MIT */
/* The head of a progressive MP4, box by box. */
#include "../test.h"

#include "../mp4_tables.h"
#include "wire/fmp4.h"
#include "wire/mp4.h"

static struct span entry_of(struct str *init, enum fmp4_entry kind)
{
    const struct fmp4_track t = {.entry = kind,
                                 .timescale = 90000,
                                 .width = 640,
                                 .height = 360,
                                 .sample_rate = 48000,
                                 .channels = 2,
                                 .config = SPAN_LIT("conf")};
    fmp4_init_write(&t, init);
    return mp4_entries_of(str_span(init));
}

static void entries_are_found(void **state)
{
    (void)state;
    struct str init = {0};
    struct fmp4_box b;
    struct span e = entry_of(&init, FMP4_AVC1);
    assert_int_equal(fmp4_box_next(&e, &b), E_OK);
    assert_string_equal(b.type, "avc1");
    assert_int_equal(e.len, 0);
    assert_null(mp4_entries_of(SPAN_NULL).p);
    assert_null(mp4_entries_of(SPAN_LIT("\0\0\0\x08moov")).p);
    for (size_t n = 0; n < init.len; n++) {
        const struct span cut = mp4_entries_of(span_head(str_span(&init), n));
        assert_true(!cut.p || cut.p + cut.len <= init.p + n);
    }
    str_fini(&init);
}

/* A picture with B-frames and two configurations, and a sound that begins later. */
static void tables(void **state)
{
    (void)state;
    struct str one = {0}, two = {0}, sound = {0}, out = {0};
    const struct span pictures[] = {entry_of(&one, FMP4_AVC1), entry_of(&two, FMP4_AVC1)};
    const struct span sounds[] = {entry_of(&sound, FMP4_OPUS)};
    const struct mp4_sample v[] = {{3000, 100, 6000, true},
                                   {3000, 10, 12000, false},
                                   {3000, 11, 0, false},
                                   {4500, 200, 0, true},
                                   {3000, 12, 0, false}};
    const struct mp4_chunk vc[] = {{0, 3, 0}, {150, 2, 1}};
    const struct mp4_sample a[] = {{960, 20, 0, true}, {960, 20, 0, true}};
    const struct mp4_chunk ac[] = {{121, 1, 0}, {400, 1, 0}};
    const struct mp4_track t[] = {{.video = true,
                                   .timescale = 90000,
                                   .width = 640,
                                   .height = 360,
                                   .entries = pictures,
                                   .n_entries = 2,
                                   .samples = v,
                                   .n_samples = 5,
                                   .chunks = vc,
                                   .n_chunks = 2},
                                  {.timescale = 48000,
                                   .entries = sounds,
                                   .n_entries = 1,
                                   .samples = a,
                                   .n_samples = 2,
                                   .chunks = ac,
                                   .n_chunks = 2,
                                   .delay_us = 500000}};
    str_adds(&out, "before"); /* what is there already stays */
    mp4_head_write(t, 2, 1000, &out);
    const struct span file = span_skip(str_span(&out), 6);
    const struct span moov = mp4_box(file, "moov");

    const struct span stbl = mp4_path(mp4_nth(moov, "trak", 0), "mdia.minf.stbl");
    assert_int_equal(mp4_u32(mp4_box(stbl, "stsd"), 4), 2);
    const uint32_t stts[] = {0, 3, 3, 3000, 1, 4500, 1, 3000};
    mp4_check(mp4_box(stbl, "stts"), stts, 8);
    const uint32_t ctts[] = {1u << 24, 3, 1, 6000, 1, 12000, 3, 0};
    const uint32_t stss[] = {0, 2, 1, 4};
    const uint32_t stsc[] = {0, 2, 1, 3, 1, 2, 2, 2};
    const uint32_t stsz[] = {0, 0, 5, 100, 10, 11, 200, 12};
    mp4_check(mp4_box(stbl, "ctts"), ctts, 8);
    mp4_check(mp4_box(stbl, "stss"), stss, 4);
    mp4_check(mp4_box(stbl, "stsc"), stsc, 8);
    mp4_check(mp4_box(stbl, "stsz"), stsz, 8);
    /* The edit begins with the picture that is shown first. */
    const uint32_t elst[] = {0, 1, 16500 * 1000 / 90000, 6000, 0x10000};
    mp4_check(mp4_path(mp4_nth(moov, "trak", 0), "edts.elst"), elst, 5);

    const struct span second = mp4_nth(moov, "trak", 1),
                      sound_stbl = mp4_path(second, "mdia.minf.stbl");
    assert_null(mp4_box(sound_stbl, "ctts").p);
    assert_null(mp4_box(sound_stbl, "stss").p); /* all are */
    const uint32_t late[] = {0, 2, 500, UINT32_MAX, 0x10000, 40, 0, 0x10000};
    mp4_check(mp4_path(second, "edts.elst"), late, 8);

    /* Chunks are where the mdat's contents are: behind all that was written. */
    const uint64_t base = file.len;
    assert_int_equal(mp4_u64(mp4_box(stbl, "co64"), 8), base);
    assert_int_equal(mp4_u64(mp4_box(stbl, "co64"), 16), base + 150);
    assert_int_equal(mp4_u64(mp4_box(sound_stbl, "co64"), 8), base + 121);
    assert_memory_equal(file.p + file.len - 16, "\0\0\0\1mdat", 8);
    assert_int_equal(mp4_u64(span_skip(file, file.len - 8), 0), 1016);
    str_fini(&one);
    str_fini(&two);
    str_fini(&sound);
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_found),
                                       cmocka_unit_test(tables)};
    return RUN_TESTS(tests);
}
