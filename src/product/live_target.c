/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rand.h"
#include "product/live_stream.h"
#include <stdio.h>

static void row_read(struct db_rows *q, struct live_target *t)
{
    snprintf(t->id, sizeof t->id, "%s", db_text(q, 0));
    snprintf(t->live_stream_id, sizeof t->live_stream_id, "%s", db_text(q, 1));
    snprintf(t->url, sizeof t->url, "%s", db_text(q, 2));
    snprintf(t->stream_key, sizeof t->stream_key, "%s", db_text(q, 3));
    snprintf(t->passthrough, sizeof t->passthrough, "%s", db_text(q, 4));
}

static enum err count(struct db *db, const char *live_stream_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM simulcast_targets WHERE live_stream_id = ?1", "s",
                 live_stream_id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err live_target_add(struct db *db, const char *live_stream_id, const struct live_target *t,
                         char id[ID_CAP])
{
    int64_t have = 0;
    const enum err e = count(db, live_stream_id, &have);
    if (e != E_OK) return e;
    if (have >= LIMIT_MUX_TARGETS) return E_LIMIT;
    rand_id(id, ID_CHARS);
    return db_exec(db,
                   "INSERT INTO simulcast_targets (id, live_stream_id, url, stream_key, "
                   "passthrough, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   "sssssi", id, live_stream_id, t->url, t->stream_key, t->passthrough,
                   clock_wall_us() + have);
}

#define SELECT                                                                                     \
    "SELECT id, live_stream_id, url, stream_key, passthrough FROM simulcast_targets "              \
    "WHERE live_stream_id = ?1 "

enum err live_target_get(struct db *db, const char *live_stream_id, const char *id,
                         struct live_target *out)
{
    struct db_rows *q = db_query(db, SELECT "AND id = ?2", "ss", live_stream_id, id);
    const bool found = db_next(q);
    if (found) row_read(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err live_target_list(struct db *db, const char *live_stream_id,
                          struct live_target out[LIMIT_MUX_TARGETS], size_t *n)
{
    struct db_rows *q = db_query(db, SELECT "ORDER BY created_at, id", "s", live_stream_id);
    *n = 0;
    while (*n < LIMIT_MUX_TARGETS && db_next(q)) row_read(q, &out[(*n)++]);
    return db_done(q);
}

enum err live_target_remove(struct db *db, const char *live_stream_id, const char *id)
{
    const enum err e =
        db_exec(db, "DELETE FROM simulcast_targets WHERE id = ?1 AND live_stream_id = ?2", "ss", id,
                live_stream_id);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_NOTFOUND;
}
