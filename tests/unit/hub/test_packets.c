/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "../two_loops.h"
#include "hub/packets.h"

#define BURSTS 50
#define KEY    20 /* and the next: a key frame in two bursts */

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;
static struct publisher *publisher;
static struct feed_reader reader, late;
static sem_t said;
static struct lane_track seen;
static unsigned n_bursts, n_late, wanted_layer;
static uint32_t clock_ts;

static void on_ready(void *ctx, int64_t base_us)
{
    sem_post(&said);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    fail();
}

static void on_want_key(void *ctx, uint8_t layer)
{
    wanted_layer = layer;
    sem_post(&said);
}

static const struct publisher_ops OPS = {on_ready, on_kick, on_want_key};

static void open_publisher(void *arg)
{
    publisher = publisher_open(channel, &OPS, NULL);
}

static void describe(void *arg)
{
    const struct lane_track tracks[2] = {
        {.codec = CODEC_H264, .layers = 3, .fmtp = "profile-level-id=42e01f"}, {CODEC_NONE}};
    lane_publish_description(publisher, tracks);
    lane_publish_clock(publisher, MEDIA_VIDEO, 1, 77, 90000);
}

static void publish(void *arg)
{
    for (unsigned i = 0; i < BURSTS; i++) {
        struct lane_burst *b = lane_burst_new(1, 4);
        memcpy(b->bytes, "abcd", 4);
        b->packets[0] = (struct lane_packet){
            .seq = 1000 + i, .ts = i / 2, .key = i / 2 == KEY / 2, .at = 1, .len = 2};
        lane_publish_burst(publisher, b);
        if (i == KEY + 5) lane_publish_clock(publisher, MEDIA_VIDEO, 1, 78, 90001);
    }
}

static void leave(void *arg)
{
    publisher_close(publisher, true);
}

static void on_message(struct feed_reader *r, struct feed_msg *m)
{
    if (m->kind == LANE_DESCRIPTION) {
        seen = ((struct lane_description *)m)->tracks[MEDIA_VIDEO];
        if (seen.codec == CODEC_NONE) sem_post(&said);
    } else if (m->kind == LANE_BURST) {
        const struct lane_burst *b = (struct lane_burst *)m;
        assert_int_equal(b->packets[0].seq, 1000 + n_bursts++);
        assert_true(span_is(lane_payload(b, &b->packets[0]), "bc"));
        if (n_bursts == BURSTS) sem_post(&said);
    } else {
        assert_int_equal(m->kind, LANE_CLOCK + 1);
        clock_ts = ((struct lane_clock *)m)->ts;
        sem_post(&said);
    }
}

static void attach(void *arg)
{
    feed_attach(channel_lane(channel), &reader, on_message, NULL);
}

static void on_cached(struct feed_reader *r, struct feed_msg *m)
{
    if (m->kind == LANE_CLOCK + 1)
        assert_int_equal(((struct lane_clock *)m)->ts, 90001);
    else if (m->kind == LANE_BURST)
        assert_int_equal(((struct lane_burst *)m)->packets[0].seq, 1000 + KEY + n_late++);
}

static void attach_late(void *arg)
{
    feed_attach(channel_lane(channel), &late, on_cached, NULL);
}

static void detach(void *arg)
{
    feed_detach(&reader);
    feed_detach(&late);
}

static void close_channel(void *arg)
{
    channel_close(channel, "over");
}

/* The publisher on one loop, the reader on the other, the channel at home on one of them. */
static void life_of_a_lane(void **state)
{
    struct lane_track tracks[2];
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    assert_int_equal(channel_open(hub, "c", &channel), E_OK);
    assert_int_equal(lane_describe(channel, tracks), E_NOTFOUND);
    on_loop(&loops, 1, open_publisher, NULL);
    sem_wait(&said);
    on_loop(&loops, 1, describe, NULL);
    on_loop(&loops, 0, attach, NULL);
    sem_wait(&said); /* a newcomer is told what there is and its clock */
    assert_true(seen.layers == 3 && clock_ts == 90000);
    assert_int_equal(lane_describe(channel, tracks), E_OK);
    assert_string_equal(tracks[0].fmtp, "profile-level-id=42e01f");
    channel_want_key(channel, 2);
    sem_wait(&said);
    assert_int_equal(wanted_layer, 2);
    on_loop(&loops, 1, publish, NULL);
    sem_wait(&said); /* the last burst */
    sem_wait(&said); /* and, before it, the second clock */
    on_loop(&loops, 0, attach_late, NULL);
    assert_int_equal(n_late, BURSTS - KEY); /* since the key frame, whatever the clock said */
    on_loop(&loops, 1, leave, NULL);
    sem_wait(&said); /* in order: all bursts, then the empty description */
    assert_int_equal(n_bursts, BURSTS);
    assert_int_equal(lane_describe(channel, tracks), E_NOTFOUND);
    on_loop(&loops, 0, detach, NULL);
    on_loop(&loops, (unsigned)loop_id(channel_home(channel)), close_channel, NULL);
    channel_unref(channel);
    two_loops_stop(&loops);
    hub_free(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(life_of_a_lane)};
    sem_init(&said, 0, 0);
    return RUN_TESTS(tests);
}
