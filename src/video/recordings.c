/* SPDX-License-Identifier: MIT */
#include "video/recordings.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include "video/outbox.h"
#include "video/uploads.h"
#include <stdio.h>

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, text) take(field, sizeof(field), text)

/* --- the list -------------------------------------------------------------------------------- */

/* Assets, and uploads that have none (yet). An upload that was cancelled was thrown away. */
#define SELECT                                                                                     \
    "SELECT a.id, (SELECT p.id FROM playback_ids p WHERE p.object_id = a.id AND"                   \
    " p.policy = 'public' ORDER BY p.created_at LIMIT 1), a.dir, a.status, a.is_live,"             \
    " a.id = COALESCE(s.recording_id, '') AND s.uploaded_playback_id = '',"                        \
    " a.upload_id IS NOT NULL, a.progress,"                                                        \
    " COALESCE(a.duration_us, -1), a.width, a.height, a.started_at, a.created_at AS made,"         \
    " a.problem, 0 AS received, -1 AS size, 0 AS remote"                                           \
    " FROM assets a JOIN streams s ON s.id = a.stream_id WHERE s.id = ?1"                          \
    " AND (?2 IS NULL OR a.id = ?2)"                                                               \
    " UNION ALL SELECT u.asset_id, '', '', u.status, 0, 0, 1, -1, -1, 0, 0, 0, u.created_at,"      \
    " u.problem, u.received, COALESCE(u.size, -1), 0 FROM uploads u WHERE u.stream_id = ?1"        \
    " AND u.status IN ('waiting', 'errored', 'timed_out') AND (?2 IS NULL OR u.asset_id = "        \
    "?2)" AT_MUX

/* What browsers uploaded there, and what is there of the last broadcast. */
#define AT_MUX                                                                                     \
    " UNION ALL SELECT m.id, m.playback_id, '', CASE m.status WHEN 'wanted' THEN 'waiting' WHEN"   \
    " 'asset_created' THEN 'preparing' ELSE m.status END, 0,"                                      \
    " m.playback_id <> '' AND m.playback_id = s.uploaded_playback_id, 1, -1,"                      \
    " COALESCE(m.duration * 1000000, -1), 0, 0, 0, m.created_at, m.problem, 0, -1, 1"              \
    " FROM provider_uploads m JOIN streams s ON s.id = m.stream_id WHERE s.id = ?1"                \
    " AND m.status <> 'cancelled' AND (?2 IS NULL OR m.id = ?2)"                                   \
    " UNION ALL SELECT l.remote_asset_id, l.remote_asset_playback_id, '',"                         \
    " CASE l.remote_asset_end WHEN '' THEN 'preparing' ELSE l.remote_asset_end END,"               \
    " s.status = 'LIVE', s.uploaded_playback_id = '', 0, -1, CASE s.uploaded_playback_id"          \
    " WHEN '' THEN COALESCE(s.duration * 1000000, -1) ELSE -1 END, 0, 0, s.started_at,"            \
    " COALESCE(s.started_at, s.created_at), '', 0, -1, 1 FROM live_streams l"                      \
    " JOIN streams s ON s.live_stream_id = l.id WHERE s.id = ?1 AND l.remote = 1"                  \
    " AND l.remote_asset_id <> '' AND (?2 IS NULL OR l.remote_asset_id = ?2)"

static enum recording_state state_of(const char *status, bool is_live)
{
    if (is_live) return STORED_RECORDING;
    if (!strcmp(status, "waiting")) return STORED_UPLOADING;
    if (!strcmp(status, "preparing")) return STORED_PROCESSING;
    return strcmp(status, "ready") == 0 ? STORED_READY : STORED_FAILED;
}

