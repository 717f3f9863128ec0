/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "hub/channel_priv.h"
#include <pthread.h>
#include <stdio.h>

/* A publisher that has sent nothing for this long gives way to a newcomer: its connection died
 * without a word, and the same encoder is back on a new one. */
#define PUBLISHER_GHOST_US (2 * US_PER_SEC)
#define CONNECTS_OF_US     (600 * US_PER_SEC)

struct channel {
    _Atomic uint32_t refs;
    _Atomic unsigned dismissals;
    struct hub *hub;
    char id[CHANNEL_ID_CAP];
    struct loop *home;
    struct feed *feed, *lane;
    /* The rest is the home loop's. */
    struct publisher *publisher;
    struct channel_watch watch;
    struct lane_bridge *bridge; /* NULL: none */
    bool lane_taken;            /* by the publisher's own packets */
    bool closed, has_video;
    uint8_t lead;               /* id of the first video track: newcomers begin with its pictures */
    int64_t end_us;             /* where the stream clock has got to */
    int64_t heard_us;           /* monotonic time of the last frame */
    int64_t last_key_us;        /* stream clock of the last video key frame; -1: none */
    pthread_mutex_t stats_lock; /* taken for a few stores, shared with readers of numbers only */
    struct channel_stats stats;
    struct ingest_stats ingest; /* under it too, written once a second */
    int64_t connects_us[INGEST_CONNECTS];
    unsigned n_connects;
    struct track *tracks[LIMIT_TRACKS]; /* under stats_lock too */
    unsigned n_tracks;
    struct lane_track lane_tracks[2]; /* and these */
    int64_t lane_key_ts;              /* of the first video layer's last key frame; -1: none */
    unsigned note;                    /* the bridge's */
    const char *note_text;
    uint64_t lane_id; /* of the description */
};

static enum feed_keep keep(const struct feed_msg *m)
{
    const struct hub_item *i = (const struct hub_item *)m;
    if (m->kind != HUB_FRAME) return FEED_KEEP_PINNED;
    return i->start ? FEED_KEEP_FRESH : FEED_KEEP;
}

struct channel *channel_new(struct hub *h, const char *id, struct loop *home)
{
    struct channel *c = NEW(struct channel);
    unsigned n;
    struct loop *const *loops = hub_loops(h, &n);
    atomic_init(&c->refs, 1);
    c->hub = h;
    c->home = home;
    c->last_key_us = -1;
    snprintf(c->id, sizeof c->id, "%s", id);
    c->feed = feed_new(home, loops, n, keep, LIMIT_GOP_CACHE_BYTES, LIMIT_GOP_CACHE_FRAMES);
    c->lane = feed_new(home, loops, n, lane_keep, LIMIT_GOP_CACHE_BYTES, LIMIT_GOP_CACHE_FRAMES);
    pthread_mutex_init(&c->stats_lock, NULL);
    metric_add(M_CHANNELS, 1);
    return c;
}

