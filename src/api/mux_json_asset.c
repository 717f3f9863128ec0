/* SPDX-License-Identifier: MIT */
/* An asset in Mux's words: section 2.4 of the contract, docs/api/media.md. */
#include "api/mux_json.h"
#include "api/mux_renditions.h"
#include "api/mux_tracks.h"
#include "base/clock.h"
#include "video/asset.h"

enum { PIXELS_720 = 1280 * 720, PIXELS_1080 = 1920 * 1080, PIXELS_1440 = 2048 * 2048 };

static const char *tier_of(const struct asset *a)
{
    const int64_t pixels = a->width * a->height;
    if (pixels == 0) return "audio-only";
    return pixels <= PIXELS_720    ? "720p"
           : pixels <= PIXELS_1080 ? "1080p"
           : pixels <= PIXELS_1440 ? "1440p"
                                   : "2160p";
}

static const char *stored_resolution(const struct asset *a)
{
    const int64_t lines = a->width < a->height ? a->width : a->height;
    if (lines == 0) return "Audio only";
    return lines < 720 ? "SD" : lines < 1080 ? "HD" : lines <= 1440 ? "FHD" : "UHD";
}

static int64_t divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static json_t *progress_json(const struct asset *a)
{
    const char *state = a->progress_state;
    int64_t percent = a->progress;
    if (a->is_live)
        state = "live", percent = -1;
    else if (!strcmp(a->status, "ready"))
        state = "completed", percent = 100;
    else if (!strcmp(a->status, "errored"))
        state = "errored", percent = -1;
    else if (!*state)
        state = "ingesting";
    if (!strcmp(a->status, "preparing") && !a->is_live && percent < 0) percent = 0;
    return json_pack("{s:s, s:I}", "state", state, "progress", (json_int_t)percent);
}

/* Known when it is ready; of a recording that runs only what it will not lose. */
static void set_measures(json_t *j, const struct asset *a)
{
    if (a->duration_us >= 0 && !a->is_live)
        mux_set(j, "duration", json_real((double)a->duration_us / US_PER_SEC));
    if (!*a->tracks || strcmp(a->status, "ready") != 0) return;
    mux_set(j, "non_standard_input_reasons", mux_stored(a->non_standard));
    mux_set_text(j, "resolution_tier", tier_of(a));
    mux_set_text(j, "max_stored_resolution", stored_resolution(a));
    mux_set(j, "max_stored_frame_rate",
            a->fps_milli ? json_real((double)a->fps_milli / 1e3) : json_real(-1));
    const int64_t d = divisor(a->width, a->height);
    if (d)
        mux_set(j, "aspect_ratio",
                json_sprintf("%lld:%lld", (long long)(a->width / d), (long long)(a->height / d)));
}

static const char *option(const json_t *options, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(options, name));
    return text ? text : otherwise;
}

/* What was not limited is kept as it is. */
static const char *usual_max(const struct asset *a)
{
    return a->width * a->height > PIXELS_1080 ? tier_of(a) : "1080p";
}

/* What the options ask for is being prepared as long as the asset is. */
static const char *master_state(const struct asset *a, bool wanted)
{
    const bool coming = a->is_live || !strcmp(a->status, "preparing");
    if (!strcmp(a->master_status, "ready") && a->master_until <= clock_wall_us()) return "none";
    if (a->master_status[0]) return a->master_status;
    return wanted && coming ? "preparing" : "none";
}

static void set_master(json_t *j, const struct asset *a, bool wanted, const char *origin)
{
    const char *state = master_state(a, wanted);
    const bool there = strcmp(state, "none") != 0;
    mux_set_text(j, "master_access", there ? "temporary" : "none");
    if (!there) return;
    json_t *master = json_pack("{s:s}", "status", state);
    mux_set(j, "master", master);
    if (!origin) origin = *mux_public_url() ? mux_public_url() : a->master_origin;
    if (!strcmp(state, "ready") && *origin)
        mux_set(master, "url",
                json_sprintf("%s/master/%s/%s", origin, a->master_key, a->master_name));
}

static void set_options(json_t *j, const struct asset *a, const char *origin)
{
    json_t *o = mux_stored(a->options);
    const char *quality = option(o, "video_quality", "plus");
    mux_set_text(j, "max_resolution_tier", option(o, "max_resolution_tier", usual_max(a)));
    mux_set_text(j, "video_quality", quality);
    mux_set_text(j, "encoding_tier",
                 !strcmp(quality, "basic")     ? "baseline"
                 : !strcmp(quality, "premium") ? "premium"
                                               : "smart");
    mux_set_text(j, "mp4_support", option(o, "mp4_support", "none"));
    mux_set(j, "normalize_audio",
            json_boolean(json_is_true(json_object_get(o, "normalize_audio"))));
    set_master(j, a, !strcmp(option(o, "master_access", "none"), "temporary"), origin);
    json_decref(o);
    mux_set_text(j, "passthrough", a->passthrough);
    mux_set(j, "meta", mux_stored(a->meta));
    if (a->test) mux_set(j, "test", json_true());
    if (a->thumbnail_time_us >= 0)
        mux_set(j, "thumbnail_time", json_real((double)a->thumbnail_time_us / US_PER_SEC));
}

static void set_live(json_t *j, const struct asset *a)
{
    char iso[CLOCK_ISO_LEN];
    if (!a->live_stream_id[0]) return;
    mux_set_text(j, "live_stream_id", a->live_stream_id);
    mux_set(j, "is_live", json_boolean(a->is_live));
    if (!a->started_at) return;
    clock_iso(a->started_at, iso);
    json_t *run = json_pack("{s:s, s:s}", "started_at", iso, "type", "content");
    if (a->duration_us >= 0 && !a->is_live)
        mux_set(run, "duration", json_real((double)a->duration_us / US_PER_SEC));
    mux_set(j, "recording_times", json_pack("[o]", run));
}

json_t *mux_asset_json(struct db *db, const char *id, enum mux_form form, const char *origin)
{
    struct asset a;
    if (asset_get(db, id, NULL, &a) != E_OK) return NULL;
    json_t *j = json_pack("{s:s, s:o, s:s, s:o, s:s, s:o}", "id", a.id, "created_at",
                          mux_created(a.created_at, form), "status", a.status, "progress",
                          progress_json(&a), "ingest_type", a.ingest_type, "playback_ids",
                          mux_playback_ids_json(db, a.id));
    set_measures(j, &a);
    set_options(j, &a, origin);
    set_live(j, &a);
    mux_set(j, "tracks", mux_text_tracks_json(db, a.id, mux_stored(a.tracks)));
    mux_set(j, "static_renditions", mux_static_renditions_json(db, a.id));
    mux_set_text(j, "upload_id", a.upload_id);
    mux_set_text(j, "source_asset_id", a.source_asset_id);
    if (!strcmp(a.status, "errored"))
        mux_set(j, "errors",
                json_pack("{s:s, s:[s]}", "type", a.error_type[0] ? a.error_type : "invalid_input",
                          "messages", *a.problem ? a.problem : "There is no media in it."));
    asset_fini(&a);
    return j;
}
