/* SPDX-License-Identifier: MIT */
#include "product/stream_viewers.h"
#include "base/clock.h"

#define KEPT_US (24 * 3600 * US_PER_SEC)

static enum err insert(struct db *db, const char *id, const struct stream_viewer *v, int64_t *added)
{
    const enum err e = db_exec(db,
                               "INSERT INTO stream_viewers (stream_id, page, who)"
                               " SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM streams"
                               " WHERE id = ?1) ON CONFLICT DO NOTHING",
                               "sii", id, (int64_t)v->page, (int64_t)v->who);
    if (e == E_OK) *added += db_changes(db);
    return e;
}

enum err stream_note_viewers(struct db *db, const char *stream_id, const struct stream_viewer *v,
                             size_t n)
{
    int64_t added[2] = {0};
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    for (size_t i = 0; i < n && e == E_OK; i++) e = insert(db, stream_id, &v[i], &added[v[i].page]);
    if (e == E_OK && (added[0] || added[1]))
        e = db_exec(db,
                    "UPDATE streams SET total_players = total_players + ?2,"
                    " total_pages = total_pages + ?3 WHERE id = ?1",
                    "sii", stream_id, added[0], added[1]);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err stream_viewers_sweep(struct db *db)
{
    return db_exec(db,
                   "DELETE FROM stream_viewers WHERE stream_id IN (SELECT id FROM streams"
                   " WHERE status = 'ENDED' AND ended_at < ?1)",
                   "i", clock_wall_us() - KEPT_US);
}
