/* SPDX-License-Identifier: MIT */
#include "bridge/outward.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "bridge/outward_plan.h"
#include "bridge/packer.h"
#include "wire/h264.h"
#include <stdio.h>

#define HELD           256 /* frames that wait until it is known what they are */
#define SURE_FRAMES    20  /* pictures in order: there will be no others */
#define BACK_STEPS     2   /* pictures out of order: one may be a clock's stumble */
#define UNSURE_US      (1500 * US_PER_MS)
#define TICK_US        (2 * US_PER_SEC)
#define TICK_SOON_US   (100 * US_PER_MS)
#define CLOCK_EVERY_US US_PER_SEC
#define BEHIND_US      (100 * US_PER_MS) /* a break shorter than this needs no step in time */
#define NTP_1970       INT64_C(2208988800)

enum phase {
    WAITING, /* for tracks */
    UNSURE,  /* frames are held */
    RUNNING,
    REFUSING,
};

/* Time as viewers have it: microseconds on the stream clock, plus `shift_us`, which grows when the
 * source has been away; wall_us is where its zero lies. */
struct line {
    bool set;
    int64_t wall_us, shift_us;
    int64_t newest_us; /* of what was sent */
    int64_t told_us;   /* monotonic, when clocks were last sent */
};

struct outward {
    struct lane_bridge bridge;
    struct channel *channel;
    struct loop *home;
    struct feed_reader reader;
    struct timer timer;
    struct list asks;
    int64_t wanted_us; /* monotonic, when somebody last asked or watched */
    struct packer packer;
    struct hub_item *tracks; /* the last set */
    enum phase phase;
    enum outward_way way[2];
    struct lane_track lane[2]; /* as described */
    struct frame *held[HELD];
    unsigned n_held;
    int64_t unsure_until_us;
    int64_t top_us;           /* highest pts */
    unsigned n_video, n_back; /* pictures seen of this source, and those that stepped back */
    struct line line;
    const char *reason; /* REFUSING */
    bool over;
};

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

static const char B_FRAMES[] =
    "The broadcast has B-frames, which WebRTC cannot show, and no transcoder is free. In OBS's "
    "output settings (mode Advanced), write bframes=0 into the x264 options, or set B-frames to 0 "
    "for NVENC, AMF and QuickSync.";
static const char NOT_H264[] =
    "The broadcast's video codec cannot be had by WebRTC, and no transcoder is free. Choose an "
    "H.264 encoder in OBS's output settings.";
static const char PIXELS[] =
    "The broadcast's pixel format cannot be had by WebRTC, and no transcoder is free. In OBS's "
    "advanced settings, set the colour format to NV12.";
static const char NO_CODEC[] = "The broadcast has nothing that can be had by WebRTC.";

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
    *e = E_UNSUPPORTED;
    *message = o->phase == REFUSING ? o->reason : "";
    if (o->phase == REFUSING) return true;
    *e = E_CLOSED;
    return o->over || !stats.publishing;
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
    const bool soon = !list_empty(&o->asks) || o->phase == UNSURE;
    timer_at(&o->timer, now + (soon ? TICK_SOON_US : TICK_US));
}

/* --- time --- */

static uint64_t ntp_of(int64_t wall_us)
{
    const uint64_t seconds = (uint64_t)(wall_us / US_PER_SEC + NTP_1970);
    return seconds << 32 | ((uint64_t)(wall_us % US_PER_SEC) << 32) / US_PER_SEC;
}

static void tell_clocks(struct outward *o, int64_t now)
{
    const struct line *l = &o->line;
    if (now - l->told_us < CLOCK_EVERY_US) return;
    o->line.told_us = now;
    for (uint8_t k = 0; k < 2; k++) {
        if (o->lane[k].codec == CODEC_NONE) continue;
        struct lane_clock *c = lane_clock_new(k, 0, ntp_of(l->wall_us + l->newest_us),
                                              packer_ts((enum media_kind)k, l->newest_us));
        lane_bridge_send(o->channel, &c->msg);
    }
}

