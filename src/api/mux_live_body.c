/* SPDX-License-Identifier: MIT */
/* What a request says of a live stream, checked. */
#include "api/mux_json.h"
#include "api/mux_live.h"
#include "base/clock.h"
#include "base/xalloc.h"

static const char *const LATENCY[] = {"standard", "reduced", "low", NULL};
enum { STANDARD, REDUCED, LOW };

void mux_live_body_fini(struct mux_live_body *b)
{
    mux_asset_options_fini(&b->assets);
    free(b->targets);
    free(b->meta);
    free(b->options);
    free(b->merged);
}

static bool read_latency(struct call *c, json_t *in, int *mode)
{
    bool reduced = false, low = false;
    if (!mux_bool(c, in, "reduced_latency", &reduced) || !mux_bool(c, in, "low_latency", &low))
        return false;
    if (reduced) *mode = REDUCED;
    if (low) *mode = LOW;
    return mux_word(c, in, "latency_mode", LATENCY, mode);
}

static bool read_times(struct call *c, json_t *in, struct live_stream_fields *f)
{
    double window = -1;
    int64_t longest = -1;
    if (!mux_number(c, in, "reconnect_window", 0, LIVE_WINDOW_MAX_S, &window) ||
        !mux_int(c, in, "max_continuous_duration", LIVE_SHORTEST_S, LIVE_LONGEST_S, &longest))
        return false;
    if (window >= 0) f->reconnect_window_us = (int64_t)(window * US_PER_SEC);
    if (longest >= 0) f->max_duration_us = longest * US_PER_SEC;
    return true;
}

/* What is only kept and given back. `before`: what is there already, or NULL. */
static bool read_options(struct call *c, json_t *in, const char *before, char **out)
{
    bool slate = false, sound = false;
    const char *url = NULL;
    json_t *embedded = NULL, *generated = NULL;
    if (!mux_bool(c, in, "use_slate_for_standard_latency", &slate) ||
        !mux_bool(c, in, "audio_only", &sound) ||
        !mux_text(c, in, "reconnect_slate_url", LIMIT_MUX_URL_BYTES, &url) ||
        !mux_array(c, in, "embedded_subtitles", 4, &embedded) ||
        !mux_array(c, in, "generated_subtitles", 4, &generated))
        return false;
    json_t *all = before && *before ? mux_stored(before) : json_object();
    if (json_is_boolean(json_object_get(in, "use_slate_for_standard_latency")))
        mux_set(all, "use_slate_for_standard_latency", json_boolean(slate));
    if (sound) mux_set(all, "audio_only", json_true());
    if (url) mux_set(all, "reconnect_slate_url", json_string(url));
    if (embedded) json_object_set(all, "embedded_subtitles", embedded);
    if (generated) json_object_set(all, "generated_subtitles", generated);
    *out = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return true;
}

bool mux_read_target(struct call *c, json_t *in, struct live_target *out)
{
    const char *url = NULL, *key = "", *passthrough = "";
    *out = (struct live_target){0};
    if (!json_is_object(in)) return mux_invalid(c, "simulcast_targets", "Each must be an object.");
    if (!mux_text(c, in, "url", LIMIT_MUX_URL_BYTES / 4, &url) ||
        !mux_text(c, in, "stream_key", LIMIT_MUX_URL_BYTES / 4, &key) ||
        !mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &passthrough))
        return false;
    if (!url || (!span_starts(span_str(url), "rtmp://") && !span_starts(span_str(url), "rtmps://")))
        return mux_invalid(c, "url", "This must be an rtmp:// or rtmps:// address.");
    return span_cstr(span_str(url), out->url, sizeof out->url) &&
           span_cstr(span_str(key), out->stream_key, sizeof out->stream_key) &&
           span_cstr(span_str(passthrough), out->passthrough, sizeof out->passthrough);
}

