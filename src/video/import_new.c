/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rand.h"
#include "video/import.h"
#include "video/outbox.h"
#include "video/renditions.h"
#include "video/text_tracks.h"
#include <stdio.h>

#define ASSET_ID_CHARS 24

static const char *text(const char *t)
{
    return t ? t : "";
}

static enum err check_source(struct db *db, const struct import_new *n)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT status, is_live, COALESCE(duration_us, 0) FROM assets WHERE id = ?1 AND"
                 " user_id = ?2",
                 "ss", n->source_asset_id, n->user_id);
    enum err e = E_NOTFOUND;
    if (db_next(q)) {
        e = strcmp(db_text(q, 0), "ready") != 0 || db_int(q, 1)       ? E_CONFLICT
            : n->start_us >= n->end_us || n->start_us >= db_int(q, 2) ? E_INVALID
                                                                      : E_OK;
    }
    const enum err done = db_done(q);
    return done != E_OK ? done : e;
}

static enum err insert(struct db *db, const struct import_new *n, const char *id)
{
    return db_exec(db,
                   "INSERT INTO assets (id, user_id, status, is_live, dir, ingest_type,"
                   " source_asset_id, passthrough, meta, options, inputs, test, source_file,"
                   " master_origin, progress_state, progress, created_at, updated_at) VALUES"
                   " (?1, ?2, 'preparing', 0, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                   " 'ingesting', 0, ?12, ?12)",
                   "ssssssssissi", id, n->user_id, n->url ? "on_demand_url" : "on_demand_clip",
                   n->url ? NULL : n->source_asset_id, text(n->passthrough), text(n->meta),
                   text(n->options), text(n->inputs), (int64_t)n->test,
                   n->keep_source && n->url ? IMPORT_SOURCE_FILE : NULL, text(n->origin),
                   clock_wall_us());
}

static enum err queue(struct db *db, const struct import_new *n, const char *id)
{
    char clip[128], end[24] = "-";
    if (n->url) return jobs_queue(db, "fetch", id, n->user_id, n->url);
    if (n->end_us < INT64_MAX) snprintf(end, sizeof end, "%lld", (long long)n->end_us);
    snprintf(clip, sizeof clip, "%s %lld %s", n->source_asset_id, (long long)n->start_us, end);
    return jobs_queue(db, "clip", id, n->user_id, clip);
}

static enum err create(struct db *db, const struct import_new *n, const char *id,
                       const struct text_clips *texts)
{
    enum err e = n->url ? E_OK : check_source(db, n);
    if (e == E_OK) e = insert(db, n, id);
    for (size_t i = 0; i < n->n_policies && e == E_OK; i++) {
        struct playback_id p;
        e = playback_id_add(db, "asset", id, n->policies[i], &p);
    }
    if (e == E_OK) e = queue(db, n, id);
    if (e == E_OK) e = outbox_add(db, "asset.created", OUTBOX_ASSET, id);
    if (e == E_OK) e = text_tracks_insert(db, id, n->user_id, n->texts, n->n_texts);
    if (e == E_OK) e = text_clips_insert(db, id, texts);
    return e == E_OK ? renditions_wanted(db, id) : e;
}

enum err import_create(struct db *db, const struct import_new *n, char id[LIVE_ID_CAP])
{
    struct text_clips texts = {0};
    rand_id(id, ASSET_ID_CHARS);
    enum err e = E_OK;
    if (!n->url)
        e = text_clips_cut(db, n->source_asset_id, n->user_id, n->start_us, n->end_us, &texts);
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) {
        e = create(db, n, id, &texts);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    text_clips_fini(&texts);
    if (e == E_OK) jobs_wake();
    return e;
}
