/* SPDX-License-Identifier: MIT */
/* A worker's life: started, fed, listened to, replaced when it dies or says what cannot be. */
#include "bridge/transcoder.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "bridge/worker_gop.h"
#include "bridge/worker_places.h"
#include "bridge/worker_reply.h"
#include "io/child.h"
#include <stdio.h>

#define DEATHS_MAX 5                 /* in a row: it will not do */
#define HEALED_US  (30 * US_PER_SEC) /* alive so long, earlier deaths are forgotten */
#define BACKOFF_US (250 * US_PER_MS) /* before the second start, doubled from then on */
#define STALL_US   (10 * US_PER_SEC) /* no answer for so long: hangs */
#define START_US   (30 * US_PER_SEC) /* the first answer: a loader on a loaded machine */
#define CHECK_US   US_PER_SEC

struct transcoder {
    struct loop *loop;
    struct transcoder_spec spec;
    struct transcoder_ops ops;
    void *ctx;
    struct child *child; /* NULL: between two lives */
    struct str in;       /* what it said and is not a whole message yet */
    struct timer timer;  /* the next start, or the next look whether it hangs */
    struct timer soon;   /* callbacks that must not come from within a call */
    struct worker_output out[2];
    struct worker_gop gop;
    unsigned n_in[2], n_out[2];
    bool mark[2]; /* the next frame out has a discontinuity */
    bool ready, need_key, ask_key, closed, failed;
    unsigned deaths;
    int64_t ready_us;
    int64_t ping_us; /* when it was asked; 0: it has answered */
    enum err why;
    char reason[LIMIT_WORKER_TEXT + 1];
};

/* --- to the worker -----------------------------------------------------------------------------
 */

static void send_msg(struct transcoder *t, const struct worker_msg *m)
{
    if (!t->child) return;
    struct buf *b = buf_new(WORKER_HEAD_BYTES + m->data.len);
    struct wr w = wr_to(b->data, b->len);
    worker_msg_head(m, &w);
    wr_str(&w, m->data);
    b->len = wr_used(&w);
    child_send(t->child, b);
    buf_unref(b);
}

static void send_track(struct transcoder *t, unsigned kind)
{
    const struct track *k = t->spec.from[kind];
    send_msg(t, &(struct worker_msg){.type = WORKER_TRACK,
                                     .kind = (uint8_t)kind,
                                     .codec = (uint8_t)k->codec,
                                     .width = k->width,
                                     .height = k->height,
                                     .fps_milli = k->fps_milli,
                                     .sample_rate = k->sample_rate,
                                     .channels = k->channels,
                                     .data = buf_span(k->config)});
}

static bool wanted(const struct transcoder *t, unsigned kind)
{
    return t->spec.from[kind] && t->spec.to[kind] != CODEC_NONE;
}

static void introduce(struct transcoder *t)
{
    for (unsigned k = 0; k < 2; k++) {
        if (!wanted(t, k)) continue;
        send_msg(t, &(struct worker_msg){.type = WORKER_WANT,
                                         .kind = (uint8_t)k,
                                         .codec = (uint8_t)t->spec.to[k],
                                         .bitrate = t->spec.bitrate[k],
                                         .max_height = t->spec.max_height,
                                         .gop_ms = t->spec.gop_ms,
                                         .pts_us = t->out[k].begun ? t->out[k].last_us + 1 : 0});
        send_track(t, k);
    }
}

static void send_frame(struct transcoder *t, const struct frame *f)
{
    send_msg(t, &(struct worker_msg){.type = WORKER_FRAME,
                                     .kind = (uint8_t)codec_kind(f->codec),
                                     .key = f->key,
                                     .discontinuity = f->discontinuity,
                                     .dts_us = f->dts_us,
                                     .pts_us = f->pts_us,
                                     .data = frame_span(f)});
}

/* --- its end -----------------------------------------------------------------------------------
 */

