/* SPDX-License-Identifier: MIT */
#include "log_rig.h"
#include <signal.h>
#include <sys/resource.h>

static struct buf *file_bytes(const char *dir, const char *name)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    struct buf *b = buf_new((size_t)st.st_size);
    assert_int_equal(fread(b->data, 1, b->len, f), b->len);
    fclose(f);
    return b;
}

static void assert_file(const char *dir, const char *name, struct span want)
{
    struct buf *b = file_bytes(dir, name);
    assert_true(span_eq(buf_span(b), want));
    buf_unref(b);
}

/* --- a long stream with everything in it -------------------------------------------------------
 */

static void long_script(struct rig *r)
{
    rig_init(r, true);
    for (unsigned i = 0; i < 120; i++) {
        if (i == 50) rig_break(r);                    /* the encoder came back */
        if (i == 70) rig_break(r), rig_init(r, true); /* another size */
        rig_segment(r, i < 90 || i > 95, 2000);       /* sound was lost for a while */
    }
    rig_end(r);
}

static void check_archive(const struct rig *r, const struct archive *a)
{
    assert_int_equal(a->n_renditions, 2);
    assert_int_equal(a->target_s, TARGET_S);
    assert_true(a->ended);
    for (unsigned i = 0; i < 2; i++) {
        const struct archive_rendition *x = &a->r[i];
        assert_int_equal(x->n, 120);
        uint64_t dsn = 0;
        for (uint64_t s = 0; s < x->n; s++) {
            const struct archive_segment *seg = archive_segment(x, s);
            dsn += seg->s.discontinuity;
            assert_int_equal(seg->s.msn, s);
            assert_int_equal(seg->s.dsn, dsn);
            assert_int_equal(seg->s.discontinuity, s == 50 || s == 70);
            assert_int_equal(seg->s.init_id, s < 70 ? 1 : 2);
            assert_int_equal(seg->s.gap, i == 1 && s >= 90 && s <= 95);
            assert_true(seg->off + seg->len <= r->data[i].len);
        }
        assert_int_equal(dsn, 2);
    }
}

static void test_long(void **state)
{
    struct rig r;
    struct archive *a;
    struct recording_info info;
    rig_run(&r, true, 0, long_script);
    assert_int_equal(r.failures, 0);
    assert_true(r.end_seen);
    assert_true(r.n_snapshots > 120 * PARTS);
    assert_true(r.n_deltas > 100);
    assert_file(r.dir, "v0.mp4", str_span(&r.data[0]));
    assert_file(r.dir, "a0.mp4", str_span(&r.data[1]));

    assert_int_equal(recording_load(r.dir, &a), E_OK);
    check_archive(&r, a);
    assert_int_equal(a->r[0].media_us, 120 * 2000000);
    assert_string_equal(a->run, record_log_run(r.log));
    const struct archive_init *init = archive_init_find(a->r[0].inits, 1);
    assert_true(span_eq(buf_span(init->bytes), span_of(r.data[0].p, 700)));
    assert_int_equal(a->r[0].inits->id, 2);
    assert_int_equal(a->r[0].inits->width, 1280);
    archive_unref(a);
    /* Nothing to recover: left alone. */
    struct buf *before = file_bytes(r.dir, INDEX_FILE);
    assert_int_equal(recording_recover(r.dir, &info), E_OK);
    assert_file(r.dir, INDEX_FILE, buf_span(before));
    buf_unref(before);
    assert_int_equal(info.duration_us, 240 * US_PER_SEC);
    assert_int_equal(info.video, CODEC_H264);
    assert_int_equal(info.audio, CODEC_AAC);
    assert_int_equal(info.height, 720);

    /* The window forgot what is on disk; what it lists is there. */
    const struct log_snapshot *s = r.snap[0];
    assert_true(s->edge.ended && s->archive_ended);
    assert_int_equal(s->n_archived, 120);
    assert_non_null(s->file);
    assert_true(s->n_segs - s->first_listed <= 36);
    assert_true(log_on_disk(s, s->segs[s->n_segs - 1]));
    assert_int_equal(s->edge.open_msn, 120);
    rig_fini(&r);
}

