/* SPDX-License-Identifier: MIT */
/* A room: the viewers of one channel on one loop. It reads the channel's feed once, writes the
 * frames as RTMP chunks once, and hands the same bytes to every viewer by reference.
 *
 * What is written at a time is a unit. With rtmp-write-ms 0 a unit is a video frame and the audio
 * that came before it (a sound frame waits for at most AUDIO_WAIT_MS): one write a viewer for each
 * picture, not one for each message. Otherwise one timer a room ends a unit each rtmp-write-ms. A
 * key frame always begins a unit, or stands in it after sound only.
 *
 * A newcomer gets the units since the last key frame. One that falls behind by more than
 * LIMIT_RTMP_VIEWER_QUEUE_BYTES loses what is queued and goes on with the next key frame; one that
 * takes nothing for LIMIT_RTMP_VIEWER_STALL_MS is closed. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "serve/rtmp/rtmp_priv.h"

#define AUDIO_WAIT_MS                                                                              \
    45 /* two frames of AAC: a picture comes earlier, or there is none to wait for */

struct unit {
    struct buf *bytes;
    bool key;
    unsigned n_frames;
};

struct rtmp_room {
    struct rtmp_ctx *ctx;
    struct channel *channel;
    struct feed_reader reader;
    struct list viewers;
    unsigned n_viewers;
    struct timer timer; /* ends the unit being filled */
    struct track *tracks[LIMIT_TRACKS];
    unsigned n_tracks;
    bool has_video;
    int64_t filled_us; /* when the first tracks came: what comes with them is the feed's cache */
    unsigned pins;     /* it is being worked on: it must not go */
    struct buf *head;  /* metadata and sequence headers, with the time of the cache's first unit */
    /* the unit being filled */
    struct str open;
    bool open_key;
    unsigned open_frames;
    uint32_t open_ts_ms;
    /* since the last key frame; empty when that is too much */
    struct unit *cache;
    size_t n_cache, cap_cache, cache_bytes;
};

/* --- viewers -------------------------------------------------------------------------------- */

static void send(struct rtmp_conn *v, struct buf *b)
{
    metric_add(M_RTMP_OUT_BYTES, (int64_t)b->len);
    conn_send(v->conn, b, 0, b->len);
}

/* Behind too far: what is queued is thrown away, as far as it has not begun to leave. */
static bool is_behind(struct rtmp_conn *v, size_t queued)
{
    if (queued <= LIMIT_RTMP_VIEWER_QUEUE_BYTES) {
        v->burst = 0;
        return false;
    }
    return queued > LIMIT_RTMP_VIEWER_QUEUE_BYTES + v->burst;
}

static void viewer_unit(const struct rtmp_room *r, struct rtmp_conn *v, const struct unit *u)
{
    const size_t queued = conn_queued(v->conn);
    const int64_t now_us = rtmp_conn_now(v);
    if (v->dismissals != channel_dismissals(r->channel)) {
        log_info("rtmp-viewer-dismissed", "conn=%u channel=%s", v->id, channel_id(r->channel));
        rtmp_conn_end(v, false);
        return;
    }
    if (queued > 0 &&
        now_us - conn_progress_us(v->conn) > r->ctx->server->cfg.stall_ms * US_PER_MS) {
        log_peer("rtmp-viewer-stalled", "conn=%u channel=%s queued=%zu", v->id,
                 channel_id(r->channel), queued);
        rtmp_conn_end(v, false);
        return;
    }
    if (v->start_us == now_us) {
        v->burst += u->bytes->len;
    } else if (is_behind(v, queued)) {
        const size_t dropped = conn_drop_unsent(v->conn);
        metric_add(M_RTMP_OUT_BYTES, -(int64_t)dropped);
        if (!v->wait_key) {
            log_peer("rtmp-viewer-behind", "conn=%u channel=%s queued=%zu", v->id,
                     channel_id(r->channel), queued);
        }
        v->wait_key = true;
        v->burst = 0;
    }
    if (v->wait_key) {
        if (!u->key || conn_queued(v->conn) > LIMIT_RTMP_VIEWER_QUEUE_BYTES / 2) {
            metric_add(M_RTMP_DROPPED_FRAMES, u->n_frames);
            return;
        }
        v->wait_key = false;
        v->start_us = now_us;
        v->burst = u->bytes->len;
        send(v, r->head);
    }
    send(v, u->bytes);
}

