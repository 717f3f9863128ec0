/* SPDX-License-Identifier: MIT */
/* From the set of tracks to what is done with them: as they are, through a transcoder, refused. */
#include "base/log.h"
#include "bridge/outward_priv.h"

#define FEED_AGAIN_US (10 * US_PER_SEC) /* it may be that the machine is too slow */
#define SURE_FRAMES   20                /* pictures in order: there will be no others */
#define BACK_STEPS    2                 /* pictures out of order: one may be a clock's stumble */
#define WATCH_US      (1500 * US_PER_MS)
#define AGAIN_US      (2 * US_PER_SEC)
#define OLD_SOUND_US  (250 * US_PER_MS)

static const char B_FRAMES[] =
    "The broadcast has B-frames, which WebRTC cannot show, and no transcoder is free. In OBS's "
    "output settings (mode Advanced), write bframes=0 into the x264 options, or set B-frames to 0 "
    "for NVENC, AMF and QuickSync.";
static const char NOT_H264[] =
    "The broadcast's video codec cannot be had by WebRTC, and no transcoder is free. Choose an "
    "H.264 encoder in OBS's output settings.";
static const char PIXELS[] =
    "The broadcast's pixel format cannot be had by WebRTC, and no transcoder is free. In OBS's "
    "advanced settings, set the color format to NV12.";
static const char NO_CODEC[] = "The broadcast has nothing that can be had by WebRTC.";

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

static void drop_transcoder(struct outward *o)
{
    if (o->transcoder) transcoder_close(o->transcoder);
    o->transcoder = NULL;
    for (unsigned k = 0; k < 2; k++) {
        track_unref(o->coded[k]);
        o->coded[k] = NULL;
    }
}

void outward_drop(struct outward *o)
{
    drop_held(o);
    drop_transcoder(o);
}

static void refuse(struct outward *o, const char *reason)
{
    outward_drop(o);
    if (o->phase != OUTWARD_REFUSING || o->reason != reason)
        log_info("outward", "channel=%s refused: %s", channel_id(o->channel), reason);
    o->phase = OUTWARD_REFUSING;
    o->reason = reason;
    o->refused_us = loop_now_us(o->home);
    outward_undescribe(o);
    lane_bridge_set_note(o->channel, OUTWARD_REFUSED, reason);
}

static const char *why_not(const struct track *video)
{
    if (!video) return NO_CODEC;
    if (video->codec != CODEC_H264) return NOT_H264;
    return video->may_reorder ? B_FRAMES : PIXELS;
}

static void go(struct outward *o)
{
    o->phase = OUTWARD_RUNNING;
    outward_describe(o);
    lane_bridge_set_note(
        o->channel, o->way[MEDIA_VIDEO] == OUTWARD_TRANSCODED ? OUTWARD_WORKING : OUTWARD_THROUGH,
        "");
}

/* --- the transcoder's side --- */

static void on_coded_track(void *ctx, struct track *t)
{
    struct outward *o = ctx;
    packer_track(&o->packer, t->kind, t);
    if (t->kind == MEDIA_VIDEO && o->phase == OUTWARD_STARTING)
        go(o);
    else if (t->kind == MEDIA_VIDEO && o->phase == OUTWARD_RUNNING)
        outward_describe(o);
}

static void on_coded_frame(void *ctx, struct frame *f)
{
    struct outward *o = ctx;
    if (o->phase == OUTWARD_RUNNING) outward_send(o, f);
    frame_unref(f);
}

static void on_coding_failed(void *ctx, enum err why, const char *reason)
{
    struct outward *o = ctx;
    (void)why;
    log_warn("outward", "channel=%s transcoder failed: %s", channel_id(o->channel), reason);
    if (o->way[MEDIA_VIDEO] == OUTWARD_TRANSCODED) {
        refuse(o, why_not(track_of(o, MEDIA_VIDEO)));
        return;
    }
    drop_transcoder(o);
    o->way[MEDIA_AUDIO] = OUTWARD_LEFT_OUT;
    packer_track(&o->packer, MEDIA_AUDIO, NULL);
    if (o->way[MEDIA_VIDEO] == OUTWARD_AS_IT_IS)
        go(o);
    else
        refuse(o, NO_CODEC);
}

