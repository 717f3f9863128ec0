/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "video/outbox.h"
#include "video/quota.h"
#include "video/text_tracks.h"
#include "video/uploads_priv.h"
#include <stdio.h>

#define UPLOAD_ID_CHARS 44 /* the id is the only credential */
#define ASSET_ID_CHARS  24

#define TAKE(field, text) snprintf(field, sizeof(field), "%s", text)

enum err upload_row_get(struct db *db, const char *id, struct upload_row *out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT id, user_id, stream_id, asset_id, status, cors_origin,"
                                 " problem, COALESCE(size, -1), received, created_at, timeout_s"
                                 " FROM uploads WHERE id = ?1",
                                 "s", id);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->id, db_text(q, 0));
        TAKE(out->user_id, db_text(q, 1));
        TAKE(out->stream_id, db_text(q, 2));
        TAKE(out->asset_id, db_text(q, 3));
        TAKE(out->status, db_text(q, 4));
        TAKE(out->cors_origin, db_text(q, 5));
        TAKE(out->problem, db_text(q, 6));
        out->size = db_int(q, 7);
        out->received = db_int(q, 8);
        out->created_at = db_int(q, 9);
        out->timeout_s = db_int(q, 10);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err one_int(struct db_rows *q, int64_t *out)
{
    const int64_t n = db_next(q) ? db_int(q, 0) : 0;
    const enum err e = db_done(q);
    if (e == E_OK) *out = n;
    return e;
}

enum err upload_user_bytes(struct db *db, const char *user_id, const char *but, int64_t *out)
{
    return one_int(
        db_query(db,
                 "SELECT COALESCE(SUM(CASE WHEN size IS NULL OR size < received THEN received"
                 " ELSE size END), 0) FROM uploads WHERE user_id = ?1 AND id <> ?2"
                 " AND (status = 'waiting' OR (status = 'asset_created' AND"
                 " EXISTS (SELECT 1 FROM assets a WHERE a.id = uploads.asset_id)))",
                 "ss", user_id, but),
        out);
}

static enum err may_create(struct uploads *u, struct db *db, const struct upload_new *ask,
                           char text[UPLOAD_TEXT_CAP])
{
    const struct settings *s = u->cfg.settings;
    int64_t n = 0, used = 0;
    enum err e = one_int(
        db_query(db, "SELECT COUNT(*) FROM uploads WHERE user_id = ?1 AND status = 'waiting'", "s",
                 ask->user_id),
        &n);
    if (e == E_OK) e = upload_user_bytes(db, ask->user_id, "", &used);
    if (e != E_OK) return e;
    if (n >= LIMIT_UPLOADS_WAITING) {
        snprintf(text, UPLOAD_TEXT_CAP, "There are %d uploads that wait for their files already.",
                 LIMIT_UPLOADS_WAITING);
        return E_LIMIT;
    }
    if (s->max_upload_size && ask->size > s->max_upload_size) {
        snprintf(text, UPLOAD_TEXT_CAP, "The file is larger than this server takes: %lld bytes.",
                 (long long)s->max_upload_size);
        return E_LIMIT;
    }
    if (s->upload_quota && used + (ask->size > 0 ? ask->size : 0) > s->upload_quota) {
        snprintf(text, UPLOAD_TEXT_CAP,
                 "Your uploads would take more than %lld bytes; delete some assets first.",
                 (long long)s->upload_quota);
        return E_LIMIT;
    }
    char full[QUOTA_TEXT_CAP];
    const enum err room = quota_room(db, s, ask->user_id, ask->size > 0 ? ask->size : 0, full);
    if (room != E_FULL) return room;
    snprintf(text, UPLOAD_TEXT_CAP, "%s", full);
    return E_LIMIT;
}

static enum err insert(struct db *db, const struct upload_new *a, const char *id)
{
    char asset[ASSET_ID_CHARS + 1];
    const int64_t now = clock_wall_us();
    rand_id(asset, ASSET_ID_CHARS);
    return db_exec(
        db,
        "INSERT INTO uploads (id, user_id, stream_id, asset_id, cors_origin, timeout_s,"
        " size, asset_options, asset_meta, passthrough, policies, test, keep_source, created_at,"
        " updated_at, client_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULLIF(?7, -1), ?8, ?9, ?10,"
        " ?11, ?12, ?14, ?13, ?13, ?15)",
        "sssssiissssiiis", id, a->user_id, a->stream_id, asset,
        a->cors_origin ? a->cors_origin : "", a->timeout_s, a->size, a->options ? a->options : "",
        a->meta ? a->meta : "", a->passthrough ? a->passthrough : "",
        a->policies ? a->policies : "", (int64_t)a->test, now, (int64_t)a->keep_source,
        a->client_key ? a->client_key : "");
}

