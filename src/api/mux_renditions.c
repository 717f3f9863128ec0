/* SPDX-License-Identifier: MIT */
/* Static renditions: MP4 and M4A files of an asset. */
#include "api/mux_renditions.h"
#include "api/api_priv.h"
#include "api/mux_call.h"
#include "api/mux_json.h"
#include "video/asset.h"
#include "video/renditions.h"

static const char *tier_of(const struct rendition *r)
{
    const int64_t lines = r->width < r->height ? r->width : r->height;
    if (!lines) return "audio-only";
    return lines <= 720 ? "720p" : lines <= 1080 ? "1080p" : lines <= 1440 ? "1440p" : "2160p";
}

static json_t *rendition_json(const struct rendition *r)
{
    const char *dot = strrchr(r->name, '.');
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", r->id, "type", "standard",
                          "status", r->status, "resolution", r->resolution, "name", r->name, "ext",
                          dot ? dot + 1 : "");
    mux_set_text(j, "passthrough", r->passthrough);
    if (strcmp(r->status, "ready") != 0) return j;
    mux_set_text(j, "resolution_tier", tier_of(r));
    if (r->height) mux_set(j, "height", json_integer(r->height));
    if (r->width) mux_set(j, "width", json_integer(r->width));
    mux_set(j, "bitrate", json_integer(r->bitrate));
    mux_set(j, "filesize", json_sprintf("%lld", (long long)r->filesize));
    return j;
}

json_t *mux_rendition_event_json(struct db *db, const char *id)
{
    struct rendition r;
    if (rendition_get(db, id, &r) != E_OK) return NULL;
    json_t *j = rendition_json(&r);
    mux_set_text(j, "asset_id", r.asset_id);
    if (!strcmp(r.status, "errored"))
        mux_set(j, "error",
                json_pack("{s:s, s:[s]}", "type", "processing_failed", "messages",
                          r.problem[0] ? r.problem : "The file cannot be made."));
    return j;
}

json_t *mux_static_renditions_json(struct db *db, const char *asset_id)
{
    struct rendition all[LIMIT_STATIC_RENDITIONS];
    unsigned n = LIMIT_STATIC_RENDITIONS;
    bool preparing = false, errored = false;
    if (renditions_list(db, asset_id, all, &n) != E_OK) n = 0;
    json_t *files = json_array();
    for (unsigned i = 0; i < n; i++) {
        preparing |= !strcmp(all[i].status, "preparing");
        errored |= !strcmp(all[i].status, "errored");
        json_array_append_new(files, rendition_json(&all[i]));
    }
    return json_pack("{s:s, s:o}", "status",
                     !n          ? "disabled"
                     : preparing ? "preparing"
                     : errored   ? "errored"
                                 : "ready",
                     "files", files);
}

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

/* highest cannot be mixed with heights. */
static bool fits(struct call *c, const struct asset *a, const char *resolution)
{
    struct rendition all[LIMIT_STATIC_RENDITIONS];
    unsigned n = LIMIT_STATIC_RENDITIONS;
    const bool height = resolution[0] >= '0' && resolution[0] <= '9';
    const enum err e = renditions_list(c->db, a->id, all, &n);
    if (e != E_OK) {
        mux_fail(c, e);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        const char *there = all[i].resolution;
        if (!strcmp(there, resolution))
            return mux_invalid(c, "resolution", "There is one of this resolution already.");
        const bool is_height = there[0] >= '0' && there[0] <= '9';
        if ((height && !strcmp(there, "highest")) || (is_height && !strcmp(resolution, "highest")))
            return mux_invalid(c, "resolution", "highest cannot be mixed with heights.");
    }
    return true;
}

static void add(struct call *c, const struct asset *a, const char *resolution,
                const char *passthrough)
{
    struct rendition r;
    const enum err e = rendition_add(c->db, a->id, c->user.id, resolution, passthrough, &r);
    if (e == E_OK)
        mux_data(c, 201, rendition_json(&r));
    else if (e == E_LIMIT || e == E_CONFLICT)
        mux_error(c, 400, MUX_INVALID, "There are too many, or one of this resolution already.");
    else
        mux_fail(c, e);
}

static void create(struct call *c)
{
    static const char *const RESOLUTIONS[] = {"highest", "audio-only", "2160p", "1440p",
                                              "1080p",   "720p",       "540p",  "480p",
                                              "360p",    "270p",       NULL};
    struct asset a;
    int which = -1;
    const char *passthrough = NULL;
    json_t *in = mux_body(c);
    if (!in || !mux_word(c, in, "resolution", RESOLUTIONS, &which) ||
        !mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &passthrough))
        return;
    if (which < 0) {
        mux_invalid(c, "resolution", "This is needed.");
        return;
    }
    if (!own(c, &a)) return;
    if (!strcmp(a.status, "errored"))
        mux_error(c, 400, MUX_INVALID, "There is no media in this asset.");
    else if (fits(c, &a, RESOLUTIONS[which]))
        add(c, &a, RESOLUTIONS[which], passthrough);
    asset_fini(&a);
}

static void drop(struct call *c)
{
    struct asset a;
    const char *id = mux_id(c, 1, "static rendition");
    if (!id || !own(c, &a)) return;
    const enum err e = rendition_remove(c->api->cfg.live, c->db, a.id, id);
    if (e == E_OK)
        mux_none(c);
    else if (e == E_NOTFOUND)
        mux_missing(c, "static rendition");
    else
        mux_fail(c, e);
    asset_fini(&a);
}

#define ASSET "/video/v1/assets/{}"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, ASSET "/static-renditions", create, CALL_MUX, {0}},
    {HTTP_DELETE, ASSET "/static-renditions/{}", drop, CALL_MUX, {0}},
};
const struct endpoint_table mux_renditions = ENDPOINT_TABLE(ENDPOINTS);
