/* SPDX-License-Identifier: MIT */
/* A publisher lives on its connection's loop; the channel on its home loop. Between them go
 * messages; when both are the same loop, frames are handed over directly. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "hub/channel_priv.h"
#include <stdio.h>

#define METER_WAIT_US (10 * US_PER_SEC) /* longer is a wall clock that was set */

struct publisher {
    _Atomic uint32_t refs;
    struct channel *channel;
    struct loop *loop;
    const struct publisher_ops *ops;
    void *ctx;
    bool ready, closed; /* the publisher's loop's, and the meter */
    struct ingest_meter meter;
};

struct letter {
    struct publisher *p;
    struct hub_item *item;
    struct frame *frame;
    int64_t base_us;
    enum err err;
    struct ingest_stats *ingest;
    bool clean;
    uint8_t layer;
    char reason[160];
};

struct publisher *publisher_ref(struct publisher *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void publisher_unref(struct publisher *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1) return;
    channel_unref(p->channel);
    free(p);
}

struct channel *publisher_channel(const struct publisher *p)
{
    return p->channel;
}

static struct letter *letter_to(struct publisher *p)
{
    struct letter *l = NEW(struct letter);
    l->p = publisher_ref(p);
    return l;
}

static void letter_free(struct letter *l)
{
    publisher_unref(l->p);
    free(l);
}

/* --- on the publisher's loop --- */

static void on_admitted(void *arg)
{
    struct letter *l = arg;
    if (!l->p->closed) {
        l->p->ready = true;
        ingest_meter_open(&l->p->meter, loop_now_us(l->p->loop), clock_wall_us());
        l->p->ops->on_ready(l->p->ctx, l->base_us);
    }
    letter_free(l);
}

static void on_kicked(void *arg)
{
    struct letter *l = arg;
    if (!l->p->closed) l->p->ops->on_kick(l->p->ctx, l->err, l->reason);
    letter_free(l);
}

void publisher_kick(struct publisher *p, enum err why, const char *reason)
{
    struct letter *l = letter_to(p);
    l->err = why;
    snprintf(l->reason, sizeof l->reason, "%s", reason);
    loop_post(p->loop, on_kicked, l);
}

static void on_want_key(void *arg)
{
    struct letter *l = arg;
    if (l->p->ready && !l->p->closed && l->p->ops->on_want_key)
        l->p->ops->on_want_key(l->p->ctx, l->layer);
    letter_free(l);
}

void publisher_want_key(struct publisher *p, uint8_t layer)
{
    struct letter *l = letter_to(p);
    l->layer = layer;
    loop_post(p->loop, on_want_key, l);
}

/* --- on the home loop ---------------------------------------------------------------------------
 */

static void on_open(void *arg)
{
    struct letter *l = arg;
    const char *reason = "";
    const enum err e = channel_admit(l->p->channel, l->p, &l->base_us, &reason);
    if (e != E_OK) {
        publisher_kick(l->p, e, reason);
        letter_free(l);
        return;
    }
    loop_post(l->p->loop, on_admitted, l);
}

static void on_tracks(void *arg)
{
    struct letter *l = arg;
    channel_on_tracks(l->p->channel, l->p, l->item);
    letter_free(l);
}

static void on_frame(void *arg)
{
    struct letter *l = arg;
    channel_on_frame(l->p->channel, l->p, l->frame);
    letter_free(l);
}

static void on_ingest(void *arg)
{
    struct letter *l = arg;
    channel_on_ingest(l->p->channel, l->p, l->ingest);
    letter_free(l);
}

static void on_leave(void *arg)
{
    struct letter *l = arg;
    channel_on_leave(l->p->channel, l->p, l->clean);
    letter_free(l);
}

/* --- public --- */

static bool at_home(const struct publisher *p)
{
    return p->loop == channel_home(p->channel);
}

struct publisher *publisher_open(struct channel *c, const struct publisher_ops *ops, void *ctx)
{
    struct publisher *p = NEW(struct publisher);
    atomic_init(&p->refs, 1);
    p->channel = channel_ref(c);
    p->loop = loop_current();
    p->ops = ops;
    p->ctx = ctx;
    CHECK(p->loop);
    loop_post(channel_home(c), on_open, letter_to(p));
    return p;
}

void publisher_tracks(struct publisher *p, struct track *const *tracks, unsigned n)
{
    CHECK(p->ready && n <= LIMIT_TRACKS);
    struct hub_item *item = hub_item_new(HUB_TRACKS, 0);
    for (unsigned i = 0; i < n; i++) item->tracks[i] = track_ref(tracks[i]);
    item->n_tracks = n;
    for (unsigned i = 0; i < n; i++) ingest_meter_track(&p->meter, tracks[i]);
    if (at_home(p)) {
        channel_on_tracks(p->channel, p, item);
        return;
    }
    struct letter *l = letter_to(p);
    l->item = item;
    loop_post(channel_home(p->channel), on_tracks, l);
}

static void tell_ingest(struct publisher *p, int64_t now_us)
{
    struct ingest_stats s;
    if (!ingest_meter_take(&p->meter, now_us, &s)) return;
    struct letter *l = letter_to(p);
    l->ingest = NEW(struct ingest_stats);
    *l->ingest = s;
    loop_post(channel_home(p->channel), on_ingest, l);
}

/* Frames may have waited for the tracks: when they arrived, the wall clock told. */
static void meter(struct publisher *p, const struct frame *f)
{
    const int64_t now_us = loop_now_us(p->loop);
    const int64_t waited_us = f->wall_us ? clock_wall_us() - f->wall_us : 0;
    const bool sane = waited_us > 0 && waited_us < METER_WAIT_US;
    ingest_meter_frame(&p->meter, f, sane ? now_us - waited_us : now_us);
    tell_ingest(p, now_us);
}

void publisher_burst_seen(struct publisher *p, const struct lane_burst *b)
{
    if (loop_current() != p->loop) return; /* packets that a bridge made */
    ingest_meter_burst(&p->meter, b);
    tell_ingest(p, loop_now_us(p->loop));
}

void publisher_tracks_seen(struct publisher *p, const struct lane_track tracks[2])
{
    if (loop_current() != p->loop) return;
    ingest_meter_describe(&p->meter, tracks);
}

void publisher_describe(struct publisher *p, const struct ingest_source *s)
{
    p->meter.source = *s;
}

void publisher_network(struct publisher *p, const struct ingest_network *n)
{
    p->meter.network = *n;
}

void publisher_level(struct publisher *p, int16_t level)
{
    ingest_meter_level(&p->meter, level, loop_now_us(p->loop));
}

void publisher_frame(struct publisher *p, struct frame *f)
{
    CHECK(p->ready);
    meter(p, f);
    if (at_home(p)) {
        channel_on_frame(p->channel, p, f);
        return;
    }
    struct letter *l = letter_to(p);
    l->frame = f;
    loop_post(channel_home(p->channel), on_frame, l);
}

void publisher_close(struct publisher *p, bool clean)
{
    CHECK(!p->closed);
    p->closed = true;
    struct letter *l = letter_to(p);
    l->clean = clean;
    loop_post(channel_home(p->channel), on_leave, l);
    publisher_unref(p);
}
