/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/xalloc.h"
#include "bridge/outward_priv.h"
#include <stdio.h>

#define TICK_US      (2 * US_PER_SEC)
#define TICK_SOON_US (100 * US_PER_MS)

struct ask {
    struct list node;
    struct channel *channel;
    struct loop *from;
    outward_answer *answer; /* NULL: nobody waits */
    void *ctx;
    int64_t until_us;
    enum err e;
    const char *message;
};

/* --- asks --- */

static void on_answered(void *arg)
{
    struct ask *a = arg;
    if (a->answer) a->answer(a->ctx, a->e, a->message);
    channel_unref(a->channel);
    free(a);
}

static void answer(struct ask *a, enum err e, const char *message)
{
    a->e = e;
    a->message = message;
    loop_post(a->from, on_answered, a);
}

/* Whether it is known what to say to those who ask. */
static bool known(const struct outward *o, enum err *e, const char **message)
{
    struct lane_track tracks[2];
    struct channel_stats stats;
    channel_get_stats(o->channel, &stats);
    *message = "";
    *e = E_OK;
    if (lane_describe(o->channel, tracks) == E_OK) return true;
    *e = E_CLOSED;
    if (o->over || !stats.publishing) return true;
    *e = E_UNSUPPORTED;
    *message = o->reason;
    return o->phase == OUTWARD_REFUSING;
}

static void settle(struct outward *o, int64_t now)
{
    enum err e;
    const char *message;
    const bool sure = known(o, &e, &message);
    for (struct list *it = o->asks.next, *next; it != &o->asks; it = next) {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        next = it->next;
        if (!sure && now < a->until_us) continue;
        list_remove(it);
        answer(a, sure ? e : E_CLOSED, message);
    }
}

static void set_timer(struct outward *o, int64_t now)
{
    const bool soon = !list_empty(&o->asks) || o->phase == OUTWARD_WATCHING;
    timer_at(&o->timer, now + (soon ? TICK_SOON_US : TICK_US));
}

static void over(struct outward *o);

static void on_item(struct feed_reader *reader, struct feed_msg *m)
{
    struct outward *o = reader->ctx;
    struct hub_item *item = (struct hub_item *)m;
    if (o->over) return;
    switch ((enum hub_item_kind)m->kind) {
    case HUB_TRACKS:
        outward_on_tracks(o, item);
        break;
    case HUB_FRAME:
        outward_on_frame(o, item->frame);
        break;
    case HUB_END:
        over(o);
        return;
    }
    if (!list_empty(&o->asks)) settle(o, loop_now_us(o->home));
}

/* --- coming and going --- */

static void free_outward(void *arg)
{
    struct outward *o = arg;
    feed_detach(&o->reader);
    packer_fini(&o->packer);
    if (o->tracks) feed_msg_unref(&o->tracks->msg);
    channel_unref(o->channel);
    free(o);
}

/* May be inside feed_attach(), so the rest is for later. */
static void over(struct outward *o)
{
    if (o->over) return;
    o->over = true;
    settle(o, INT64_MAX);
    timer_stop(&o->timer);
    outward_drop(o);
    lane_bridge_close(o->channel, &o->bridge);
    loop_defer(o->home, free_outward, o);
}

static void on_timer(struct timer *t, void *ctx)
{
    struct outward *o = ctx;
    const int64_t now = loop_now_us(o->home);
    (void)t;
    outward_tick(o, now);
    settle(o, now);
    if (feed_readers(channel_lane(o->channel)) > 0) o->wanted_us = now;
    if (now - o->wanted_us > OUTWARD_LINGER_US)
        over(o);
    else
        set_timer(o, now);
}

/* What comes as it is has no key frames on request. */
static void on_want_key(struct lane_bridge *b, uint8_t layer)
{
    struct outward *o = CONTAINER_OF(b, struct outward, bridge);
    (void)layer;
    if (o->transcoder && o->way[MEDIA_VIDEO] == OUTWARD_TRANSCODED)
        transcoder_want_key(o->transcoder);
}

void outward_read_again(struct outward *o)
{
    feed_detach(&o->reader);
    o->again = true;
    o->top_us = INT64_MIN;
    feed_attach(channel_feed(o->channel), &o->reader, on_item, o);
    o->again = false;
}

static struct outward *make(struct channel *c)
{
    struct outward *o = NEW(struct outward);
    o->bridge.on_want_key = on_want_key;
    o->channel = channel_ref(c);
    o->home = channel_home(c);
    list_init(&o->asks);
    packer_init(&o->packer);
    timer_init(&o->timer, o->home, on_timer, o);
    lane_bridge_open(c, &o->bridge);
    feed_attach(channel_feed(c), &o->reader, on_item, o);
    return o;
}

static void on_ask(void *arg)
{
    struct ask *a = arg;
    const int64_t now = loop_now_us(channel_home(a->channel));
    struct lane_bridge *b = lane_bridge_of(a->channel);
    struct outward *o = b ? CONTAINER_OF(b, struct outward, bridge) : make(a->channel);
    if (o->over) { /* the channel has ended */
        answer(a, E_CLOSED, "");
        return;
    }
    o->wanted_us = now;
    a->until_us = now + OUTWARD_PATIENCE_MS * US_PER_MS;
    list_push_back(&o->asks, &a->node);
    outward_try_again(o, now);
    settle(o, now);
    set_timer(o, now);
}

void outward_ask(struct channel *c, outward_answer *fn, void *ctx)
{
    struct ask *a = NEW(struct ask);
    a->channel = channel_ref(c);
    a->from = loop_current();
    a->answer = fn;
    a->ctx = ctx;
    loop_post(channel_home(c), on_ask, a);
}

enum outward_state outward_state(const struct channel *c, char *message, size_t cap)
{
    const char *sentence;
    const unsigned state = lane_bridge_note(c, &sentence);
    snprintf(message, cap, "%s", sentence);
    return (enum outward_state)state;
}

void outward_watch(struct channel *c)
{
    outward_ask(c, NULL, NULL);
}