static void row_read(struct db_rows *q, struct stream_recording *r)
{
    *r = (struct stream_recording){.progress = -1};
    TAKE(r->id, db_text(q, 0));
    TAKE(r->playback_id, db_text(q, 1));
    TAKE(r->dir, db_text(q, 2));
    r->state = state_of(db_text(q, 3), db_int(q, 4) != 0);
    r->own = db_int(q, 5) != 0;
    r->from_browser = db_int(q, 6) != 0;
    if (r->state == STORED_PROCESSING) r->progress = (int)db_int(q, 7);
    r->duration_us = db_int(q, 8);
    r->width = db_int(q, 9);
    r->height = db_int(q, 10);
    r->started_at = db_int(q, 11);
    r->created_at = db_int(q, 12);
    TAKE(r->problem, db_text(q, 13));
    r->received = db_int(q, 14);
    r->remote = db_int(q, 16) != 0;
    const int64_t size = db_int(q, 15);
    if (r->state == STORED_UPLOADING && size > 0) r->progress = (int)(r->received * 100 / size);
    if (!strcmp(db_text(q, 3), "timed_out") && !r->problem[0])
        TAKE(r->problem, "The rest of it did not come in time.");
}

static void measure(struct live *l, struct stream_recording *r)
{
    char path[4096];
    if (r->dir[0] && live_media_path(l, r->dir, path, sizeof path))
        r->bytes = live_files_bytes(path);
}

static enum err read_all(struct live *l, struct db *db, const char *stream_id, const char *id,
                         struct stream_recording *out, size_t max, size_t *n)
{
    struct db_rows *q = db_query(db, SELECT " ORDER BY made DESC, 1 DESC LIMIT ?3", "ssi",
                                 stream_id, id, (int64_t)max);
    *n = 0;
    while (*n < max && db_next(q)) row_read(q, &out[(*n)++]);
    const enum err e = db_done(q);
    for (size_t i = 0; e == E_OK && i < *n; i++) measure(l, &out[i]);
    return e;
}

enum err recordings_list(struct live *l, struct db *db, const char *stream_id,
                         struct stream_recording *out, size_t max, size_t *n)
{
    return read_all(l, db, stream_id, NULL, out, max, n);
}

enum err recordings_get(struct live *l, struct db *db, const char *stream_id, const char *id,
                        struct stream_recording *out)
{
    size_t n;
    const enum err e = read_all(l, db, stream_id, id, out, 1, &n);
    return e != E_OK ? e : n ? E_OK : E_NOTFOUND;
}

enum err recordings_progress(struct db *db, const char *stream_id, int *percent)
{
    struct stream_recording r;
    struct db_rows *q = db_query(db, SELECT " ORDER BY made DESC LIMIT 10", "ss", stream_id, NULL);
    *percent = -1;
    while (db_next(q)) {
        row_read(q, &r);
        if (*percent < 0 && (r.state == STORED_UPLOADING || r.state == STORED_PROCESSING))
            *percent = r.progress;
    }
    return db_done(q);
}

/* --- which is the stream's own --------------------------------------------------------------- */

/* The address that people have stays with the stream. */
static enum err swap_playback_ids(struct db *db, const char *a, const char *b)
{
    return db_exec(db,
                   "UPDATE playback_ids SET object_id = CASE object_id WHEN ?1 THEN ?2 ELSE ?1 END"
                   " WHERE kind = 'asset' AND object_id IN (?1, ?2)",
                   "ss", a, b);
}

static enum err take_place(struct db *db, const char *stream_id, const char *from, const char *to)
{
    enum err e = from[0] ? swap_playback_ids(db, from, to) : E_OK;
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET recording_id = ?2, duration ="
                    " (SELECT duration_us / 1000000 FROM assets WHERE id = ?2), updated_at = ?3,"
                    " recording_status = CASE WHEN recording_status IN ('UPLOADING', 'PROCESSING')"
                    " THEN recording_status ELSE 'READY' END WHERE id = ?1",
                    "ssi", stream_id, to, clock_wall_us());
    if (e == E_OK && from[0]) e = outbox_add(db, "asset.updated", OUTBOX_ASSET, from);
    return e == E_OK ? outbox_add(db, "asset.updated", OUTBOX_ASSET, to) : e;
}