/* --- units ------------------------------------------------------------------------------------ */

static void cache_clear(struct rtmp_room *r)
{
    for (size_t i = 0; i < r->n_cache; i++) buf_unref(r->cache[i].bytes);
    r->n_cache = 0;
    r->cache_bytes = 0;
}

static void cache_add(struct rtmp_room *r, const struct unit *u)
{
    if (u->key) cache_clear(r);
    if (!r->has_video || (!u->key && r->n_cache == 0)) return;
    if (r->cache_bytes + u->bytes->len > LIMIT_GOP_CACHE_BYTES ||
        r->n_cache == LIMIT_GOP_CACHE_FRAMES) {
        cache_clear(r); /* newcomers wait for the next key frame */
        return;
    }
    if (r->n_cache == r->cap_cache) {
        r->cap_cache = r->cap_cache ? 2 * r->cap_cache : 64;
        r->cache = xrealloc(r->cache, r->cap_cache * sizeof *r->cache);
    }
    r->cache[r->n_cache++] = (struct unit){buf_ref(u->bytes), u->key, u->n_frames};
    r->cache_bytes += u->bytes->len;
}

/* Ends the unit that is being filled, and sends it. */
static void unit_end(struct rtmp_room *r)
{
    if (r->open.len == 0) return;
    timer_stop(&r->timer);
    const struct unit u = {str_take_buf(&r->open), r->open_key || !r->has_video, r->open_frames};
    r->open_key = false;
    r->open_frames = 0;
    if (u.key) {
        buf_unref(r->head);
        r->head = rtmp_from_tracks(r->tracks, r->n_tracks, r->open_ts_ms);
    }
    cache_add(r, &u);
    LIST_EACH(it, &r->viewers)
    {
        viewer_unit(r, CONTAINER_OF(it, struct rtmp_conn, in_room), &u);
    }
    buf_unref(u.bytes);
}

static void room_free(struct rtmp_room *r);

static void room_unpin(struct rtmp_room *r)
{
    if (--r->pins == 0 && r->n_viewers == 0) room_free(r);
}

static void on_timer(struct timer *t, void *ctx)
{
    struct rtmp_room *r = ctx;
    (void)t;
    r->pins++;
    unit_end(r);
    room_unpin(r);
}

static void unit_add(struct rtmp_room *r, struct buf *b, uint32_t ts_ms)
{
    const int ms = r->ctx->server->cfg.write_interval_ms;
    if (r->open.len == 0) {
        r->open_ts_ms = ts_ms;
        timer_at(&r->timer, loop_now_us(r->ctx->loop) + (ms ? ms : AUDIO_WAIT_MS) * US_PER_MS);
    }
    str_add(&r->open, buf_span(b));
    r->open_frames++;
}

/* --- what the channel sends ------------------------------------------------------------------- */

/* RTMP has one track of each kind: the first, which is the best. -1: none. */
static int video_id(const struct rtmp_room *r)
{
    for (unsigned i = 0; i < r->n_tracks; i++)
        if (r->tracks[i]->kind == MEDIA_VIDEO) return r->tracks[i]->id;
    return -1;
}

static void on_tracks(struct rtmp_room *r, const struct hub_item *item)
{
    const bool first = r->n_tracks == 0;
    const int before = video_id(r);
    unit_end(r);
    for (unsigned i = 0; i < r->n_tracks; i++) track_unref(r->tracks[i]);
    r->n_tracks = item->n_tracks;
    r->has_video = false;
    for (unsigned i = 0; i < item->n_tracks; i++) {
        r->tracks[i] = track_ref(item->tracks[i]);
        r->has_video = r->has_video || item->tracks[i]->kind == MEDIA_VIDEO;
    }
    cache_clear(r);
    buf_unref(r->head);
    r->head = rtmp_from_tracks(r->tracks, r->n_tracks, r->open_ts_ms);
    if (first) r->filled_us = loop_now_us(r->ctx->loop);
    if (first) return; /* who waits gets it with the key frame */
    LIST_EACH(it, &r->viewers)
    {
        struct rtmp_conn *v = CONTAINER_OF(it, struct rtmp_conn, in_room);
        if (before >= 0 && video_id(r) != before) v->wait_key = true; /* another picture */
        if (!v->wait_key) send(v, r->head);
    }
}