static void run_soon(struct timer *timer, void *ctx)
{
    struct transcoder *t = ctx;
    (void)timer;
    if (t->failed)
        t->ops.on_failed(t->ctx, t->why, t->reason);
    else if (t->ask_key && t->ops.on_want_key)
        t->ops.on_want_key(t->ctx);
    t->ask_key = false;
}

static void soon(struct transcoder *t)
{
    if (!t->closed) timer_at(&t->soon, loop_now_us(t->loop));
}

static void ask_key(struct transcoder *t)
{
    t->ask_key = true;
    if (wanted(t, MEDIA_VIDEO)) soon(t);
}

static void lose_pictures(struct transcoder *t)
{
    t->need_key = true;
    worker_gop_clear(&t->gop);
    ask_key(t);
}

static void let_worker_go(struct transcoder *t)
{
    if (t->child) child_close(t->child);
    t->child = NULL;
    t->ready = false;
    t->ping_us = 0;
    str_fini(&t->in);
}

static void fail(struct transcoder *t, enum err why, const char *reason)
{
    if (t->failed) return;
    let_worker_go(t);
    timer_stop(&t->timer);
    t->failed = true;
    t->why = why;
    snprintf(t->reason, sizeof t->reason, "%s", reason);
    for (char *c = t->reason; *c; c++)
        if ((unsigned char)*c < 32) *c = ' ';
    log_warn("worker-failed", "reason=\"%s\"", t->reason);
    soon(t);
}

static void died(struct transcoder *t, const char *how)
{
    const int64_t now = loop_now_us(t->loop);
    if (t->ready && now - t->ready_us > HEALED_US) t->deaths = 0;
    t->deaths++;
    metric_add(M_WORKER_DEATHS, 1);
    log_warn("worker-died", "pid=%d how=\"%s\" deaths=%u", t->child ? child_pid(t->child) : 0, how,
             t->deaths);
    let_worker_go(t);
    if (t->deaths >= DEATHS_MAX) {
        fail(t, E_IO, "the transcoder dies again and again");
        return;
    }
    timer_at(&t->timer, now + (t->deaths == 1 ? 0 : BACKOFF_US << (t->deaths - 2)));
}

/* --- from the worker ---------------------------------------------------------------------------
 */

static enum err take_track(struct transcoder *t, const struct worker_msg *m)
{
    struct worker_output *o = &t->out[m->kind];
    struct track *fresh = NULL;
    const enum err e = worker_reply_track(o, m, &fresh);
    if (e != E_OK) return e;
    const bool same = track_same(o->track, fresh);
    track_unref(o->track);
    o->track = fresh;
    if (!same) t->ops.on_track(t->ctx, fresh); /* another worker says the same again */
    return E_OK;
}

static enum err take_frame(struct transcoder *t, const struct worker_msg *m)
{
    struct frame *f = NULL;
    const enum err e = worker_reply_frame(&t->out[m->kind], m, &f);
    if (e == E_MORE) return E_OK;
    if (e != E_OK) return e;
    if (t->mark[m->kind]) f->discontinuity = true;
    t->mark[m->kind] = false;
    t->n_out[m->kind]++;
    t->ops.on_frame(t->ctx, f);
    return E_OK;
}

static enum err take_ready(struct transcoder *t, const struct worker_msg *m)
{
    if (m->version != WORKER_VERSION || t->ready) return E_PROTO;
    t->ready = true;
    t->ready_us = loop_now_us(t->loop);
    log_info("worker-ready", "pid=%d video=%s audio=%s", child_pid(t->child),
             wanted(t, MEDIA_VIDEO) ? codec_name(t->spec.from[MEDIA_VIDEO]->codec) : "none",
             wanted(t, MEDIA_AUDIO) ? codec_name(t->spec.from[MEDIA_AUDIO]->codec) : "none");
    return E_OK;
}

