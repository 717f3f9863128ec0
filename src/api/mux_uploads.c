/* SPDX-License-Identifier: MIT */
/* Direct uploads: making, listing, reading, cancelling. The bytes come to upload_http.c. */
#include "api/api_priv.h"
#include "api/mux_json.h"
#include "api/mux_options.h"
#include "api/mux_tracks.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include <stdio.h>

#define TIMEOUT_DEFAULT_S 3600

static void set_error(json_t *j, const char *status, const char *problem)
{
    if (!strcmp(status, "errored"))
        json_object_set_new(j, "error",
                            json_pack("{s:s, s:s}", "type", "invalid_input", "message", problem));
    else if (!strcmp(status, "timed_out"))
        json_object_set_new(j, "error",
                            json_pack("{s:s, s:s}", "type", "timed_out", "message",
                                      "The file did not arrive within the upload's timeout."));
}

json_t *mux_upload_json(struct db *db, const char *id, const char *origin)
{
    json_t *j = NULL;
    struct db_rows *q = db_query(db,
                                 "SELECT status, timeout_s, cors_origin, asset_options, asset_id,"
                                 " problem, test FROM uploads WHERE id = ?1",
                                 "s", id);
    if (db_next(q)) {
        const char *status = db_text(q, 0);
        j = json_pack("{s:s, s:s, s:I, s:s}", "id", id, "status", status, "timeout",
                      (json_int_t)db_int(q, 1), "cors_origin", db_text(q, 2));
        mux_set(j, "new_asset_settings", mux_stored(db_text(q, 3)));
        if (!strcmp(status, "asset_created")) mux_set_text(j, "asset_id", db_text(q, 4));
        set_error(j, status, db_text(q, 5));
        if (db_int(q, 6)) json_object_set_new(j, "test", json_true());
        if (origin) json_object_set_new(j, "url", json_sprintf("%s/upload/%s", origin, id));
    }
    if (db_done(q) == E_OK) return j;
    json_decref(j);
    return NULL;
}

static void reply(struct call *c, const char *id, int status)
{
    json_t *j = mux_upload_json(c->db, id, c->origin);
    if (j)
        mux_data(c, status, j);
    else
        mux_missing(c, "upload");
}

/* "*", or what browsers send as Origin: a scheme and a host, printable, without a path. */
static bool read_origin(struct call *c, json_t *in, char out[UPLOAD_ORIGIN_CAP])
{
    const char *text = NULL;
    if (!mux_text(c, in, "cors_origin", UPLOAD_ORIGIN_CAP - 1, &text)) return false;
    if (!text || !*text)
        return mux_invalid(c, "cors_origin",
                           "This is needed: the origin of the page that uploads, or *.");
    struct span s = span_str(text);
    if (s.len > 1 && s.p[s.len - 1] == '/') s.len--;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127)
            return mux_invalid(c, "cors_origin", "This must be an origin, or *.");
    return span_cstr(s, out, UPLOAD_ORIGIN_CAP)
               ? true
               : mux_invalid(c, "cors_origin", "This is too long.");
}

static bool keeps_source(json_t *settings)
{
    const char *access = json_string_value(json_object_get(settings, "master_access"));
    return access && !strcmp(access, "temporary");
}

static void make(struct call *c, const struct upload_new *ask)
{
    char id[UPLOAD_ID_CAP], text[UPLOAD_TEXT_CAP];
    const enum err e = uploads_create(c->api->cfg.uploads, c->db, ask, id, text);
    if (e == E_LIMIT) {
        /* Not 429: waiting does not help, and clients would ask again at once. */
        mux_error(c, 400, MUX_INVALID, "%s", text);
        return;
    }
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    log_info("upload-created", "upload=%.8s user=%s", id, c->user.id);
    reply(c, id, 201);
}