/* The frame's time for viewers. */
static int64_t place(struct line *l, const struct frame *f)
{
    if (!l->set) {
        l->set = true;
        l->wall_us = f->wall_us - f->pts_us;
    } else if (f->discontinuity && f->wall_us) {
        const int64_t shift = f->wall_us - l->wall_us - f->pts_us;
        if (shift > l->shift_us + BEHIND_US) l->shift_us = shift;
    }
    const int64_t t = f->pts_us + l->shift_us;
    if (t > l->newest_us) l->newest_us = t;
    return t;
}

/* --- out --- */

static void on_burst(void *ctx, struct lane_burst *b)
{
    struct outward *o = ctx;
    lane_bridge_send(o->channel, &b->msg);
}

static void send(struct outward *o, const struct frame *f)
{
    const int64_t now = loop_now_us(o->home);
    const int64_t t = place(&o->line, f);
    const enum err e = packer_frame(&o->packer, f, t, now, on_burst, o);
    if (e != E_OK && e != E_NOTFOUND)
        log_debug("outward", "channel=%s frame not sent: %s", channel_id(o->channel), err_text(e));
    tell_clocks(o, now);
}

static void describe_h264(struct lane_track *l, const struct track *t)
{
    struct h264_config c;
    if (!t->config || h264_avcc_parse(buf_span(t->config), &c) != E_OK) return;
    snprintf(l->fmtp, sizeof l->fmtp, "packetization-mode=1;profile-level-id=%02x%02x%02x",
             c.profile, c.constraints, c.level);
}

static bool same_codecs(const struct outward *o, const struct lane_track was[2])
{
    for (unsigned k = 0; k < 2; k++)
        if (o->lane[k].codec != was[k].codec || o->lane[k].makes_keys != was[k].makes_keys)
            return false;
    return true;
}

/* Viewers go on when only a configuration has changed: it comes with the next key frame. */
static void describe(struct outward *o)
{
    struct lane_track was[2];
    const bool described = lane_describe(o->channel, was) == E_OK;
    memset(o->lane, 0, sizeof o->lane);
    for (unsigned k = 0; k < 2; k++) {
        const struct track *t = o->packer.tracks[k];
        if (!t) continue;
        o->lane[k].codec = t->codec;
        o->lane[k].layers = 1;
        if (t->codec == CODEC_H264) describe_h264(&o->lane[k], t);
    }
    o->line.told_us = 0;
    lane_bridge_describe(o->channel, o->lane, described && same_codecs(o, was));
    lane_bridge_set_note(o->channel, OUTWARD_THROUGH, "");
}

static void undescribe(struct outward *o)
{
    memset(o->lane, 0, sizeof o->lane);
    lane_bridge_describe(o->channel, o->lane, false);
}

/* --- what to do with the tracks --- */

static struct track *track_of(const struct outward *o, enum media_kind kind)
{
    const uint8_t id = kind == MEDIA_VIDEO ? TRACK_ID_VIDEO : TRACK_ID_AUDIO;
    for (unsigned i = 0; o->tracks && i < o->tracks->n_tracks; i++)
        if (o->tracks->tracks[i]->id == id && o->tracks->tracks[i]->kind == kind)
            return o->tracks->tracks[i];
    return NULL;
}

static void drop_held(struct outward *o)
{
    for (unsigned i = 0; i < o->n_held; i++) frame_unref(o->held[i]);
    o->n_held = 0;
}

static void refuse(struct outward *o, const char *reason)
{
    drop_held(o);
    if (o->phase != REFUSING)
        log_info("outward", "channel=%s refused: %s", channel_id(o->channel), reason);
    o->phase = REFUSING;
    o->reason = reason;
    undescribe(o);
    lane_bridge_set_note(o->channel, OUTWARD_REFUSED, reason);
}

static const char *why_not(const struct track *video)
{
    if (!video) return NO_CODEC;
    if (video->codec != CODEC_H264) return NOT_H264;
    return video->may_reorder ? B_FRAMES : PIXELS;
}

