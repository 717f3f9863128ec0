/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rand.h"
#include "video/live_priv.h"
#include "video/outbox.h"
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
                 "  AND p.policy = 'public' ORDER BY p.created_at LIMIT 1), l.reusable,"
                 " l.asset_policies, EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id"
                 " AND u.suspended_at IS NOT NULL)"
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
        out->reusable = db_int(q, 9);
        TAKE(out->asset_policies, db_text(q, 10));
        out->suspended = db_int(q, 11);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err tell_live(struct db *db, const char *type, const struct broadcast *b)
{
    return outbox_add(db, type, OUTBOX_LIVE, b->row.live_stream_id);
}

enum err live_db_finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* --- the beginning --- */

static enum err add_playback_ids(struct db *db, const struct broadcast *b, int64_t now)
{
    struct span rest = span_str(b->row.asset_policies);
    bool first_public = true;
    while (rest.len) {
        char policy[16], id[LIVE_ID_CAP];
        if (!span_cstr(span_cut(&rest, ','), policy, sizeof policy)) return E_INVALID;
        rand_id(id, 24);
        if (first_public && !strcmp(policy, "public")) {
            TAKE(id, b->asset_playback_id);
            first_public = false;
        }
        const enum err e = db_exec(db,
                                   "INSERT INTO playback_ids (id, kind, object_id, policy,"
                                   " created_at) VALUES (?1, 'asset', ?2, ?3, ?4)",
                                   "sssi", id, b->asset_id, policy, now);
        if (e != E_OK) return e;
    }
    return E_OK;
}

/* E_NOTFOUND: the live stream has been deleted meanwhile. */
static enum err add_asset(struct db *db, const struct broadcast *b, int64_t now)
{
    enum err e =
        db_exec(db,
                "INSERT INTO assets (id, user_id, live_stream_id, stream_id, status, is_live, dir,"
                " ingest_type, options, passthrough, meta, test, created_at, updated_at)"
                " SELECT ?1, l.user_id, l.id, ?2, 'preparing', 1, ?1, ?3, l.asset_options,"
                " l.asset_passthrough, l.asset_meta, l.test, ?4, ?4"
                " FROM live_streams l WHERE l.id = ?5",
                "sssis", b->asset_id, b->row.stream_id,
                span_starts(span_str(b->row.protocol), "rtmp") ? "live_rtmp" : "live_webrtc", now,
                b->row.live_stream_id);
    if (e == E_OK && db_changes(db) == 0) e = E_NOTFOUND;
    if (e == E_OK) e = add_playback_ids(db, b, now);
    return e;
}

enum err live_db_connected(struct db *db, const struct broadcast *b)
{
    const int64_t now = clock_wall_us();
    const bool recorded = b->asset_id[0];
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    if (recorded) e = add_asset(db, b, now);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE live_streams SET active_asset_id = ?2, connected = 1, recording = 0,"
                    " ingest_protocol = ?3, updated_at = ?4 WHERE id = ?1",
                    "sssi", b->row.live_stream_id, recorded ? b->asset_id : NULL, b->row.protocol,
                    now);
    if (e == E_OK) e = tell_live(db, "live_stream.connected", b);
    if (e == E_OK && recorded) e = outbox_add(db, "asset.created", OUTBOX_ASSET, b->asset_id);
    return live_db_finish(db, e);
}

static enum err write_live(struct db *db, const struct broadcast *b)
{
    const bool recorded = b->asset_id[0];
    return db_exec(db,
                   "UPDATE streams SET status = 'LIVE', started_at = ?2, ended_at = NULL,"
                   " ended_reason = '', duration = NULL, recording_status = ?3, recording_id = ?4,"
                   " uploaded_playback_id = '', updated_at = ?2 WHERE id = ?1 AND (status <> "
                   "'ENDED' OR ?5 = 1 OR"
                   " ended_reason IN ('encoder', 'restart', ''))",
                   "sissi", b->row.stream_id, b->started_wall_us,
                   !recorded               ? "NONE"
                   : b->disk_error != E_OK ? "FAILED"
                                           : "RECORDING",
                   recorded ? b->asset_id : NULL, (int64_t)b->row.reusable);
}

