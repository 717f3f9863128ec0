/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include <stdio.h>

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, text) take(field, sizeof(field), text)

const char *live_end_reason_name(enum live_end_reason r)
{
    static const char *const NAMES[] = {"owner", "encoder", "limit", "restart"};
    return NAMES[r];
}

enum err live_db_find_key(struct db *db, const char *key_hash, struct live_row *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT s.id, l.id, s.user_id, s.status, l.status, s.ended_reason,"
                 " COALESCE(l.reconnect_window_us, -1), COALESCE(l.max_duration_us, -1),"
                 " (SELECT p.id FROM playback_ids p WHERE p.kind = 'live' AND p.object_id = l.id"
                 "  ORDER BY p.created_at LIMIT 1)"
                 " FROM live_streams l JOIN streams s ON s.live_stream_id = l.id"
                 " WHERE l.stream_key_hash = ?1",
                 "s", key_hash);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->stream_id, db_text(q, 0));
        TAKE(out->live_stream_id, db_text(q, 1));
        TAKE(out->user_id, db_text(q, 2));
        TAKE(out->status, db_text(q, 3));
        TAKE(out->live_status, db_text(q, 4));
        TAKE(out->ended_reason, db_text(q, 5));
        out->reconnect_window_us = db_int(q, 6);
        out->max_duration_us = db_int(q, 7);
        TAKE(out->playback_id, db_text(q, 8));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err live_db_add_asset(struct db *db, const struct broadcast *b)
{
    const int64_t now = clock_wall_us();
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "INSERT INTO assets (id, user_id, live_stream_id, stream_id, status, is_live, dir,"
                " created_at, updated_at) VALUES (?1, ?2, ?3, ?4, 'preparing', 1, ?1, ?5, ?5)",
                "ssssi", b->asset_id, b->row.user_id, b->row.live_stream_id, b->row.stream_id, now);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO playback_ids (id, kind, object_id, created_at)"
                    " VALUES (?1, 'asset', ?2, ?3)",
                    "ssi", b->asset_playback_id, b->asset_id, now);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err live_db_started(struct db *db, const struct broadcast *b)
{
    const bool recorded = b->asset_id[0];
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE streams SET status = 'LIVE', started_at = ?2, ended_at = NULL,"
                " ended_reason = '', duration = NULL, recording_status = ?3, recording_id = ?4,"
                " updated_at = ?2 WHERE id = ?1 AND (status <> 'ENDED' OR"
                " ended_reason IN ('encoder', 'restart', ''))",
                "siss", b->row.stream_id, b->started_wall_us,
                !recorded               ? "NONE"
                : b->disk_error != E_OK ? "FAILED"
                                        : "RECORDING",
                recorded ? b->asset_id : NULL);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE live_streams SET status = 'active', updated_at = ?2"
                    " WHERE id = ?1 AND status = 'idle'",
                    "si", b->row.live_stream_id, b->started_wall_us);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err live_db_disk_failed(struct db *db, const struct broadcast *b)
{
    const int64_t now = clock_wall_us();
    enum err e = db_exec(db, "UPDATE assets SET problem = ?2, updated_at = ?3 WHERE id = ?1", "ssi",
                         b->asset_id, b->disk_problem, now);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET recording_status = 'FAILED', updated_at = ?3"
                    " WHERE id = ?1 AND recording_id = ?2",
                    "ssi", b->row.stream_id, b->asset_id, now);
    return e;
}

enum err live_db_end_by_owner(struct db *db, const char *stream_id)
{
    const int64_t now = clock_wall_us();
    enum err e =
        db_exec(db,
                "UPDATE streams SET status = 'ENDED', ended_at = ?2, ended_reason = 'owner',"
                " duration = (?2 - COALESCE(started_at, ?2)) / 1000000,"
                " recording_status = CASE recording_status WHEN 'RECORDING' THEN"
                " 'PROCESSING' ELSE recording_status END, updated_at = ?2"
                " WHERE id = ?1 AND status <> 'ENDED'",
                "si", stream_id, now);
    if (e != E_OK) return e;
    return db_changes(db) ? E_OK : E_CONFLICT;
}

