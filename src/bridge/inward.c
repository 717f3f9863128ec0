/* SPDX-License-Identifier: MIT */
#include "bridge/inward.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "bridge/transcoder.h"
#include "engine/track_config.h"
#include "wire/aac.h"

#define WAITING    512 /* frames that wait for the other track's configuration; some ten seconds */
#define AAC_RATE   48000
#define AAC_STEREO 2

/* A track that is transcoded, one of each kind at most. */
struct inward_side {
    struct inward *owner;
    struct track *from; /* NULL: none */
    struct track *to;   /* NULL: not known yet */
    struct transcoder *t;
};

struct inward {
    struct inward_config cfg;
    struct loop *loop;
    struct inward_side sides[2]; /* by enum media_kind */
    struct track *through[LIMIT_TRACKS];
    unsigned n_through;
    bool taken[2];   /* while a set is read: the first of each kind is the one */
    bool told, mute; /* mute: nothing of this goes into the frames lane */
    struct frame *waiting[WAITING];
    unsigned n_waiting;
};

bool inward_carries(enum codec c)
{
    char path[4096];
    if (c != CODEC_VP8) return true;
    return transcoder_slots_free() > 0 && transcoder_program(path, sizeof path) == E_OK;
}

/* --- out ---------------------------------------------------------------------------------------
 */

static void deliver(struct inward *in, struct frame *f)
{
    if (in->mute) {
        frame_unref(f);
        return;
    }
    if (in->told) {
        publisher_frame(in->cfg.publisher, f);
        return;
    }
    if (in->n_waiting == WAITING) {
        frame_unref(in->waiting[0]);
        memmove(in->waiting, in->waiting + 1, --in->n_waiting * sizeof *in->waiting);
    }
    in->waiting[in->n_waiting++] = f;
}

static void drop_waiting(struct inward *in)
{
    for (unsigned i = 0; i < in->n_waiting; i++) frame_unref(in->waiting[i]);
    in->n_waiting = 0;
}

/* Says what there is, as soon as all of it is known. */
static void tell(struct inward *in)
{
    struct track *set[LIMIT_TRACKS];
    unsigned n = 0;
    for (unsigned i = 0; i < in->n_through; i++) set[n++] = in->through[i];
    for (unsigned k = 0; k < 2; k++) {
        if (!in->sides[k].from) continue;
        if (!in->sides[k].to) return;
        if (n < LIMIT_TRACKS) set[n++] = in->sides[k].to;
    }
    if (n == 0) return;
    publisher_tracks(in->cfg.publisher, set, n);
    in->told = true;
    for (unsigned i = 0; i < in->n_waiting; i++) publisher_frame(in->cfg.publisher, in->waiting[i]);
    in->n_waiting = 0;
}

/* --- a side ------------------------------------------------------------------------------------
 */

static void set_to(struct inward_side *s, struct track *t)
{
    track_ref(t);
    track_unref(s->to);
    s->to = t;
}

static void side_clear(struct inward_side *s)
{
    if (s->t) transcoder_close(s->t);
    track_unref(s->from);
    track_unref(s->to);
    *s = (struct inward_side){.owner = s->owner};
}

static void on_track(void *ctx, struct track *t)
{
    struct inward_side *s = ctx;
    if (track_same(s->to, t)) return;
    set_to(s, t);
    log_info("inward-track", "channel=%s codec=%s width=%u height=%u", s->owner->cfg.channel,
             t->codecs, t->width, t->height);
    tell(s->owner);
}

static void on_frame(void *ctx, struct frame *f)
{
    deliver(((struct inward_side *)ctx)->owner, f);
}

static void on_want_key(void *ctx)
{
    const struct inward *in = ((struct inward_side *)ctx)->owner;
    in->cfg.on_want_key(in->cfg.ctx, 0);
}

/* Sound goes on as it came. Without its pictures a stream goes on with its sound alone, but does
 * not begin with it: that would be no recording of it. */
static void do_without(struct inward_side *s, const char *reason)
{
    struct inward *in = s->owner;
    const enum media_kind kind = s->from->kind;
    log_warn("inward", "channel=%s codec=%s transcoded=0 reason=\"%s\"", in->cfg.channel,
             codec_name(s->from->codec), reason);
    if (s->t) transcoder_close(s->t);
    s->t = NULL;
    if (kind == MEDIA_AUDIO) {
        set_to(s, s->from);
    } else {
        side_clear(s);
        if (!in->told) in->mute = true;
        if (in->mute) drop_waiting(in);
    }
}

