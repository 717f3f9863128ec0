/* SPDX-License-Identifier: MIT */
/* One reader of a channel's packets lane for all its viewers on this loop. It keeps the last
 * packets of each source, by reference, so that any viewer's NACK is answered from here and a
 * newcomer begins at the last key frame; and it measures the layers, so that viewers may choose. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "bridge/outward.h"
#include "engine/rtc_picture.h"
#include "serve/rtc/rtc_priv.h"

#define LEAST_VIDEO  1024 /* packets for NACKs: about four seconds */
#define LEAST_AUDIO  128
#define KEY_AGAIN_US (200 * US_PER_MS)
#define TICK_US      (250 * US_PER_MS)
#define TICKS        4 /* in a second: reports go out once in that many */
#define SILENT_US    (1500 * US_PER_MS)
#define SOURCES      (2 * LANE_LAYERS) /* track * LANE_LAYERS + layer */

struct source {
    struct packet_history history;
    size_t bytes[TICKS]; /* in each of the last ticks; the first is under way */
    int64_t heard_us;
    uint64_t rate; /* bits a second, smoothed */
    uint16_t width, height;
    uint32_t largest; /* packet of the burst under way */
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
    unsigned ticks;
    int64_t begun_us;     /* of the description: rates are of the time since */
    uint64_t description; /* its id */
    struct lane_track tracks[2];
};

static void clear(struct relay *r)
{
    for (unsigned i = 0; i < SOURCES; i++) {
        packet_history_clear(&r->sources[i].history);
        r->sources[i].heard_us = 0;
        r->sources[i].rate = 0;
        r->sources[i].width = r->sources[i].height = 0;
        memset(r->sources[i].bytes, 0, sizeof r->sources[i].bytes);
        r->clocks[i].ntp = 0;
    }
}

static void on_burst(struct relay *r, struct lane_burst *b)
{
    const int64_t now = loop_now_us(r->l->loop);
    for (unsigned i = 0; i < LANE_LAYERS; i++) r->sources[i].largest = 0;
    for (unsigned i = 0; i < b->n; i++) {
        const struct lane_packet *p = &b->packets[i];
        struct source *s = &r->sources[p->track * LANE_LAYERS + p->layer];
        packet_history_add(&s->history, b, i);
        if (now - b->at_us < TICK_US) s->bytes[0] += p->len; /* what was kept for us is not now's */
        s->heard_us = now;
        if (p->len > s->largest) s->largest = p->len;
        if (p->key && p->track == MEDIA_VIDEO)
            (void)rtc_picture_size(r->tracks[MEDIA_VIDEO].codec, lane_payload(b, p), &s->width,
                                   &s->height);
    }
    LIST_EACH(v, &r->viewers) whep_send(v, b, now);
}

static void on_description(struct relay *r, const struct lane_description *d)
{
    if (d->id == r->description) return;
    r->description = d->id;
    r->begun_us = loop_now_us(r->l->loop);
    memcpy(r->tracks, d->tracks, sizeof r->tracks);
    clear(r);
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

/* Of the last second, or of what there has been of one. */
static void measure(struct relay *r, struct source *s, int64_t now)
{
    uint64_t sum = 0, now_rate;
    int64_t over = now - r->begun_us;
    if (over > TICKS * TICK_US) over = TICKS * TICK_US;
    if (over < TICK_US / 2) return;
    for (unsigned i = 0; i < TICKS; i++) sum += s->bytes[i];
    now_rate = sum * 8 * US_PER_SEC / (uint64_t)over;
    s->rate = s->rate ? (3 * s->rate + now_rate) / 4 : now_rate;
    memmove(s->bytes + 1, s->bytes, (TICKS - 1) * sizeof *s->bytes);
    s->bytes[0] = 0;
}

/* A better layer has more pixels, or, where that is not known, more bits. */
static bool better(const struct source *a, const struct source *b)
{
    const uint32_t pa = (uint32_t)a->width * a->height, pb = (uint32_t)b->width * b->height;
    return pa && pb && pa != pb ? pa > pb : a->rate > b->rate;
}

void relay_layers(const struct relay *r, struct rtc_layers_there *out)
{
    int64_t last = 0;
    out->n = 0;
    for (uint8_t i = 0; i < LANE_LAYERS; i++)
        if (r->sources[i].heard_us > last) last = r->sources[i].heard_us;
    for (uint8_t i = 0; i < LANE_LAYERS; i++) {
        const struct source *s = &r->sources[i];
        out->rate[i] = s->rate;
        if (!s->heard_us || last - s->heard_us > SILENT_US)
            continue; /* its sender switched it off */
        unsigned at = out->n++;
        for (; at > 0 && better(&r->sources[out->order[at - 1]], s); at--)
            out->order[at] = out->order[at - 1];
        out->order[at] = i;
    }
}

uint64_t relay_rate(const struct relay *r, uint8_t layer)
{
    return r->sources[layer].rate;
}

uint32_t relay_largest(const struct relay *r, uint8_t layer)
{
    return r->sources[layer].largest;
}

void relay_picture(const struct relay *r, uint8_t layer, uint16_t *width, uint16_t *height)
{
    *width = r->sources[layer].width;
    *height = r->sources[layer].height;
}

static void on_timer(struct timer *t, void *ctx)
{
    struct relay *r = ctx;
    const int64_t now = loop_now_us(r->l->loop);
    const bool report = ++r->ticks % TICKS == 0;
    for (unsigned i = 0; i < SOURCES; i++) measure(r, &r->sources[i], now);
    LIST_EACH(v, &r->viewers)
    {
        whep_tick(v, now);
        if (report) whep_report(v, r->clocks, now);
    }
    timer_at(&r->timer, now + TICK_US);
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
    for (unsigned i = 0; i < SOURCES; i++)
        packet_history_init(&r->sources[i].history, i < LANE_LAYERS ? LEAST_VIDEO : LEAST_AUDIO);
    list_init(&r->viewers);
    list_push_back(&r->viewers, viewer);
    map_put(&l->relays, id, r);
    timer_init(&r->timer, l->loop, on_timer, r);
    timer_at(&r->timer, loop_now_us(l->loop) + TICK_US);
    feed_attach(channel_lane(c), &r->reader, on_message, r);
    return r;
}

static void free_relay(void *arg)
{
    struct relay *r = arg;
    clear(r);
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

const struct packet_history *relay_history(const struct relay *r, uint8_t track, uint8_t layer)
{
    return &r->sources[track * LANE_LAYERS + layer].history;
}

const struct relay_clock *relay_clock(const struct relay *r, uint8_t track, uint8_t layer)
{
    return &r->clocks[track * LANE_LAYERS + layer];
}

const struct lane_track *relay_track(const struct relay *r, uint8_t track)
{
    return &r->tracks[track];
}

void relay_want_key(struct relay *r, uint8_t layer, int64_t now_us)
{
    if (now_us - r->asked_us[layer] < KEY_AGAIN_US) return;
    r->asked_us[layer] = now_us;
    channel_want_key(r->channel, layer);
}
