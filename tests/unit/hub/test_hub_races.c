/* SPDX-License-Identifier: MIT */
/* The race matrix, without sockets: publishers come, go, are kicked and refused, channels are
 * closed and opened again, while readers attach and leave on both loops. Made for the thread
 * sanitizer; what is asserted everywhere is that no reader sees a frame twice, out of order, or
 * before TRACKS. */
#include "../test.h"
#include "../two_loops.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "hub/ingest_stats.h"

#define READERS 40
#define ROUNDS  400

static struct two_loops loops;
static struct hub *hub;
static _Atomic(struct channel *) channel; /* the test's reference */
static _Atomic int64_t stamp;

struct reader {
    struct feed_reader r;
    struct channel *channel;
    int64_t last;
    bool tracks, ended;
};

static struct reader readers[2][READERS]; /* of each loop */

static void on_item(struct feed_reader *r, struct feed_msg *m)
{
    struct reader *x = r->ctx;
    const struct hub_item *i = (const struct hub_item *)m;
    assert_false(x->ended);
    if (m->kind == HUB_TRACKS) x->tracks = true;
    if (m->kind == HUB_END) x->ended = true;
    if (m->kind != HUB_FRAME) return;
    assert_true(x->tracks);
    assert_true(i->frame->dts_us > x->last);
    x->last = i->frame->dts_us;
}

static void leave(struct reader *x)
{
    if (!x->channel) return;
    feed_detach(&x->r);
    channel_unref(x->channel);
    *x = (struct reader){0};
}

static void readers_step(void *arg)
{
    (void)arg;
    struct reader *x = &readers[loop_id(loop_current())][rand_u64() % READERS];
    if (x->channel) {
        leave(x);
        return;
    }
    x->channel = hub_find(hub, SPAN_LIT("race"));
    if (!x->channel) return;
    struct ingest_stats s; /* from any thread */
    channel_get_ingest(x->channel, &s);
    feed_attach(channel_feed(x->channel), &x->r, on_item, x);
}

static void readers_leave(void *arg)
{
    (void)arg;
    for (int i = 0; i < READERS; i++) leave(&readers[loop_id(loop_current())][i]);
}

/* One publisher a loop, which may or may not be the one that the channel took. */
struct pub {
    struct publisher *p;
    bool ready;
};
static struct pub pubs[2];

static void on_ready(void *ctx, int64_t base_us)
{
    struct pub *x = ctx;
    (void)base_us;
    struct track *t = track_new(TRACK_ID_VIDEO, CODEC_H264);
    x->ready = true;
    publisher_tracks(x->p, &t, 1);
    track_unref(t);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    struct pub *x = ctx;
    (void)why, (void)reason;
    publisher_close(x->p, false);
    *x = (struct pub){0};
}

static const struct publisher_ops OPS = {on_ready, on_kick};

static void pub_step(void *arg)
{
    (void)arg;
    struct pub *x = &pubs[loop_id(loop_current())];
    if (!x->p) {
        struct channel *c = hub_find(hub, SPAN_LIT("race"));
        if (c) x->p = publisher_open(c, &OPS, x);
        channel_unref(c);
    } else if (rand_u64() % 10 == 0) {
        publisher_close(x->p, true);
        *x = (struct pub){0};
    } else if (x->ready) {
        for (int i = 0; i < 5; i++) {
            struct frame *f = frame_new(10);
            memset(f->data, 0, 10);
            f->codec = CODEC_H264;
            f->key = rand_u64() % 4 == 0;
            f->dts_us = f->pts_us = atomic_fetch_add(&stamp, 1) + 1;
            publisher_frame(x->p, f);
        }
    }
}

static void pub_leave(void *arg)
{
    (void)arg;
    struct pub *x = &pubs[loop_id(loop_current())];
    if (x->p) publisher_close(x->p, true);
    *x = (struct pub){0};
}

static void close_channel(void *arg)
{
    channel_close(arg, "The end.");
}

static void everything_at_once(void **state)
{
    (void)state;
    struct channel *c;
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    for (int round = 0; round < ROUNDS; round++) {
        if (channel_open(hub, "race", &c) == E_OK) {
            channel_unref(atomic_exchange(&channel, c));
        }
        c = atomic_load(&channel);
        for (int i = 0; i < 30; i++) {
            const unsigned on = rand_u64() & 1;
            loop_post(loops.loops[on], rand_u64() % 3 ? readers_step : pub_step, NULL);
        }
        if (rand_u64() % 5 == 0) channel_kick(c, E_AUTH, "The key was changed.");
        if (rand_u64() % 20 == 0) on_loop(&loops, loop_id(channel_home(c)), close_channel, c);
    }
    for (unsigned i = 0; i < 2; i++) on_loop(&loops, i, pub_leave, NULL);
    for (unsigned i = 0; i < 2; i++) on_loop(&loops, i, readers_leave, NULL);
    on_loop(&loops, loop_id(channel_home(c)), close_channel, c);
    assert_int_equal(feed_readers(channel_feed(c)), 0);
    channel_unref(c);
    two_loops_stop(&loops);
    hub_free(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_at_once)};
    return RUN_TESTS(tests);
}