/* The last word on an asset, and on the stream if this was its last run. */
static enum err write_end(struct db *db, const char *stream_id, const char *live_stream_id,
                          const char *asset_id, enum live_end_reason reason, int64_t ended_us,
                          const struct recording_info *info, bool failed)
{
    const bool media = info->duration_us > 0;
    const char *state = !asset_id[0] ? "NONE" : failed ? "FAILED" : media ? "READY" : "NONE";
    enum err e = E_OK;
    if (asset_id[0])
        e = db_exec(db,
                    "UPDATE assets SET status = ?2, is_live = 0, duration_us = ?3, updated_at = ?4"
                    " WHERE id = ?1",
                    "ssii", asset_id, media ? "ready" : "errored", info->duration_us, ended_us);
    /* An owner who has ended the stream already keeps the reason and the time. */
    if (e == E_OK)
        e = db_exec(
            db,
            "UPDATE streams SET ended_at = CASE status WHEN 'ENDED' THEN ended_at ELSE ?3 END,"
            " ended_reason = CASE status WHEN 'ENDED' THEN ended_reason ELSE ?4 END,"
            " status = 'ENDED', recording_status = ?5,"
            " duration = CASE WHEN ?6 > 0 THEN ?6 / 1000000 ELSE duration END, updated_at = ?3"
            " WHERE id = ?1 AND COALESCE(recording_id, '') = ?2 AND (status = 'LIVE' OR"
            " (status = 'ENDED' AND started_at IS NOT NULL))",
            "ssissi", stream_id, asset_id, ended_us, live_end_reason_name(reason), state,
            info->duration_us);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE live_streams SET status = 'idle', updated_at = ?2"
                    " WHERE id = ?1 AND status = 'active'",
                    "si", live_stream_id, ended_us);
    return e;
}

/* A run that never had a picture or a sound leaves no trace. */
static enum err write_nothing_came(struct db *db, const char *asset_id)
{
    enum err e = db_exec(db, "DELETE FROM playback_ids WHERE kind = 'asset' AND object_id = ?1",
                         "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM assets WHERE id = ?1", "s", asset_id);
    return e;
}