/* --- without recording -------------------------------------------------------------------------
 */

static void memory_script(struct rig *r)
{
    rig_init(r, true);
    for (unsigned i = 0; i < 120; i++) rig_segment(r, true, 2000);
    rig_end(r);
}

static void test_memory(void **state)
{
    struct rig r;
    rig_run(&r, false, 0, memory_script);
    const struct log_snapshot *s = r.snap[0];
    assert_null(s->file);
    assert_int_equal(s->n_archived, 0);
    /* Listed segments, and as many before them, can be had from memory. */
    assert_true(s->n_segs >= 2 * (s->n_segs - s->first_listed) - 2);
    for (unsigned i = 0; i < s->n_segs; i++) {
        struct buf *b = log_segment_bytes(s->segs[i]);
        assert_non_null(b);
        const size_t at = 700 + (size_t)(s->segs[i]->s.msn * (2000 * PARTS + 15));
        assert_true(span_eq(buf_span(b), span_of(r.data[0].p + at, 2000 * PARTS + 15)));
        buf_unref(b);
    }
    assert_int_not_equal(access(r.dir, F_OK), 0);
    rig_fini(&r);
}

/* --- the disk is full --------------------------------------------------------------------------
 */

static void check_live_goes_on(const struct rig *r)
{
    const struct log_snapshot *s = r->snap[0];
    assert_int_equal(r->failures, 1);
    assert_int_equal(r->failure, E_FULL);
    assert_int_equal(s->edge.open_msn, 120);
    for (unsigned i = s->first_listed; i < s->n_segs; i++) {
        struct buf *b = log_segment_bytes(s->segs[i]);
        if (!b && !log_on_disk(s, s->segs[i])) fail_msg("segment %u is nowhere", i);
        buf_unref(b);
    }
}

static void step(void *arg);

/* In steps, so that the disk's answers come in between. */
static void stepped_script(struct rig *r)
{
    rig_init(r, true);
    loop_post(r->loop, step, r);
}

static void step(void *arg)
{
    struct rig *r = arg;
    if (r->msn == 120) {
        rig_end(r);
        return;
    }
    rig_segment(r, true, 2000);
    usleep(500);
    loop_post(r->loop, step, r);
}

static void test_full(void **state)
{
    struct rig r;
    struct archive *a;
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 500000; /* 41 segments of video */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rig_run(&r, true, 0, stepped_script);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    check_live_goes_on(&r);
    assert_true(record_log_failed(r.log));
    assert_int_equal(recording_load(r.dir, &a), E_OK);
    assert_true(a->r[0].n >= 41 && a->r[0].n <= 42);
    assert_true(a->ended); /* the last line went through */
    archive_unref(a);
    rig_fini(&r);
}

static void test_no_room(void **state)
{
    struct rig r;
    struct archive *a;
    rig_run(&r, true, INT64_C(1) << 60, stepped_script);
    check_live_goes_on(&r);
    assert_int_not_equal(recording_load(r.dir, &a), E_OK);
    rig_fini(&r);
}

/* --- killed at any byte ------------------------------------------------------------------------
 */

static void crash_script(struct rig *r)
{
    rig_init(r, true);
    for (unsigned i = 0; i < 6; i++) {
        if (i == 3) rig_break(r), rig_init(r, true);
        rig_segment(r, i != 5, 100);
    }
    rig_end(r);
}

static void write_file(const char *dir, const char *name, struct span s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s.p, 1, s.len, f), s.len);
    fclose(f);
}

/* After whatever cut: it loads or is empty, recovery changes nothing in what can be played, and a
 * second recovery changes nothing at all. */
