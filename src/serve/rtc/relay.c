/* SPDX-License-Identifier: MIT */
/* One reader of a channel's packets lane for all its viewers on this loop. It keeps the last
 * packets of each source, by reference, so that any viewer's NACK is answered from here. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "bridge/outward.h"
#include "serve/rtc/rtc_priv.h"

#define HISTORY      1024 /* packets of one source: about four seconds of video */
#define KEY_BURST    150  /* a newcomer gets at most this many at once */
#define KEY_AGAIN_US (200 * US_PER_MS)
#define REPORT_US    US_PER_SEC
#define SOURCES      (2 * LANE_LAYERS) /* track * LANE_LAYERS + layer */

struct slot {
    struct lane_burst *burst; /* a reference; NULL: empty */
    uint8_t index;
};

struct source {
    struct slot *slots; /* HISTORY of them, made with the first packet */
    uint64_t top;       /* highest number */
    uint64_t key;       /* first packet of the last key frame; 0: none */
    uint32_t key_ts;
    uint64_t since; /* all from here to top are there */
};

struct relay {
    struct rtc_loop *l;
    struct channel *channel;
    struct feed_reader reader;
    struct list viewers;
    struct source sources[SOURCES];
    struct relay_clock clocks[SOURCES];
    int64_t asked_us[LANE_LAYERS];
    struct timer timer;
    uint64_t description; /* its id */
};

static void clear_source(struct source *s)
{
    for (unsigned i = 0; s->slots && i < HISTORY; i++)
        if (s->slots[i].burst) feed_msg_unref(&s->slots[i].burst->msg);
    free(s->slots);
    *s = (struct source){0};
}

static void clear_history(struct relay *r)
{
    for (unsigned i = 0; i < SOURCES; i++) clear_source(&r->sources[i]);
    for (unsigned i = 0; i < SOURCES; i++) r->clocks[i].ntp = 0;
}

static void keep(struct source *s, struct lane_burst *b, uint8_t index)
{
    const struct lane_packet *p = &b->packets[index];
    if (!s->slots) s->slots = xcalloc(HISTORY, sizeof *s->slots);
    if (s->top >= HISTORY && p->seq <= s->top - HISTORY) return; /* too old */
    struct slot *slot = &s->slots[p->seq % HISTORY];
    if (slot->burst) feed_msg_unref(&slot->burst->msg);
    *slot = (struct slot){(struct lane_burst *)feed_msg_ref(&b->msg), index};
    if (p->key && p->seq > s->key && (!s->key || p->ts != s->key_ts)) {
        s->key = s->since = p->seq; /* a key frame has several such packets: the first counts */
        s->key_ts = p->ts;
    }
    if (p->seq > s->top) {
        if (p->seq != s->top + 1 && p->seq != s->since) s->since = p->seq;
        s->top = p->seq;
    }
}

static void on_burst(struct relay *r, struct lane_burst *b)
{
    for (unsigned i = 0; i < b->n; i++)
        keep(&r->sources[b->packets[i].track * LANE_LAYERS + b->packets[i].layer], b, (uint8_t)i);
    LIST_EACH(v, &r->viewers) whep_send(v, b);
}

static void on_description(struct relay *r, const struct lane_description *d)
{
    if (d->id == r->description) return;
    r->description = d->id;
    clear_history(r);
    LIST_EACH(v, &r->viewers) whep_restart(v, d);
    if (d->tracks[0].codec == CODEC_NONE && d->tracks[1].codec == CODEC_NONE)
        outward_watch(r->channel); /* who publishes next may have no packets */
}

static void on_message(struct feed_reader *reader, struct feed_msg *m)
{
    struct relay *r = reader->ctx;
    if (m->kind == LANE_BURST) {
        on_burst(r, (struct lane_burst *)m);
    } else if (m->kind == LANE_DESCRIPTION) {
        on_description(r, (struct lane_description *)m);
    } else {
        const unsigned i = m->kind - LANE_CLOCK;
        const struct lane_clock *c = (struct lane_clock *)m;
        r->clocks[i] = (struct relay_clock){c->ntp, c->ts, loop_now_us(r->l->loop)};
    }
}

static void on_timer(struct timer *t, void *ctx)
{
    struct relay *r = ctx;
    const int64_t now = loop_now_us(r->l->loop);
    LIST_EACH(v, &r->viewers) whep_report(v, r->clocks, now);
    timer_at(&r->timer, now + REPORT_US);
}

struct relay *relay_join(struct rtc_loop *l, struct channel *c, struct list *viewer)
{
    const struct span id = span_str(channel_id(c));
    rtc_viewer_count(l->service, channel_id(c), 1);
    struct relay *r = map_get(&l->relays, id);
    if (r) {
        list_push_back(&r->viewers, viewer);
        return r;
    }
    r = NEW(struct relay);
    r->l = l;
    r->channel = channel_ref(c);
    list_init(&r->viewers);
    list_push_back(&r->viewers, viewer);
    map_put(&l->relays, id, r);
    timer_init(&r->timer, l->loop, on_timer, r);
    timer_at(&r->timer, loop_now_us(l->loop) + REPORT_US);
    feed_attach(channel_lane(c), &r->reader, on_message, r);
    return r;
}

static void free_relay(void *arg)
{
    struct relay *r = arg;
    clear_history(r);
    channel_unref(r->channel);
    free(r);
}

void relay_leave(struct relay *r, struct list *viewer)
{
    list_remove(viewer);
    rtc_viewer_count(r->l->service, channel_id(r->channel), -1);
    if (!list_empty(&r->viewers)) return;
    feed_detach(&r->reader);
    timer_stop(&r->timer);
    (void)map_del(&r->l->relays, span_str(channel_id(r->channel)));
    loop_defer(r->l->loop, free_relay, r); /* it may be its message that ends the viewer */
}

const struct lane_packet *relay_packet(const struct relay *r, uint8_t track, uint8_t layer,
                                       uint64_t seq, const struct lane_burst **burst)
{
    const struct source *s = &r->sources[track * LANE_LAYERS + layer];
    if (!s->slots) return NULL;
    const struct slot *slot = &s->slots[seq % HISTORY];
    if (!slot->burst || slot->burst->packets[slot->index].seq != seq) return NULL;
    *burst = slot->burst;
    return &slot->burst->packets[slot->index];
}

bool relay_key(const struct relay *r, uint8_t layer, uint64_t *from, uint64_t *to)
{
    const struct source *s = &r->sources[layer];
    if (!s->key || s->since > s->key || s->top - s->key >= KEY_BURST) return false;
    *from = s->key;
    *to = s->top;
    return true;
}

void relay_want_key(struct relay *r, uint8_t layer, int64_t now_us)
{
    if (now_us - r->asked_us[layer] < KEY_AGAIN_US) return;
    r->asked_us[layer] = now_us;
    channel_want_key(r->channel, layer);
}
