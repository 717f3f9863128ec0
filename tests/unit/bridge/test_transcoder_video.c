/* SPDX-License-Identifier: MIT */
/* Pictures through the real worker: what becomes of them, decoded by ffmpeg; and what happens when
 * the worker is killed, lies, or is not to be had. */
#include "base/metrics.h"
#include "rig.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 4 /* frames fed at a time: fewer than it would skip for being late */

static char dir[] = "/tmp/bspnode-transcoder-XXXXXX";

static void open_rig(struct rig *r, const struct media_file *m)
{
    *r = (struct rig){
        .spec = {.from = {[MEDIA_VIDEO] = m->track}, .to = {[MEDIA_VIDEO] = CODEC_H264}}};
    assert_int_equal(rig_open(r), E_OK);
}

/* `late` pictures stay in a decoder that puts them in order. */
static void feed_in_steps(struct rig *r, const struct media_file *m, unsigned from, unsigned end,
                          unsigned late, int64_t shift_us)
{
    const unsigned before = rig_count(r);
    for (unsigned i = from; i < end; i += STEP) {
        const unsigned to = i + STEP < end ? i + STEP : end, fed = to - from;
        rig_feed(r, m, i, to, shift_us);
        rig_until(r, rig_has_frames, before + fed - (fed > late ? late : fed));
    }
}

static void feed_all(struct rig *r, const struct media_file *m, unsigned late, int64_t shift_us)
{
    feed_in_steps(r, m, 0, m->n, late, shift_us);
}

static void check_order(const struct rig *r)
{
    for (unsigned i = 0; i < r->n_frames; i++) {
        assert_int_equal(r->frames[i]->pts_us, r->frames[i]->dts_us);
        if (i) assert_true(r->frames[i]->pts_us > r->frames[i - 1]->pts_us);
    }
    assert_true(r->frames[0]->key);
}

static void add_nal(struct str *out, struct span nal)
{
    str_be(out, 1, 4);
    str_add(out, nal);
}

/* "profile,width,has_b_frames,frames" of the first `n` frames, as ffprobe sees and decodes them. */
static void probe(const struct rig *r, unsigned n, char *out, size_t cap)
{
    struct h264_config c;
    struct str s = {0};
    char path[256], command[600];
    assert_int_equal(h264_avcc_parse(buf_span(r->track[MEDIA_VIDEO]->config), &c), E_OK);
    add_nal(&s, c.sps[0]);
    add_nal(&s, c.pps[0]);
    for (unsigned i = 0; i < n; i++) {
        struct span rest = frame_span(r->frames[i]), nal;
        while (nal_next(&rest, 4, &nal) == E_OK) add_nal(&s, nal);
    }
    snprintf(path, sizeof path, "%s/out.h264", dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s.p, 1, s.len, f), s.len);
    fclose(f);
    str_fini(&s);
    snprintf(command, sizeof command,
             "ffprobe -v error -count_frames -show_entries "
             "stream=profile,width,has_b_frames,nb_read_frames -of csv=p=0 %s 2>&1",
             path);
    f = popen(command, "r");
    assert_non_null(f);
    out[fread(out, 1, cap - 1, f)] = 0;
    assert_int_equal(pclose(f), 0);
    unlink(path);
}

static void key_there(void *arg)
{
    transcoder_want_key(((struct rig *)arg)->t);
}

static void b_frames_go(void **state)
{
    struct media_file m;
    static struct rig r;
    char seen[200];
    unsigned keys = 0;
    (void)state;
    media_file_open(&m, "h264-bframes.mp4");
    assert_true(m.track->may_reorder);
    open_rig(&r, &m);
    feed_all(&r, &m, 4, 1000000);
    on_loop(&loops, 0, key_there, &r);
    feed_all(&r, &m, 4, 6000000);
    rig_stop(&r);
    check_order(&r);
    assert_memory_equal(r.track[MEDIA_VIDEO]->codecs, "avc1.42c0", 9);
    assert_false(r.track[MEDIA_VIDEO]->may_reorder);
    assert_int_equal(r.track[MEDIA_VIDEO]->fps_milli, 30000);
    assert_int_equal(r.n_tracks, 1);
    for (unsigned i = 0; i < r.n_frames; i++) {
        if (!r.frames[i]->key) continue;
        if (keys++)
            assert_in_range(r.frames[i]->pts_us, 5700000, 6200000); /* when it was asked for */
    }
    assert_int_equal(keys, 2);
    probe(&r, 290, seen, sizeof seen);
    assert_string_equal(seen, "Constrained Baseline,160,0,290\n");
    rig_close(&r);
    media_file_close(&m);
}

