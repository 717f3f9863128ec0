/* SPDX-License-Identifier: MIT */
#include "api/stream_json.h"
#include "api/api_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "product/direct.h"
#include "product/visibility.h"
#include "video/recordings.h"
#include <stdio.h>

json_t *time_json(int64_t us)
{
    char iso[CLOCK_ISO_LEN];
    if (!us) return json_null();
    clock_iso(us, iso);
    return json_string(iso);
}

static json_t *text_or_null(const char *s)
{
    return *s ? json_string(s) : json_null();
}

json_t *user_json(const struct user *u)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "id", u->id, "name", u->name, "handle",
                     u->handle, "email", u->email, "image", text_or_null(u->image), "role",
                     u->admin ? "admin" : "user", "createdAt", time_json(u->created_at));
}

/* Plays from the first part on: it grows while the stream is live. */
static bool has_recording(const struct stream *s)
{
    return s->recording_playback_id[0] && s->recording_playable;
}

/* Where Mux's pictures are: on the same name, with "image" for "stream". */
static json_t *remote_image(const char *base, const char *id, const char *file)
{
    const bool split = span_starts(span_str(base), "https://stream.");
    return split ? json_sprintf("https://image.%s/%s/%s", base + 15, id, file)
                 : json_sprintf("%s/%s/%s", base, id, file);
}

json_t *remote_url(struct api *a, const char *id, const char *file)
{
    const char *base = a->cfg.settings->mux_stream_url;
    return file[0] == '/' ? remote_image(base, id, file + 1)
                          : json_sprintf("%s/%s%s", base, id, file);
}

/* Mux plays it. Until it is made there, nothing does. */
static json_t *remote_playback(struct api *a, const struct stream *s)
{
    const char *base = a->cfg.settings->mux_stream_url;
    const bool recorded = s->status == STREAM_ENDED && s->remote_recording[0];
    const char *id = recorded ? s->remote_recording : s->remote_playback_id;
    if (!*id)
        return json_pack("{s:s, s:n, s:n, s:n, s:n, s:b}", "playbackId", s->live_playback_id,
                         "hlsUrl", "whepUrl", "thumbnailUrl", "storyboardUrl", "remote", 1);
    return json_pack("{s:s, s:o, s:n, s:o, s:o, s:b}", "playbackId", id, "hlsUrl",
                     json_sprintf("%s/%s.m3u8", base, id), "whepUrl", "thumbnailUrl",
                     remote_image(base, id, "thumbnail.jpg"), "storyboardUrl",
                     remote_image(base, id, "storyboard.vtt"), "remote", 1);
}

/* The same for all of an hour, so that a page that asks again has the same addresses. */
int64_t stream_pass(struct api *a, const struct stream *s, char out[STREAM_PASS_CAP])
{
    char grant[GRANT_CAP];
    const int64_t life = a->cfg.settings->private_token_life, now = clock_wall_us() / US_PER_SEC;
    const int64_t until = (now / life + 2) * life;
    out[0] = 0;
    if (s->visibility != VISIBILITY_PRIVATE) return 0;
    grant_write(GRANT_WATCH, s->id, s->access_epoch, until, grant);
    snprintf(out, STREAM_PASS_CAP, "?token=%s", grant);
    return until;
}

static json_t *recording_url(struct api *a, const struct stream *s, const char *origin,
                             const char *pass)
{
    if (!pass) return json_null();
    if (s->remote_playback)
        return s->remote_recording[0] ? json_sprintf("%s/%s.m3u8", a->cfg.settings->mux_stream_url,
                                                     s->remote_recording)
                                      : json_null();
    return has_recording(s) ? json_sprintf("%s/%s.m3u8%s", origin, s->recording_playback_id, pass)
                            : json_null();
}

