/* SPDX-License-Identifier: MIT */
/* POST /video/v1/assets: of an address, or cut from another asset; and what the input looked like.
 */
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_options.h"
#include "api/mux_tracks.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "client/http_client.h"
#include "video/asset.h"
#include "video/import.h"

#define CLIP_SCHEME "mux://assets/"

/* What is understood of an input. */
struct input {
    const char *url;   /* borrowed from the body */
    double start, end; /* seconds; -1: not given */
    json_t *settings;  /* to be given back; owned: a list, of the others too */
    struct text_track_new texts[LIMIT_TEXT_TRACKS];
    size_t n_texts;
};

/* --- inputs --- */

static bool copy_fields(struct call *c, json_t *in, json_t *out)
{
    static const char *const TEXTS[] = {"type", "text_type", "language_code", "name",
                                        "passthrough"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        const char *t = NULL;
        if (!mux_text(c, in, TEXTS[i], LIMIT_MUX_PASSTHROUGH, &t)) return false;
        if (t) mux_set_text(out, TEXTS[i], t);
    }
    return true;
}

static bool check_times(struct call *c, const struct input *in)
{
    const bool clip = !strncmp(in->url, CLIP_SCHEME, strlen(CLIP_SCHEME));
    if (!clip && (in->start >= 0 || in->end >= 0))
        return mux_invalid(c, "inputs.start_time", "Only a mux://assets/ input can be cut.");
    if (in->start >= 0 && in->end >= 0 && in->end <= in->start)
        return mux_invalid(c, "inputs.end_time", "This must be after start_time.");
    return true;
}

static bool check_url(struct call *c, const char *url)
{
    const char *why = "This is no address.";
    if (!strncmp(url, CLIP_SCHEME, strlen(CLIP_SCHEME))) return true;
    if (http_url_check(url, c->api->cfg.settings->fetch_allow_private, &why) == E_OK) return true;
    return mux_invalid(c, "inputs.url", why);
}

static bool read_input(struct call *c, json_t *v, struct input *out)
{
    json_t *settings = json_object();
    *out = (struct input){.start = -1, .end = -1, .settings = json_pack("[o]", settings)};
    if (json_is_string(v)) {
        out->url = json_string_value(v);
    } else {
        if (!json_is_object(v)) return mux_invalid(c, "inputs", "Each must be an object.");
        if (!mux_text(c, v, "url", LIMIT_MUX_URL_BYTES, &out->url) ||
            !mux_number(c, v, "start_time", 0, 1e7, &out->start) ||
            !mux_number(c, v, "end_time", 0, 1e7, &out->end) || !copy_fields(c, v, settings))
            return false;
    }
    if (!out->url || !*out->url) return mux_invalid(c, "inputs.url", "This is needed.");
    mux_set_text(settings, "url", out->url);
    if (out->start >= 0) mux_set(settings, "start_time", json_real(out->start));
    if (out->end >= 0) mux_set(settings, "end_time", json_real(out->end));
    return check_url(c, out->url) && check_times(c, out);
}

/* Those behind the first: text tracks. */
static bool read_texts(struct call *c, json_t *list, struct input *out)
{
    if (!mux_read_text_inputs(c, list, out->texts, &out->n_texts)) return false;
    for (size_t i = 0; i < out->n_texts; i++) {
        json_t *settings = json_object();
        json_array_append_new(out->settings, settings);
        if (!copy_fields(c, json_array_get(list, i + 1), settings)) return false;
        mux_set_text(settings, "url", out->texts[i].url);
        if (out->texts[i].closed_captions) mux_set(settings, "closed_captions", json_true());
    }
    return true;
}

/* `inputs`, or `input`; a list, one object, or a bare address. The first is the media. */
static bool read_inputs(struct call *c, json_t *in, struct input *out)
{
    json_t *list = NULL;
    json_t *v = json_object_get(in, "inputs");
    if (!v || json_is_null(v)) v = json_object_get(in, "input");
    if (json_is_array(v)) {
        list = v;
        v = json_array_get(v, 0);
    }
    if (!v || json_is_null(v)) return mux_invalid(c, "inputs", "At least one input is needed.");
    const char *type = json_string_value(json_object_get(v, "type"));
    if (type && !strcmp(type, "text"))
        return mux_invalid(c, "inputs", "The first input must be video or sound.");
    return read_input(c, v, out) && read_texts(c, list, out);
}