/* The recording plays from its first part on. */
static enum err write_asset_live(struct db *db, const struct broadcast *b)
{
    enum err e = db_exec(db,
                         "UPDATE assets SET status = 'ready', started_at = ?2, updated_at = ?2"
                         " WHERE id = ?1 AND is_live = 1",
                         "si", b->asset_id, b->started_wall_us);
    return e != E_OK ? e : outbox_add(db, "asset.ready", OUTBOX_ASSET, b->asset_id);
}

enum err live_db_started(struct db *db, const struct broadcast *b)
{
    const char *id = b->row.live_stream_id;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_live(db, b);
    if (e == E_OK)
        e = db_exec(db, "UPDATE live_streams SET recording = 1, updated_at = ?2 WHERE id = ?1",
                    "si", id, b->started_wall_us);
    if (e == E_OK) e = tell_live(db, "live_stream.recording", b);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE live_streams SET status = 'active' WHERE id = ?1 AND status = 'idle'",
                    "s", id);
    if (e == E_OK && db_changes(db)) e = tell_live(db, "live_stream.active", b);
    if (e == E_OK && b->asset_id[0] && b->disk_error == E_OK) e = write_asset_live(db, b);
    return live_db_finish(db, e);
}

/* --- the encoder goes and comes --- */

static enum err set_connected(struct db *db, const struct broadcast *b, bool connected)
{
    return db_exec(db,
                   "UPDATE live_streams SET connected = ?2, recording = ?2, updated_at = ?3"
                   " WHERE id = ?1 AND status = 'active'",
                   "sii", b->row.live_stream_id, (int64_t)connected, clock_wall_us());
}

enum err live_db_away(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = set_connected(db, b, false);
    if (e == E_OK && db_changes(db)) e = tell_live(db, "live_stream.disconnected", b);
    return live_db_finish(db, e);
}

enum err live_db_back(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = set_connected(db, b, true);
    const bool changed = e == E_OK && db_changes(db);
    if (changed) e = tell_live(db, "live_stream.connected", b);
    if (changed && e == E_OK) e = tell_live(db, "live_stream.recording", b);
    return live_db_finish(db, e);
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
/* --- playback ids --- */

enum err live_db_is_private(struct db *db, const char *stream_id, bool *out)
{
    struct db_rows *q = db_query(
        db, "SELECT 1 FROM streams WHERE id = ?1 AND visibility = 'PRIVATE'", "s", stream_id);
    const bool found = db_next(q);
    const enum err e = db_done(q);
    if (e == E_OK) *out = found;
    return e;
}

enum err live_db_find_playback(struct db *db, const char *id, struct live_playback *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT p.kind, p.object_id, COALESCE(a.dir, ''), COALESCE(a.stream_id, s.id, ''),"
                 " COALESCE(a.status, ''), COALESCE(a.user_id, s.user_id, ''), p.policy,"
                 " COALESCE(a.duration_us, 0), COALESCE(a.thumbnail_time_us, -1),"
                 " CASE COALESCE(s.visibility, v.visibility) WHEN 'PRIVATE'"
                 " THEN COALESCE(s.access_epoch, v.access_epoch) ELSE 0 END FROM playback_ids p"
                 " LEFT JOIN assets a ON p.kind = 'asset' AND a.id = p.object_id"
                 " LEFT JOIN streams s ON p.kind = 'live' AND s.live_stream_id = p.object_id"
                 " LEFT JOIN streams v ON v.id = a.stream_id"
                 " WHERE p.id = ?1",
                 "s", id);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->kind, db_text(q, 0));
        TAKE(out->object_id, db_text(q, 1));
        TAKE(out->dir, db_text(q, 2));
        TAKE(out->stream_id, db_text(q, 3));
        TAKE(out->status, db_text(q, 4));
        TAKE(out->user_id, db_text(q, 5));
        out->access_epoch = db_int(q, 9);
        out->is_signed = strcmp(db_text(q, 6), "public") != 0;
        out->by_grant = !out->is_signed && out->access_epoch;
        out->is_signed |= out->by_grant;
        out->duration_us = db_int(q, 7);
        out->thumbnail_us = db_int(q, 8);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}