/* It has lost pictures, or died: the source makes no key frame for it, but the feed has kept the
 * last one and what came since. */
static void on_coding_lost(void *ctx)
{
    struct outward *o = ctx;
    const int64_t now = loop_now_us(o->home);
    if (now - o->fed_again_us < FEED_AGAIN_US) return;
    o->fed_again_us = now;
    outward_read_again(o);
}

/* The same codecs go on through the transcoder that runs. */
static bool reuse_transcoder(struct outward *o, struct track *const from[2])
{
    if (!o->transcoder) return false;
    for (unsigned k = 0; k < 2; k++)
        if (!o->coded[k] != !from[k] || (from[k] && from[k]->codec != o->coded[k]->codec))
            return false;
    for (unsigned k = 0; k < 2; k++)
        if (from[k]) transcoder_track(o->transcoder, from[k]);
    return true;
}

static enum err need_transcoder(struct outward *o)
{
    static const struct transcoder_ops OPS = {.on_track = on_coded_track,
                                              .on_frame = on_coded_frame,
                                              .on_want_key = on_coding_lost,
                                              .on_failed = on_coding_failed};
    struct transcoder_spec spec = {.to = {CODEC_H264, CODEC_OPUS}};
    for (unsigned k = 0; k < 2; k++)
        if (o->way[k] == OUTWARD_TRANSCODED) spec.from[k] = track_of(o, (enum media_kind)k);
    if (reuse_transcoder(o, spec.from)) return E_OK;
    drop_transcoder(o);
    if (!spec.from[0] && !spec.from[1]) return E_OK;
    for (unsigned k = 0; k < 2; k++)
        if (spec.from[k]) packer_track(&o->packer, (enum media_kind)k, NULL);
    const enum err e = transcoder_open(o->home, &spec, &OPS, o, &o->transcoder);
    if (e != E_OK) {
        log_info("outward", "channel=%s no transcoder: %s", channel_id(o->channel), err_text(e));
        return e;
    }
    for (unsigned k = 0; k < 2; k++) o->coded[k] = track_ref(spec.from[k]);
    return E_OK;
}

/* --- the ways are known --- */

/* Of what the feed kept, pictures are needed since the key frame; the sound of those seconds would
 * only fill the viewers' buffers and delay what comes. */
static bool old_sound(const struct frame *f)
{
    return codec_kind(f->codec) == MEDIA_AUDIO && clock_wall_us() - f->wall_us > OLD_SOUND_US;
}

static void pass(struct outward *o, struct frame *f)
{
    const enum outward_way way = o->way[codec_kind(f->codec)];
    if (old_sound(f) || (o->again && codec_kind(f->codec) == MEDIA_AUDIO)) return;
    if (way == OUTWARD_TRANSCODED && o->transcoder)
        transcoder_frame(o->transcoder, f);
    else if (way == OUTWARD_AS_IT_IS && o->phase == OUTWARD_RUNNING)
        outward_send(o, f);
}

static void run(struct outward *o)
{
    struct track *video = track_of(o, MEDIA_VIDEO), *audio = track_of(o, MEDIA_AUDIO);
    const enum err e = need_transcoder(o);
    if (video && (o->way[MEDIA_VIDEO] == OUTWARD_LEFT_OUT ||
                  (e != E_OK && o->way[MEDIA_VIDEO] == OUTWARD_TRANSCODED))) {
        refuse(o, why_not(video));
        return;
    }
    if (e != E_OK) o->way[MEDIA_AUDIO] = OUTWARD_LEFT_OUT;
    if (!video && o->way[MEDIA_AUDIO] == OUTWARD_LEFT_OUT) {
        refuse(o, NO_CODEC);
        return;
    }
    if (o->way[MEDIA_VIDEO] != OUTWARD_TRANSCODED) packer_track(&o->packer, MEDIA_VIDEO, video);
    if (o->way[MEDIA_AUDIO] == OUTWARD_AS_IT_IS) packer_track(&o->packer, MEDIA_AUDIO, audio);
    if (o->way[MEDIA_AUDIO] == OUTWARD_LEFT_OUT) packer_track(&o->packer, MEDIA_AUDIO, NULL);
    if (o->way[MEDIA_VIDEO] == OUTWARD_TRANSCODED && !o->packer.tracks[MEDIA_VIDEO])
        o->phase = OUTWARD_STARTING;
    else
        go(o);
    for (unsigned i = 0; i < o->n_held; i++) pass(o, o->held[i]);
    drop_held(o);
}

