/* SPDX-License-Identifier: MIT */
/* A recording's segments in one file: every byte, in the order of time. */
#include "../test.h"

#include "../mp4_tables.h"
#include "base/xalloc.h"
#include "record/mp4_file.h"
#include "wire/fmp4.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* --- a recording -------------------------------------------------------------------------------
 */

struct writer {
    struct archive *a;
    unsigned r;
    struct str bytes;
    uint32_t init;
};

static void begin(struct writer *w, struct archive *a, const char *name, enum media_kind kind)
{
    const int r = archive_add_rendition(a, name, kind);
    assert_true(r >= 0);
    *w = (struct writer){.a = a, .r = (unsigned)r};
}

static void add_init(struct writer *w, uint16_t width, uint32_t scale)
{
    struct str s = {0};
    const bool video = w->a->r[w->r].kind == MEDIA_VIDEO;
    fmp4_init_write(&(struct fmp4_track){.entry = video ? FMP4_AVC1 : FMP4_OPUS,
                                         .timescale = scale,
                                         .width = width,
                                         .height = video ? 360 : 0,
                                         .sample_rate = 48000,
                                         .channels = 2,
                                         .config = SPAN_LIT("conf")},
                    &s);
    struct archive_init in = {.id = ++w->init,
                              .width = width,
                              .height = 360,
                              .off = w->bytes.len,
                              .len = (uint32_t)s.len};
    str_add(&w->bytes, str_span(&s));
    in.bytes = str_take_buf(&s);
    assert_int_equal(archive_add_init(w->a, w->r, &in), E_OK);
    buf_unref(in.bytes);
}

/* Of two fragments, their samples filled with letters. */
static void add_segment(struct writer *w, uint64_t tfdt, const struct fmp4_sample *s, unsigned n,
                        char letter)
{
    struct archive_segment seg = {.s = {.msn = w->a->r[w->r].n, .init_id = w->init},
                                  .off = w->bytes.len};
    for (unsigned part = 0; part < 2; part++) {
        const size_t head = fmp4_chunk_head_bytes(s, n);
        str_reserve(&w->bytes, head);
        struct wr out = wr_to(w->bytes.p + w->bytes.len, head);
        fmp4_chunk_head_write(1, tfdt, s, n, &out);
        w->bytes.len += head;
        for (unsigned i = 0; i < n; i++) {
            for (uint32_t k = 0; k < s[i].size; k++) str_addc(&w->bytes, letter);
            tfdt += s[i].duration;
            letter++;
        }
    }
    seg.len = (uint32_t)(w->bytes.len - seg.off);
    assert_int_equal(archive_add_segment(w->a, w->r, &seg), E_OK);
}

static void add_gap(struct writer *w)
{
    const struct archive_segment seg = {
        .s = {.msn = w->a->r[w->r].n, .init_id = w->init, .gap = true}};
    assert_int_equal(archive_add_segment(w->a, w->r, &seg), E_OK);
}

static void finish(struct writer *w)
{
    char *path = in_folder(w->a->r[w->r].name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(w->bytes.p, 1, w->bytes.len, f), w->bytes.len);
    fclose(f);
    assert_int_equal(file_open(path, &w->a->r[w->r].file), E_OK);
    str_fini(&w->bytes);
}

static const struct fmp4_sample GOP[] = {{3000, 5, 0, true}, {3000, 2, 0, false}};
static const struct fmp4_sample SOUND[] = {{960, 3, 0, true}};

static struct archive *recording(void)
{
    struct archive *a = archive_new();
    struct writer v, s;
    begin(&v, a, "v0", MEDIA_VIDEO);
    begin(&s, a, "a0", MEDIA_AUDIO);
    add_init(&v, 640, 90000);
    add_init(&s, 0, 48000);
    add_segment(&v, 90000, GOP, 2, 'a'); /* a a a a a b b, c, d */
    add_segment(&s, 48000 + 480, SOUND, 1, 'A');
    add_gap(&v);
    add_init(&v, 320, 90000); /* another encoder, half a second later */
    add_segment(&v, 90000 + 12000 + 45000, GOP, 2, 'p');
    add_segment(&s, 48000 + 480 + 1920, SOUND, 1, 'C');
    finish(&v);
    finish(&s);
    return a;
}