/* `inputs`, or `input`: the first is the file that comes, those behind it text tracks. */
static bool read_texts(struct call *c, json_t *settings, struct text_track_new *texts, size_t *n)
{
    json_t *list = json_object_get(settings, "inputs");
    if (!list || json_is_null(list)) list = json_object_get(settings, "input");
    return mux_read_text_inputs(c, list, texts, n);
}

static void create(struct call *c)
{
    char origin[UPLOAD_ORIGIN_CAP], policies[32];
    struct upload_new ask = {
        .user_id = c->user.id, .cors_origin = origin, .timeout_s = TIMEOUT_DEFAULT_S, .size = -1};
    struct text_track_new texts[LIMIT_TEXT_TRACKS];
    struct mux_asset_options o = {0};
    json_t *in = mux_body(c), *settings = NULL;
    ask.texts = texts;
    if (!in || !read_origin(c, in, origin) ||
        !mux_int(c, in, "timeout", LIMIT_UPLOAD_TIMEOUT_MIN_S, LIMIT_UPLOAD_TIMEOUT_MAX_S,
                 &ask.timeout_s) ||
        !mux_bool(c, in, "test", &ask.test) || !mux_object(c, in, "new_asset_settings", &settings))
        return;
    if (settings && !mux_read_asset_options(c, settings, false, &o)) {
        mux_asset_options_fini(&o);
        return;
    }
    mux_policies_text(&o.policies, policies);
    ask.policies = policies;
    ask.passthrough = o.passthrough;
    ask.meta = o.meta;
    ask.options = settings ? o.json : "";
    ask.test |= o.test;
    ask.keep_source = keeps_source(settings);
    if (read_texts(c, settings, texts, &ask.n_texts)) make(c, &ask);
    mux_asset_options_fini(&o);
}

static void list(struct call *c)
{
    struct mux_page page;
    if (!mux_page(c, &page)) return;
    char(*ids)[UPLOAD_ID_CAP] = xcalloc(LIMIT_PAGE_ITEMS, sizeof *ids);
    size_t n = 0;
    struct db_rows *q = db_query(c->db,
                                 "SELECT id FROM uploads WHERE user_id = ?1"
                                 " ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?3",
                                 "sii", c->user.id, page.limit, page.offset);
    while (n < LIMIT_PAGE_ITEMS && db_next(q))
        snprintf(ids[n++], UPLOAD_ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *j = mux_upload_json(c->db, ids[i], c->origin);
        if (j) json_array_append_new(rows, j);
    }
    free(ids);
    if (e == E_OK) {
        mux_list(c, rows, NULL);
    } else {
        json_decref(rows);
        mux_fail(c, e);
    }
}

static bool is_own(struct call *c, const char *id)
{
    struct db_rows *q = db_query(c->db, "SELECT 1 FROM uploads WHERE id = ?1 AND user_id = ?2",
                                 "ss", id, c->user.id);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

static void get(struct call *c)
{
    const char *id = mux_id(c, 0, "upload");
    if (!id) return;
    if (is_own(c, id))
        reply(c, id, 200);
    else
        mux_missing(c, "upload");
}

static void cancel(struct call *c)
{
    const char *id = mux_id(c, 0, "upload");
    if (!id) return;
    const enum err e = uploads_cancel(c->api->cfg.uploads, c->db, c->user.id, id);
    if (e == E_OK)
        reply(c, id, 200);
    else if (e == E_NOTFOUND)
        mux_missing(c, "upload");
    else if (e == E_CONFLICT)
        mux_error(c, 403, MUX_FORBIDDEN, "This upload does not wait for its file any more.");
    else
        mux_fail(c, e);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/video/v1/uploads", create, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/uploads", list, CALL_MUX, {"page", "limit"}},
    {HTTP_GET, "/video/v1/uploads/{}", get, CALL_MUX, {0}},
    {HTTP_PUT, "/video/v1/uploads/{}/cancel", cancel, CALL_MUX, {0}},
};
const struct endpoint_table mux_uploads = ENDPOINT_TABLE(ENDPOINTS);
