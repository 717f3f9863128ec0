/* SPDX-License-Identifier: MIT */
/* What the encoder sends now, and what to change in it. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "base/clock.h"
#include "bridge/outward.h"
#include "hub/ingest_stats.h"
#include "product/advice.h"
#include <stdio.h>

/* All that is known of a stream's ingest at one moment. */
struct health {
    struct ingest_state in; /* what advice is given on */
    struct ingest_stats stats;
    char encoder[ENCODER_NAME_CAP];
    char video_profile[ENCODER_NAME_CAP], audio_profile[ENCODER_NAME_CAP];
    enum outward_state outward;
    char outward_message[200];
};

static double seconds(int64_t us)
{
    return (double)us / (double)US_PER_SEC;
}

static double millis(int64_t us)
{
    return (double)us / (double)US_PER_MS;
}

/* What the frames lane has: sizes and rates come from there, whatever is sent. */
static void read_tracks(const struct channel *ch, struct health *h)
{
    struct ingest_state *in = &h->in;
    struct track *tracks[LIMIT_TRACKS];
    const unsigned n = channel_get_tracks(ch, tracks);
    bool audio = false;
    for (unsigned i = 0; i < n; i++) {
        const struct track *t = tracks[i];
        if (t->kind == MEDIA_VIDEO && t->width >= in->width) { /* of layers the largest */
            in->has_video = in->segments = true;
            in->width = t->width;
            in->height = t->height;
            in->fps = in->best_fps = t->fps_milli / 1000.0;
            snprintf(in->video_codec, sizeof in->video_codec, "%s", codec_name(t->codec));
            encoder_profile(t->codecs, h->video_profile);
        } else if (t->kind == MEDIA_AUDIO && !audio) {
            audio = in->has_audio = true;
            in->sample_rate = t->sample_rate;
            in->channels = t->channels;
            snprintf(in->audio_codec, sizeof in->audio_codec, "%s", codec_name(t->codec));
            encoder_profile(t->codecs, h->audio_profile);
        }
        track_unref(tracks[i]);
    }
}

static void take_video(const struct ingest_video *v, struct health *h)
{
    struct ingest_state *in = &h->in;
    if (!v->is) return;
    const char *codec = codec_name(v->codec);
    if (strcmp(codec, in->video_codec) != 0) h->video_profile[0] = 0; /* it was made into another */
    in->has_video = true;
    snprintf(in->video_codec, sizeof in->video_codec, "%s", codec);
    in->video_bps = v->bps;
    if (v->fps > 0) in->fps = v->fps;
    if (v->best_fps > 0) in->best_fps = v->best_fps;
    in->key_interval_s = seconds(v->key_interval_us);
    in->key_longest_s = seconds(v->key_longest_us);
    in->key_shortest_s = seconds(v->key_shortest_us);
    in->since_key_s = seconds(v->since_key_us);
    in->b_frames = v->b_frames;
    in->frames_vary = v->varies;
}

static void take_audio(const struct ingest_audio *a, struct health *h)
{
    struct ingest_state *in = &h->in;
    if (!a->is) return;
    const char *codec = codec_name(a->codec);
    if (strcmp(codec, in->audio_codec) != 0) h->audio_profile[0] = 0;
    in->has_audio = true;
    snprintf(in->audio_codec, sizeof in->audio_codec, "%s", codec);
    if (a->codec == CODEC_OPUS) in->sample_rate = 48000;
    in->audio_bps = a->bps;
    in->level_known = a->level != INGEST_LEVEL_NONE;
    in->level_db = a->level / 10.0;
    in->peak_db = a->peak_level / 10.0;
    in->quiet_s = seconds(a->silent_us);
}

static void take_way(const struct ingest_stats *s, struct ingest_state *in)
{
    in->webrtc = strcmp(s->source.protocol, "whip") == 0;
    in->connects = s->connects;
    if (s->is) in->connected_s = seconds(clock_wall_us() - s->connected_wall_us);
    in->speed = s->speed;
    in->behind_s = seconds(s->behind_us);
    in->frame_jitter_ms = millis(s->jitter_us);
    in->offset_known = s->has_offset;
    in->offset_ms = millis(s->offset_us);
    in->gap_known = s->has_start_gap;
    in->start_gap_ms = millis(s->start_gap_us);
    in->jumps = s->jumps;
    in->network_known = s->network.is;
    in->jitter_ms = millis(s->network.jitter_us);
    in->loss = s->network.loss;
    in->rtt_ms = s->network.rtt_us > 0 ? millis(s->network.rtt_us) : 0;
}

static void read_channel(struct api *a, const char *id, struct health *h)
{
    struct channel *ch = hub_find(a->cfg.hub, span_str(id));
    struct ingest_state *in = &h->in;
    struct channel_stats s;
    if (!ch) return;
    channel_get_stats(ch, &s);
    channel_get_ingest(ch, &h->stats);
    in->connected = s.publishing;
    in->viewers = audience_count(a->audience, id);
    if (s.publishing) {
        read_tracks(ch, h);
        take_video(&h->stats.video, h);
        take_audio(&h->stats.audio, h);
        take_way(&h->stats, in);
        h->outward = outward_state(ch, h->outward_message, sizeof h->outward_message);
        in->no_slot = h->outward == OUTWARD_REFUSED;
        in->encoder = encoder_identify(h->stats.source.encoder, h->encoder);
        if (s.last_frame_wall_us && in->segments)
            in->silent_s = seconds(clock_wall_us() - s.last_frame_wall_us);
    }
    channel_unref(ch);
}

/* --- as JSON: what is not known is left out ----------------------------------------------------
 */