static json_t *playback_json(const struct stream *s, const char *origin, const char *pass,
                             int64_t until)
{
    /* While a better one is on its way, the server's own is there. */
    const bool closed =
        s->recording == RECORDING_READY || s->recording == RECORDING_FAILED || s->recording_closed;
    const bool recorded = s->status == STREAM_ENDED && closed && has_recording(s);
    const char *id = recorded ? s->recording_playback_id : s->live_playback_id;
    if (!*id || !pass) return json_null(); /* it has signed playback ids only, or is private */
    json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o}", "playbackId", id, "hlsUrl",
                          json_sprintf("%s/%s.m3u8%s", origin, id, pass), "whepUrl",
                          json_sprintf("%s/whep/%s%s", origin, id, pass), "thumbnailUrl",
                          json_sprintf("%s/%s/thumbnail.jpg%s", origin, id, pass), "storyboardUrl",
                          json_sprintf("%s/%s/storyboard.vtt%s", origin, id, pass));
    if (until) json_object_set_new(j, "expiresAt", time_json(until * US_PER_SEC));
    return j;
}

static json_t *direct_json(const struct stream *s)
{
    if (!direct_is(s, clock_wall_us())) return json_null();
    return json_pack("{s:o, s:b}", "id", json_sprintf("%lld", (long long)s->direct_id), "answered",
                     s->direct_answered);
}

/* "owner" and "limit" are for good, "encoder" is until it comes back. */
static json_t *ended_reason_json(const struct stream *s)
{
    return s->reusable && *s->ended_reason ? json_string("encoder") : text_or_null(s->ended_reason);
}

/* `pass` NULL: nothing that plays. */
static json_t *make(struct api *a, const struct stream *s, const char *origin, const char *pass,
                    int64_t until)
{
    json_t *j =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", s->id, "title", s->title, "description",
                  s->description, "status", STREAM_STATUS[s->status], "streamType",
                  STREAM_TYPE[s->type], "recordingStatus", RECORDING_STATUS[s->recording]);
    json_object_set_new(j, "recordingUrl", recording_url(a, s, origin, pass));
    /* An asset's id here: what is at Mux has none. */
    json_object_set_new(j, "recordingId",
                        s->remote_playback ? json_null() : text_or_null(s->recording_id));
    json_object_set_new(j, "duration",
                        s->duration_s < 0 ? json_null() : json_integer(s->duration_s));
    json_object_set_new(j, "startedAt", time_json(s->started_at));
    json_object_set_new(j, "endedAt", time_json(s->ended_at));
    json_object_set_new(j, "endedReason", ended_reason_json(s));
    json_object_set_new(j, "scheduledAt", time_json(s->scheduled_at));
    json_object_set_new(j, "wasScheduledAt", time_json(s->was_scheduled_at));
    json_object_set_new(j, "cancelledAt", time_json(s->cancelled_at));
    const unsigned viewers = audience_count(a->audience, s->id);
    const int64_t peak =
        s->status == STREAM_LIVE && viewers > s->peak_viewers ? viewers : s->peak_viewers;
    json_object_set_new(j, "viewerCount", json_integer(viewers));
    json_object_set_new(j, "peakViewers", json_integer(peak));
    const int64_t total = s->total_viewers > peak ? s->total_viewers : peak;
    json_object_set_new(j, "totalViewers", json_integer(total));
    json_object_set_new(j, "createdAt", time_json(s->created_at));
    json_object_set_new(j, "updatedAt", time_json(s->updated_at));
    if (s->status == STREAM_LIVE)
        json_object_set_new(j, "connected", json_boolean(!live_is_away(a->cfg.live, s->id)));
    json_object_set_new(j, "user",
                        json_pack("{s:s, s:s, s:s, s:o}", "id", s->user_id, "name", s->user_name,
                                  "handle", s->user_handle, "image", text_or_null(s->user_image)));
    json_object_set_new(j, "playback",
                        s->remote_playback && pass ? remote_playback(a, s)
                                                   : playback_json(s, origin, pass, until));
    json_object_set_new(j, "direct", pass ? direct_json(s) : json_null());
    json_object_set_new(j, "visibility", json_string(VISIBILITY[s->visibility]));
    return j;
}

json_t *stream_json(struct api *a, const struct stream *s, const char *origin)
{
    return make(a, s, origin, s->visibility == VISIBILITY_PRIVATE ? NULL : "", 0);
}

