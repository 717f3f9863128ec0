/* SPDX-License-Identifier: MIT */
/* Text tracks: added by an address, changed, removed. */
#include "api/mux_tracks.h"
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "base/xalloc.h"
#include "client/http_client.h"
#include "video/asset.h"
#include <stdio.h>

/* --- as JSON --- */

static json_t *track_json(const struct text_track *t)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "id", t->id, "type", "text",
                          "text_type", "subtitles", "text_source", "uploaded", "status", t->status,
                          "language_code", t->language, "name", t->name, "closed_captions",
                          (int)t->closed_captions);
    mux_set_text(j, "passthrough", t->passthrough);
    if (t->problem[0])
        mux_set(j, "error",
                json_pack("{s:s, s:[s]}", "type",
                          t->error_type[0] ? t->error_type : "invalid_input", "messages",
                          t->problem));
    return j;
}

json_t *mux_text_tracks_json(struct db *db, const char *asset_id, json_t *tracks)
{
    unsigned n = LIMIT_TEXT_TRACKS;
    struct text_track *all = xcalloc(n, sizeof *all);
    if (text_tracks_list(db, asset_id, all, &n) != E_OK) n = 0;
    if (n && !tracks) tracks = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(tracks, track_json(&all[i]));
    free(all);
    return tracks;
}

json_t *mux_track_event_json(struct db *db, const char *id)
{
    struct text_track t;
    if (text_track_get(db, NULL, id, &t) != E_OK) return NULL;
    json_t *j = track_json(&t);
    mux_set_text(j, "asset_id", t.asset_id);
    return j;
}

/* --- what is asked --- */

static bool wrong(struct call *c, const char *prefix, const char *field, const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, field);
    return mux_invalid(c, name, text);
}

/* Names stand in playlists, in one line. */
static bool check_name(struct call *c, const char *prefix, const char *name)
{
    for (const char *p = name; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return wrong(c, prefix, "name", "This may not have control characters.");
    return true;
}

static bool check_language(struct call *c, const char *prefix, const char *language)
{
    if (lang_tag_valid(span_str(language))) return true;
    return wrong(c, prefix, "language_code", "This must be a language tag (BCP 47), like en-US.");
}

bool mux_read_track(struct call *c, json_t *in, const char *prefix, struct text_track_new *out)
{
    const char *type = NULL, *text_type = NULL, *why = "This is no address.";
    *out = (struct text_track_new){0};
    if (!mux_text(c, in, "url", LIMIT_MUX_URL_BYTES, &out->url) ||
        !mux_text(c, in, "type", 20, &type) || !mux_text(c, in, "text_type", 20, &text_type) ||
        !mux_text(c, in, "language_code", LANG_TAG_MAX, &out->language) ||
        !mux_text(c, in, "name", LIMIT_TEXT_NAME, &out->name) ||
        !mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &out->passthrough) ||
        !mux_bool(c, in, "closed_captions", &out->closed_captions))
        return false;
    if (!type || strcmp(type, "text") != 0)
        return wrong(c, prefix, "type", "This must be text; other tracks cannot be added.");
    if (text_type && strcmp(text_type, "subtitles") != 0)
        return wrong(c, prefix, "text_type", "This must be subtitles.");
    if (!out->url || !*out->url) return wrong(c, prefix, "url", "This is needed.");
    if (!out->language) return wrong(c, prefix, "language_code", "This is needed.");
    if (!check_language(c, prefix, out->language) || !check_name(c, prefix, out->name))
        return false;
    if (http_url_check(out->url, c->api->cfg.settings->fetch_allow_private, &why) != E_OK)
        return wrong(c, prefix, "url", why);
    return true;
}

