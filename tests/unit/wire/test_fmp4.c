/* SPDX-License-Identifier: MIT */
#include "../test.h"

#include "base/xalloc.h"
#include "wire/fmp4.h"
#include "wire/fmp4_read.h"

static struct span chunk(struct str *out, const struct fmp4_sample *s, unsigned n, uint64_t tfdt)
{
    const size_t head = fmp4_chunk_head_bytes(s, n);
    str_reserve(out, head);
    struct wr w = wr_to(out->p + out->len, head);
    fmp4_chunk_head_write(7, tfdt, s, n, &w);
    assert_false(w.overflow);
    assert_int_equal(wr_used(&w), head);
    out->len += head;
    for (unsigned i = 0; i < n; i++) {
        for (uint32_t k = 0; k < s[i].size; k++) str_be(out, 'a' + i, 1);
    }
    return str_span(out);
}

/* What is written is read back, whichever of trun's optional fields are needed for it. */
static void chunks_round_trip(void **state)
{
    (void)state;
    static const struct fmp4_sample KINDS[][3] = {
        {{1024, 3, 0, true}, {1024, 0, 0, true}, {1024, 5, 0, true}},
        {{3000, 3, 0, true}, {3000, 4, 0, false}, {3000, 5, 0, false}},
        {{3000, 3, 6000, true}, {3000, 4, 15000, false}, {2970, 5, -9, true}},
        {{3000, 3, 0, false}, {3000, 4, 0, true}, {1, 5, 0, false}},
    };
    struct str init_bytes = {0};
    struct fmp4_init init;
    const struct fmp4_track t = {.entry = FMP4_AVC1,
                                 .timescale = 90000,
                                 .width = 640,
                                 .height = 360,
                                 .config = SPAN_LIT("avcC")};
    fmp4_init_write(&t, &init_bytes);
    assert_int_equal(fmp4_init_parse(str_span(&init_bytes), &init), E_OK);
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        struct str out = {0};
        const uint64_t tfdt = UINT64_C(0x123456789a);
        const struct span bytes = chunk(&out, KINDS[k], 3, tfdt);
        struct span rest = bytes;
        struct fmp4_fragment f;
        struct fmp4_walk w;
        struct fmp4_sample_info s;
        assert_int_equal(fmp4_fragment_next(&rest, &f), E_OK);
        assert_int_equal(rest.len, 0);
        assert_int_equal(f.sequence, 7);
        fmp4_walk_init(&w, &init, &f);
        uint64_t dts = tfdt;
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(fmp4_sample_next(&w, &s), E_OK);
            assert_int_equal(s.dts, dts);
            assert_int_equal(s.duration, KINDS[k][i].duration);
            assert_int_equal(s.offset, KINDS[k][i].offset);
            assert_int_equal(s.key, KINDS[k][i].key);
            assert_int_equal(s.data.len, KINDS[k][i].size);
            for (size_t b = 0; b < s.data.len; b++) assert_int_equal(s.data.p[b], 'a' + i);
            dts += s.duration;
        }
        assert_int_equal(fmp4_sample_next(&w, &s), E_NOTFOUND);
        /* Cut anywhere it is a beginning, and nothing is taken. */
        for (size_t n = 1; n < bytes.len; n++) {
            rest = span_head(bytes, n);
            assert_int_equal(fmp4_fragment_next(&rest, &f), E_MORE);
            assert_int_equal(rest.len, n);
        }
        str_fini(&out);
    }
    str_fini(&init_bytes);
}

static void every_sample_entry(void **state)
{
    (void)state;
    static const struct {
        enum fmp4_entry entry;
        const char *name, *handler;
    } ENTRIES[] = {{FMP4_AVC1, "avc1", "vide"}, {FMP4_HVC1, "hvc1", "vide"},
                   {FMP4_AV01, "av01", "vide"}, {FMP4_VP09, "vp09", "vide"},
                   {FMP4_MP4A, "mp4a", "soun"}, {FMP4_OPUS, "Opus", "soun"}};
    for (size_t i = 0; i < sizeof ENTRIES / sizeof *ENTRIES; i++) {
        struct str out = {0};
        struct fmp4_init init;
        const struct fmp4_track t = {.entry = ENTRIES[i].entry,
                                     .timescale = 48000,
                                     .width = 320,
                                     .height = 180,
                                     .sample_rate = 48000,
                                     .channels = 2,
                                     .config = SPAN_LIT("configuration")};
        fmp4_init_write(&t, &out);
        assert_int_equal(fmp4_init_parse(str_span(&out), &init), E_OK);
        const struct fmp4_track_info *info = fmp4_init_track(&init, FMP4_TRACK_ID);
        assert_non_null(info);
        assert_string_equal(info->entry, ENTRIES[i].name);
        assert_string_equal(info->handler, ENTRIES[i].handler);
        assert_int_equal(info->timescale, 48000);
        assert_true(span_is(info->config, "configuration"));
        const bool video = ENTRIES[i].handler[0] == 'v';
        assert_int_equal(info->width, video ? 320 : 0);
        assert_int_equal(info->channels, video ? 0 : 2);
        assert_int_equal(info->sample_rate, video ? 0 : 48000);
        for (size_t n = 0; n < out.len; n++) {
            assert_int_equal(fmp4_init_parse(span_head(str_span(&out), n), &init), E_MORE);
        }
        str_fini(&out);
    }
}

static void boxes_that_lie(void **state)
{
    (void)state;
    struct fmp4_box b;
    struct span in = SPAN_LIT("\x00\x00\x00\x04"
                              "free");
    assert_int_equal(fmp4_box_next(&in, &b), E_PROTO); /* smaller than its own head */
    in = SPAN_LIT("\x00\x00\x00\x01"
                  "mdat"
                  "\x00\x00\x00\x00\x00\x00\x00\x0f");
    assert_int_equal(fmp4_box_next(&in, &b), E_PROTO);
    in = SPAN_LIT("\x00\x00\x00\x01"
                  "mdat"
                  "\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_int_equal(fmp4_box_next(&in, &b), E_MORE);
    in = SPAN_LIT("\x00\x00\x00\x00"
                  "mdat"
                  "rest");
    assert_int_equal(fmp4_box_next(&in, &b), E_OK);
    assert_true(span_is(b.body, "rest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_round_trip),
        cmocka_unit_test(every_sample_entry),
        cmocka_unit_test(boxes_that_lie),
    };
    return RUN_TESTS(tests);
}