json_t *stream_json_watch(struct api *a, const struct stream *s, const char *origin)
{
    char pass[STREAM_PASS_CAP];
    const int64_t until = stream_pass(a, s, pass);
    return make(a, s, origin, pass, until);
}

/* The host of "https://host:port", with the brackets of an IPv6 address. */
static struct span host_of(const char *origin)
{
    struct span s = span_str(origin);
    s = span_skip(s, span_starts(s, "https://") ? 8 : 7);
    if (s.len && s.p[0] == '[') {
        const struct span rest = s, inner = span_cut(&s, ']');
        return span_head(rest, inner.len + 1);
    }
    return span_cut(&s, ':');
}

static json_t *rtmp_url(const char *scheme, const char *origin, uint16_t port, uint16_t usual)
{
    const struct span host = host_of(origin);
    if (port == usual)
        return json_sprintf("%s://%.*s/live", scheme, (int)host.len, (const char *)host.p);
    return json_sprintf("%s://%.*s:%u/live", scheme, (int)host.len, (const char *)host.p, port);
}

/* Mux's address and key. The key is null until Mux has made the stream. */
static json_t *remote_ingest(struct api *a, struct db *db, const struct stream *s)
{
    const char *url = a->cfg.settings->mux_rtmp_url;
    char key[REMOTE_KEY_CAP];
    const enum err e = ingest_remote_key(db, a->cfg.secret, s->live_stream_id, key, sizeof key);
    if (e != E_OK && e != E_NOTFOUND)
        log_error("stream_key", "stream=%s cannot be shown: %s (was secret.key replaced?)", s->id,
                  err_text(e));
    json_t *in = json_pack("{s:s, s:o}", "rtmpUrl", url, "streamKey",
                           e == E_OK ? json_string(key) : json_null());
    if (!strcmp(url, "rtmp://global-live.mux.com:5222/app"))
        json_object_set_new(in, "rtmpsUrl", json_string("rtmps://global-live.mux.com:443/app"));
    return in;
}

static json_t *local_ingest(struct api *a, struct db *db, const struct stream *s,
                            const char *origin)
{
    const char *fixed = a->cfg.settings->public_rtmp_url;
    char key[INGEST_KEY_CAP];
    const enum err e = ingest_key(db, a->cfg.secret, s->live_stream_id, key);
    if (e != E_OK)
        log_error("stream_key", "stream=%s cannot be shown: %s (was secret.key replaced?)", s->id,
                  err_text(e));
    json_t *in = json_pack(
        "{s:o, s:o, s:o}", "rtmpUrl",
        *fixed ? json_string(fixed) : rtmp_url("rtmp", origin, a->cfg.rtmp_port, 1935), "streamKey",
        e == E_OK ? json_string(key) : json_null(), "whipUrl", json_sprintf("%s/whip", origin));
    if (a->cfg.rtmps_port)
        json_object_set_new(in, "rtmpsUrl", rtmp_url("rtmps", origin, a->cfg.rtmps_port, 443));
    return in;
}

json_t *stream_json_mine(struct api *a, struct db *db, const struct stream *s, const char *origin)
{
    int percent = -1;
    json_t *j = stream_json_watch(a, s, origin);
    const bool awaited =
        s->recording == RECORDING_UPLOADING || s->recording == RECORDING_PROCESSING;
    if (awaited && recordings_progress(db, s->id, &percent) != E_OK)
        log_warn("recording_progress", "stream=%s: not known", s->id);
    json_object_set_new(j, "recordingProgress", percent < 0 ? json_null() : json_integer(percent));
    json_object_set_new(j, "recordingProblem", text_or_null(s->recording_problem));
    json_object_set_new(j, "hasPassword", json_boolean(s->has_password));
    return j;
}

json_t *stream_json_own(struct api *a, struct db *db, const struct stream *s, const char *origin)
{
    json_t *j = stream_json_mine(a, db, s, origin);
    json_object_set_new(j, "ingest",
                        s->remote ? remote_ingest(a, db, s) : local_ingest(a, db, s, origin));
    return j;
}