static void on_failed(void *ctx, enum err why, const char *reason)
{
    struct inward_side *s = ctx;
    (void)why;
    do_without(s, reason);
    if (!s->owner->mute) tell(s->owner);
}

static const char *why_not(enum err e)
{
    return e == E_LIMIT      ? "no free slot: see --webrtc-transcodes"
           : e == E_NOTFOUND ? "bspnode-worker is not there"
                             : err_text(e);
}

/* The worker makes exactly this; known at once, the picture need not wait for it. */
static struct track *aac_track(uint8_t id)
{
    uint8_t config[8];
    struct wr w = wr_to(config, sizeof config);
    struct track *t = NULL;
    CHECK(aac_config_build(AAC_RATE, AAC_STEREO, &w));
    CHECK(track_from_config(id, CODEC_AAC, wr_span(&w), &t) == E_OK);
    return t;
}

static void side_open(struct inward *in, struct track *from)
{
    static const struct transcoder_ops OPS = {on_track, on_frame, on_want_key, on_failed};
    const enum media_kind kind = from->kind;
    struct inward_side *s = &in->sides[kind];
    struct transcoder_spec spec = {.gop_ms = in->cfg.gop_ms};
    spec.from[kind] = from;
    spec.to[kind] = kind == MEDIA_AUDIO ? CODEC_AAC : CODEC_H264;
    s->owner = in;
    s->from = track_ref(from);
    const enum err e = transcoder_open(in->loop, &spec, &OPS, s, &s->t);
    if (e != E_OK)
        do_without(s, why_not(e));
    else if (kind == MEDIA_AUDIO)
        s->to = aac_track(from->id);
}

static void side_change(struct inward_side *s, struct track *from)
{
    if (track_same(s->from, from)) return;
    track_ref(from);
    track_unref(s->from);
    s->from = from;
    if (s->t)
        transcoder_track(s->t, from);
    else
        set_to(s, from);
}

/* --- in ----------------------------------------------------------------------------------------
 */

static bool is_transcoded(const struct track *t)
{
    return t->codec == CODEC_OPUS || t->codec == CODEC_VP8;
}

static void take_track(struct inward *in, struct track *t)
{
    struct inward_side *s = &in->sides[t->kind];
    if (!is_transcoded(t))
        in->through[in->n_through++] = track_ref(t);
    else if (in->taken[t->kind])
        return;
    else if (!s->from)
        side_open(in, t);
    else
        side_change(s, t);
    in->taken[t->kind] = in->taken[t->kind] || is_transcoded(t);
}

static void drop_missing(struct inward *in, struct track *const *tracks, unsigned n)
{
    for (unsigned k = 0; k < 2; k++) {
        struct inward_side *s = &in->sides[k];
        bool there = false;
        for (unsigned i = 0; s->from && i < n; i++)
            there |= tracks[i]->id == s->from->id && tracks[i]->codec == s->from->codec;
        if (s->from && !there) side_clear(s);
    }
}

void inward_tracks(struct inward *in, struct track *const *tracks, unsigned n)
{
    if (in->mute) return;
    drop_missing(in, tracks, n);
    for (unsigned i = 0; i < in->n_through; i++) track_unref(in->through[i]);
    in->n_through = 0;
    in->taken[0] = in->taken[1] = false;
    for (unsigned i = 0; i < n && i < LIMIT_TRACKS && !in->mute; i++) take_track(in, tracks[i]);
    if (!in->mute) tell(in);
}

void inward_frame(struct inward *in, struct frame *f)
{
    const struct inward_side *s = &in->sides[codec_kind(f->codec)];
    if (f->codec != CODEC_OPUS && f->codec != CODEC_VP8) {
        deliver(in, f);
        return;
    }
    if (s->from && s->from->id == f->track && s->t) {
        transcoder_frame(s->t, f);
    } else if (s->from && s->from->id == f->track) {
        deliver(in, f);
        return;
    }
    frame_unref(f);
}

struct inward *inward_new(const struct inward_config *cfg)
{
    struct inward *in = NEW(struct inward);
    in->cfg = *cfg;
    in->loop = loop_current();
    return in;
}

void inward_close(struct inward *in)
{
    if (!in) return;
    for (unsigned k = 0; k < 2; k++) side_clear(&in->sides[k]);
    for (unsigned i = 0; i < in->n_through; i++) track_unref(in->through[i]);
    drop_waiting(in);
    free(in);
}