/* The ways are known. */
static void run(struct outward *o)
{
    struct track *video = track_of(o, MEDIA_VIDEO), *audio = track_of(o, MEDIA_AUDIO);
    if (video && o->way[MEDIA_VIDEO] != OUTWARD_AS_IT_IS) {
        refuse(o, why_not(video));
        return;
    }
    if (o->way[MEDIA_AUDIO] != OUTWARD_AS_IT_IS) audio = NULL;
    if (!video && !audio) {
        refuse(o, NO_CODEC);
        return;
    }
    packer_track(&o->packer, MEDIA_VIDEO, video);
    packer_track(&o->packer, MEDIA_AUDIO, audio);
    o->phase = RUNNING;
    describe(o);
    log_info("outward", "channel=%s video=%s audio=%s", channel_id(o->channel),
             codec_name(o->lane[0].codec), codec_name(o->lane[1].codec));
    for (unsigned i = 0; i < o->n_held; i++) send(o, o->held[i]);
    drop_held(o);
}

/* Pictures were watched for long enough, or one came out of order. */
static void decide(struct outward *o)
{
    o->way[MEDIA_VIDEO] = o->n_back >= BACK_STEPS ? OUTWARD_TRANSCODED : OUTWARD_AS_IT_IS;
    run(o);
}

static void on_tracks(struct outward *o, struct hub_item *item)
{
    const int64_t now = loop_now_us(o->home);
    struct lane_track was[2];
    if (o->tracks) feed_msg_unref(&o->tracks->msg);
    o->tracks = (struct hub_item *)feed_msg_ref(&item->msg);
    drop_held(o);
    o->phase = WAITING;
    lane_bridge_set_note(o->channel, OUTWARD_IDLE, "");
    if (lane_bridge_barred(o->channel)) return;
    if (lane_describe(o->channel, was) != E_OK) o->n_video = o->n_back = 0; /* a new source */
    for (unsigned k = 0; k < 2; k++) o->way[k] = outward_way_of(track_of(o, (enum media_kind)k));
    if (o->way[MEDIA_VIDEO] == OUTWARD_UNSURE && o->n_video >= SURE_FRAMES) {
        decide(o);
    } else if (o->way[MEDIA_VIDEO] == OUTWARD_UNSURE) {
        o->phase = UNSURE;
        o->unsure_until_us = now + UNSURE_US;
    } else {
        run(o);
    }
}

static void watch_order(struct outward *o, const struct frame *f)
{
    if (o->n_video++ && f->pts_us < o->top_us) o->n_back++;
    if (f->pts_us > o->top_us || o->n_video == 1) o->top_us = f->pts_us;
}

static void on_frame(struct outward *o, struct frame *f)
{
    const bool video = codec_kind(f->codec) == MEDIA_VIDEO;
    if (lane_bridge_barred(o->channel) || f->track > TRACK_ID_AUDIO) return;
    if (video) watch_order(o, f);
    if (o->phase == UNSURE) {
        o->held[o->n_held++] = frame_ref(f);
        if (o->n_back >= BACK_STEPS || o->n_video >= SURE_FRAMES || o->n_held == HELD) decide(o);
    } else if (o->phase == RUNNING) {
        const struct track *t = track_of(o, MEDIA_VIDEO);
        if (video && t && t->may_reorder && o->n_back >= BACK_STEPS)
            decide(o);
        else
            send(o, f);
    }
}

static void over(struct outward *o);

static void on_item(struct feed_reader *reader, struct feed_msg *m)
{
    struct outward *o = reader->ctx;
    struct hub_item *item = (struct hub_item *)m;
    if (o->over) return;
    switch ((enum hub_item_kind)m->kind) {
    case HUB_TRACKS:
        on_tracks(o, item);
        break;
    case HUB_FRAME:
        on_frame(o, item->frame);
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
    drop_held(o);
    lane_bridge_close(o->channel, &o->bridge);
    loop_defer(o->home, free_outward, o);
}

static void on_timer(struct timer *t, void *ctx)
{
    struct outward *o = ctx;
    const int64_t now = loop_now_us(o->home);
    (void)t;
    if (o->phase == UNSURE && now >= o->unsure_until_us && o->n_video > 0) decide(o);
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
    (void)b, (void)layer;
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
