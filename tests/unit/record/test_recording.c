/* SPDX-License-Identifier: MIT */
/* From a channel's frames to a recording: real loops, a real publisher on another one. */
#include "../test.h"
#include "../two_loops.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/track_config.h"
#include "record/archive.h"
#include "record/recording.h"
#include "record/summary.h"
#include <unistd.h>

#define FRAME_SAMPLES 1024

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;
static struct pool *pool;

struct seen {
    sem_t live, closed;
    int lives, failures;
    struct recording_info info;
};

static void on_live(void *ctx)
{
    struct seen *s = ctx;
    s->lives++;
    sem_post(&s->live);
}

static void on_disk_failure(void *ctx, enum err e, const char *reason)
{
    struct seen *s = ctx;
    assert_true(e != E_OK && reason[0]);
    s->failures++;
}

static void on_closed(void *ctx, const struct recording_info *info)
{
    struct seen *s = ctx;
    s->info = *info;
    sem_post(&s->closed);
}

/* --- a publisher of sound, on the loop that is not the channel's home --- */

struct pub {
    struct publisher *p;
    sem_t ready;
    int64_t base_us;
    uint32_t rate;
    double seconds;
    bool again; /* not the first one */
};

static void on_ready(void *ctx, int64_t base_us)
{
    struct pub *x = ctx;
    x->base_us = base_us;
    sem_post(&x->ready);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    (void)ctx;
    fail_msg("kicked: %s %s", err_label(why), reason);
}

static void pub_open(void *arg)
{
    static const struct publisher_ops ops = {on_ready, on_kick};
    struct pub *x = arg;
    x->p = publisher_open(channel, &ops, x);
}

static void pub_send(void *arg)
{
    struct pub *x = arg;
    const uint8_t config[2] = {x->rate == 48000 ? 0x11 : 0x12, x->rate == 48000 ? 0x90 : 0x10};
    struct track *t;
    assert_int_equal(track_from_config(TRACK_ID_AUDIO, CODEC_AAC, span_of(config, 2), &t), E_OK);
    assert_int_equal(t->sample_rate, x->rate);
    publisher_tracks(x->p, &t, 1);
    const int64_t n = (int64_t)(x->seconds * x->rate / FRAME_SAMPLES);
    for (int64_t i = 0; i < n; i++) {
        struct frame *f = frame_new(200);
        memset(f->data, (int)i, f->len);
        f->track = TRACK_ID_AUDIO;
        f->codec = CODEC_AAC;
        f->key = true;
        f->discontinuity = x->again && i == 0;
        f->dts_us = f->pts_us = x->base_us + i * FRAME_SAMPLES * US_PER_SEC / x->rate;
        f->wall_us = INT64_C(1767323045000000) + f->dts_us;
        publisher_frame(x->p, f);
    }
    track_unref(t);
}

static void pub_close(void *arg)
{
    publisher_close(((struct pub *)arg)->p, false);
}

static void publish(struct pub *x)
{
    const unsigned other = 1 - loop_id(channel_home(channel));
    sem_init(&x->ready, 0, 0);
    on_loop(&loops, other, pub_open, x);
    sem_wait(&x->ready);
    on_loop(&loops, other, pub_send, x);
    on_loop(&loops, other, pub_close, x);
}

static void close_channel(void *arg)
{
    (void)arg;
    channel_close(channel, "over");
}

static struct recording *open_recording(struct seen *s, const char *dir)
{
    sem_init(&s->live, 0, 0);
    sem_init(&s->closed, 0, 0);
    assert_int_equal(channel_open(hub, "stream", &channel), E_OK);
    return recording_open(&(struct recording_cfg){.channel = channel,
                                                  .pool = pool,
                                                  .dir = dir,
                                                  .part_ms = 334,
                                                  .segment_ms = 2000,
                                                  .target_s = 10,
                                                  .on_live = on_live,
                                                  .on_disk_failure = on_disk_failure,
                                                  .on_closed = on_closed,
                                                  .ctx = s});
}

static void close_recording(struct seen *s, struct recording *r)
{
    on_loop(&loops, loop_id(channel_home(channel)), close_channel, NULL);
    recording_close(r);
    sem_wait(&s->closed);
    channel_unref(channel);
}

/* --- tests --- */