static struct str contents(const char *path)
{
    struct str s = {0};
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    str_reserve(&s, (size_t)st.st_size);
    assert_int_equal(read(fd, s.p, (size_t)st.st_size), st.st_size);
    s.len = (size_t)st.st_size;
    close(fd);
    return s;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void both_tracks(void **state)
{
    (void)state;
    struct archive *a = recording();
    struct mp4_made made;
    const struct mp4_source v = {&a->r[0], MP4_AS_IT_IS}, s = {&a->r[1], MP4_AS_IT_IS};
    char *path = in_folder("out.mp4");
    assert_int_equal(mp4_file_make(&v, &s, path, 0, &made), E_OK);
    assert_int_equal(made.video_begins_us, 1000000);
    assert_int_equal(made.audio_begins_us, 1010000);
    struct str file = contents(path);
    assert_int_equal(file.len, made.bytes);
    const struct span moov = mp4_box(str_span(&file), "moov");
    const struct span vt = mp4_path(mp4_nth(moov, "trak", 0), "mdia.minf.stbl"),
                      st = mp4_path(mp4_nth(moov, "trak", 1), "mdia.minf.stbl");
    assert_int_equal(mp4_u32(mp4_box(vt, "stsd"), 4), 2);
    /* The gap is the time of the picture before it. */
    const uint32_t stts[] = {0, 3, 3, 3000, 1, 48000, 4, 3000};
    mp4_check(mp4_box(vt, "stts"), stts, 8);
    const uint32_t stsc[] = {0, 2, 1, 2, 1, 3, 2, 2};
    mp4_check(mp4_box(vt, "stsc"), stsc, 8);
    const uint32_t elst[] = {0, 2, 10, UINT32_MAX, 0x10000, 80, 0, 0x10000};
    mp4_check(mp4_path(mp4_nth(moov, "trak", 1), "edts.elst"), elst, 8);
    /* Side by side, as they are played. */
    assert_string_equal(str_c(&file) + (file.len - 40), "aaaaabbAAABBBCCCcccccddDDDpppppqqrrrrrss");
    for (unsigned i = 0; i < 4; i++) {
        static const char FIRST[] = {'a', 'c', 'p', 'r'};
        const uint64_t at = mp4_u64(mp4_box(vt, "co64"), 8 + 8 * i);
        assert_true(at < file.len);
        assert_int_equal(file.p[at], FIRST[i]);
        assert_int_equal(file.p[mp4_u64(mp4_box(st, "co64"), 8 + 8 * i)], 'A' + i);
    }
    str_fini(&file);
    unlink(path);
    archive_unref(a);
}

static void moved(void **state)
{
    (void)state;
    struct archive *a = recording();
    struct mp4_made made;
    const struct mp4_source v = {&a->r[0], 1060000}, s = {&a->r[1], MP4_AS_IT_IS};
    char *path = in_folder("out.mp4");
    assert_int_equal(mp4_file_make(&v, &s, path, 0, &made), E_OK);
    assert_int_equal(made.video_begins_us, 1060000);
    struct str file = contents(path);
    const struct span moov = mp4_box(str_span(&file), "moov");
    assert_int_equal(mp4_u32(mp4_path(mp4_nth(moov, "trak", 0), "edts.elst"), 8), 50); /* ms late */
    assert_null(mp4_box(mp4_nth(moov, "trak", 1), "edts").p);
    str_fini(&file);
    assert_int_equal(mp4_file_make(NULL, &s, path, 0, &made), E_OK); /* the sound alone */
    file = contents(path);
    assert_string_equal(str_c(&file) + (file.len - 12), "AAABBBCCCDDD");
    str_fini(&file);
    unlink(path);
    archive_unref(a);
}

static void not_made(void **state)
{
    (void)state;
    struct archive *a = recording();
    struct mp4_made made;
    const struct mp4_source v = {&a->r[0], MP4_AS_IT_IS}, s = {&a->r[1], MP4_AS_IT_IS};
    char *path = in_folder("out.mp4");
    assert_int_equal(mp4_file_make(NULL, NULL, path, 0, &made), E_NOTFOUND);
    assert_int_equal(mp4_file_make(&v, &s, path, INT64_MAX, &made), E_FULL);
    assert_int_equal(mp4_file_make(&v, &s, "/nowhere/at/all.mp4", 0, &made), E_IO);
    assert_int_equal(truncate(in_folder("v0"), 700), 0);
    path = in_folder("out.mp4");
    assert_int_equal(mp4_file_make(&v, &s, path, 0, &made), E_IO);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access(in_folder("out.mp4.part"), F_OK), -1);
    archive_unref(a);
}

/* A segment that is none. */
static void broken(void **state)
{
    (void)state;
    struct archive *a = archive_new();
    struct writer v;
    struct mp4_made made;
    begin(&v, a, "v0", MEDIA_VIDEO);
    add_init(&v, 640, 90000);
    const size_t at = v.bytes.len;
    add_segment(&v, 0, GOP, 2, 'a');
    v.bytes.p[at + 3] = 9; /* a moof of nine bytes */
    finish(&v);
    const struct mp4_source from = {&a->r[0], MP4_AS_IT_IS};
    const enum err e = mp4_file_make(&from, NULL, in_folder("out.mp4"), 0, &made);
    assert_true(e == E_PROTO || e == E_MORE || e == E_NOTFOUND);
    assert_int_equal(access(in_folder("out.mp4"), F_OK), -1);
    archive_unref(a);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/bspnode-mp4-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(in_folder("v0"));
    unlink(in_folder("a0"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_tracks), cmocka_unit_test(moved),
                                       cmocka_unit_test(not_made), cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