bool mux_read_text_inputs(struct call *c, json_t *list, struct text_track_new *out, size_t *n)
{
    *n = 0;
    for (size_t i = 1; i < json_array_size(list); i++) {
        json_t *v = json_array_get(list, i);
        if (!json_is_object(v)) return mux_invalid(c, "inputs", "Each must be an object.");
        if (mux_given(v, "overlay_settings"))
            return mux_invalid(c, "inputs.overlay_settings", "Overlays are not supported here.");
        if (*n == LIMIT_TEXT_TRACKS) return mux_invalid(c, "inputs", "These are too many.");
        struct text_track_new *t = &out[(*n)++];
        if (!mux_read_track(c, v, "inputs.", t)) return false;
        for (size_t k = 0; t->name && *t->name && k + 1 < *n; k++)
            if (out[k].name && !strcmp(out[k].name, t->name))
                return mux_invalid(c, "inputs.name", "Two tracks have the same name.");
    }
    return true;
}

/* --- endpoints --- */

/* The asset of the path; false: the reply is made. */
static bool own(struct call *c, struct asset *a)
{
    const char *id = mux_id(c, 0, "asset");
    if (!id) return false;
    const enum err e = asset_get(c->db, id, c->user.id, a);
    if (e == E_NOTFOUND)
        mux_missing(c, "asset");
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

static void say_why_not(struct call *c, enum err e)
{
    if (e == E_CONFLICT)
        mux_invalid(c, "name", "There is a track of this name already.");
    else if (e == E_LIMIT)
        mux_error(c, 400, MUX_INVALID, "This asset, or you, cannot have more of these.");
    else if (e == E_NOTFOUND)
        mux_missing(c, "track");
    else
        mux_fail(c, e);
}

static void create(struct call *c)
{
    struct asset a;
    struct text_track_new n;
    struct text_track t;
    json_t *in = mux_body(c);
    if (!in || !mux_read_track(c, in, "", &n) || !own(c, &a)) return;
    if (!strcmp(a.status, "errored")) {
        mux_error(c, 400, MUX_INVALID, "There is no media in this asset.");
    } else {
        const enum err e = text_track_add(c->db, a.id, c->user.id, &n, &t);
        if (e == E_OK)
            mux_data(c, 201, track_json(&t));
        else
            say_why_not(c, e);
    }
    asset_fini(&a);
}

static bool read_change(struct call *c, json_t *in, struct text_track_change *out, bool *captions)
{
    if (!mux_text(c, in, "language_code", LANG_TAG_MAX, &out->language) ||
        !mux_text(c, in, "name", LIMIT_TEXT_NAME, &out->name) ||
        !mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &out->passthrough) ||
        !mux_bool(c, in, "closed_captions", captions))
        return false;
    if (json_is_boolean(json_object_get(in, "closed_captions"))) out->closed_captions = captions;
    if (out->name && !*out->name) return mux_invalid(c, "name", "This may not be empty.");
    return (!out->language || check_language(c, "", out->language)) && check_name(c, "", out->name);
}

static void change(struct call *c)
{
    struct asset a;
    struct text_track t;
    struct text_track_change change = {0};
    bool captions = false;
    const char *id = mux_id(c, 1, "track");
    json_t *in = id ? mux_body(c) : NULL;
    if (!in || !read_change(c, in, &change, &captions) || !own(c, &a)) return;
    enum err e = text_track_change(c->db, a.id, id, &change);
    if (e == E_OK) e = text_track_get(c->db, a.id, id, &t);
    if (e == E_OK)
        mux_data(c, 200, track_json(&t));
    else
        say_why_not(c, e);
    asset_fini(&a);
}

static void drop(struct call *c)
{
    struct asset a;
    const char *id = mux_id(c, 1, "track");
    if (!id || !own(c, &a)) return;
    const enum err e = text_track_remove(c->db, a.id, id);
    if (e == E_OK)
        mux_none(c);
    else
        say_why_not(c, e);
    asset_fini(&a);
}

#define TRACKS "/video/v1/assets/{}/tracks"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, TRACKS, create, CALL_MUX | CALL_BODY, {0}},
    {HTTP_PATCH, TRACKS "/{}", change, CALL_MUX | CALL_BODY, {0}},
    {HTTP_DELETE, TRACKS "/{}", drop, CALL_MUX, {0}},
};
const struct endpoint_table mux_tracks = ENDPOINT_TABLE(ENDPOINTS);
