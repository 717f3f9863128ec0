/* SPDX-License-Identifier: MIT */
#include "hub/packets.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "hub/channel_priv.h"

static void msg_free(struct feed_msg *m)
{
    free(m);
}

enum feed_keep lane_keep(const struct feed_msg *m)
{
    if (m->kind == LANE_DESCRIPTION) return FEED_KEEP_PINNED;
    if (m->kind != LANE_BURST) return FEED_KEEP_LATEST;
    return ((const struct lane_burst *)m)->fresh ? FEED_KEEP_FRESH : FEED_KEEP;
}

void lane_burst_mark(struct lane_burst *b, int64_t *key_ts)
{
    b->fresh = false;
    for (unsigned i = 0; i < b->n; i++) {
        const struct lane_packet *p = &b->packets[i];
        if (p->track != MEDIA_VIDEO || p->layer || !p->key || p->ts == *key_ts) continue;
        *key_ts = p->ts; /* it has several such packets: the first begins it */
        b->fresh = true;
    }
}

/* A message on its way to the home loop. */
struct lane_letter {
    struct publisher *p;
    struct feed_msg *msg;
};

static void on_letter(void *arg)
{
    struct lane_letter *l = arg;
    channel_on_lane(publisher_channel(l->p), l->p, l->msg);
    publisher_unref(l->p);
    free(l);
}

static void publish(struct publisher *p, struct feed_msg *m)
{
    struct channel *c = publisher_channel(p);
    if (loop_current() == channel_home(c)) {
        channel_on_lane(c, p, m);
        return;
    }
    struct lane_letter *l = NEW(struct lane_letter);
    l->p = publisher_ref(p);
    l->msg = m;
    loop_post(channel_home(c), on_letter, l);
}

struct lane_description *lane_description_new(void)
{
    struct lane_description *d = NEW(struct lane_description);
    feed_msg_init(&d->msg, LANE_DESCRIPTION, sizeof *d, msg_free);
    d->id = rand_u64();
    return d;
}

void lane_publish_description(struct publisher *p, const struct lane_track tracks[2])
{
    struct lane_description *d = lane_description_new();
    memcpy(d->tracks, tracks, sizeof d->tracks);
    publisher_tracks_seen(p, tracks);
    publish(p, &d->msg);
}

struct lane_burst *lane_burst_new(unsigned n, size_t bytes)
{
    const size_t size = sizeof(struct lane_burst) + n * sizeof(struct lane_packet) + bytes;
    struct lane_burst *b = xmalloc(size);
    CHECK(n <= LANE_BURST_MAX);
    feed_msg_init(&b->msg, LANE_BURST, size, msg_free);
    b->n = n;
    b->at_us = 0;
    b->fresh = false;
    b->bytes = (uint8_t *)(b->packets + n);
    return b;
}

void lane_publish_burst(struct publisher *p, struct lane_burst *b)
{
    publisher_burst_seen(p, b);
    publish(p, &b->msg);
}

struct lane_clock *lane_clock_new(uint8_t track, uint8_t layer, uint64_t ntp, uint32_t ts)
{
    struct lane_clock *k = NEW(struct lane_clock);
    feed_msg_init(&k->msg, LANE_CLOCK + (uint32_t)track * LANE_LAYERS + layer, sizeof *k, msg_free);
    k->track = track;
    k->layer = layer;
    k->ntp = ntp;
    k->ts = ts;
    return k;
}

void lane_publish_clock(struct publisher *p, uint8_t track, uint8_t layer, uint64_t ntp,
                        uint32_t ts)
{
    publish(p, &lane_clock_new(track, layer, ntp, ts)->msg);
}
