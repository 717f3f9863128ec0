/* SPDX-License-Identifier: MIT */
/* Playback ids: of live streams, of assets, and whose one is. */
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_options.h"
#include "product/live_stream.h"
#include "video/asset.h"

/* "live" or "asset", from the path; *id is the object's. False: the reply is made. */
static bool owner(struct call *c, const char **kind, const char **id)
{
    struct live_stream s;
    struct asset a;
    const bool live = strstr(c->ep->pattern, "/live-streams/") != NULL;
    const char *what = live ? "live stream" : "asset";
    *kind = live ? "live" : "asset";
    *id = mux_id(c, 0, what);
    if (!*id) return false;
    const enum err e =
        live ? live_stream_get(c->db, *id, c->user.id, &s) : asset_get(c->db, *id, c->user.id, &a);
    if (e == E_OK && live) live_stream_fini(&s);
    if (e == E_OK && !live) asset_fini(&a);
    if (e == E_NOTFOUND)
        mux_missing(c, what);
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

static enum err touch(struct call *c, const char *kind, const char *id)
{
    return !strcmp(kind, "live") ? live_stream_touch(c->db, id)
                                 : outbox_add(c->db, "asset.updated", OUTBOX_ASSET, id);
}

static bool read_policy(struct call *c, enum playback_policy *out)
{
    int at = POLICY_PUBLIC;
    json_t *in = mux_body(c);
    if (!in) return false;
    const char *text = json_string_value(json_object_get(in, "policy"));
    if (text && !strcmp(text, "drm"))
        return mux_invalid(c, "policy", "DRM is not supported here; use public or signed.");
    if (!mux_word(c, in, "policy", PLAYBACK_POLICY, &at)) return false;
    *out = (enum playback_policy)at;
    return true;
}

static enum err add_it(struct call *c, const char *kind, const char *id,
                       enum playback_policy policy, struct playback_id *p)
{
    enum err e = db_begin(c->db);
    if (e != E_OK) return e;
    e = playback_id_add(c->db, kind, id, policy, p);
    if (e == E_OK) e = touch(c, kind, id);
    if (e == E_OK) return db_commit(c->db);
    db_rollback(c->db);
    return e;
}

static void add(struct call *c)
{
    const char *kind, *id;
    enum playback_policy policy = POLICY_PUBLIC;
    struct playback_id p;
    if (!owner(c, &kind, &id) || !read_policy(c, &policy)) return;
    const enum err e = add_it(c, kind, id, policy, &p);
    if (e == E_OK)
        mux_data(c, 201, mux_playback_json(p.id, p.policy));
    else if (e == E_LIMIT)
        mux_error(c, 400, MUX_INVALID, "There are %d playback ids, which is the most.",
                  LIMIT_MUX_PLAYBACK_IDS);
    else
        mux_fail(c, e);
}

/* The one that the path names, of this object. */
static bool find(struct call *c, const char *object_id, struct playback_id *p)
{
    const char *id = mux_id(c, 1, "playback id");
    if (!id) return false;
    const enum err e = playback_id_get(c->db, id, p);
    if (e == E_OK && !strcmp(p->object_id, object_id)) return true;
    if (e == E_OK || e == E_NOTFOUND)
        mux_missing(c, "playback id");
    else
        mux_fail(c, e);
    return false;
}

static void get(struct call *c)
{
    const char *kind, *id;
    struct playback_id p;
    if (owner(c, &kind, &id) && find(c, id, &p))
        mux_data(c, 200, mux_playback_json(p.id, p.policy));
}

static void drop(struct call *c)
{
    const char *kind, *id;
    struct playback_id p;
    if (!owner(c, &kind, &id) || !find(c, id, &p)) return;
    enum err e = db_begin(c->db);
    if (e == E_OK) {
        e = playback_id_remove(c->db, id, p.id);
        if (e == E_OK) e = touch(c, kind, id);
        if (e == E_OK)
            e = db_commit(c->db);
        else
            db_rollback(c->db);
    }
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    live_forget_playback(c->api->cfg.live, p.id);
    mux_none(c);
}

static bool is_own(struct call *c, const struct playback_id *p)
{
    static const char LIVE[] = "SELECT 1 FROM live_streams WHERE id = ?1 AND user_id = ?2";
    static const char ASSET[] = "SELECT 1 FROM assets WHERE id = ?1 AND user_id = ?2";
    struct db_rows *q =
        db_query(c->db, !strcmp(p->kind, "live") ? LIVE : ASSET, "ss", p->object_id, c->user.id);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

static void look_up(struct call *c)
{
    struct playback_id p;
    const char *id = mux_id(c, 0, "playback id");
    if (!id) return;
    const enum err e = playback_id_get(c->db, id, &p);
    if (e != E_OK && e != E_NOTFOUND) {
        mux_fail(c, e);
        return;
    }
    if (e == E_NOTFOUND || !is_own(c, &p)) {
        mux_missing(c, "playback id");
        return;
    }
    json_t *j = mux_playback_json(p.id, p.policy);
    mux_set(j, "object",
            json_pack("{s:s, s:s}", "id", p.object_id, "type",
                      !strcmp(p.kind, "live") ? "live_stream" : "asset"));
    mux_data(c, 200, j);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/video/v1/live-streams/{}/playback-ids", add, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/live-streams/{}/playback-ids/{}", get, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/live-streams/{}/playback-ids/{}", drop, CALL_MUX, {0}},
    {HTTP_POST, "/video/v1/assets/{}/playback-ids", add, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/assets/{}/playback-ids/{}", get, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/assets/{}/playback-ids/{}", drop, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/playback-ids/{}", look_up, CALL_MUX, {0}},
};
const struct endpoint_table mux_playback = ENDPOINT_TABLE(ENDPOINTS);
