/* SPDX-License-Identifier: MIT */
/* Mux's objects as they come, for video/provider: what is missing is "", what is not of its type is
 * like missing. */
#include "api/api_priv.h"
#include "api/body.h"
#include "product/seal.h"
#include "video/provider.h"
#include <stdio.h>

static json_t *parse(struct span text)
{
    if (body_depth(text) > LIMIT_JSON_DEPTH) return NULL;
    return json_loadb((const char *)text.p, text.len, 0, NULL);
}

/* Left out when it does not fit: half an id is none. */
static void copy(const json_t *value, char *out, size_t cap)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) >= cap) text = "";
    snprintf(out, cap, "%s", text);
}

/* An id becomes part of a path. */
static void copy_id(const json_t *value, char *out, size_t cap)
{
    copy(value, out, cap);
    if (out[strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        *out = 0;
}

static void copy_playback(const json_t *object, char out[REMOTE_ID_CAP])
{
    json_t *list = json_object_get(object, "playback_ids"), *one;
    size_t i;
    *out = 0;
    json_array_foreach(list, i, one)
    {
        const char *policy = json_string_value(json_object_get(one, "policy"));
        if (*out || !policy || strcmp(policy, "public") != 0) continue;
        copy_id(json_object_get(one, "id"), out, REMOTE_ID_CAP);
    }
}

static bool read_live(const json_t *j, struct remote_live *out)
{
    const json_t *recent = json_object_get(j, "recent_asset_ids");
    const size_t n = json_array_size(recent);
    *out = (struct remote_live){0};
    copy_id(json_object_get(j, "id"), out->id, sizeof out->id);
    copy(json_object_get(j, "stream_key"), out->stream_key, sizeof out->stream_key);
    copy(json_object_get(j, "status"), out->status, sizeof out->status);
    copy(json_object_get(j, "passthrough"), out->passthrough, sizeof out->passthrough);
    copy_id(json_object_get(j, "active_asset_id"), out->active_asset_id,
            sizeof out->active_asset_id);
    copy_id(n ? json_array_get(recent, n - 1) : NULL, out->last_asset_id,
            sizeof out->last_asset_id);
    copy_playback(j, out->playback_id);
    return out->id[0] && out->stream_key[0] && out->status[0];
}

static bool live(struct span text, struct remote_live *out)
{
    json_t *j = parse(text);
    const bool fine = read_live(json_object_get(j, "data"), out);
    json_decref(j);
    return fine;
}

static bool find_live(struct span text, const char *passthrough, struct remote_live *out,
                      bool *found, size_t *n)
{
    json_t *j = parse(text), *list = json_object_get(j, "data"), *one;
    const bool fine = json_is_array(list);
    size_t i;
    *found = false;
    *n = json_array_size(list);
    json_array_foreach(list, i, one)
    {
        const char *had = json_string_value(json_object_get(one, "passthrough"));
        if (!*found && had && !strcmp(had, passthrough)) *found = read_live(one, out);
    }
    json_decref(j);
    return fine;
}

static void copy_problem(const json_t *j, char out[REMOTE_PROBLEM_CAP])
{
    const json_t *messages = json_object_get(json_object_get(j, "errors"), "messages");
    const char *text = json_string_value(json_array_get(messages, 0));
    snprintf(out, REMOTE_PROBLEM_CAP, "%s", text ? text : "");
}

static bool asset(struct span text, struct remote_asset *out)
{
    json_t *j = parse(text);
    const json_t *data = json_object_get(j, "data");
    const json_t *duration = json_object_get(data, "duration");
    *out = (struct remote_asset){.duration_s = -1};
    copy_id(json_object_get(data, "id"), out->id, sizeof out->id);
    copy(json_object_get(data, "status"), out->status, sizeof out->status);
    copy_id(json_object_get(data, "live_stream_id"), out->live_stream_id,
            sizeof out->live_stream_id);
    copy_id(json_object_get(data, "upload_id"), out->upload_id, sizeof out->upload_id);
    copy_playback(data, out->playback_id);
    copy_problem(data, out->problem);
    out->is_live = json_is_true(json_object_get(data, "is_live"));
    const double s = json_number_value(duration);
    if (json_is_number(duration) && s >= 0 && s < 1e9) out->duration_s = (int64_t)s;
    const bool fine = out->id[0] && out->status[0];
    json_decref(j);
    return fine;
}

static const json_t *passthrough_of(const json_t *upload)
{
    return json_object_get(json_object_get(upload, "new_asset_settings"), "passthrough");
}

static bool read_upload(const json_t *j, struct remote_upload *out)
{
    *out = (struct remote_upload){0};
    copy_id(json_object_get(j, "id"), out->id, sizeof out->id);
    copy_id(json_object_get(j, "asset_id"), out->asset_id, sizeof out->asset_id);
    copy(json_object_get(j, "status"), out->status, sizeof out->status);
    copy(json_object_get(j, "url"), out->url, sizeof out->url);
    copy(passthrough_of(j), out->passthrough, sizeof out->passthrough);
    const char *text = json_string_value(json_object_get(json_object_get(j, "error"), "message"));
    snprintf(out->problem, sizeof out->problem, "%s", text ? text : "");
    return out->id[0] && out->status[0];
}

static bool upload(struct span text, struct remote_upload *out)
{
    json_t *j = parse(text);
    const bool fine = read_upload(json_object_get(j, "data"), out);
    json_decref(j);
    return fine;
}

static bool find_upload(struct span text, const char *passthrough, struct remote_upload *out,
                        bool *found, size_t *n)
{
    json_t *j = parse(text), *list = json_object_get(j, "data"), *one;
    const bool fine = json_is_array(list);
    size_t i;
    *found = false;
    *n = json_array_size(list);
    json_array_foreach(list, i, one)
    {
        const char *had = json_string_value(passthrough_of(one));
        if (!*found && had && !strcmp(had, passthrough)) *found = read_upload(one, out);
    }
    json_decref(j);
    return fine;
}

static size_t seal(const struct secret *s, const char *row_id, const char *text, uint8_t *out,
                   size_t cap)
{
    struct sealed sealed;
    seal_text(s, row_id, text, &sealed);
    if (sealed.len > cap) return 0;
    memcpy(out, sealed.bytes, sealed.len);
    return sealed.len;
}

static void on_changed(void *ctx, const char *stream_id)
{
    api_stream_changed(ctx, stream_id);
}

void api_provider_wire(struct api *a, struct provider_config *cfg)
{
    cfg->words = (struct provider_words){live, asset, find_live, upload, find_upload};
    cfg->seal = seal;
    cfg->on_changed = on_changed;
    cfg->ctx = a;
}