static void every_codec(void **state)
{
    static const char *const FILES[] = {"h265.mp4", "vp9.mp4", "av1.mp4"};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct media_file m;
        static struct rig r;
        media_file_open(&m, FILES[i]);
        open_rig(&r, &m);
        feed_all(&r, &m, 6, 0);
        rig_stop(&r);
        check_order(&r);
        assert_int_equal(r.track[MEDIA_VIDEO]->width, 160);
        assert_int_equal(r.track[MEDIA_VIDEO]->height, 90);
        rig_close(&r);
        media_file_close(&m);
    }
}

/* A GOP fed at once is caught up with: only pictures near its end come out. */
static void catches_up(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    open_rig(&r, &m);
    rig_feed(&r, &m, 0, m.n, 0);
    rig_until(&r, rig_has_frames, 1);
    rig_stop(&r);
    assert_in_range(m.samples[m.n - 1].pts_us - r.frames[0]->pts_us, 0, 4000000);
    rig_close(&r);
    media_file_close(&m);
}

static void gop_and_size(void **state)
{
    struct media_file m;
    static struct rig r;
    int64_t last = 0;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    r = (struct rig){.spec = {.from = {[MEDIA_VIDEO] = m.track},
                              .to = {[MEDIA_VIDEO] = CODEC_H264},
                              .max_height = 46,
                              .gop_ms = 500}};
    assert_int_equal(rig_open(&r), E_OK);
    feed_all(&r, &m, 0, 0);
    rig_stop(&r);
    check_order(&r);
    assert_int_equal(r.track[MEDIA_VIDEO]->height, 46);
    assert_int_equal(r.track[MEDIA_VIDEO]->width, 80);
    for (unsigned i = 0; i < r.n_frames; i++) {
        if (!r.frames[i]->key) continue;
        assert_in_range(r.frames[i]->pts_us - last, 0, 534000);
        last = r.frames[i]->pts_us;
    }
    assert_true(last > 4000000);
    rig_close(&r);
    media_file_close(&m);
}

struct change {
    struct rig *rig;
    struct track *track;
};

static void change_there(void *arg)
{
    const struct change *c = arg;
    transcoder_track(c->rig->t, c->track);
}

static void new_size_is_a_new_track(void **state)
{
    struct media_file a, b;
    static struct rig r;
    (void)state;
    media_file_open(&a, "h264-baseline.mp4");
    media_file_open(&b, "h264-cropped.mp4");
    open_rig(&r, &a);
    feed_all(&r, &a, 0, 0);
    on_loop(&loops, 0, change_there, &(struct change){&r, b.track});
    feed_all(&r, &b, 4, 6000000);
    rig_stop(&r);
    assert_int_equal(r.track[MEDIA_VIDEO]->width, 170);
    assert_int_equal(r.track[MEDIA_VIDEO]->height, 94);
    assert_int_equal(r.n_tracks, 2);
    assert_true(r.frames[a.n]->key);
    rig_close(&r);
    media_file_close(&b);
    media_file_close(&a);
}

/* --- trouble -----------------------------------------------------------------------------------
 */

/* Our only child; 0: there is none. */
static pid_t child(void)
{
    pid_t found = 0;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[300], name[64];
        int pid = 0, parent = 0;
        snprintf(path, sizeof path, "/proc/%.200s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f) continue;
        if (fscanf(f, "%d (%63[^)]) %*c %d", &pid, name, &parent) == 3 && parent == getpid() &&
            strncmp(name, "bspnode-worker", 14) == 0)
            found = pid;
        fclose(f);
    }
    closedir(d);
    return found;
}

static bool no_child(struct rig *r, unsigned n)
{
    (void)r, (void)n;
    return child() == 0;
}

/* In the middle of a GOP: another goes on where it was, though the source makes no key frame. */
static void killed_is_replaced(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    open_rig(&r, &m);
    assert_false(m.samples[140].key);
    feed_in_steps(&r, &m, 0, 140, 0, 0);
    const pid_t first = child();
    assert_true(first > 0);
    kill(first, SIGKILL);
    feed_in_steps(&r, &m, 140, m.n, 0, 0);
    const pid_t second = child();
    assert_true(second > 0 && second != first);
    rig_stop(&r);
    check_order(&r);
    assert_true(r.frames[140]->discontinuity && r.frames[140]->key);
    assert_int_equal(r.n_frames, m.n); /* not one picture is missing */
    assert_int_equal(r.n_tracks, 1);   /* the same again */
    assert_false(r.failed);
    assert_int_equal(r.n_keys_asked, 0);
    rig_close(&r);
    rig_until(&r, no_child, 0);
    media_file_close(&m);
}

static bool has_died(struct rig *r, unsigned n)
{
    (void)r;
    return metric_get(M_WORKER_DEATHS) > n;
}