static bool read_targets(struct call *c, json_t *in, struct mux_live_body *b)
{
    json_t *list = NULL, *one;
    size_t i;
    if (!mux_array(c, in, "simulcast_targets", LIMIT_MUX_TARGETS, &list)) return false;
    if (!list) return true;
    b->targets = xcalloc(LIMIT_MUX_TARGETS, sizeof *b->targets);
    json_array_foreach(list, i, one)
    {
        if (!mux_read_target(c, one, &b->targets[i])) return false;
        b->n_targets = i + 1;
    }
    return true;
}

static bool read_common(struct call *c, json_t *in, const char *options, struct mux_live_body *b)
{
    b->f.reconnect_window_us = b->f.max_duration_us = -1;
    if (!read_times(c, in, &b->f) ||
        !mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &b->f.passthrough) ||
        !mux_read_meta(c, in, &b->meta) || !read_options(c, in, options, &b->options))
        return false;
    b->f.meta = b->meta;
    b->f.options = b->options;
    b->f.title = json_string_value(json_object_get(json_object_get(in, "meta"), "title"));
    return true;
}

static bool read_new_assets(struct call *c, json_t *in, struct mux_live_body *b)
{
    json_t *settings = NULL;
    if (!mux_object(c, in, "new_asset_settings", &settings)) return false;
    if (!settings) return true;
    if (!mux_read_asset_options(c, settings, true, &b->assets)) return false;
    mux_policies_text(&b->assets.policies, b->asset_policies);
    b->f.asset_options = b->assets.json;
    b->f.asset_policies = b->asset_policies;
    b->f.asset_passthrough = b->assets.passthrough;
    b->f.asset_meta = b->assets.meta;
    return true;
}

/* --- a new one --- */

bool mux_live_read_new(struct call *c, json_t *in, struct mux_live_body *b)
{
    int mode = STANDARD;
    if (!read_common(c, in, NULL, b) || !read_latency(c, in, &mode) || !read_new_assets(c, in, b) ||
        !mux_read_policies(c, in, &b->policies) || !read_targets(c, in, b) ||
        !mux_bool(c, in, "test", &b->f.test))
        return false;
    b->f.latency_mode = LATENCY[mode];
    if (b->f.reconnect_window_us < 0)
        b->f.reconnect_window_us = mode == STANDARD ? LIVE_WINDOW_US : 0;
    if (!b->f.test) return true;
    if (b->f.max_duration_us >= 0)
        return mux_invalid(c, "max_continuous_duration", "Test streams have their own limit.");
    b->f.max_duration_us = LIVE_TEST_US;
    return true;
}

/* --- a change --- */

/* new_asset_settings are changed field by field. */
static bool merge_assets(struct call *c, json_t *in, const struct live_stream *s,
                         struct mux_live_body *b)
{
    static const char *const MAY[] = {"mp4_support", "master_access", "video_quality", "meta",
                                      NULL};
    json_t *given = NULL;
    if (!mux_object(c, in, "new_asset_settings", &given)) return false;
    if (!given) return true;
    if (!mux_read_asset_options(c, given, true, &b->assets)) return false;
    json_t *all = *s->asset_options ? mux_stored(s->asset_options) : json_object();
    json_t *clean = mux_stored(b->assets.json);
    for (size_t i = 0; MAY[i]; i++)
        if (json_object_get(clean, MAY[i]))
            json_object_set(all, MAY[i], json_object_get(clean, MAY[i]));
    b->merged = json_dumps(all, JSON_COMPACT);
    json_decref(clean);
    json_decref(all);
    b->f.asset_options = b->merged;
    b->f.asset_meta = b->assets.meta;
    return true;
}

bool mux_live_read_change(struct call *c, json_t *in, const struct live_stream *s,
                          struct mux_live_body *b)
{
    int mode = -1;
    if (!read_common(c, in, s->options, b) || !read_latency(c, in, &mode) ||
        !merge_assets(c, in, s, b))
        return false;
    if (mode >= 0) b->f.latency_mode = LATENCY[mode];
    if (mode < 0 || strcmp(s->status, "active") != 0 || !strcmp(s->latency_mode, LATENCY[mode]))
        return true;
    return mux_invalid(c, "latency_mode", "This can be changed while the stream is idle.");
}
