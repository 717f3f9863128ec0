/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include "video/outbox.h"
#include <stdio.h>

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, text) take(field, sizeof(field), text)

enum { ID_CHARS_TRACK = 20 };

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
                 " l.asset_policies"
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
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err tell_live(struct db *db, const char *type, const struct broadcast *b)
{
    return outbox_add(db, type, OUTBOX_LIVE, b->row.live_stream_id);
}

static enum err finish_transaction(struct db *db, enum err e)
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
    return finish_transaction(db, e);
}

static enum err write_live(struct db *db, const struct broadcast *b)
{
    const bool recorded = b->asset_id[0];
    return db_exec(db,
                   "UPDATE streams SET status = 'LIVE', started_at = ?2, ended_at = NULL,"
                   " ended_reason = '', duration = NULL, recording_status = ?3, recording_id = ?4,"
                   " updated_at = ?2 WHERE id = ?1 AND (status <> 'ENDED' OR ?5 = 1 OR"
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
    if (e == E_OK && b->asset_id[0]) e = write_asset_live(db, b);
    return finish_transaction(db, e);
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
    return finish_transaction(db, e);
}

enum err live_db_back(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = set_connected(db, b, true);
    const bool changed = e == E_OK && db_changes(db);
    if (changed) e = tell_live(db, "live_stream.connected", b);
    if (changed && e == E_OK) e = tell_live(db, "live_stream.recording", b);
    return finish_transaction(db, e);
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

/* --- the end --- */

/* No longer active; the event still names the asset. */
static enum err write_idle(struct db *db, const char *live_stream_id, int64_t now)
{
    enum err e = db_exec(db,
                         "UPDATE live_streams SET status = 'idle', connected = 0, recording = 0,"
                         " updated_at = ?2 WHERE id = ?1 AND status = 'active'",
                         "si", live_stream_id, now);
    if (e != E_OK || db_changes(db) == 0) return e;
    return outbox_add(db, "live_stream.idle", OUTBOX_LIVE, live_stream_id);
}

static enum err live_id_of(struct db *db, const char *stream_id, char out[LIVE_ID_CAP])
{
    struct db_rows *q =
        db_query(db, "SELECT live_stream_id FROM streams WHERE id = ?1", "s", stream_id);
    out[0] = 0;
    if (db_next(q)) take(out, LIVE_ID_CAP, db_text(q, 0));
    return db_done(q);
}

enum err live_db_end_by_owner(struct db *db, const char *stream_id)
{
    const int64_t now = clock_wall_us();
    char live_id[LIVE_ID_CAP];
    bool ended = false;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE streams SET status = 'ENDED', ended_at = ?2, ended_reason = 'owner',"
                " duration = (?2 - COALESCE(started_at, ?2)) / 1000000,"
                " recording_status = CASE recording_status WHEN 'RECORDING' THEN"
                " 'PROCESSING' ELSE recording_status END, updated_at = ?2"
                " WHERE id = ?1 AND status <> 'ENDED'",
                "si", stream_id, now);
    if (e == E_OK) ended = db_changes(db) > 0;
    if (e == E_OK) e = live_id_of(db, stream_id, live_id);
    if (e == E_OK) e = write_idle(db, live_id, now);
    e = finish_transaction(db, e);
    return e != E_OK ? e : ended ? E_OK : E_CONFLICT;
}

/* What a run was: of a broadcast, or of what a crash has left. */
struct run {
    const char *stream_id, *live_stream_id, *asset_id;
    enum live_end_reason reason;
    int64_t ended_us;
    const struct recording_info *info;
    bool failed;
};

/* Mux's list of tracks. The ids are ours to choose, and stay. */
static void write_tracks(const struct recording_info *info, struct str *out)
{
    char id[ID_CHARS_TRACK + 1];
    const double s = (double)info->duration_us / US_PER_SEC;
    str_addc(out, '[');
    if (info->video != CODEC_NONE) {
        rand_id(id, ID_CHARS_TRACK);
        str_addf(out, "{\"id\":\"%s\",\"type\":\"video\",\"duration\":%.6f", id, s);
        str_addf(out, ",\"max_width\":%u,\"max_height\":%u", info->width, info->height);
        if (info->fps_milli) str_addf(out, ",\"max_frame_rate\":%.3f", info->fps_milli / 1e3);
        str_addc(out, '}');
    }
    if (info->audio != CODEC_NONE) {
        rand_id(id, ID_CHARS_TRACK);
        str_addf(out, "%s{\"id\":\"%s\",\"type\":\"audio\",\"primary\":true,\"duration\":%.6f}",
                 out->len > 1 ? "," : "", id, s);
    }
    str_addc(out, ']');
}

static enum err end_asset(struct db *db, const struct run *r)
{
    const struct recording_info *info = r->info;
    const bool media = info->duration_us > 0;
    struct str tracks = {0};
    write_tracks(info, &tracks);
    enum err e = db_exec(db,
                         "UPDATE assets SET status = ?2, is_live = 0, duration_us = ?3, width = ?5,"
                         " height = ?6, fps_milli = ?7, tracks = ?8, updated_at = ?4 WHERE id = ?1",
                         "ssiiiiis", r->asset_id, media ? "ready" : "errored", info->duration_us,
                         r->ended_us, (int64_t)info->width, (int64_t)info->height,
                         (int64_t)info->fps_milli, str_c(&tracks));
    str_fini(&tracks);
    if (e != E_OK) return e;
    return outbox_add(db, media ? "asset.live_stream_completed" : "asset.errored", OUTBOX_ASSET,
                      r->asset_id);
}

/* An owner who has ended the stream already keeps the reason and the time. */
static enum err end_stream(struct db *db, const struct run *r)
{
    const bool media = r->info->duration_us > 0;
    const char *state = !r->asset_id[0] ? "NONE" : r->failed ? "FAILED" : media ? "READY" : "NONE";
    return db_exec(
        db,
        "UPDATE streams SET ended_at = CASE status WHEN 'ENDED' THEN ended_at ELSE ?3 END,"
        " ended_reason = CASE status WHEN 'ENDED' THEN ended_reason ELSE ?4 END,"
        " status = 'ENDED', recording_status = ?5,"
        " duration = CASE WHEN ?6 > 0 THEN ?6 / 1000000 ELSE duration END, updated_at = ?3"
        " WHERE id = ?1 AND COALESCE(recording_id, '') = ?2 AND (status = 'LIVE' OR"
        " (status = 'ENDED' AND started_at IS NOT NULL))",
        "ssissi", r->stream_id, r->asset_id, r->ended_us, live_end_reason_name(r->reason), state,
        r->info->duration_us);
}

/* A next run may have begun already: what is its own is left alone. */
static enum err release_live(struct db *db, const char *live_stream_id, const char *asset_id)
{
    return db_exec(db,
                   "UPDATE live_streams SET active_asset_id = NULL, connected = 0, recording = 0"
                   " WHERE id = ?1 AND COALESCE(active_asset_id, '') = ?2",
                   "ss", live_stream_id, asset_id);
}

/* The last word on an asset, and on the stream if this was its last run. */
static enum err write_end(struct db *db, const struct run *r)
{
    enum err e = write_idle(db, r->live_stream_id, r->ended_us);
    if (e == E_OK && r->asset_id[0]) e = end_asset(db, r);
    if (e == E_OK) e = end_stream(db, r);
    if (e == E_OK) e = release_live(db, r->live_stream_id, r->asset_id);
    return e;
}

/* A run that never had a picture or a sound leaves no trace. */
static enum err write_nothing_came(struct db *db, const char *asset_id)
{
    enum err e = outbox_add(db, "asset.deleted", OUTBOX_ASSET, asset_id);
    if (e == E_OK)
        e = db_exec(db, "DELETE FROM playback_ids WHERE kind = 'asset' AND object_id = ?1", "s",
                    asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM assets WHERE id = ?1", "s", asset_id);
    return e;
}

enum err live_db_closed(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_end(db, &(struct run){b->row.stream_id, b->row.live_stream_id, b->asset_id, b->reason,
                                    b->ended_wall_us, &b->info, b->disk_error != E_OK});
    return finish_transaction(db, e);
}

enum err live_db_discard(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_idle(db, b->row.live_stream_id, b->ended_wall_us);
    if (e == E_OK) e = release_live(db, b->row.live_stream_id, b->asset_id);
    if (e == E_OK && db_changes(db)) e = tell_live(db, "live_stream.disconnected", b);
    if (e == E_OK && b->asset_id[0]) e = write_nothing_came(db, b->asset_id);
    return finish_transaction(db, e);
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
        e = write_end(db,
                      &(struct run){x->stream_id, x->live_stream_id, x->asset_id, LIVE_END_RESTART,
                                    info.ended_wall_us ? info.ended_wall_us : now, &info,
                                    x->problem[0] != 0});
    e = finish_transaction(db, e);
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
        e = db_exec(db,
                    "UPDATE live_streams SET status = CASE status WHEN 'active' THEN 'idle' ELSE"
                    " status END, connected = 0, recording = 0, active_asset_id = NULL"
                    " WHERE status = 'active' OR connected = 1 OR active_asset_id IS NOT NULL",
                    "");
    return e;
}

/* --- playback ids and removal --- */

enum err live_db_find_playback(struct db *db, const char *id, struct live_playback *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT p.kind, p.object_id, COALESCE(a.dir, ''), COALESCE(a.stream_id, s.id, ''),"
                 " COALESCE(a.status, ''), COALESCE(a.user_id, s.user_id, ''), p.policy,"
                 " COALESCE(a.duration_us, 0) FROM playback_ids p"
                 " LEFT JOIN assets a ON p.kind = 'asset' AND a.id = p.object_id"
                 " LEFT JOIN streams s ON p.kind = 'live' AND s.live_stream_id = p.object_id"
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
        out->is_signed = strcmp(db_text(q, 6), "public") != 0;
        out->duration_us = db_int(q, 7);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err asset_dir(struct db *db, const char *asset_id, char dir[LIVE_ID_CAP])
{
    struct db_rows *q = db_query(db, "SELECT dir FROM assets WHERE id = ?1", "s", asset_id);
    const bool found = db_next(q);
    if (found) take(dir, LIVE_ID_CAP, db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err remove_rows(struct db *db, const char *asset_id)
{
    enum err e = outbox_add(db, "asset.deleted", OUTBOX_ASSET, asset_id);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET recording_id = NULL, recording_status = 'NONE',"
                    " updated_at = ?2 WHERE recording_id = ?1",
                    "si", asset_id, clock_wall_us());
    if (e == E_OK) e = db_exec(db, "DELETE FROM jobs WHERE asset_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM playback_ids WHERE object_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM assets WHERE id = ?1", "s", asset_id);
    return e;
}

enum err live_db_remove_asset(struct live *l, struct db *db, const char *asset_id)
{
    char dir[LIVE_ID_CAP], path[4096];
    enum err e = asset_dir(db, asset_id, dir);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return e;
    e = finish_transaction(db, remove_rows(db, asset_id));
    if (e == E_OK && live_media_path(l, dir, path, sizeof path)) live_files_remove(path);
    return e;
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
            e = db_begin(db);
            if (e != E_OK) return e;
            e = finish_transaction(db, write_nothing_came(db, ids[i]));
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
