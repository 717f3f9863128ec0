/* SPDX-License-Identifier: MIT */
/* A publisher: messages become frames and go to the channel.
 *
 * The tracks are told before the first frame. Which there will be, sequence headers say; so frames
 * wait until there is one of each kind, or LIMIT_RTMP_ANALYSE_MS by the wall clock after the first
 * (timestamps cannot be trusted for that). A track that comes later is told then. When the codec
 * does not say its frame rate (HEVC, AV1 and VP9 seldom do), FPS_FRAMES more are waited for. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "hub/ingest_stats.h"
#include "serve/rtmp/rtmp_priv.h"
#include <stdio.h>

#define WAITING_MAX 512
#define FPS_FRAMES  9

struct rtmp_pub {
    struct publisher *publisher;
    struct rtmp_to_frames frames;
    bool ready, kicked;
    int64_t base_us;
    enum err kick;
    char *kick_reason;
    struct track *tracks[2]; /* by enum media_kind */
    struct frame *waiting[WAITING_MAX];
    unsigned n_waiting;
    size_t waiting_bytes;
    int64_t n_frames;
    uint32_t fps_milli; /* measured, when the codec does not say */
};

static void on_ready(void *ctx, int64_t base_us)
{
    struct rtmp_conn *c = OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx);
    c->pub->ready = true;
    c->pub->base_us = base_us;
    rtmp_conn_run(c);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    struct rtmp_conn *c = OBJ_CAST(struct rtmp_conn, RTMP_CONN_MAGIC, ctx);
    c->pub->kicked = true;
    free(c->reason);
    c->reason = xstrdup(reason);
    rtmp_refuse(&c->rtmp, why == E_OK ? E_CLOSED : why, c->reason);
    rtmp_conn_run(c);
}

void rtmp_pub_open(struct rtmp_conn *c)
{
    static const struct publisher_ops OPS = {.on_ready = on_ready, .on_kick = on_kick};
    c->pub = NEW(struct rtmp_pub);
    c->pub->publisher = publisher_open(c->channel, &OPS, c);
}

void rtmp_pub_close(struct rtmp_conn *c, bool clean)
{
    struct rtmp_pub *p = c->pub;
    if (!p) return;
    c->pub = NULL;
    publisher_close(p->publisher, clean || p->kicked);
    log_info("rtmp-publish-end", "conn=%u channel=%s clean=%d frames=%lld broken=%lld", c->id,
             channel_id(c->channel), clean, (long long)p->n_frames, (long long)p->frames.broken);
    for (unsigned i = 0; i < p->n_waiting; i++) frame_unref(p->waiting[i]);
    for (unsigned i = 0; i < 2; i++) track_unref(p->tracks[i]);
    rtmp_to_frames_fini(&p->frames);
    free(p);
}

/* Who it is: what connect said, and better what the metadata says. */
static void describe(struct rtmp_conn *c, struct span metadata)
{
    struct ingest_source s = {0};
    snprintf(s.protocol, sizeof s.protocol, "%s", conn_secure(c->conn) ? "rtmps" : "rtmp");
    snprintf(s.peer, sizeof s.peer, "%s", conn_peer(c->conn));
    (void)rtmp_encoder_name(&c->rtmp, metadata, s.encoder, sizeof s.encoder);
    publisher_describe(c->pub->publisher, &s);
}

/* Waiting for the channel to take it. */
enum next rtmp_pub_opening(struct rtmp_conn *c)
{
    struct rtmp_pub *p = c->pub;
    struct rtmp_event ev;
    if (rtmp_next(&c->rtmp, rtmp_conn_now(c), &ev)) {
        return ev.kind == RTMP_EV_CLOSE ? rtmp_conn_finish(c, &ev) : MORE;
    }
    if (!p->ready) return WAIT;
    rtmp_to_frames_init(&p->frames, p->base_us, p->base_us > 0);
    rtmp_accept(&c->rtmp, rtmp_conn_now(c));
    describe(c, SPAN_NULL);
    log_info("rtmp-publish", "conn=%u peer=%s channel=%s secure=%d continued=%d", c->id,
             conn_peer(c->conn), channel_id(c->channel), conn_secure(c->conn), p->base_us > 0);
    return rtmp_conn_go(c, STEP_ANALYSE);
}

static void tell_tracks(struct rtmp_conn *c)
{
    struct rtmp_pub *p = c->pub;
    struct track *set[2];
    unsigned n = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (!p->tracks[i]) continue;
        log_info("rtmp-track", "conn=%u channel=%s codec=%s", c->id, channel_id(c->channel),
                 p->tracks[i]->codecs);
        set[n++] = p->tracks[i];
    }
    publisher_tracks(p->publisher, set, n);
}