static int64_t check_cut(const char *dir)
{
    struct archive *a = NULL;
    struct recording_info info;
    const enum err e = recording_load(dir, &a);
    const int64_t before = e == E_OK ? a->r[0].media_us : 0;
    const uint64_t segments = e == E_OK ? a->r[0].n : 0;
    if (e == E_OK) archive_unref(a);
    const enum err recovered = recording_recover(dir, &info);
    if (e == E_OK) assert_int_equal(recovered, E_OK);
    if (recovered != E_OK) {
        assert_true(recovered == E_NOTFOUND || recovered == E_PROTO);
        return 0;
    }
    struct buf *index = file_bytes(dir, INDEX_FILE);
    assert_int_equal(recording_recover(dir, &info), E_OK);
    assert_file(dir, INDEX_FILE, buf_span(index));
    buf_unref(index);
    if (recording_load(dir, &a) == E_OK) {
        assert_true(a->ended);
        assert_int_equal(a->r[0].n, segments);
        assert_int_equal(a->r[0].media_us, before);
        archive_unref(a);
    }
    return before;
}

static void test_crash(void **state)
{
    struct rig r;
    rig_run(&r, true, 0, crash_script);
    struct buf *index = file_bytes(r.dir, INDEX_FILE);
    struct buf *video = file_bytes(r.dir, "v0.mp4"), *audio = file_bytes(r.dir, "a0.mp4");
    int64_t last = -1;
    /* The index is torn at every byte. */
    for (size_t cut = 0; cut <= index->len; cut += cut + 900 < index->len ? 7 : 1) {
        write_file(r.dir, INDEX_FILE, span_head(buf_span(index), cut));
        write_file(r.dir, "v0.mp4", buf_span(video));
        write_file(r.dir, "a0.mp4", buf_span(audio));
        const int64_t got = check_cut(r.dir);
        assert_true(got >= last);
        last = got;
    }
    assert_int_equal(last, 12 * US_PER_SEC);
    /* Bytes that the index tells of are not there (the machine lost its power). */
    for (size_t cut = video->len; cut-- > video->len - 400;) {
        write_file(r.dir, INDEX_FILE, buf_span(index));
        write_file(r.dir, "v0.mp4", span_head(buf_span(video), cut));
        write_file(r.dir, "a0.mp4", buf_span(audio));
        const int64_t got = check_cut(r.dir);
        assert_true(got <= last && got >= 10 * US_PER_SEC);
        last = got;
    }
    /* One bit is wrong somewhere. */
    for (size_t at = 0; at < index->len; at += 3) {
        struct buf *bad = buf_copy(buf_span(index));
        bad->data[at] ^= 4;
        write_file(r.dir, INDEX_FILE, buf_span(bad));
        write_file(r.dir, "v0.mp4", buf_span(video));
        write_file(r.dir, "a0.mp4", buf_span(audio));
        (void)check_cut(r.dir);
        buf_unref(bad);
    }
    buf_unref(index);
    buf_unref(video);
    buf_unref(audio);
    rig_fini(&r);
}

/* --- the index ---------------------------------------------------------------------------------
 */

static void test_index_lines(void **state)
{
    struct str out = {0};
    struct index_entry e = {.kind = INDEX_SEGMENT, .rendition = 1, .off = 7, .len = 9}, back;
    e.s = (struct hls_segment){.msn = 3,
                               .init_id = 2,
                               .dur_us = 2000000,
                               .wall_us = RIG_WALL0,
                               .discontinuity = true,
                               .independent = true};
    index_write(&out, &e);
    assert_int_equal(index_parse(span_head(str_span(&out), out.len - 1), &back), E_OK);
    assert_memory_equal(&back.s, &e.s, sizeof e.s);
    assert_int_equal(back.off, 7);
    out.p[12] ^= 1;
    assert_int_equal(index_parse(span_head(str_span(&out), out.len - 1), &back), E_PROTO);
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_full),  cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_crash), cmocka_unit_test(test_index_lines),
    };
    return RUN_TESTS(tests);
}