static enum err own_of(struct db *db, const char *stream_id, char own[LIVE_ID_CAP], bool *live)
{
    struct db_rows *q = db_query(db,
                                 "SELECT COALESCE(s.recording_id, ''), s.status = 'LIVE' OR EXISTS"
                                 " (SELECT 1 FROM assets a WHERE a.stream_id = s.id AND"
                                 " a.is_live = 1) FROM streams s WHERE s.id = ?1",
                                 "s", stream_id);
    const bool found = db_next(q);
    if (found) {
        take(own, LIVE_ID_CAP, db_text(q, 0));
        *live = db_int(q, 1) != 0;
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* What a browser uploaded to Mux is before everything else; without it the stream has its own. */
static enum err choose_remote(struct db *db, const char *stream_id,
                              const struct stream_recording *r)
{
    const bool uploaded = r->remote && r->from_browser;
    return db_exec(db,
                   "UPDATE streams SET uploaded_playback_id = ?2, updated_at = ?4, duration ="
                   " CASE WHEN ?3 >= 0 THEN ?3 / 1000000 ELSE duration END WHERE id = ?1",
                   "ssii", stream_id, uploaded ? r->playback_id : "", r->duration_us,
                   clock_wall_us());
}

enum err recordings_choose(struct live *l, struct db *db, const char *stream_id, const char *id)
{
    struct stream_recording r;
    char own[LIVE_ID_CAP];
    bool live;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = own_of(db, stream_id, own, &live);
    if (e == E_OK) e = recordings_get(l, db, stream_id, id, &r);
    if (e == E_OK && (live || r.state != STORED_READY)) e = E_CONFLICT;
    if (e == E_OK) e = choose_remote(db, stream_id, &r);
    if (e == E_OK && !r.remote && strcmp(own, id) != 0) e = take_place(db, stream_id, own, id);
    return live_db_finish(db, e);
}

/* --- without one ----------------------------------------------------------------------------- */

enum err recordings_succeed(struct db *db, const char *asset_id)
{
    char stream[LIVE_ID_CAP] = "", next[LIVE_ID_CAP] = "";
    struct db_rows *q =
        db_query(db,
                 "SELECT s.id, a.id FROM streams s JOIN assets a ON a.stream_id = s.id WHERE"
                 " s.recording_id = ?1 AND a.id <> ?1 AND a.status = 'ready' AND a.is_live = 0"
                 " ORDER BY a.created_at DESC, a.id LIMIT 1",
                 "s", asset_id);
    if (db_next(q)) {
        TAKE(stream, db_text(q, 0));
        TAKE(next, db_text(q, 1));
    }
    const enum err e = db_done(q);
    return e == E_OK && next[0] ? take_place(db, stream, asset_id, next) : e;
}

enum err recordings_settle(struct db *db, const char *stream_id)
{
    const enum err e = uploads_settle_stream(db, stream_id);
    if (e != E_OK) return e;
    /* That leaves streams without uploads to the broadcast's own end. */
    return db_exec(db,
                   "UPDATE streams SET updated_at = ?2, recording_status = CASE WHEN EXISTS"
                   " (SELECT 1 FROM assets a WHERE a.id = streams.recording_id AND"
                   "  a.status = 'ready' AND a.problem = '') THEN 'READY'"
                   " WHEN recording_id IS NOT NULL THEN 'FAILED' ELSE 'NONE' END"
                   " WHERE id = ?1 AND status <> 'LIVE' AND NOT EXISTS"
                   " (SELECT 1 FROM uploads u WHERE u.stream_id = streams.id) AND NOT EXISTS"
                   " (SELECT 1 FROM provider_uploads m WHERE m.stream_id = streams.id) AND EXISTS"
                   " (SELECT 1 FROM live_streams l WHERE l.id = streams.live_stream_id AND"
                   "  l.remote = 0) AND NOT EXISTS"
                   " (SELECT 1 FROM assets a WHERE a.stream_id = streams.id AND a.is_live = 1)",
                   "si", stream_id, clock_wall_us());
}

enum err recordings_dismiss(struct db *db, const char *stream_id, const char *id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE uploads SET stream_id = NULL WHERE stream_id = ?1 AND asset_id = ?2 AND"
                " status IN ('errored', 'timed_out')",
                "ss", stream_id, id);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK) e = recordings_settle(db, stream_id);
    return live_db_finish(db, e);
}
