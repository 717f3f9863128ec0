/* SPDX-License-Identifier: MIT */
/* Several renditions of one picture, as the layers of a browser: in step, late, stopped, back. */
#include "../packager_source.h"
#include "../test.h"

static struct media_file h264, cropped, aac48;

/* A layer: frames of `drops` are not sent, all arrive `delay_us` after they were taken. */
struct layer {
    struct track *t;
    int64_t off_us;   /* what its clock is off */
    int64_t delay_us; /* on its way */
    double from_s, until_s, stop_s, back_s;
    bool (*drops)(uint64_t n);
    unsigned sent;
};

struct sim {
    struct packager *p;
    struct check check;
    struct layer layers[3];
    unsigned n_layers;
    bool audio;
    unsigned gop;
    int64_t audio_delay_us;
    int64_t now_us;
    unsigned sound;
};

struct arrival {
    int64_t at_us;
    unsigned which; /* layer, or 3: sound */
    struct frame *f;
};

static struct track *with_id(struct track *t, uint8_t id)
{
    struct track *c = track_copy(t);
    c->id = id;
    return c;
}

static void begin(struct sim *s, unsigned n)
{
    const struct packager_config c = packager_usual();
    *s = (struct sim){.p = packager_new(&c), .n_layers = n, .audio = true, .gop = 60};
    s->check = (struct check){.target_s = c.target_s, .audio_frame_us = 21333};
    for (unsigned i = 0; i < n; i++)
        s->layers[i] =
            (struct layer){.t = with_id(h264.track, (uint8_t)(i ? i + 1 : 0)), .until_s = 1e9};
}

static void finish(struct sim *s)
{
    packager_end(s->p, s->now_us);
    check_drain(&s->check, s->p);
    check_aligned(&s->check);
    packager_free(s->p);
    check_fini(&s->check);
    for (unsigned i = 0; i < s->n_layers; i++) track_unref(s->layers[i].t);
}