/* Rounded to so many parts of one; a quotient prints shorter than a product. */
static void put(json_t *j, const char *name, double v, int parts)
{
    json_object_set_new(j, name,
                        json_real((double)(int64_t)(v * parts + (v < 0 ? -0.5 : 0.5)) / parts));
}

static void put_text(json_t *j, const char *name, const char *text)
{
    if (text[0]) json_object_set_new(j, name, json_string(text));
}

static json_t *video_json(const struct health *h)
{
    const struct ingest_state *in = &h->in;
    const struct ingest_video *v = &h->stats.video;
    json_t *j = json_pack("{s:s, s:b}", "codec", in->video_codec, "bFrames", in->b_frames);
    put_text(j, "profile", h->video_profile);
    if (in->width) {
        json_object_set_new(j, "width", json_integer(in->width));
        json_object_set_new(j, "height", json_integer(in->height));
    }
    if (in->fps > 0) put(j, "fps", in->fps, 10);
    if (in->video_bps > 0) json_object_set_new(j, "bitrate", json_integer(in->video_bps));
    if (in->key_interval_s > 0) {
        put(j, "keyFrameInterval", in->key_interval_s, 100);
        put(j, "keyFrameIntervalLongest", in->key_longest_s, 100);
    }
    if (v->layers > 1) {
        json_t *list = json_array();
        for (unsigned i = 0; i < v->layers && i < LANE_LAYERS; i++)
            json_array_append_new(list, json_pack("{s:I}", "bitrate", (json_int_t)v->layer_bps[i]));
        json_object_set_new(j, "layers", list);
    }
    return j;
}

static json_t *audio_json(const struct health *h)
{
    const struct ingest_state *in = &h->in;
    json_t *j = json_pack("{s:s}", "codec", in->audio_codec);
    put_text(j, "profile", h->audio_profile);
    if (in->sample_rate) json_object_set_new(j, "sampleRate", json_integer(in->sample_rate));
    if (in->channels) json_object_set_new(j, "channels", json_integer(in->channels));
    if (in->audio_bps > 0) json_object_set_new(j, "bitrate", json_integer(in->audio_bps));
    if (in->level_known) {
        put(j, "level", in->level_db, 10);
        put(j, "peakLevel", in->peak_db, 10);
    }
    return j;
}

static json_t *network_json(const struct health *h)
{
    const struct ingest_state *in = &h->in;
    json_t *j = json_object();
    put(j, "jitter", in->network_known ? in->jitter_ms : in->frame_jitter_ms, 10);
    put(j, "behind", in->behind_s, 10);
    if (in->speed > 0) put(j, "speed", in->speed, 100);
    if (in->network_known) {
        put(j, "loss", in->loss, 1000);
        json_object_set_new(j, "nacks", json_integer(h->stats.network.nacks));
        if (in->rtt_ms > 0) put(j, "rtt", in->rtt_ms, 10);
    }
    return j;
}

/* Left out while nobody watches by WebRTC: then nothing is decided. */
static void put_webrtc(json_t *j, const struct health *h)
{
    static const char *const STATES[] = {[OUTWARD_THROUGH] = "direct",
                                         [OUTWARD_WORKING] = "transcoded",
                                         [OUTWARD_REFUSED] = "refused"};
    if (h->outward == OUTWARD_IDLE) return;
    json_t *o = json_pack("{s:s}", "state", STATES[h->outward]);
    if (h->outward == OUTWARD_REFUSED) put_text(o, "message", h->outward_message);
    json_object_set_new(j, "webrtc", o);
}

static json_t *advice_json(const struct ingest_state *in)
{
    struct advice advice[ADVICE_MAX];
    const size_t n = advice_give(in, advice);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *j = json_pack("{s:s, s:s, s:s}", "level", advice[i].level, "code", advice[i].code,
                              "message", advice[i].text);
        put_text(j, "setting", advice[i].setting);
        json_array_append_new(list, j);
    }
    return list;
}

static json_t *health_json(const struct health *h)
{
    const struct ingest_stats *s = &h->stats;
    json_t *j = json_pack("{s:b}", "connected", h->in.connected);
    if (s->is) {
        char since[CLOCK_ISO_LEN];
        clock_iso(s->connected_wall_us, since);
        put_text(j, "protocol", s->source.protocol);
        put_text(j, "encoder", h->encoder);
        put_text(j, "address", s->source.peer);
        put_text(j, "connectedAt", since);
        json_object_set_new(j, "network", network_json(h));
        if (s->has_offset) put(j, "avOffset", h->in.offset_ms, 1);
        if (s->has_start_gap) put(j, "avStart", h->in.start_gap_ms, 1);
    }
    put_webrtc(j, h);
    if (h->in.has_video) json_object_set_new(j, "video", video_json(h));
    if (h->in.has_audio) json_object_set_new(j, "audio", audio_json(h));
    json_object_set_new(j, "advice", advice_json(&h->in));
    return j;
}

void app_stream_health(struct call *c)
{
    struct api *a = c->api;
    struct stream s;
    const enum err e = stream_get_own(c->db, c->param[0], c->user.id, &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    stream_fini(&s);
    if (s.remote) { /* Mux takes it in, and does not say how it comes */
        call_json(c, 200, json_pack("{s:b, s:[]}", "connected", s.status == STREAM_LIVE, "advice"));
        return;
    }
    struct health h = {0};
    if (s.type == STREAM_BROWSER) h.in.encoder = ENCODER_BROWSER; /* until one says its name */
    h.in.away = s.status == STREAM_LIVE && live_is_away(a->cfg.live, s.id);
    read_channel(a, s.id, &h);
    call_json(c, 200, health_json(&h));
}