static bool is_ours(const struct rtmp_room *r, const struct frame *f)
{
    for (unsigned i = 0; i < r->n_tracks; i++) {
        if (r->tracks[i]->kind == codec_kind(f->codec)) return r->tracks[i]->id == f->track;
    }
    return false;
}

static void on_frame(struct rtmp_room *r, const struct frame *f)
{
    if (!is_ours(r, f)) return;
    const bool video = codec_kind(f->codec) == MEDIA_VIDEO;
    const bool merge =
        r->ctx->server->cfg.write_interval_ms > 0 && r->filled_us != loop_now_us(r->ctx->loop);
    if (video && f->key && merge) unit_end(r);
    struct buf *b = rtmp_from_frame(f);
    unit_add(r, b, rtmp_frame_ts(f));
    buf_unref(b);
    r->open_key = r->open_key || (video && f->key);
    if (!merge && (video || !r->has_video)) unit_end(r);
}

static void room_free(struct rtmp_room *r)
{
    const struct span id = span_str(channel_id(r->channel));
    if (map_get(&r->ctx->rooms, id) == r) map_del(&r->ctx->rooms, id);
    feed_detach(&r->reader);
    timer_stop(&r->timer);
    cache_clear(r);
    free(r->cache);
    buf_unref(r->head);
    str_fini(&r->open);
    for (unsigned i = 0; i < r->n_tracks; i++) track_unref(r->tracks[i]);
    channel_unref(r->channel);
    free(r);
}

/* The stream is over: everybody gets what is queued, and a goodbye. */
static void on_end(struct rtmp_room *r)
{
    unit_end(r);
    LIST_EACH(it, &r->viewers)
    {
        struct rtmp_conn *v = CONTAINER_OF(it, struct rtmp_conn, in_room);
        rtmp_end_play(&v->rtmp);
        rtmp_conn_run(v);
    }
}

static void on_item(struct feed_reader *reader, struct feed_msg *m)
{
    struct rtmp_room *r = reader->ctx;
    const struct hub_item *item = CONTAINER_OF(m, struct hub_item, msg);
    r->pins++;
    switch ((enum hub_item_kind)m->kind) {
    case HUB_TRACKS:
        on_tracks(r, item);
        break;
    case HUB_FRAME:
        on_frame(r, item->frame);
        break;
    case HUB_END:
        on_end(r);
        break;
    }
    room_unpin(r);
}

/* --- coming and going ------------------------------------------------------------------------- */

static struct rtmp_room *room_of(struct rtmp_ctx *ctx, struct channel *ch)
{
    const struct span id = span_str(channel_id(ch));
    struct rtmp_room *r = map_get(&ctx->rooms, id);
    if (r && r->channel == ch) return r; /* else a room whose channel has ended */
    r = NEW(struct rtmp_room);
    r->ctx = ctx;
    r->channel = channel_ref(ch);
    list_init(&r->viewers);
    timer_init(&r->timer, ctx->loop, on_timer, r);
    map_put(&ctx->rooms, id, r);
    return r;
}

void rtmp_room_join(struct rtmp_conn *c)
{
    struct rtmp_room *r = room_of(c->ctx, c->channel);
    const bool first = r->n_viewers++ == 0;
    rtmp_viewer_count(c->ctx->server, channel_id(r->channel), 1);
    c->room = r;
    c->wait_key = true;
    list_push_back(&r->viewers, &c->in_room);
    r->pins++;
    if (first) { /* brings the cache now when this loop has the feed, else shortly */
        feed_attach(channel_feed(r->channel), &r->reader, on_item, r);
    } else {
        for (size_t i = 0; i < r->n_cache; i++) viewer_unit(r, c, &r->cache[i]);
    }
    room_unpin(r);
}

void rtmp_room_leave(struct rtmp_conn *c)
{
    struct rtmp_room *r = c->room;
    if (!r) return;
    c->room = NULL;
    list_remove(&c->in_room);
    rtmp_viewer_count(c->ctx->server, channel_id(r->channel), -1);
    log_info("rtmp-play-end", "conn=%u channel=%s", c->id, channel_id(r->channel));
    if (--r->n_viewers == 0 && r->pins == 0) room_free(r);
}
