/* SPDX-License-Identifier: MIT */
/* What the encoder sends now, and what to change in it. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "base/clock.h"
#include "product/advice.h"
#include <stdio.h>

static void read_tracks(const struct channel *ch, struct ingest_state *in)
{
    struct track *tracks[LIMIT_TRACKS];
    const unsigned n = channel_get_tracks(ch, tracks);
    for (unsigned i = 0; i < n; i++) {
        const struct track *t = tracks[i];
        if (t->kind == MEDIA_VIDEO && !in->has_video) {
            in->has_video = true;
            in->width = t->width;
            in->height = t->height;
            in->fps = t->fps_milli / 1000.0;
            snprintf(in->video_codec, sizeof in->video_codec, "%s", codec_name(t->codec));
        } else if (t->kind == MEDIA_AUDIO && !in->has_audio) {
            in->has_audio = true;
            in->sample_rate = t->sample_rate;
            in->channels = t->channels;
            snprintf(in->audio_codec, sizeof in->audio_codec, "%s", codec_name(t->codec));
        }
        track_unref(tracks[i]);
    }
}

static void read_channel(struct api *a, const char *id, struct ingest_state *in)
{
    struct channel *ch = hub_find(a->cfg.hub, span_str(id));
    if (!ch) return;
    struct channel_stats s;
    struct audience_rates r;
    channel_get_stats(ch, &s);
    read_tracks(ch, in);
    channel_unref(ch);
    in->connected = s.publishing;
    in->b_frames = s.reordered;
    in->key_interval_s = (double)s.last_key_interval_us / (double)US_PER_SEC;
    if (s.last_frame_wall_us)
        in->silent_s = (double)(clock_wall_us() - s.last_frame_wall_us) / (double)US_PER_SEC;
    if (!audience_rates(a->audience, id, &r)) return;
    in->video_bps = r.video_bps;
    in->audio_bps = r.audio_bps;
    if (in->has_video) in->fps = r.fps;
}

/* Rounded to so many parts of one; a quotient prints shorter than a product. */
static json_t *round_json(double v, int parts)
{
    return json_real((double)(int64_t)(v * parts + 0.5) / parts);
}

static json_t *video_json(const struct ingest_state *in)
{
    json_t *j = json_pack("{s:s, s:i, s:i, s:b}", "codec", in->video_codec, "width", (int)in->width,
                          "height", (int)in->height, "bFrames", in->b_frames);
    if (in->fps > 0) json_object_set_new(j, "fps", round_json(in->fps, 10));
    if (in->video_bps > 0) json_object_set_new(j, "bitrate", json_integer(in->video_bps));
    if (in->key_interval_s > 0)
        json_object_set_new(j, "keyFrameInterval", round_json(in->key_interval_s, 100));
    return j;
}

static json_t *audio_json(const struct ingest_state *in)
{
    json_t *j = json_pack("{s:s, s:i, s:i}", "codec", in->audio_codec, "sampleRate",
                          (int)in->sample_rate, "channels", (int)in->channels);
    if (in->audio_bps > 0) json_object_set_new(j, "bitrate", json_integer(in->audio_bps));
    return j;
}

static json_t *health_json(const struct ingest_state *in)
{
    struct advice advice[ADVICE_MAX];
    const size_t n = advice_give(in, advice);
    json_t *j = json_pack("{s:b}", "connected", in->connected), *list = json_array();
    if (in->has_video) json_object_set_new(j, "video", video_json(in));
    if (in->has_audio) json_object_set_new(j, "audio", audio_json(in));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "level", advice[i].level, "code",
                                              advice[i].code, "message", advice[i].text));
    json_object_set_new(j, "advice", list);
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
    struct ingest_state in = {0};
    in.away = s.status == STREAM_LIVE && live_is_away(a->cfg.live, s.id);
    read_channel(a, s.id, &in);
    call_json(c, 200, health_json(&in));
}