static enum err take(struct transcoder *t, const struct worker_msg *m)
{
    char text[LIMIT_WORKER_TEXT + 1];
    if (m->type == WORKER_READY) return take_ready(t, m);
    if (m->type == WORKER_PING) {
        t->ping_us = 0;
        return E_OK;
    }
    if (m->type == WORKER_FAILED) {
        (void)span_cstr(m->data, text, sizeof text);
        fail(t, E_UNSUPPORTED, text[0] ? text : "the worker gave up");
        return E_OK;
    }
    if (!t->ready || !wanted(t, m->kind)) return E_PROTO;
    if (m->type == WORKER_TRACK) return take_track(t, m);
    if (m->type == WORKER_FRAME) return take_frame(t, m);
    if (m->type != WORKER_LOST) return E_PROTO;
    ask_key(t); /* it waits for one itself */
    return E_OK;
}

static void on_read(void *ctx, struct span bytes)
{
    struct transcoder *t = ctx;
    struct worker_msg m;
    enum err e;
    str_add(&t->in, bytes);
    struct span rest = str_span(&t->in);
    while ((e = worker_msg_next(&rest, &m)) == E_OK) {
        const bool good = take(t, &m) == E_OK;
        if (t->closed || !t->child) return; /* in the callback, or it failed */
        if (!good) break;
    }
    if (e != E_MORE) {
        died(t, "said what cannot be");
        return;
    }
    str_drop(&t->in, t->in.len - rest.len);
    if (t->in.len == 0) str_fini(&t->in);
}

static void on_ended(void *ctx, const char *how)
{
    died(ctx, how);
}

/* --- its beginning -----------------------------------------------------------------------------
 */

static enum err start(struct transcoder *t)
{
    static const struct child_ops OPS = {.on_read = on_read, .on_exit = on_ended};
    char path[4096];
    enum err e = transcoder_program(path, sizeof path);
    if (e != E_OK) return e;
    const char *const argv[] = {path, "live", NULL};
    e = child_spawn(t->loop, argv, &OPS, t, &t->child);
    if (e != E_OK) return e;
    introduce(t);
    timer_at(&t->timer, loop_now_us(t->loop) + CHECK_US);
    return E_OK;
}

/* A codec that never comes back from a frame is as dead as one that crashed. */
static void look_after(struct transcoder *t, int64_t now)
{
    if (t->ping_us == 0) {
        t->ping_us = now;
        send_msg(t, &(struct worker_msg){.type = WORKER_PING});
    } else if (now - t->ping_us > (t->ready ? STALL_US : START_US)) {
        child_kill(t->child); /* on_ended follows */
    }
}

static void on_timer(struct timer *timer, void *ctx)
{
    struct transcoder *t = ctx;
    const int64_t now = loop_now_us(t->loop);
    (void)timer;
    if (t->child) {
        look_after(t, now);
        timer_at(&t->timer, now + CHECK_US);
        return;
    }
    t->mark[MEDIA_VIDEO] = t->mark[MEDIA_AUDIO] = true;
    if (start(t) != E_OK) {
        died(t, "could not be started");
        return;
    }
    if (t->gop.n == 0) lose_pictures(t);
    for (unsigned i = 0; i < t->gop.n; i++) send_frame(t, t->gop.at[i]);
}

static bool possible(enum codec from, enum codec to)
{
    switch (to) {
    case CODEC_NONE:
        return true;
    case CODEC_H264:
        return from == CODEC_H264 || from == CODEC_H265 || from == CODEC_VP8 || from == CODEC_VP9 ||
               from == CODEC_AV1;
    case CODEC_AAC:
    case CODEC_OPUS:
        return from == CODEC_AAC || from == CODEC_OPUS;
    default:
        return false;
    }
}

static enum err check(const struct transcoder_spec *s)
{
    bool any = false;
    for (unsigned k = 0; k < 2; k++) {
        if (!s->from[k] || s->to[k] == CODEC_NONE) continue;
        if (codec_kind(s->to[k]) != k || !possible(s->from[k]->codec, s->to[k]))
            return E_UNSUPPORTED;
        any = true;
    }
    return any ? E_OK : E_INVALID;
}