/* One that never comes back from a frame. */
static void hanging_is_replaced(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    open_rig(&r, &m);
    feed_in_steps(&r, &m, 0, 100, 0, 0);
    const unsigned deaths = (unsigned)metric_get(M_WORKER_DEATHS);
    kill(child(), SIGSTOP);
    rig_until(&r, has_died, deaths);
    feed_in_steps(&r, &m, 100, m.n, 0, 0);
    rig_stop(&r);
    assert_int_equal(r.n_frames, m.n);
    rig_close(&r);
    rig_until(&r, no_child, 0);
    media_file_close(&m);
}

/* A program in the worker's place; what it does is in shell. */
static void pretend(const char *script)
{
    char path[256];
    snprintf(path, sizeof path, "%s/worker", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", script);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
    transcoder_set_program(path);
}

static void liars_are_given_up(void **state)
{
    static const char *const SCRIPTS[] = {
        "exit 3",
        "printf 'HTTP/1.1 200 OK\\r\\n' >&3; exec cat <&3 >/dev/null",
        /* a frame before it is ready */
        "printf "
        "'\\000\\000\\000\\024\\003\\000\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\00"
        "0"
        "\\000\\000\\000\\000\\000x' >&3; exec cat <&3 >/dev/null",
        /* ready, then a configuration that is none */
        "printf "
        "'\\000\\000\\000\\003\\005\\000\\001\\000\\000\\000\\020\\002\\000\\001\\000\\000\\000\\00"
        "0"
        "\\000\\000\\000\\000\\000\\000\\000\\000\\000' >&3; exec cat <&3 >/dev/null",
    };
    struct media_file m;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    for (unsigned i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
        static struct rig r;
        pretend(SCRIPTS[i]);
        open_rig(&r, &m);
        rig_feed(&r, &m, 0, 10, 0);
        rig_until(&r, rig_has_failed, 0);
        rig_stop(&r);
        assert_int_equal(r.why, E_IO);
        assert_int_equal(r.n_frames, 0);
        rig_close(&r);
    }
    /* One that says why is believed at once. */
    static struct rig r;
    pretend("printf '\\000\\000\\000\\010\\007\\000no way' >&3; exec cat <&3 >/dev/null");
    open_rig(&r, &m);
    rig_until(&r, rig_has_failed, 0);
    rig_stop(&r);
    assert_int_equal(r.why, E_UNSUPPORTED);
    assert_string_equal(r.reason, "no way");
    rig_close(&r);
    transcoder_set_program(WORKER);
    media_file_close(&m);
}

static void slots_are_kept(void **state)
{
    struct media_file m;
    static struct rig a, b;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    transcoder_set_slots(1);
    assert_int_equal(transcoder_slots_free(), 1);
    open_rig(&a, &m);
    assert_int_equal(transcoder_slots_free(), 0);
    b = (struct rig){.spec = a.spec};
    assert_int_equal(rig_open(&b), E_LIMIT);
    rig_close(&a);
    assert_int_equal(transcoder_slots_free(), 1);
    assert_int_equal(rig_open(&b), E_OK);
    rig_close(&b);
    transcoder_set_slots(0);
    assert_int_equal(rig_open(&b), E_LIMIT);
    transcoder_set_slots(4);
    media_file_close(&m);
}

/* The process that decodes is under the filter, and the filter refuses what it must. */
static void is_shut_in(void **state)
{
    struct media_file m;
    static struct rig r;
    char path[64], line[200];
    bool filtered = false, locked = false;
    (void)state;
    media_file_open(&m, "h264-baseline.mp4");
    open_rig(&r, &m);
    feed_all(&r, &m, 0, 0);
    snprintf(path, sizeof path, "/proc/%d/status", (int)child());
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        filtered |= !strcmp(line, "Seccomp:\t2\n");
        locked |= !strcmp(line, "NoNewPrivs:\t1\n");
    }
    fclose(f);
    assert_true(filtered && locked);
    rig_close(&r);
    media_file_close(&m);
    assert_int_equal(system(WORKER " self-test >/dev/null"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_frames_go),
        cmocka_unit_test(every_codec),
        cmocka_unit_test(catches_up),
        cmocka_unit_test(gop_and_size),
        cmocka_unit_test(new_size_is_a_new_track),
        cmocka_unit_test(killed_is_replaced),
        cmocka_unit_test(hanging_is_replaced),
        cmocka_unit_test(liars_are_given_up),
        cmocka_unit_test(slots_are_kept),
        cmocka_unit_test(is_shut_in),
    };
    char path[256];
    if (!mkdtemp(dir)) return 1;
    transcoder_set_program(WORKER);
    transcoder_set_slots(4);
    two_loops_start(&loops);
    const int failed = RUN_TESTS(tests);
    two_loops_stop(&loops);
    snprintf(path, sizeof path, "%s/worker", dir);
    unlink(path);
    rmdir(dir);
    return failed;
}