struct channel *channel_ref(struct channel *c)
{
    if (c) atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void channel_unref(struct channel *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
    feed_unref(c->feed);
    feed_unref(c->lane);
    for (unsigned i = 0; i < c->n_tracks; i++) track_unref(c->tracks[i]);
    pthread_mutex_destroy(&c->stats_lock);
    metric_add(M_CHANNELS, -1);
    free(c);
}

const char *channel_id(const struct channel *c)
{
    return c->id;
}

struct loop *channel_home(const struct channel *c)
{
    return c->home;
}

struct feed *channel_feed(const struct channel *c)
{
    return c->feed;
}

struct feed *channel_lane(const struct channel *c)
{
    return c->lane;
}

void channel_set_watch(struct channel *c, const struct channel_watch *w)
{
    c->watch = *w;
}

void channel_get_stats(const struct channel *c, struct channel_stats *out)
{
    struct channel *w = (struct channel *)(uintptr_t)c;
    pthread_mutex_lock(&w->stats_lock);
    *out = c->stats;
    pthread_mutex_unlock(&w->stats_lock);
    out->subscribers = feed_readers(c->feed);
}

unsigned channel_get_tracks(const struct channel *c, struct track *out[LIMIT_TRACKS])
{
    struct channel *w = (struct channel *)(uintptr_t)c;
    pthread_mutex_lock(&w->stats_lock);
    const unsigned n = c->n_tracks;
    for (unsigned i = 0; i < n; i++) out[i] = track_ref(c->tracks[i]);
    pthread_mutex_unlock(&w->stats_lock);
    return n;
}

static bool lane_used(const struct lane_track tracks[2])
{
    return tracks[0].codec != CODEC_NONE || tracks[1].codec != CODEC_NONE;
}

enum err lane_describe(const struct channel *c, struct lane_track tracks[2])
{
    struct channel *w = (struct channel *)(uintptr_t)c;
    pthread_mutex_lock(&w->stats_lock);
    memcpy(tracks, c->lane_tracks, sizeof c->lane_tracks);
    pthread_mutex_unlock(&w->stats_lock);
    return lane_used(tracks) ? E_OK : E_NOTFOUND;
}

static void send_description(struct channel *c, struct lane_description *d)
{
    pthread_mutex_lock(&c->stats_lock);
    memcpy(c->lane_tracks, d->tracks, sizeof c->lane_tracks);
    c->lane_id = d->id;
    pthread_mutex_unlock(&c->stats_lock);
    c->lane_key_ts = -1;
    feed_send(c->lane, &d->msg);
}

/* Whoever published packets does not any more. */
static void reset_lane(struct channel *c)
{
    c->lane_taken = false;
    if (lane_used(c->lane_tracks)) send_description(c, lane_description_new());
}

static void keep_tracks(struct channel *c, const struct hub_item *item)
{
    pthread_mutex_lock(&c->stats_lock);
    for (unsigned i = 0; i < c->n_tracks; i++) track_unref(c->tracks[i]);
    for (unsigned i = 0; i < item->n_tracks; i++) c->tracks[i] = track_ref(item->tracks[i]);
    c->n_tracks = item->n_tracks;
    pthread_mutex_unlock(&c->stats_lock);
}

static void set_publishing(struct channel *c, bool on)
{
    pthread_mutex_lock(&c->stats_lock);
    c->stats.publishing = on;
    pthread_mutex_unlock(&c->stats_lock);
    metric_add(M_PUBLISHERS, on ? 1 : -1);
}

void channel_get_ingest(const struct channel *c, struct ingest_stats *out)
{
    struct channel *w = (struct channel *)(uintptr_t)c;
    pthread_mutex_lock(&w->stats_lock);
    *out = c->stats.publishing ? c->ingest : (struct ingest_stats){0};
    pthread_mutex_unlock(&w->stats_lock);
}

/* A publisher has come: what was known is of the one before. */
static void reset_ingest(struct channel *c)
{
    c->connects_us[c->n_connects++ % INGEST_CONNECTS] = clock_mono_us();
    pthread_mutex_lock(&c->stats_lock);
    c->ingest = (struct ingest_stats){0};
    pthread_mutex_unlock(&c->stats_lock);
}

static unsigned count_connects(const struct channel *c)
{
    const int64_t since_us = clock_mono_us() - CONNECTS_OF_US;
    unsigned n = 0;
    for (unsigned i = 0; i < INGEST_CONNECTS && i < c->n_connects; i++)
        n += c->connects_us[i] >= since_us;
    return n;
}

void channel_on_ingest(struct channel *c, struct publisher *p, struct ingest_stats *s)
{
    if (c->publisher == p && !c->closed) {
        s->connects = count_connects(c);
        pthread_mutex_lock(&c->stats_lock);
        c->ingest = *s;
        pthread_mutex_unlock(&c->stats_lock);
    }
    free(s);
}

/* --- items --- */

static void item_free(struct feed_msg *m)
{
    struct hub_item *i = (struct hub_item *)m;
    for (unsigned t = 0; t < i->n_tracks; t++) track_unref(i->tracks[t]);
    frame_unref(i->frame);
    free(i);
}

struct hub_item *hub_item_new(enum hub_item_kind kind, size_t weight)
{
    struct hub_item *i = NEW(struct hub_item);
    feed_msg_init(&i->msg, kind, weight, item_free);
    return i;
}

void channel_close(struct channel *c, const char *reason)
{
    CHECK(loop_current() == c->home);
    if (c->closed) return;
    c->closed = true;
    if (c->publisher) publisher_kick(c->publisher, E_CLOSED, reason);
    reset_lane(c);
    feed_send(c->feed, &hub_item_new(HUB_END, 0)->msg);
    hub_forget(c->hub, c);
}

/* --- the publisher, heard on the home loop -------------------------------------------------------
 */

enum err channel_admit(struct channel *c, struct publisher *p, int64_t *base_us,
                       const char **reason)
{
    if (c->closed) {
        *reason = "The stream has ended.";
        return E_CLOSED;
    }
    if (c->publisher && clock_mono_us() - c->heard_us < PUBLISHER_GHOST_US) {
        *reason = "Somebody is publishing to this stream already.";
        return E_CONFLICT;
    }
    if (c->publisher) {
        publisher_kick(c->publisher, E_TIMEOUT, "Replaced by a newer connection.");
        publisher_unref(c->publisher);
        reset_lane(c);
    } else {
        set_publishing(c, true);
    }
    c->publisher = publisher_ref(p);
    reset_ingest(c);
    c->heard_us = clock_mono_us();
    *base_us = c->end_us;
    if (c->watch.on_publisher) c->watch.on_publisher(c->watch.ctx, true, true);
    return E_OK;
}

void channel_on_tracks(struct channel *c, struct publisher *p, struct hub_item *item)
{
    if (c->publisher != p || c->closed) {
        feed_msg_unref(&item->msg);
        return;
    }
    keep_tracks(c, item);
    c->has_video = false;
    for (unsigned i = item->n_tracks; i-- > 0;) {
        if (item->tracks[i]->kind != MEDIA_VIDEO) continue;
        c->has_video = true;
        c->lead = item->tracks[i]->id;
    }
    if (c->watch.on_tracks) c->watch.on_tracks(c->watch.ctx, item->tracks, item->n_tracks);
    feed_send(c->feed, &item->msg);
}

/* Of several renditions of the picture all bytes count, and the frames of the first. */
static void count(struct channel *c, const struct frame *f, bool video)
{
    const bool lead = !video || f->track == c->lead;
    struct channel_stats *s = &c->stats;
    pthread_mutex_lock(&c->stats_lock);
    *(video ? &s->video_bytes : &s->audio_bytes) += (int64_t)f->len;
    *(video ? &s->video_frames : &s->audio_frames) += lead;
    s->last_frame_wall_us = f->wall_us;
    if (video && f->pts_us != f->dts_us) s->reordered = true;
    if (video && lead && f->key) {
        s->key_frames++;
        if (c->last_key_us >= 0) s->last_key_interval_us = f->dts_us - c->last_key_us;
        c->last_key_us = f->dts_us;
    }
    pthread_mutex_unlock(&c->stats_lock);
}

void channel_on_frame(struct channel *c, struct publisher *p, struct frame *f)
{
    if (c->publisher != p || c->closed) {
        frame_unref(f);
        return;
    }
    const bool video = codec_kind(f->codec) == MEDIA_VIDEO;
    c->heard_us = loop_now_us(c->home);
    if (f->dts_us > c->end_us) c->end_us = f->dts_us;
    count(c, f, video);
    metric_add(M_FRAMES_IN, 1);
    struct hub_item *i = hub_item_new(HUB_FRAME, f->len);
    i->frame = f;
    i->start = video ? f->key && f->track == c->lead : !c->has_video;
    feed_send(c->feed, &i->msg);
}

void channel_on_lane(struct channel *c, struct publisher *p, struct feed_msg *m)
{
    if (c->publisher != p || c->closed) {
        feed_msg_unref(m);
        return;
    }
    c->heard_us = loop_now_us(c->home);
    if (m->kind == LANE_BURST) lane_burst_mark((struct lane_burst *)m, &c->lane_key_ts);
    if (m->kind == LANE_DESCRIPTION) {
        c->lane_taken = true;
        send_description(c, (struct lane_description *)m);
    } else {
        feed_send(c->lane, m);
    }
}

/* --- the bridge --- */

struct lane_bridge *lane_bridge_of(const struct channel *c)
{
    CHECK(loop_current() == c->home);
    return c->bridge;
}

void lane_bridge_open(struct channel *c, struct lane_bridge *b)
{
    CHECK(!lane_bridge_of(c));
    c->bridge = b;
}

bool lane_bridge_barred(const struct channel *c)
{
    return c->lane_taken || c->closed;
}

void lane_bridge_describe(struct channel *c, const struct lane_track tracks[2], bool goes_on)
{
    if (lane_bridge_barred(c) || (!lane_used(tracks) && !lane_used(c->lane_tracks))) return;
    struct lane_description *d = lane_description_new();
    if (goes_on) d->id = c->lane_id;
    memcpy(d->tracks, tracks, sizeof d->tracks);
    send_description(c, d);
}

void lane_bridge_set_note(struct channel *c, unsigned state, const char *sentence)
{
    pthread_mutex_lock(&c->stats_lock);
    c->note = state;
    c->note_text = sentence;
    pthread_mutex_unlock(&c->stats_lock);
}

unsigned lane_bridge_note(const struct channel *c, const char **sentence)
{
    struct channel *w = (struct channel *)(uintptr_t)c;
    pthread_mutex_lock(&w->stats_lock);
    const unsigned state = w->note;
    *sentence = w->note_text ? w->note_text : "";
    pthread_mutex_unlock(&w->stats_lock);
    return state;
}

void lane_bridge_send(struct channel *c, struct feed_msg *m)
{
    if (lane_bridge_barred(c)) {
        feed_msg_unref(m);
        return;
    }
    if (m->kind == LANE_BURST) lane_burst_mark((struct lane_burst *)m, &c->lane_key_ts);
    feed_send(c->lane, m);
}

void lane_bridge_close(struct channel *c, struct lane_bridge *b)
{
    CHECK(lane_bridge_of(c) == b);
    c->bridge = NULL;
    lane_bridge_set_note(c, 0, "");
    if (!lane_bridge_barred(c)) reset_lane(c);
}

void channel_on_leave(struct channel *c, struct publisher *p, bool clean)
{
    if (c->publisher != p) return;
    c->publisher = NULL;
    publisher_unref(p);
    set_publishing(c, false);
    reset_lane(c);
    if (c->watch.on_publisher && !c->closed) c->watch.on_publisher(c->watch.ctx, false, clean);
}

struct kick {
    struct channel *channel;
    enum err why;
    char reason[160];
};

static void on_kick(void *arg)
{
    struct kick *k = arg;
    if (k->channel->publisher) publisher_kick(k->channel->publisher, k->why, k->reason);
    channel_unref(k->channel);
    free(k);
}

void channel_kick(struct channel *c, enum err why, const char *reason)
{
    struct kick *k = NEW(struct kick);
    k->channel = channel_ref(c);
    k->why = why;
    snprintf(k->reason, sizeof k->reason, "%s", reason);
    loop_post(c->home, on_kick, k);
}

void channel_dismiss(struct channel *c)
{
    atomic_fetch_add(&c->dismissals, 1);
}

unsigned channel_dismissals(const struct channel *c)
{
    return atomic_load(&c->dismissals);
}

struct key_wish {
    struct channel *channel;
    uint8_t layer;
};

static void on_key_wish(void *arg)
{
    struct key_wish *w = arg;
    struct channel *c = w->channel;
    if (c->bridge && !c->lane_taken)
        c->bridge->on_want_key(c->bridge, w->layer);
    else if (c->publisher)
        publisher_want_key(c->publisher, w->layer);
    channel_unref(w->channel);
    free(w);
}

void channel_want_key(struct channel *c, uint8_t layer)
{
    struct key_wish *w = NEW(struct key_wish);
    w->channel = channel_ref(c);
    w->layer = layer;
    loop_post(c->home, on_key_wish, w);
}
