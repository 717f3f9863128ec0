/* SPDX-License-Identifier: MIT */
#include "video/asset.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "video/outbox.h"
#include <stdio.h>

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, col) take(field, sizeof(field), db_text(q, col))

#define COLUMNS                                                                                    \
    "id, user_id, live_stream_id, stream_id, upload_id, source_asset_id, dir, status, "            \
    "ingest_type, progress_state, error_type, is_live, test, COALESCE(duration_us, -1), "          \
    "COALESCE(thumbnail_time_us, -1), progress, width, height, fps_milli, started_at, "            \
    "master_until, created_at, updated_at, problem, passthrough, meta, options, tracks, "          \
    "input_info, source_file, master_status, master_key, master_file, master_name, "               \
    "master_origin, non_standard"

static void row_read(struct db_rows *q, struct asset *a)
{
    TAKE(a->id, 0);
    TAKE(a->user_id, 1);
    TAKE(a->live_stream_id, 2);
    TAKE(a->stream_id, 3);
    TAKE(a->upload_id, 4);
    TAKE(a->source_asset_id, 5);
    TAKE(a->dir, 6);
    TAKE(a->status, 7);
    TAKE(a->ingest_type, 8);
    TAKE(a->progress_state, 9);
    TAKE(a->error_type, 10);
    a->is_live = db_int(q, 11);
    a->test = db_int(q, 12);
    a->duration_us = db_int(q, 13);
    a->thumbnail_time_us = db_int(q, 14);
    a->progress = db_int(q, 15);
    a->width = db_int(q, 16);
    a->height = db_int(q, 17);
    a->fps_milli = db_int(q, 18);
    a->started_at = db_int(q, 19);
    a->master_until = db_int(q, 20);
    a->created_at = db_int(q, 21);
    a->updated_at = db_int(q, 22);
    a->problem = xstrdup(db_text(q, 23));
    a->passthrough = xstrdup(db_text(q, 24));
    a->meta = xstrdup(db_text(q, 25));
    a->options = xstrdup(db_text(q, 26));
    a->tracks = xstrdup(db_text(q, 27));
    a->input_info = xstrdup(db_text(q, 28));
    TAKE(a->source_file, 29);
    TAKE(a->master_status, 30);
    TAKE(a->master_key, 31);
    TAKE(a->master_file, 32);
    TAKE(a->master_name, 33);
    TAKE(a->master_origin, 34);
    a->non_standard = xstrdup(db_text(q, 35));
}

void asset_fini(struct asset *a)
{
    free(a->problem);
    free(a->passthrough);
    free(a->meta);
    free(a->options);
    free(a->tracks);
    free(a->input_info);
    free(a->non_standard);
    *a = (struct asset){0};
}

enum err asset_get(struct db *db, const char *id, const char *user_id, struct asset *out)
{
    struct asset a = {0};
    struct db_rows *q = db_query(db,
                                 "SELECT " COLUMNS " FROM assets"
                                 " WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
                                 "ss", id, user_id);
    const bool found = db_next(q);
    if (found) row_read(q, &a);
    const enum err e = db_done(q);
    if (e == E_OK && found)
        *out = a;
    else
        asset_fini(&a);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* "time.id" of the last row of the page before. */
static bool cursor_parse(const char *text, int64_t *time, char id[LIVE_ID_CAP])
{
    struct span rest = span_str(text);
    uint64_t v;
    if (!span_u64(span_cut(&rest, '.'), INT64_MAX, &v)) return false;
    *time = (int64_t)v;
    return span_cstr(rest, id, LIVE_ID_CAP);
}

#define PAGE                                                                                       \
    "SELECT id, created_at FROM assets WHERE user_id = ?1"                                         \
    " AND created_at <= ?2 AND (created_at < ?2 OR id < ?3) "
#define PAGE_ORDER "ORDER BY created_at DESC, id DESC LIMIT ?4 OFFSET ?5"

/* Two statements: without a filter the index has all that is needed, so that a page far behind
 * costs little more than the first. */
static struct db_rows *page_query(struct db *db, const struct asset_list *ask, int64_t time,
                                  const char *id)
{
    const int64_t rows = ask->limit + 1, offset = ask->cursor ? 0 : ask->offset;
    if (!ask->live_stream_id && !ask->upload_id)
        return db_query(db, PAGE PAGE_ORDER, "sisii", ask->user_id, time, id, rows, offset);
    return db_query(db,
                    PAGE "AND (?6 IS NULL OR live_stream_id = ?6)"
                         " AND (?7 IS NULL OR upload_id = ?7) " PAGE_ORDER,
                    "sisiiss", ask->user_id, time, id, rows, offset, ask->live_stream_id,
                    ask->upload_id);
}

/* One row more than asked for says whether there is another page. */
enum err asset_list(struct db *db, const struct asset_list *ask, char (*ids)[LIVE_ID_CAP],
                    size_t *n, char next[ASSET_CURSOR_CAP])
{
    int64_t time = INT64_MAX, last = 0;
    char id[LIVE_ID_CAP] = "~";
    *n = 0;
    next[0] = 0;
    if (ask->cursor && !cursor_parse(ask->cursor, &time, id)) return E_INVALID;
    struct db_rows *q = page_query(db, ask, time, id);
    while (db_next(q)) {
        if (*n == (size_t)ask->limit) {
            snprintf(next, ASSET_CURSOR_CAP, "%lld.%s", (long long)last, ids[*n - 1]);
            continue;
        }
        take(ids[(*n)++], LIVE_ID_CAP, db_text(q, 0));
        last = db_int(q, 1);
    }
    return db_done(q);
}

enum err asset_change(struct db *db, const char *id, const char *passthrough, const char *meta,
                      int64_t thumbnail_time_us)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE assets SET passthrough = COALESCE(?2, passthrough), meta = COALESCE(?3,"
                " meta), thumbnail_time_us = CASE ?4 WHEN -2 THEN thumbnail_time_us WHEN -1 THEN"
                " NULL ELSE ?4 END, updated_at = ?5 WHERE id = ?1",
                "sssii", id, passthrough, meta, thumbnail_time_us, clock_wall_us());
    if (e == E_OK && db_changes(db) == 0) e = E_NOTFOUND;
    if (e == E_OK) e = outbox_add(db, "asset.updated", OUTBOX_ASSET, id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}