/* Pictures were watched for long enough, or some came out of order. */
static void decide(struct outward *o)
{
    o->way[MEDIA_VIDEO] = o->n_back >= BACK_STEPS ? OUTWARD_TRANSCODED : OUTWARD_AS_IT_IS;
    run(o);
}

void outward_tick(struct outward *o, int64_t now)
{
    if (o->phase == OUTWARD_WATCHING && now >= o->watch_until_us && o->n_video > 0) decide(o);
}

void outward_try_again(struct outward *o, int64_t now)
{
    if (o->phase == OUTWARD_REFUSING && o->reason != NO_CODEC && now - o->refused_us > AGAIN_US &&
        transcoder_slots_free() > 0)
        outward_read_again(o);
}

/* Whether pictures are in order is known of this source already, or has to be watched. */
void outward_on_tracks(struct outward *o, struct hub_item *item)
{
    struct lane_track was[2];
    if (o->tracks) feed_msg_unref(&o->tracks->msg);
    o->tracks = (struct hub_item *)feed_msg_ref(&item->msg);
    drop_held(o);
    lane_bridge_set_note(o->channel, OUTWARD_IDLE, "");
    if (lane_bridge_barred(o->channel)) {
        drop_transcoder(o);
        o->phase = OUTWARD_WAITING;
        return;
    }
    for (unsigned k = 0; k < 2; k++) o->way[k] = outward_way_of(track_of(o, (enum media_kind)k));
    o->phase = OUTWARD_WAITING;
    o->likely = o->way[MEDIA_VIDEO] == OUTWARD_LIKELY;
    if (!o->again && (o->likely || lane_describe(o->channel, was) != E_OK))
        o->n_video = o->n_back = 0; /* another source, or another encoder */
    if (o->way[MEDIA_VIDEO] != OUTWARD_UNSURE && !o->likely) {
        run(o);
    } else if (o->n_video >= SURE_FRAMES || o->n_back >= BACK_STEPS) {
        decide(o);
    } else {
        o->phase = OUTWARD_WATCHING;
        o->watch_until_us = loop_now_us(o->home) + WATCH_US;
    }
}

static void watch_order(struct outward *o, const struct frame *f)
{
    if (o->n_video++ && f->pts_us < o->top_us) o->n_back++;
    if (o->likely && f->pts_us != f->dts_us) o->n_back += BACK_STEPS;
    if (f->pts_us > o->top_us || o->n_video == 1) o->top_us = f->pts_us;
}

/* Only now, although it began in order. */
static bool turned(const struct outward *o)
{
    const struct track *t = track_of(o, MEDIA_VIDEO);
    return o->phase == OUTWARD_RUNNING && o->way[MEDIA_VIDEO] == OUTWARD_AS_IT_IS && t &&
           t->may_reorder && o->n_back >= BACK_STEPS;
}

void outward_on_frame(struct outward *o, struct frame *f)
{
    if (lane_bridge_barred(o->channel) || f->track > TRACK_ID_AUDIO) return;
    outward_mark(o, f);
    if (codec_kind(f->codec) == MEDIA_VIDEO) watch_order(o, f);
    if (o->phase == OUTWARD_WATCHING) {
        o->held[o->n_held++] = frame_ref(f);
        if (o->n_back >= BACK_STEPS || o->n_video >= SURE_FRAMES || o->n_held == OUTWARD_HELD)
            decide(o);
    } else if (turned(o)) {
        outward_read_again(o);
    } else {
        pass(o, f);
    }
}