static int by_arrival(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;
    return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static struct frame *make(const struct track *t, int64_t dts_us, bool key)
{
    struct frame *f = frame_new(key ? 80 : 16);
    memset(f->data, 0, f->len);
    f->track = t->id;
    f->codec = t->codec;
    f->key = key;
    f->dts_us = f->pts_us = dts_us;
    f->wall_us = INT64_C(1767225600000000) + dts_us;
    return f;
}

static bool is_sent(const struct layer *l, double t_s, uint64_t n)
{
    if (t_s < l->from_s || t_s >= l->until_s) return false;
    if (l->stop_s > 0 && t_s >= l->stop_s && t_s < l->back_s) return false;
    return !l->drops || !l->drops(n);
}

static void pass_time(struct sim *s, int64_t now_us)
{
    while (packager_deadline_us(s->p) <= now_us) {
        if (packager_deadline_us(s->p) > s->now_us) s->now_us = packager_deadline_us(s->p);
        packager_tick(s->p, s->now_us);
        check_drain(&s->check, s->p);
    }
    if (now_us > s->now_us) s->now_us = now_us;
}

/* Pictures 30 times a second for so long. */
static void run(struct sim *s, double seconds)
{
    const size_t cap = (size_t)(seconds * (30 * s->n_layers + 48)) + 16;
    struct arrival *all = xcalloc(cap, sizeof *all);
    size_t n = 0;
    for (uint64_t i = 0; (double)i / 30 < seconds; i++) {
        for (unsigned k = 0; k < s->n_layers; k++) {
            struct layer *l = &s->layers[k];
            if (!is_sent(l, (double)i / 30, i)) continue;
            const int64_t t_us = (int64_t)(i * 1000000 / 30);
            const bool key = i % s->gop == 0 || l->sent == 0;
            all[n++] = (struct arrival){t_us + l->delay_us, k, make(l->t, t_us + l->off_us, key)};
            l->sent++;
        }
    }
    for (uint64_t i = 0; s->audio && (double)i * 1024 / 48000 < seconds; i++) {
        const int64_t t_us = (int64_t)(i * 1024 * 1000000 / 48000);
        all[n++] = (struct arrival){t_us + s->audio_delay_us, 3, make(aac48.track, t_us, true)};
    }
    qsort(all, n, sizeof *all, by_arrival);
    for (unsigned k = 0; k < s->n_layers; k++)
        assert_int_equal(packager_track(s->p, s->layers[k].t, 0), E_OK);
    if (s->audio) assert_int_equal(packager_track(s->p, aac48.track, 0), E_OK);
    for (size_t i = 0; i < n; i++) {
        pass_time(s, all[i].at_us);
        packager_frame(s->p, all[i].f, s->now_us);
        frame_unref(all[i].f);
        check_drain(&s->check, s->p);
    }
    free(all);
}

static unsigned gaps(const struct lane_check *l)
{
    unsigned n = 0;
    for (unsigned i = 0; i < l->n_segs; i++) n += l->segs[i].gap;
    return n;
}

/* Clocks a millisecond or two apart, paths of different length: the same segments to the tick. */
static void in_step(void **state)
{
    struct sim s;
    begin(&s, 3);
    s.layers[1].off_us = 1000;
    s.layers[2].off_us = -2000;
    s.layers[0].delay_us = 90000;
    s.layers[2].delay_us = 20000;
    run(&s, 21);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    for (unsigned k = 0; k < 3; k++) {
        const struct lane_check *l = k ? &s.check.layers[k - 1] : &s.check.v;
        assert_int_equal(l->n_segs, 11);
        assert_int_equal(l->samples, s.layers[k].sent);
        assert_int_equal(gaps(l), 0);
        for (unsigned i = 0; i < l->n_segs; i++) {
            assert_true(l->segs[i].independent);
            assert_int_equal(l->segs[i].wall_us, s.check.v.segs[i].wall_us);
            assert_int_equal(l->segs[i].parts, s.check.v.segs[i].parts);
        }
    }
    assert_int_equal(s.check.n_discontinuities, 0);
    finish(&s);
}

/* A layer's bandwidth is gone for a while: gaps in its rendition, the others do not notice; it is
 * back where all are cut, with the same decoder, and nothing is a discontinuity. */
static void one_stops_and_returns(void **state)
{
    struct sim s;
    begin(&s, 3);
    s.check.irregular = true; /* its last picture stands until the cut */
    s.layers[0].stop_s = 5.5;
    s.layers[0].back_s = 12.5;
    run(&s, 20.5);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    assert_int_equal(s.check.v.n_segs, 11);
    for (unsigned i = 0; i < 11; i++)
        assert_int_equal(s.check.v.segs[i].gap, i >= 3 && i <= 6); /* back at 14 s, with a key */
    assert_int_equal(gaps(&s.check.layers[0]) + gaps(&s.check.layers[1]), 0);
    assert_int_equal(s.check.layers[0].samples, s.layers[1].sent);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(s.check.v.n_inits, 1);
    finish(&s);
}

/* A layer that comes late begins at the number of that moment. */
static void one_comes_late(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.layers[1].from_s = 7.2;
    run(&s, 20.5);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    assert_int_equal(s.check.layers[0].segs[0].msn, 4);
    assert_int_equal(s.check.layers[0].segs[0].start_us, 8000000);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(gaps(&s.check.layers[0]), 0);
    finish(&s);
}

/* The layers come one after another within the first second: the first segment has all of them. */
static void they_begin_together(void **state)
{
    struct sim s;
    begin(&s, 3);
    s.gop = 15;
    s.layers[0].from_s = 0.5;
    s.layers[1].from_s = 0.2;
    run(&s, 10.2);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    assert_int_equal(s.check.v.segs[0].msn, 0);
    assert_int_equal(s.check.v.segs[0].start_us, 500000);
    assert_int_equal(s.check.layers[0].segs[0].start_us, 500000);
    assert_int_equal(s.check.layers[1].segs[0].start_us, 500000);
    finish(&s);
}

static bool skips_some_keys(uint64_t n)
{
    return n % 180 == 60; /* the encoder drops a picture where the others have their key frame */
}

/* A key frame that is missing in one layer: segments go on until all have one. */
static void cut_where_all_have_keys(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.check.irregular = true;
    s.layers[1].drops = skips_some_keys;
    run(&s, 24.2);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    for (unsigned i = 0; i < s.check.v.n_segs; i++) {
        assert_true(s.check.v.segs[i].independent);
        assert_true(s.check.layers[0].segs[i].independent);
    }
    assert_int_equal(s.check.v.segs[1].start_us, 4000000);
    assert_int_equal(gaps(&s.check.layers[0]), 0);
    finish(&s);
}

static bool never_with_others(uint64_t n)
{
    return n % 60 == 0 && n > 0;
}

/* Layers whose key frames never meet are cut all the same, at those of the best. */
static void keys_that_never_meet(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.check.irregular = true;
    s.layers[1].drops = never_with_others;
    run(&s, 20.5);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 40000);
    assert_true(s.check.v.n_segs >= 5);
    for (unsigned i = 0; i < s.check.v.n_segs; i++) assert_true(s.check.v.segs[i].independent);
    finish(&s);
}

