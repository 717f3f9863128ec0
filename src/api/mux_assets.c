/* SPDX-License-Identifier: MIT */
/* Assets: listing, reading, changing, deleting. */
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_options.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/asset.h"

static bool own(struct call *c, struct asset *out)
{
    const char *id = mux_id(c, 0, "asset");
    if (!id) return false;
    const enum err e = asset_get(c->db, id, c->user.id, out);
    if (e == E_NOTFOUND)
        mux_missing(c, "asset");
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

static void reply(struct call *c, const char *id, int status)
{
    json_t *j = mux_asset_json(c->db, id, MUX_REPLY, c->origin);
    if (j)
        mux_data(c, status, j);
    else
        mux_missing(c, "asset");
}

static const char *filter(struct call *c, const char *name)
{
    const char *text = mux_query(c, name);
    return text && *text ? text : NULL;
}

static void list(struct call *c)
{
    struct mux_page page;
    if (!mux_page(c, &page)) return;
    char(*ids)[LIVE_ID_CAP] = xcalloc(LIMIT_PAGE_ITEMS, sizeof *ids), next[ASSET_CURSOR_CAP];
    size_t n = 0;
    const struct asset_list ask = {
        .user_id = c->user.id,
        .live_stream_id = filter(c, "live_stream_id"),
        .upload_id = filter(c, "upload_id"),
        .limit = page.limit,
        .offset = page.offset,
        .cursor = filter(c, "cursor"),
    };
    const enum err e = asset_list(c->db, &ask, ids, &n, next);
    json_t *rows = json_array();
    for (size_t i = 0; i < n && e == E_OK; i++) {
        json_t *j = mux_asset_json(c->db, ids[i], MUX_REPLY, c->origin);
        if (j) json_array_append_new(rows, j);
    }
    free(ids);
    if (e == E_OK) {
        mux_list(c, rows, next);
        return;
    }
    json_decref(rows);
    if (e == E_INVALID)
        mux_invalid(c, "cursor", "This is not a cursor of a page.");
    else
        mux_fail(c, e);
}

static void get(struct call *c)
{
    struct asset a;
    if (!own(c, &a)) return;
    reply(c, a.id, 200);
    asset_fini(&a);
}

static bool read_change(struct call *c, json_t *in, const char **passthrough, char **meta,
                        int64_t *time_us)
{
    double time = -1;
    if (!mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, passthrough) ||
        !mux_read_meta(c, in, meta) || !mux_number(c, in, "thumbnail_time", 0, 1e7, &time))
        return false;
    if (time >= 0) *time_us = (int64_t)(time * US_PER_SEC);
    /* null takes a value away, as an empty text does. */
    if (json_is_null(json_object_get(in, "passthrough"))) *passthrough = "";
    if (json_is_null(json_object_get(in, "thumbnail_time"))) *time_us = -1;
    return true;
}

static void change(struct call *c)
{
    struct asset a;
    const char *passthrough = NULL;
    char *meta = NULL;
    int64_t time_us = -2;
    json_t *in = mux_body(c);
    if (!in || !own(c, &a)) return;
    if (read_change(c, in, &passthrough, &meta, &time_us)) {
        const enum err e = asset_change(c->db, a.id, passthrough, meta, time_us);
        if (e == E_OK)
            reply(c, a.id, 200);
        else
            mux_fail(c, e);
    }
    free(meta);
    asset_fini(&a);
}

static void drop(struct call *c)
{
    struct asset a;
    if (!own(c, &a)) return;
    const enum err e = live_remove_asset(c->api->cfg.live, c->db, a.id);
    if (e == E_CONFLICT) {
        mux_error(c, 400, MUX_INVALID,
                  "This asset is being recorded; complete its live stream "
                  "first.");
    } else if (e == E_OK) {
        log_info("asset_deleted", "asset=%s user=%s", a.id, c->user.id);
        if (a.stream_id[0]) api_stream_changed(c->api, a.stream_id);
        mux_none(c);
    } else {
        mux_fail(c, e);
    }
    asset_fini(&a);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET,
     "/video/v1/assets",
     list,
     CALL_MUX,
     {"page", "limit", "cursor", "live_stream_id", "upload_id"}},
    {HTTP_GET, "/video/v1/assets/{}", get, CALL_MUX, {0}},
    {HTTP_PATCH, "/video/v1/assets/{}", change, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/assets/{}", drop, CALL_MUX, {0}},
};
const struct endpoint_table mux_assets = ENDPOINT_TABLE(ENDPOINTS);