/* --- the asset --- */

static void say_why_not(struct call *c, enum err e)
{
    switch (e) {
    case E_NOTFOUND:
        mux_invalid(c, "inputs.url", "There is no such asset.");
        break;
    case E_CONFLICT:
        mux_invalid(c, "inputs.url", "This asset is not ready to be cut from.");
        break;
    case E_INVALID:
        mux_invalid(c, "inputs.start_time", "This is behind the end of the asset.");
        break;
    case E_LIMIT:
        mux_error(c, 403, MUX_FORBIDDEN, "Too many of your files are waiting already.");
        break;
    default:
        mux_fail(c, e);
    }
}

static void make(struct call *c, const struct input *in, const struct mux_asset_options *o)
{
    char id[LIVE_ID_CAP];
    json_t *options = mux_stored(o->json);
    char *inputs = json_dumps(in->settings, JSON_COMPACT);
    const char *access = json_string_value(json_object_get(options, "master_access"));
    const bool clip = !strncmp(in->url, CLIP_SCHEME, strlen(CLIP_SCHEME));
    const struct import_new n = {
        .user_id = c->user.id,
        .url = clip ? NULL : in->url,
        .source_asset_id = clip ? in->url + strlen(CLIP_SCHEME) : NULL,
        .start_us = in->start > 0 ? (int64_t)(in->start * US_PER_SEC) : 0,
        .end_us = in->end >= 0 ? (int64_t)(in->end * US_PER_SEC) : INT64_MAX,
        .passthrough = o->passthrough,
        .meta = o->meta,
        .options = o->json,
        .inputs = inputs,
        .test = o->test,
        .keep_source = access && !strcmp(access, "temporary"),
        .origin = c->origin,
        .policies = o->policies.list,
        .n_policies = o->policies.n,
        .texts = in->texts,
        .n_texts = in->n_texts,
    };
    const enum err e = import_create(c->db, &n, id);
    json_decref(options);
    free(inputs);
    if (e != E_OK)
        say_why_not(c, e);
    else
        mux_data(c, 201, mux_asset_json(c->db, id, MUX_REPLY, c->origin));
}

static void create(struct call *c)
{
    struct mux_asset_options o;
    struct input in = {0};
    json_t *body = mux_body(c);
    if (!body || !mux_read_asset_options(c, body, false, &o)) return;
    if (read_inputs(c, body, &in)) make(c, &in, &o);
    json_decref(in.settings);
    mux_asset_options_fini(&o);
}

/* --- what the input looked like --- */

static char *inputs_of(struct db *db, const char *id)
{
    struct db_rows *q = db_query(db, "SELECT inputs FROM assets WHERE id = ?1", "s", id);
    char *text = db_next(q) ? xstrdup(db_text(q, 0)) : NULL;
    const enum err e = db_done(q);
    if (e == E_OK) return text;
    free(text);
    return NULL;
}

static void input_info(struct call *c)
{
    struct asset a;
    const char *id = mux_id(c, 0, "asset");
    if (!id) return;
    const enum err e = asset_get(c->db, id, c->user.id, &a);
    if (e == E_NOTFOUND)
        mux_missing(c, "asset");
    else if (e != E_OK)
        mux_fail(c, e);
    if (e != E_OK) return;
    char *text = inputs_of(c->db, id);
    json_t *given = mux_stored(text ? text : ""), *file = mux_stored(a.input_info);
    json_t *settings = json_incref(json_array_get(given, 0)), *info = json_object();
    json_t *all = json_pack("[o]", info);
    json_object_set_new(info, "settings", settings ? settings : json_object());
    mux_set(info, "file", file);
    for (size_t i = 1; i < json_array_size(given); i++)
        json_array_append_new(all, json_pack("{s:O}", "settings", json_array_get(given, i)));
    json_decref(given);
    free(text);
    asset_fini(&a);
    mux_data(c, 200, all);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/video/v1/assets", create, CALL_MUX | CALL_BODY, {0}},
    {HTTP_GET, "/video/v1/assets/{}/input-info", input_info, CALL_MUX, {0}},
};
const struct endpoint_table mux_assets_create = ENDPOINT_TABLE(ENDPOINTS);
