/* SPDX-License-Identifier: MIT */
/* Recordings are removed: rows, then files. */
#include "base/clock.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include "video/outbox.h"
#include "video/recordings.h"
#include "video/renditions.h"
#include <stdio.h>

#define TAKE(field, text) snprintf(field, sizeof(field), "%s", text)

static enum err asset_dir(struct db *db, const char *asset_id, char dir[LIVE_ID_CAP])
{
    struct db_rows *q = db_query(db, "SELECT dir FROM assets WHERE id = ?1", "s", asset_id);
    const bool found = db_next(q);
    if (found) snprintf(dir, LIVE_ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err stream_of(struct db *db, const char *asset_id, char stream[LIVE_ID_CAP])
{
    struct db_rows *q = db_query(db, "SELECT stream_id FROM assets WHERE id = ?1", "s", asset_id);
    snprintf(stream, LIVE_ID_CAP, "%s", db_next(q) ? db_text(q, 0) : "");
    return db_done(q);
}

static enum err remove_rows(struct db *db, const char *asset_id)
{
    char stream[LIVE_ID_CAP];
    enum err e = stream_of(db, asset_id, stream);
    if (e == E_OK) e = recordings_succeed(db, asset_id);
    if (e == E_OK) e = outbox_add(db, "asset.deleted", OUTBOX_ASSET, asset_id);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET recording_id = NULL, recording_status = 'NONE',"
                    " updated_at = ?2 WHERE recording_id = ?1",
                    "si", asset_id, clock_wall_us());
    if (e == E_OK) e = db_exec(db, "DELETE FROM delivery WHERE asset_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM jobs WHERE asset_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM playback_ids WHERE object_id = ?1", "s", asset_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM assets WHERE id = ?1", "s", asset_id);
    /* Its upload is not the stream's any more: the stream has no failure for want of it. */
    if (e == E_OK)
        e = db_exec(db, "UPDATE uploads SET stream_id = NULL WHERE asset_id = ?1", "s", asset_id);
    return e == E_OK && stream[0] ? recordings_settle(db, stream) : e;
}

enum err live_db_remove_asset(struct live *l, struct db *db, const char *asset_id)
{
    char dir[LIVE_ID_CAP], path[4096];
    enum err e = asset_dir(db, asset_id, dir);
    if (e == E_OK) renditions_forget(l, db, asset_id);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return e;
    e = live_db_finish(db, remove_rows(db, asset_id));
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
            renditions_forget(l, db, ids[i]);
            e = db_begin(db);
            if (e != E_OK) return e;
            e = live_db_finish(db, live_db_nothing_came(db, ids[i]));
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

enum err live_remove_old_test(struct live *l, struct db *db, char stream_id[LIVE_ID_CAP])
{
    char id[LIVE_ID_CAP];
    struct db_rows *q = db_query(db,
                                 "SELECT id, COALESCE(stream_id, '') FROM assets WHERE test = 1"
                                 " AND is_live = 0 AND created_at < ?1 LIMIT 1",
                                 "i", clock_wall_us() - LIVE_TEST_KEPT_US);
    const bool found = db_next(q);
    if (found) {
        TAKE(id, db_text(q, 0));
        snprintf(stream_id, LIVE_ID_CAP, "%s", db_text(q, 1));
    }
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    return found ? live_db_remove_asset(l, db, id) : E_NOTFOUND;
}