enum err live_db_closed(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_end(db, b->row.stream_id, b->row.live_stream_id, b->asset_id, b->reason,
                  b->ended_wall_us, &b->info, b->disk_error != E_OK);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err live_db_discard(struct db *db, const struct broadcast *b)
{
    if (!b->asset_id[0]) return E_OK;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_nothing_came(db, b->asset_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* --- start-up ------------------------------------------------------------------------------------
 */

struct leftover {
    char asset_id[LIVE_ID_CAP], stream_id[LIVE_ID_CAP], live_stream_id[LIVE_ID_CAP];
    char dir[LIVE_ID_CAP], stream_status[16], problem[160];
};

static enum err find_leftovers(struct db *db, struct leftover **out, size_t *n)
{
    struct leftover *all = NULL;
    struct db_rows *q =
        db_query(db,
                 "SELECT a.id, COALESCE(a.stream_id, ''), COALESCE(a.live_stream_id, ''), a.dir,"
                 " COALESCE(s.status, ''), a.problem FROM assets a LEFT JOIN streams s"
                 " ON s.id = a.stream_id AND s.recording_id = a.id WHERE a.is_live = 1",
                 "");
    *n = 0;
    while (db_next(q)) {
        all = xrealloc(all, (*n + 1) * sizeof *all);
        struct leftover *x = &all[(*n)++];
        TAKE(x->asset_id, db_text(q, 0));
        TAKE(x->stream_id, db_text(q, 1));
        TAKE(x->live_stream_id, db_text(q, 2));
        TAKE(x->dir, db_text(q, 3));
        TAKE(x->stream_status, db_text(q, 4));
        TAKE(x->problem, db_text(q, 5));
    }
    *out = all;
    return db_done(q);
}

static enum err finish_leftover(struct live *l, struct db *db, const struct leftover *x)
{
    char path[4096];
    struct recording_info info = {0};
    enum err e =
        live_media_path(l, x->dir, path, sizeof path) ? recording_recover(path, &info) : E_LIMIT;
    if (e != E_OK) log_warn("recover", "asset=%s error=%s", x->asset_id, err_label(e));
    const int64_t now = clock_wall_us();
    e = db_begin(db);
    if (e != E_OK) return e;
    /* Without a part the stream was never LIVE. */
    if (info.duration_us == 0 && !x->stream_status[0])
        e = write_nothing_came(db, x->asset_id);
    else
        e = write_end(db, x->stream_id, x->live_stream_id, x->asset_id, LIVE_END_RESTART,
                      info.ended_wall_us ? info.ended_wall_us : now, &info, x->problem[0]);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    log_info("recovered", "asset=%s stream=%s duration_s=%lld", x->asset_id, x->stream_id,
             (long long)(info.duration_us / US_PER_SEC));
    return e;
}

enum err live_db_recover(struct live *l, struct db *db, unsigned *n)
{
    struct leftover *all = NULL;
    size_t len = 0;
    enum err e = find_leftovers(db, &all, &len);
    for (size_t i = 0; i < len && e == E_OK; i++) e = finish_leftover(l, db, &all[i]);
    free(all);
    *n = (unsigned)len;
    /* Streams that were live without being recorded. */
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET status = 'ENDED', ended_reason = 'restart', ended_at = ?1,"
                    " updated_at = ?1 WHERE status = 'LIVE'",
                    "i", clock_wall_us());
    if (e == E_OK)
        e = db_exec(db, "UPDATE live_streams SET status = 'idle' WHERE status = 'active'", "");
    return e;
}

/* --- playback ids and removal --- */

enum err live_db_find_playback(struct db *db, const char *id, struct live_playback *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT p.kind, p.object_id, COALESCE(a.dir, ''), COALESCE(a.stream_id, s.id, ''),"
                 " COALESCE(a.status, '') FROM playback_ids p"
                 " LEFT JOIN assets a ON p.kind = 'asset' AND a.id = p.object_id"
                 " LEFT JOIN streams s ON p.kind = 'live' AND s.live_stream_id = p.object_id"
                 " WHERE p.id = ?1 AND p.policy = 'public'",
                 "s", id);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->kind, db_text(q, 0));
        TAKE(out->object_id, db_text(q, 1));
        TAKE(out->dir, db_text(q, 2));
        TAKE(out->stream_id, db_text(q, 3));
        TAKE(out->status, db_text(q, 4));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err remove_assets(struct live *l, struct db *db, const char *stream_id)
{
    char ids[64][LIVE_ID_CAP], dirs[64][LIVE_ID_CAP];
    for (;;) {
        size_t n = 0;
        struct db_rows *q =
            db_query(db, "SELECT id, dir FROM assets WHERE stream_id = ?1 AND is_live = 0 LIMIT 64",
                     "s", stream_id);
        while (db_next(q) && n < 64) {
            TAKE(ids[n], db_text(q, 0));
            TAKE(dirs[n], db_text(q, 1));
            n++;
        }
        enum err e = db_done(q);
        for (size_t i = 0; i < n && e == E_OK; i++) {
            char path[4096];
            e = write_nothing_came(db, ids[i]);
            if (e == E_OK && live_media_path(l, dirs[i], path, sizeof path))
                live_files_remove(path);
        }
        if (e != E_OK || n == 0) return e;
    }
}

enum err live_db_remove_media(struct live *l, struct db *db, const char *stream_id)
{
    enum err e = remove_assets(l, db, stream_id);
    if (e == E_OK)
        e = db_exec(db,
                    "DELETE FROM playback_ids WHERE kind = 'live' AND object_id ="
                    " (SELECT live_stream_id FROM streams WHERE id = ?1)",
                    "s", stream_id);
    return e;
}
