/* SPDX-License-Identifier: MIT */
/* The end of a broadcast in the database, and the ends that a stop in the middle has left. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/live_priv.h"
#include "video/master.h"
#include "video/outbox.h"
#include "video/renditions.h"
#include "video/uploads.h"
#include <stdio.h>

#define TAKE(field, text) snprintf(field, sizeof(field), "%s", text)

enum { ID_CHARS_TRACK = 20 };

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
    if (db_next(q)) snprintf(out, LIVE_ID_CAP, "%s", db_text(q, 0));
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
    if (e == E_OK && ended) e = uploads_settle_stream(db, stream_id);
    e = live_db_finish(db, e);
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
    e = outbox_add(db, media ? "asset.live_stream_completed" : "asset.errored", OUTBOX_ASSET,
                   r->asset_id);
    if (e == E_OK && media) e = renditions_wanted(db, r->asset_id);
    return e == E_OK && media ? master_wanted(db, r->asset_id) : e;
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

/* A test stream that has had its time takes no encoder until it is enabled again. */
static enum err disable_test(struct db *db, const char *live_stream_id, int64_t now)
{
    enum err e = db_exec(db,
                         "UPDATE live_streams SET status = 'disabled', updated_at = ?2"
                         " WHERE id = ?1 AND test = 1 AND status = 'idle'",
                         "si", live_stream_id, now);
    if (e != E_OK || db_changes(db) == 0) return e;
    return outbox_add(db, "live_stream.disabled", OUTBOX_LIVE, live_stream_id);
}

/* The last word on an asset, and on the stream if this was its last run. */
static enum err write_end(struct db *db, const struct run *r)
{
    enum err e = write_idle(db, r->live_stream_id, r->ended_us);
    if (e == E_OK && r->reason == LIVE_END_LIMIT)
        e = disable_test(db, r->live_stream_id, r->ended_us);
    if (e == E_OK && r->asset_id[0]) e = end_asset(db, r);
    if (e == E_OK) e = end_stream(db, r);
    if (e == E_OK) e = uploads_settle_stream(db, r->stream_id); /* the browser's own may follow */
    if (e == E_OK) e = release_live(db, r->live_stream_id, r->asset_id);
    return e;
}

/* A run that never had a picture or a sound leaves no trace. */
enum err live_db_nothing_came(struct db *db, const char *asset_id)
{
    enum err e = outbox_add(db, "asset.deleted", OUTBOX_ASSET, asset_id);
    if (e == E_OK)
        e = db_exec(db, "DELETE FROM playback_ids WHERE kind = 'asset' AND object_id = ?1", "s",
                    asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM delivery WHERE asset_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM assets WHERE id = ?1", "s", asset_id);
    return e;
}

enum err live_db_closed(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_end(db, &(struct run){b->row.stream_id, b->row.live_stream_id, b->asset_id, b->reason,
                                    b->ended_wall_us, &b->info, b->disk_error != E_OK});
    return live_db_finish(db, e);
}

enum err live_db_discard(struct db *db, const struct broadcast *b)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_idle(db, b->row.live_stream_id, b->ended_wall_us);
    if (e == E_OK) e = release_live(db, b->row.live_stream_id, b->asset_id);
    if (e == E_OK && db_changes(db))
        e = outbox_add(db, "live_stream.disconnected", OUTBOX_LIVE, b->row.live_stream_id);
    if (e == E_OK && b->asset_id[0]) e = live_db_nothing_came(db, b->asset_id);
    return live_db_finish(db, e);
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
        e = live_db_nothing_came(db, x->asset_id);
    else
        e = write_end(db,
                      &(struct run){x->stream_id, x->live_stream_id, x->asset_id, LIVE_END_RESTART,
                                    info.ended_wall_us ? info.ended_wall_us : now, &info,
                                    x->problem[0] != 0});
    e = live_db_finish(db, e);
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
                    " updated_at = ?1 WHERE status = 'LIVE' AND live_stream_id NOT IN (SELECT id"
                    " FROM live_streams WHERE remote = 1)", /* those are Mux's, and go on there */
                    "i", clock_wall_us());
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE live_streams SET status = CASE status WHEN 'active' THEN 'idle' ELSE"
                    " status END, connected = 0, recording = 0, active_asset_id = NULL"
                    " WHERE status = 'active' OR connected = 1 OR active_asset_id IS NOT NULL",
                    "");
    return e;
}