/* The end of a transaction, whichever way. */
static enum err settle(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* The answer to the one who asked for it was lost. E_NOTFOUND: there is none. */
static enum err find_asked(struct db *db, const struct upload_new *ask, char id[UPLOAD_ID_CAP])
{
    if (!ask->stream_id || !ask->client_key || !*ask->client_key) return E_NOTFOUND;
    struct db_rows *q = db_query(db,
                                 "SELECT id FROM uploads WHERE stream_id = ?1 AND client_key = ?2"
                                 " AND status = 'waiting'",
                                 "ss", ask->stream_id, ask->client_key);
    const bool found = db_next(q);
    if (found) snprintf(id, UPLOAD_ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err uploads_create(struct uploads *u, struct db *db, const struct upload_new *ask,
                        char id[UPLOAD_ID_CAP], char text[UPLOAD_TEXT_CAP])
{
    text[0] = 0;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = find_asked(db, ask, id);
    if (e == E_NOTFOUND) {
        e = may_create(u, db, ask, text);
        rand_id(id, UPLOAD_ID_CHARS);
        if (e == E_OK) e = insert(db, ask, id);
        if (e == E_OK) e = text_wishes_note(db, id, ask->texts, ask->n_texts);
        if (e == E_OK) e = outbox_add(db, "upload.created", OUTBOX_UPLOAD, id);
        if (e == E_OK && ask->stream_id) e = uploads_settle_stream(db, ask->stream_id);
    }
    e = settle(db, e);
    if (e == E_OK && ask->stream_id) upload_changed(u, ask->stream_id);
    return e;
}

enum err upload_row_advance(struct db *db, const struct upload_row *row, int64_t received,
                            int64_t size)
{
    const enum err e =
        db_exec(db,
                "UPDATE uploads SET received = ?2, size = COALESCE(NULLIF(?3, -1), size),"
                " updated_at = ?4 WHERE id = ?1 AND status = 'waiting' AND received = ?5",
                "siiii", row->id, received, size, clock_wall_us(), row->received);
    if (e != E_OK) return e;
    return db_changes(db) ? E_OK : E_CONFLICT;
}

enum err upload_row_close(struct db *db, const struct upload_row *row, const char *status,
                          const char *problem, const char *event)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE uploads SET status = ?2, problem = ?3, updated_at = ?4"
                " WHERE id = ?1 AND status = 'waiting'",
                "sssi", row->id, status, problem, clock_wall_us());
    if (e == E_OK && !db_changes(db)) e = E_CONFLICT;
    if (e == E_OK && event) e = outbox_add(db, event, OUTBOX_UPLOAD, row->id);
    if (e == E_OK && row->stream_id[0]) e = uploads_settle_stream(db, row->stream_id);
    return settle(db, e);
}

enum err uploads_settle_stream(struct db *db, const char *stream_id)
{
    /* A stream that was never live and has such an upload is recorded only: there it shows too. */
    return db_exec(
        db,
        "UPDATE streams SET updated_at = ?2, recording_status = CASE"
        " WHEN EXISTS (SELECT 1 FROM uploads u WHERE u.stream_id = streams.id"
        "  AND u.status = 'waiting') OR EXISTS (SELECT 1 FROM provider_uploads p"
        "  WHERE p.stream_id = streams.id AND p.status IN ('wanted', 'waiting'))"
        "  THEN CASE status WHEN 'CREATED' THEN 'RECORDING' ELSE 'UPLOADING' END"
        " WHEN EXISTS (SELECT 1 FROM uploads u JOIN assets a ON a.id = u.asset_id"
        "  WHERE u.stream_id = streams.id AND u.status = 'asset_created'"
        "  AND a.status = 'preparing') OR EXISTS (SELECT 1 FROM provider_uploads p"
        "  WHERE p.stream_id = streams.id AND p.status = 'asset_created') THEN 'PROCESSING'"
        " WHEN EXISTS (SELECT 1 FROM assets a WHERE a.id = streams.recording_id AND a.is_live = 1)"
        "  THEN 'PROCESSING'"
        " WHEN uploaded_playback_id <> '' OR EXISTS (SELECT 1 FROM live_streams l"
        "  WHERE l.id = streams.live_stream_id AND l.remote = 1 AND l.remote_asset_end = 'ready')"
        "  THEN 'READY'"
        " WHEN EXISTS (SELECT 1 FROM assets a WHERE a.id = streams.recording_id"
        "  AND a.status = 'ready' AND a.problem = '') THEN 'READY'"
        " WHEN EXISTS (SELECT 1 FROM live_streams l WHERE l.id = streams.live_stream_id"
        "  AND l.remote = 1 AND l.remote_asset_id <> '' AND l.remote_asset_end = '')"
        "  THEN 'PROCESSING'"
        " WHEN recording_id IS NOT NULL OR EXISTS (SELECT 1 FROM uploads u"
        "  WHERE u.stream_id = streams.id AND u.status <> 'cancelled')"
        "  OR EXISTS (SELECT 1 FROM provider_uploads p WHERE p.stream_id = streams.id"
        "  AND p.status <> 'cancelled') THEN 'FAILED'"
        " ELSE 'NONE' END WHERE id = ?1 AND status <> 'LIVE' AND (EXISTS"
        " (SELECT 1 FROM uploads u WHERE u.stream_id = streams.id) OR EXISTS"
        " (SELECT 1 FROM provider_uploads p WHERE p.stream_id = streams.id))",
        "si", stream_id, clock_wall_us());
}

enum err uploads_cancel(struct uploads *u, struct db *db, const char *user_id, const char *id)
{
    struct upload_row row = {0};
    enum err e = upload_row_get(db, id, &row);
    if (e == E_OK && strcmp(row.user_id, user_id) != 0) e = E_NOTFOUND;
    if (e == E_OK) e = upload_row_close(db, &row, "cancelled", "", "upload.cancelled");
    if (e != E_OK) return e;
    upload_stop_writer(u, id);
    upload_remove_file(u, id);
    if (row.stream_id[0]) upload_changed(u, row.stream_id);
    return E_OK;
}

void uploads_cors(struct db *db, const char *id, char out[UPLOAD_ORIGIN_CAP])
{
    struct upload_row row = {0};
    const bool found = upload_row_get(db, id, &row) == E_OK;
    snprintf(out, UPLOAD_ORIGIN_CAP, "%s", found ? row.cors_origin : "*");
}
