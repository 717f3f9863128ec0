/* SPDX-License-Identifier: MIT */
/* Live streams: making, reading, changing, ending. What a request says: mux_live_body.c. */
#include "api/mux_live.h"
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_options.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

static const struct throttle_rule CREATE = {"create-stream", 120, 5 * US_PER_SEC};

bool mux_live_own(struct call *c, struct live_stream *out)
{
    const char *id = mux_id(c, 0, "live stream");
    if (!id) return false;
    const enum err e = live_stream_get(c->db, id, c->user.id, out);
    if (e == E_NOTFOUND)
        mux_missing(c, "live stream");
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

void mux_live_changed(struct call *c, const struct live_stream *s)
{
    api_stream_changed(c->api, s->stream_id);
}

void mux_live_reply(struct call *c, const char *id, int status)
{
    json_t *j = mux_live_json(c->db, id, MUX_REPLY);
    if (j)
        mux_data(c, status, j);
    else
        mux_missing(c, "live stream");
}

/* --- making ---------------------------------------------------------------------------------- */

static void create(struct call *c)
{
    struct mux_live_body b = {0};
    char id[ID_CAP];
    json_t *in = mux_body(c);
    if (in && mux_live_read_new(c, in, &b) && call_may(c, &CREATE, c->user.id)) {
        const enum err e =
            live_stream_add(c->db, c->api->cfg.secret, c->user.id, &b.f, b.policies.list,
                            b.policies.n, b.targets, b.n_targets, id, &c->problem);
        if (e == E_OK) {
            log_info("live_stream_created", "live_stream=%s user=%s", id, c->user.id);
            mux_live_reply(c, id, 201);
        } else {
            mux_fail(c, e);
        }
    }
    mux_live_body_fini(&b);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool status_asked(struct call *c, const char **out)
{
    static const char *const STATUS[] = {"active", "idle", "disabled", NULL};
    *out = mux_query(c, "status");
    if (*out && !**out) *out = NULL;
    if (!*out || stream_word(STATUS, span_str(*out)) >= 0) return true;
    return mux_invalid(c, "status", "This must be active, idle or disabled.");
}

static void list(struct call *c)
{
    char(*ids)[ID_CAP] = xcalloc(LIMIT_PAGE_ITEMS, sizeof *ids);
    char hash[STREAM_KEY_HASH_CAP];
    const char *status, *key = mux_query(c, "stream_key");
    struct mux_page page;
    size_t n = 0;
    if (key) stream_key_hash(c->api->cfg.secret, key, hash);
    if (mux_page(c, &page) && status_asked(c, &status)) {
        const enum err e = live_stream_list(c->db, c->user.id, status, key ? hash : NULL,
                                            page.limit, page.offset, ids, &n);
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++) {
            json_t *j = mux_live_json(c->db, ids[i], MUX_REPLY);
            if (j) json_array_append_new(rows, j);
        }
        if (e == E_OK) {
            mux_list(c, rows, NULL);
        } else {
            json_decref(rows);
            mux_fail(c, e);
        }
    }
    free(ids);
}

static void get(struct call *c)
{
    struct live_stream s;
    if (!mux_live_own(c, &s)) return;
    mux_live_reply(c, s.id, 200);
    live_stream_fini(&s);
}

/* --- changing -------------------------------------------------------------------------------- */

static void change(struct call *c)
{
    struct mux_live_body b = {0};
    struct live_stream s;
    json_t *in = mux_body(c);
    if (!in || !mux_live_own(c, &s)) return;
    if (mux_live_read_change(c, in, &s, &b)) {
        const enum err e = live_stream_change(c->db, &s, &b.f);
        if (e == E_OK) {
            mux_live_changed(c, &s);
            mux_live_reply(c, s.id, 200);
        } else {
            mux_fail(c, e);
        }
    }
    mux_live_body_fini(&b);
    live_stream_fini(&s);
}

/* --- actions --------------------------------------------------------------------------------- */

enum action { REMOVE, RESET_KEY, COMPLETE, DISABLE, ENABLE };

static enum err act_on(struct call *c, enum action what, const struct live_stream *s)
{
    struct live *live = c->api->cfg.live;
    switch (what) {
    case REMOVE:
        return live_stream_remove(c->db, live, s);
    case RESET_KEY:
        return live_stream_reset_key(c->db, c->api->cfg.secret, live, s);
    case COMPLETE:
        return live_stream_complete(c->db, live, s);
    case DISABLE:
        return live_stream_disable(c->db, live, s);
    case ENABLE:
        return live_stream_enable(c->db, s);
    }
    return E_INVALID;
}

static void act(struct call *c, enum action what)
{
    struct live_stream s;
    if (!mux_live_own(c, &s)) return;
    const enum err e = act_on(c, what, &s);
    if (e != E_OK)
        mux_fail(c, e);
    else if (what == REMOVE)
        mux_none(c);
    else if (what == RESET_KEY)
        mux_live_reply(c, s.id, 201);
    else
        mux_data(c, 200, json_object());
    if (e == E_OK) mux_live_changed(c, &s);
    live_stream_fini(&s);
}

static void drop(struct call *c)
{
    act(c, REMOVE);
}

static void reset_key(struct call *c)
{
    act(c, RESET_KEY);
}

static void complete(struct call *c)
{
    act(c, COMPLETE);
}

static void disable(struct call *c)
{
    act(c, DISABLE);
}

static void enable(struct call *c)
{
    act(c, ENABLE);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/video/v1/live-streams", create, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/live-streams", list, CALL_MUX, {"page", "limit", "status", "stream_key"}},
    {HTTP_GET, "/video/v1/live-streams/{}", get, CALL_MUX, {0}},
    {HTTP_PATCH, "/video/v1/live-streams/{}", change, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/live-streams/{}", drop, CALL_MUX, {0}},
    {HTTP_POST, "/video/v1/live-streams/{}/reset-stream-key", reset_key, CALL_MUX, {0}},
    {HTTP_PUT, "/video/v1/live-streams/{}/complete", complete, CALL_MUX, {0}},
    {HTTP_PUT, "/video/v1/live-streams/{}/disable", disable, CALL_MUX, {0}},
    {HTTP_PUT, "/video/v1/live-streams/{}/enable", enable, CALL_MUX, {0}},
};
const struct endpoint_table mux_live = ENDPOINT_TABLE(ENDPOINTS);