static void free_transcoder(void *arg)
{
    struct transcoder *t = arg;
    worker_gop_fini(&t->gop);
    for (unsigned k = 0; k < 2; k++) {
        track_unref(t->spec.from[k]);
        track_unref(t->out[k].track);
    }
    free(t);
}

enum err transcoder_open(struct loop *l, const struct transcoder_spec *spec,
                         const struct transcoder_ops *ops, void *ctx, struct transcoder **out)
{
    enum err e = check(spec);
    if (e != E_OK) return e;
    struct transcoder *t = NEW(struct transcoder);
    t->loop = l;
    t->spec = *spec;
    t->ops = *ops;
    t->ctx = ctx;
    t->need_key = true; /* no picture before the first key frame */
    for (unsigned k = 0; k < 2; k++) {
        track_ref(t->spec.from[k]);
        if (!wanted(t, k)) continue;
        t->out[k].codec = spec->to[k];
        t->out[k].id = spec->from[k]->id;
    }
    timer_init(&t->timer, l, on_timer, t);
    timer_init(&t->soon, l, run_soon, t);
    if (!worker_place_take(wanted(t, MEDIA_VIDEO))) {
        free_transcoder(t);
        return E_LIMIT;
    }
    if ((e = start(t)) != E_OK) {
        worker_place_leave(wanted(t, MEDIA_VIDEO));
        free_transcoder(t);
        return e;
    }
    *out = t;
    return E_OK;
}

void transcoder_close(struct transcoder *t)
{
    CHECK(!t->closed);
    log_info("worker-end",
             "pid=%d pictures=%u of %u, %lld of %lld ms; sounds=%u of %u, %lld of %lld ms",
             t->child ? child_pid(t->child) : 0, t->n_out[0], t->n_in[0],
             (long long)t->out[0].last_us / 1000, (long long)t->out[0].top_us / 1000, t->n_out[1],
             t->n_in[1], (long long)t->out[1].last_us / 1000, (long long)t->out[1].top_us / 1000);
    t->closed = true;
    timer_stop(&t->timer);
    timer_stop(&t->soon);
    let_worker_go(t);
    worker_place_leave(wanted(t, MEDIA_VIDEO));
    loop_defer(t->loop, free_transcoder, t);
}

/* --- feeding -----------------------------------------------------------------------------------
 */

void transcoder_track(struct transcoder *t, struct track *track)
{
    const unsigned kind = track->kind;
    if (!wanted(t, kind) || track_same(t->spec.from[kind], track)) return;
    track_ref(track);
    track_unref(t->spec.from[kind]);
    t->spec.from[kind] = track;
    send_track(t, kind);
}

static void note_times(struct worker_output *o, const struct frame *f)
{
    if (o->top_us == 0) o->first_us = f->pts_us;
    if (f->pts_us > o->top_us) o->top_us = f->pts_us;
    o->wall_offset_us = f->wall_us - f->pts_us;
}

void transcoder_frame(struct transcoder *t, const struct frame *f)
{
    const enum media_kind kind = codec_kind(f->codec);
    if (t->failed || !wanted(t, kind) || f->codec != t->spec.from[kind]->codec) return;
    if (kind == MEDIA_VIDEO && t->need_key && !f->key) return;
    if ((t->child ? child_queued(t->child) : 0) + f->len > LIMIT_WORKER_QUEUE) {
        metric_add(M_WORKER_DROPPED, 1);
        if (kind == MEDIA_VIDEO && !t->need_key) lose_pictures(t);
        return;
    }
    note_times(&t->out[kind], f);
    t->n_in[kind]++;
    if (kind == MEDIA_VIDEO) {
        t->need_key = false;
        worker_gop_add(&t->gop, f); /* between two lives, too */
    }
    send_frame(t, f);
}

void transcoder_want_key(struct transcoder *t)
{
    send_msg(t, &(struct worker_msg){.type = WORKER_KEY, .kind = MEDIA_VIDEO});
}