/* All change their size at once: one discontinuity, and every picture is there. */
static void all_change_size(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.audio = false;
    run(&s, 6);
    for (unsigned k = 0; k < 2; k++) {
        struct track *t = with_id(cropped.track, s.layers[k].t->id);
        assert_int_equal(packager_track(s.p, t, s.now_us), E_OK);
        track_unref(t);
    }
    for (unsigned i = 0; i < 120; i++) {
        const int64_t t_us = 6000000 + (int64_t)i * 1000000 / 30;
        pass_time(&s, t_us);
        for (unsigned k = 0; k < 2; k++) {
            struct frame *f = make(s.layers[k].t, t_us, i % 60 == 0);
            packager_frame(s.p, f, s.now_us);
            frame_unref(f);
        }
        check_drain(&s.check, s.p);
    }
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    assert_int_equal(s.check.n_discontinuities, 1);
    assert_int_equal(s.check.v.samples, 180 + 120);
    assert_int_equal(s.check.layers[0].samples, 180 + 120);
    assert_int_equal(s.check.v.n_inits, 2);
    assert_int_equal(s.check.layers[0].n_inits, 2);
    finish(&s);
}

/* Sound that was transcoded on the way comes later than the picture. */
static void sound_is_late(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.audio_delay_us = 250000;
    run(&s, 20.5);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(s.check.a.n_segs, s.check.v.n_segs);
    assert_int_equal(gaps(&s.check.a), 0);
    finish(&s);
}

/* A layer far behind the others is left behind, and nobody waits for it. */
static void one_is_far_behind(void **state)
{
    struct sim s;
    begin(&s, 2);
    s.check.irregular = true;
    s.layers[1].delay_us = 1200000;
    run(&s, 20.5);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 0);
    assert_int_equal(s.check.v.samples, s.layers[0].sent);
    assert_int_equal(gaps(&s.check.v), 0);
    finish(&s);
}

static bool lossy_top(uint64_t n)
{
    const uint64_t x = (n + 1) * 2654435761u % 997;
    return n > 60 && (x < 40 || (n / 300 % 7 == 3 && n % 300 > 60 && n % 300 < 60 + x / 20));
}

static bool lossy_low(uint64_t n)
{
    return n > 60 && n * 40503 % 613 < 20;
}

/* Half an hour over a line that loses now a picture, now a second of them, in each layer for
 * itself: parts stay within the target, segments together, nobody is cut off. */
static void half_an_hour_with_holes(void **state)
{
    struct sim s;
    begin(&s, 3);
    s.check.short_ok = true;
    s.layers[0].drops = lossy_top;
    s.layers[2].drops = lossy_low;
    s.layers[1].delay_us = 60000;
    run(&s, 1800);
    packager_end(s.p, s.now_us);
    check_drain(&s.check, s.p);
    check_layers_aligned(&s.check, 110000);
    assert_int_equal(s.check.v.long_parts, 0);
    assert_int_equal(s.check.layers[0].long_parts + s.check.layers[1].long_parts, 0);
    assert_int_equal(s.check.n_discontinuities, 0);
    assert_int_equal(s.check.layers[0].samples, s.layers[1].sent);
    assert_int_equal(gaps(&s.check.layers[0]), 0);
    assert_in_range(gaps(&s.check.v), 0, s.check.v.n_segs / 10);
    for (unsigned i = 0; i < s.check.v.n_segs; i++)
        if (!s.check.v.segs[i].gap) assert_true(s.check.v.segs[i].independent);
    finish(&s);
}

int main(void)
{
    media_file_open(&h264, "h264-baseline.mp4");
    media_file_open(&cropped, "h264-cropped.mp4");
    media_file_open(&aac48, "aac-48000.mp4");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_step),
        cmocka_unit_test(one_stops_and_returns),
        cmocka_unit_test(one_comes_late),
        cmocka_unit_test(they_begin_together),
        cmocka_unit_test(cut_where_all_have_keys),
        cmocka_unit_test(keys_that_never_meet),
        cmocka_unit_test(all_change_size),
        cmocka_unit_test(sound_is_late),
        cmocka_unit_test(one_is_far_behind),
        cmocka_unit_test(half_an_hour_with_holes),
    };
    const int rc = RUN_TESTS(tests);
    media_file_close(&h264);
    media_file_close(&cropped);
    media_file_close(&aac48);
    return rc;
}
