/* SPDX-License-Identifier: MIT */
/* What belongs to a live stream: simulcast targets, and the renditions of its future recordings. */
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_live.h"
#include "api/mux_options.h"

static bool is_idle(struct call *c, const struct live_stream *s)
{
    if (strcmp(s->status, "active") != 0 && !s->connected) return true;
    mux_error(c, 400, MUX_INVALID, "Targets can be changed while the live stream is idle.");
    return false;
}

static void finish(struct call *c, enum err e, const char *what)
{
    if (e == E_NOTFOUND)
        mux_missing(c, what);
    else
        mux_fail(c, e);
}

static void reply_target(struct call *c, const char *live_id, const char *id, int status)
{
    struct live_target t;
    const enum err e = live_target_get(c->db, live_id, id, &t);
    if (e == E_OK)
        mux_data(c, status, mux_target_json(&t, "idle"));
    else
        finish(c, e, "simulcast target");
}

static void target_add(struct call *c)
{
    struct live_stream s;
    struct live_target t;
    char id[ID_CAP];
    json_t *in = mux_body(c);
    if (!in || !mux_live_own(c, &s)) return;
    if (is_idle(c, &s) && mux_read_target(c, in, &t)) {
        enum err e = live_target_add(c->db, s.id, &t, id);
        if (e == E_OK) e = live_stream_touch(c->db, s.id);
        if (e == E_LIMIT)
            mux_error(c, 400, MUX_INVALID, "A live stream has at most %d targets.",
                      LIMIT_MUX_TARGETS);
        else if (e == E_OK)
            reply_target(c, s.id, id, 201);
        else
            mux_fail(c, e);
    }
    live_stream_fini(&s);
}

static void target_get(struct call *c)
{
    struct live_stream s;
    if (!mux_live_own(c, &s)) return;
    const char *id = mux_id(c, 1, "simulcast target");
    if (id) reply_target(c, s.id, id, 200);
    live_stream_fini(&s);
}

static void target_remove(struct call *c)
{
    struct live_stream s;
    if (!mux_live_own(c, &s)) return;
    const char *id = mux_id(c, 1, "simulcast target");
    if (id && is_idle(c, &s)) {
        enum err e = live_target_remove(c->db, s.id, id);
        if (e == E_OK) e = live_stream_touch(c->db, s.id);
        if (e == E_OK)
            mux_none(c);
        else
            finish(c, e, "simulcast target");
    }
    live_stream_fini(&s);
}

/* --- new-asset-settings/static-renditions --- */

/* `list` NULL: none. Takes it over. */
static enum err set_renditions(struct call *c, const struct live_stream *s, json_t *list)
{
    json_t *all = *s->asset_options ? mux_stored(s->asset_options) : json_object();
    if (list)
        json_object_set_new(all, "static_renditions", list);
    else
        json_object_del(all, "static_renditions");
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    const enum err e = live_stream_change(c->db, s,
                                          &(struct live_stream_fields){.asset_options = text,
                                                                       .reconnect_window_us = -1,
                                                                       .max_duration_us = -1});
    free(text);
    return e;
}

static void renditions_set(struct call *c)
{
    struct live_stream s;
    struct mux_asset_options o;
    json_t *in = mux_body(c);
    if (!in || !mux_live_own(c, &s)) return;
    if (!mux_given(in, "static_renditions")) {
        mux_invalid(c, "static_renditions", "This is needed.");
    } else if (mux_read_asset_options(c, in, true, &o)) {
        json_t *clean = mux_stored(o.json);
        const enum err e =
            set_renditions(c, &s, json_incref(json_object_get(clean, "static_renditions")));
        json_decref(clean);
        mux_asset_options_fini(&o);
        if (e == E_OK)
            mux_live_reply(c, s.id, 200);
        else
            mux_fail(c, e);
    }
    live_stream_fini(&s);
}

static void renditions_clear(struct call *c)
{
    struct live_stream s;
    if (!mux_live_own(c, &s)) return;
    const enum err e = set_renditions(c, &s, NULL);
    if (e == E_OK)
        mux_none(c);
    else
        mux_fail(c, e);
    live_stream_fini(&s);
}

#define RENDITIONS "/video/v1/live-streams/{}/new-asset-settings/static-renditions"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/video/v1/live-streams/{}/simulcast-targets", target_add, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/live-streams/{}/simulcast-targets/{}", target_get, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/live-streams/{}/simulcast-targets/{}", target_remove, CALL_MUX, {0}},
    {HTTP_PUT, RENDITIONS, renditions_set, CALL_MUX, {0}},
    {HTTP_DELETE, RENDITIONS, renditions_clear, CALL_MUX, {0}},
};
const struct endpoint_table mux_live_parts = ENDPOINT_TABLE(ENDPOINTS);