static void test_reconnect(void **state)
{
    char dir[] = "/tmp/bsp-rec-XXXXXX", cmd[64];
    struct seen s = {.lives = 0};
    struct archive *a;
    assert_non_null(mkdtemp(dir));
    struct recording *r = open_recording(&s, dir);
    struct record_log *log = record_log_ref(recording_log(r));
    publish(&(struct pub){.rate = 48000, .seconds = 20});
    sem_wait(&s.live);
    publish(&(struct pub){.rate = 44100, .seconds = 10, .again = true}); /* another sample rate */
    usleep(1200000); /* its analysis window: it might still have had a picture */
    close_recording(&s, r);
    assert_int_equal(s.lives, 1);
    assert_int_equal(s.failures, 0);
    assert_int_equal(s.info.audio, CODEC_AAC);
    assert_int_equal(s.info.video, CODEC_NONE);
    assert_true(s.info.duration_us > 29900000 && s.info.duration_us < 30100000);
    assert_false(s.info.stopped_early);

    assert_int_equal(recording_load(dir, &a), E_OK);
    assert_string_equal(a->run, record_log_run(log));
    assert_int_equal(a->n_renditions, 1);
    assert_int_equal(a->r[0].media_us, s.info.duration_us);
    uint64_t breaks = 0;
    for (uint64_t i = 0; i < a->r[0].n; i++)
        breaks += archive_segment(&a->r[0], i)->s.discontinuity;
    assert_int_equal(breaks, 1);
    assert_int_equal(a->r[0].inits->id, 2);
    assert_int_equal(a->r[0].inits->sample_rate, 44100);
    archive_unref(a);
    record_log_unref(log);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

/* Somebody was let in and never sent anything. */
static void test_nothing(void **state)
{
    char dir[] = "/tmp/bsp-rec-XXXXXX";
    struct seen s = {.lives = 0};
    struct archive *a;
    assert_non_null(mkdtemp(dir));
    struct recording *r = open_recording(&s, dir);
    close_recording(&s, r);
    assert_int_equal(s.lives, 0);
    assert_int_equal(s.info.duration_us, 0);
    assert_int_equal(s.info.bytes, 0);
    assert_int_equal(recording_load(dir, &a), E_NOTFOUND);
    assert_int_equal(rmdir(dir), 0); /* nothing was made */
}

/* A folder that cannot be made: the stream is live all the same. */
static void test_bad_folder(void **state)
{
    struct seen s = {.lives = 0};
    struct recording *r = open_recording(&s, "/dev/null/recording");
    publish(&(struct pub){.rate = 48000, .seconds = 20});
    sem_wait(&s.live);
    close_recording(&s, r);
    assert_int_equal(s.failures, 1);
    assert_true(s.info.stopped_early);
    assert_int_equal(s.info.bytes, 0);
}

/* Whatever order a browser's layers come in. */
static void test_largest_layer(void **state)
{
    static const uint16_t SIZES[][2] = {{320, 180}, {1280, 720}, {640, 360}};
    struct archive *a = archive_new();
    struct recording_info info;
    char name[] = "v0";
    (void)state;
    for (unsigned i = 0; i < 3; i++, name[1]++) {
        const struct archive_init init = {
            .id = 1, .codec = CODEC_H264, .width = SIZES[i][0], .height = SIZES[i][1]};
        const struct archive_segment seg = {.s = {.dur_us = 1000000}, .len = 10};
        assert_int_equal(archive_add_rendition(a, name, MEDIA_VIDEO), i);
        assert_int_equal(archive_add_init(a, i, &init), E_OK);
        assert_int_equal(archive_add_segment(a, i, &seg), E_OK);
    }
    summary_of(a, &info);
    assert_int_equal(info.width, 1280);
    assert_int_equal(info.height, 720);
    archive_unref(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_bad_folder),
        cmocka_unit_test(test_largest_layer),
    };
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    pool = pool_new(2);
    const int failed = RUN_TESTS(tests);
    for (unsigned i = 0; i < 2; i++) loop_stop(loops.loops[i]);
    for (unsigned i = 0; i < 2; i++) pthread_join(loops.threads[i], NULL);
    loops_settle(loops.loops, 2);
    pool_free(pool);
    loops_settle(loops.loops, 2);
    hub_free(hub);
    loops_free(loops.loops, 2);
    return failed;
}