/* Over the frames that wait, to the nearest usual rate: timestamps are whole milliseconds. */
static uint32_t measure_fps(const struct rtmp_pub *p)
{
    static const uint32_t USUAL[] = {15000, 23976, 24000, 25000, 29970, 30000,
                                     48000, 50000, 59940, 60000, 90000, 120000};
    int64_t first_us = 0, last_us = 0, n = 0;
    for (unsigned i = 0; i < p->n_waiting; i++) {
        if (codec_kind(p->waiting[i]->codec) != MEDIA_VIDEO) continue;
        last_us = p->waiting[i]->dts_us;
        if (n++ == 0) first_us = last_us;
    }
    if (n < 3 || last_us <= first_us) return 0;
    const int64_t fps_milli = (n - 1) * 1000 * US_PER_SEC / (last_us - first_us);
    uint32_t best = 0;
    for (size_t i = 0; i < sizeof USUAL / sizeof *USUAL; i++) {
        if (llabs(USUAL[i] - fps_milli) <= llabs(best - fps_milli)) best = USUAL[i];
    }
    return llabs(best - fps_milli) * 50 <= fps_milli ? best : (uint32_t)fps_milli;
}

static void add_fps(struct rtmp_pub *p)
{
    struct track **at = &p->tracks[MEDIA_VIDEO];
    if (!*at || (*at)->fps_milli || !p->fps_milli) return;
    struct track *t = track_copy(*at);
    t->fps_milli = p->fps_milli;
    track_unref(*at);
    *at = t;
}

static enum next go_live(struct rtmp_conn *c)
{
    struct rtmp_pub *p = c->pub;
    p->fps_milli = measure_fps(p);
    add_fps(p);
    rtmp_conn_go(c, STEP_LIVE);
    tell_tracks(c);
    for (unsigned i = 0; i < p->n_waiting; i++) publisher_frame(p->publisher, p->waiting[i]);
    p->n_waiting = 0;
    return MORE;
}

/* Nothing more to wait for: both tracks, and the frame rate. */
static bool is_known(const struct rtmp_pub *p)
{
    unsigned n = 0;
    if (!p->tracks[0] || !p->tracks[1]) return false;
    if (p->tracks[MEDIA_VIDEO]->fps_milli) return true;
    for (unsigned i = 0; i < p->n_waiting; i++)
        n += codec_kind(p->waiting[i]->codec) == MEDIA_VIDEO;
    return n >= FPS_FRAMES;
}

/* A track that is new, or the old one in another configuration. */
static void take_track(struct rtmp_conn *c, struct track *t)
{
    struct rtmp_pub *p = c->pub;
    struct track **at = &p->tracks[t->kind == MEDIA_AUDIO];
    if (*at && c->step == STEP_ANALYSE) go_live(c); /* frames of the old one wait: they first */
    track_unref(*at);
    *at = t;
    if (c->step == STEP_LIVE) {
        add_fps(p);
        tell_tracks(c);
    } else if (is_known(p)) {
        go_live(c);
    } else if (c->step_until_us == INT64_MAX) {
        c->step_until_us = rtmp_conn_now(c) + LIMIT_RTMP_ANALYSE_MS * US_PER_MS;
    }
}

static void take_frame(struct rtmp_conn *c, struct frame *f)
{
    struct rtmp_pub *p = c->pub;
    p->n_frames++;
    if (c->step == STEP_LIVE) {
        publisher_frame(p->publisher, f);
        return;
    }
    p->waiting[p->n_waiting++] = f;
    p->waiting_bytes += f->len;
    if (p->n_waiting == WAITING_MAX || p->waiting_bytes > LIMIT_FRAME_BYTES || is_known(p)) {
        go_live(c);
    }
}

static enum next on_media(struct rtmp_conn *c, const struct rtmp_event *ev)
{
    struct rtmp_pub *p = c->pub;
    struct rtmp_media m;
    const enum err e = rtmp_to_frames(&p->frames, ev, clock_wall_us(), &m);
    if (e != E_OK) {
        free(c->reason);
        c->reason = xstrdup(p->frames.why);
        rtmp_refuse(&c->rtmp, e, p->frames.why);
        return MORE;
    }
    if (m.track) take_track(c, m.track);
    if (m.frame) take_frame(c, m.frame);
    return MORE;
}

enum next rtmp_pub_live(struct rtmp_conn *c)
{
    struct rtmp_event ev;
    if (!rtmp_next(&c->rtmp, rtmp_conn_now(c), &ev)) return WAIT;
    switch (ev.kind) {
    case RTMP_EV_VIDEO:
    case RTMP_EV_AUDIO:
        return on_media(c, &ev);
    case RTMP_EV_UNPUBLISH:
        rtmp_pub_close(c, true);
        return rtmp_conn_go(c, STEP_HELLO);
    case RTMP_EV_CLOSE:
        return rtmp_conn_finish(c, &ev);
    case RTMP_EV_DATA: /* metadata is advice: only the encoder's name is taken */
        describe(c, ev.body);
        break;
    case RTMP_EV_PUBLISH:
    case RTMP_EV_PLAY:
    case RTMP_EV_STOP:
        break;
    }
    return MORE;
}

enum next rtmp_pub_analyse(struct rtmp_conn *c)
{
    return rtmp_pub_live(c);
}

enum next rtmp_pub_analysed(struct rtmp_conn *c)
{
    return go_live(c);
}
