/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "../two_loops.h"
#include "base/xalloc.h"
#include "hub/hub.h"

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;

/* --- a subscriber that writes down what it sees --------------------------------------------------
 */

struct reader {
    struct feed_reader r;
    int64_t got[512];
    int n, tracks, stop_after;
    bool ended;
    sem_t enough;
    int want;
};

static void on_item(struct feed_reader *r, struct feed_msg *m)
{
    struct reader *x = r->ctx;
    const struct hub_item *i = (const struct hub_item *)m;
    if (m->kind == HUB_TRACKS) x->tracks++;
    if (m->kind == HUB_END) x->ended = true;
    if (m->kind == HUB_FRAME) x->got[x->n++] = i->frame->dts_us;
    if (x->stop_after && x->n == x->stop_after) feed_detach(r);
    if ((x->want && x->n == x->want) || (!x->want && x->ended)) sem_post(&x->enough);
}

static void attach(void *arg)
{
    struct reader *x = arg;
    feed_attach(channel_feed(channel), &x->r, on_item, x);
}

static void detach(void *arg)
{
    feed_detach(&((struct reader *)arg)->r);
}

/* --- a publisher --- */

struct pub {
    struct publisher *p;
    sem_t answered;
    int64_t base_us;
    enum err kicked;
    int64_t from, to;
};

static void on_ready(void *ctx, int64_t base_us)
{
    struct pub *x = ctx;
    x->base_us = base_us;
    sem_post(&x->answered);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    struct pub *x = ctx;
    assert_true(strlen(reason) > 5);
    x->kicked = why;
    publisher_close(x->p, false);
    sem_post(&x->answered);
}

static const struct publisher_ops OPS = {on_ready, on_kick};

static void open_pub(void *arg)
{
    struct pub *x = arg;
    x->p = publisher_open(channel, &OPS, x);
}

/* One frame a millisecond, a key frame every ten. */
static void publish(void *arg)
{
    struct pub *x = arg;
    if (x->from == 0) {
        struct track *t = track_new(TRACK_ID_VIDEO, CODEC_H264);
        publisher_tracks(x->p, &t, 1);
        track_unref(t);
    }
    for (int64_t i = x->from; i < x->to; i++) {
        struct frame *f = frame_new(100);
        memset(f->data, 0, 100);
        f->codec = CODEC_H264;
        f->key = i % 10 == 0;
        f->dts_us = f->pts_us = i * 1000;
        publisher_frame(x->p, f);
    }
}

static void close_pub(void *arg)
{
    publisher_close(((struct pub *)arg)->p, true);
}

static void close_channel(void *arg)
{
    channel_close(arg, "The owner has ended the stream.");
}

static void start(void)
{
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    assert_int_equal(channel_open(hub, "abc", &channel), E_OK);
}

static void stop(void)
{
    on_loop(&loops, loop_id(channel_home(channel)), close_channel, channel);
    channel_unref(channel);
    two_loops_stop(&loops);
    hub_free(hub);
}

/* Newcomers on both loops get the frames since the last key frame and everything after, once. */
static void newcomers_begin_at_the_key_frame(void **state)
{
    (void)state;
    start();
    for (unsigned from = 0; from < 2; from++) {
        struct pub p = {0};
        struct reader a = {0}, b = {0}, quits = {0};
        sem_init(&p.answered, 0, 0);
        on_loop(&loops, from, open_pub, &p);
        sem_wait(&p.answered);
        assert_int_equal(p.kicked, E_OK);
        p.to = 25;
        on_loop(&loops, from, publish, &p);
        sem_init(&a.enough, 0, 0);
        sem_init(&b.enough, 0, 0);
        sem_init(&quits.enough, 0, 0);
        a.want = b.want = 20; /* 20..39 */
        quits.stop_after = 7, quits.want = 7;
        on_loop(&loops, 0, attach, &a);
        on_loop(&loops, 1, attach, &b);
        on_loop(&loops, 1 - from, attach, &quits);
        p.from = 25, p.to = 40;
        on_loop(&loops, from, publish, &p);
        sem_wait(&a.enough);
        sem_wait(&b.enough);
        sem_wait(&quits.enough);
        for (int i = 0; i < 20; i++) {
            assert_int_equal(a.got[i], (20 + i) * 1000);
            assert_int_equal(b.got[i], (20 + i) * 1000);
        }
        assert_int_equal(quits.n, 7);
        assert_int_equal(a.tracks, 1);
        on_loop(&loops, 0, detach, &a);
        on_loop(&loops, 1, detach, &b);
        on_loop(&loops, from, close_pub, &p);
        sem_destroy(&p.answered);
    }
    struct channel_stats s;
    channel_get_stats(channel, &s);
    assert_int_equal(s.video_frames, 80);
    assert_int_equal(s.last_key_interval_us, 10000);
    stop();
}

static void second_publisher_is_refused_and_end_reaches_all(void **state)
{
    (void)state;
    start();
    struct pub first = {0}, second = {0}, third = {0};
    struct reader r = {0};
    sem_init(&first.answered, 0, 0);
    sem_init(&second.answered, 0, 0);
    sem_init(&third.answered, 0, 0);
    sem_init(&r.enough, 0, 0);
    on_loop(&loops, 0, open_pub, &first);
    sem_wait(&first.answered);
    on_loop(&loops, 1, open_pub, &second);
    sem_wait(&second.answered);
    assert_int_equal(second.kicked, E_CONFLICT);
    first.to = 5;
    on_loop(&loops, 0, publish, &first);
    /* A reader that comes on the other loop, and the end of the channel. */
    on_loop(&loops, 1, attach, &r);
    on_loop(&loops, loop_id(channel_home(channel)), close_channel, channel);
    sem_wait(&first.answered); /* kicked */
    assert_int_equal(first.kicked, E_CLOSED);
    sem_wait(&r.enough);
    assert_true(r.ended);
    on_loop(&loops, 1, detach, &r);
    on_loop(&loops, 1, open_pub, &third);
    sem_wait(&third.answered);
    assert_int_equal(third.kicked, E_CLOSED);
    assert_null(hub_find(hub, SPAN_LIT("abc")));
    stop();
}

static void ids_are_unique_while_open(void **state)
{
    (void)state;
    start();
    struct channel *again;
    assert_int_equal(channel_open(hub, "abc", &again), E_CONFLICT);
    assert_int_equal(channel_open(hub, "", &again), E_INVALID);
    struct channel *found = hub_find(hub, SPAN_LIT("abc"));
    assert_ptr_equal(found, channel);
    channel_unref(found);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newcomers_begin_at_the_key_frame),
        cmocka_unit_test(second_publisher_is_refused_and_end_reaches_all),
        cmocka_unit_test(ids_are_unique_while_open),
    };
    return RUN_TESTS(tests);
}
