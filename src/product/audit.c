/* SPDX-License-Identifier: MIT */
#include "product/audit.h"
#include "base/clock.h"
#include "base/rand.h"
#include "product/page.h"
#include <stdio.h>

#define DAY_US (INT64_C(24) * 3600 * US_PER_SEC)

enum err audit_add(struct db *db, const char *actor_id, const char *action, const char *object_kind,
                   const char *object_id, const char *detail)
{
    char id[ID_CHARS + 1], cut[LIMIT_AUDIT_DETAIL + 1];
    rand_id(id, ID_CHARS);
    text_cut(span_str(detail ? detail : ""), cut, sizeof cut);
    return db_exec(db,
                   "INSERT INTO audit_log (id, at, actor_id, actor_name, action, object_kind,"
                   " object_id, detail) VALUES (?1, ?2, ?3,"
                   " coalesce((SELECT name FROM users WHERE id = ?3), ''), ?4, ?5, ?6, ?7)",
                   "sisssss", id, clock_wall_us(), actor_id, action, object_kind,
                   object_id ? object_id : "", cut);
}

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

static void take(struct db_rows *q, struct audit_line *l)
{
    TAKE(l->id, 0);
    l->at = db_int(q, 1);
    TAKE(l->actor_id, 2);
    TAKE(l->actor_name, 3);
    TAKE(l->action, 4);
    TAKE(l->object_kind, 5);
    TAKE(l->object_id, 6);
    TAKE(l->detail, 7);
}

enum err audit_list(struct db *db, const struct audit_ask *ask, struct audit_line *out, size_t *n,
                    char next[AUDIT_CURSOR_CAP])
{
    struct page_at at;
    *n = 0;
    next[0] = 0;
    if (!page_at_read(ask->cursor, &at)) return E_INVALID;
    struct db_rows *q = db_query(
        db,
        "SELECT id, at, actor_id, actor_name, action, object_kind, object_id, detail"
        " FROM audit_log WHERE (at < ?1 OR (at = ?1 AND id < ?2))"
        " AND (?3 = '' OR actor_id = ?3 OR (?3 = '-' AND actor_id IS NULL))"
        " AND (?4 = '' OR action = ?4 OR substr(action, 1, length(?4) + 1) = ?4 || '.')"
        " AND (?5 = '' OR object_id = ?5) AND at >= ?6 AND (?7 = 0 OR at < ?7)"
        " ORDER BY at DESC, id DESC LIMIT ?8",
        "issssiii", at.time, at.id, ask->actor ? ask->actor : "", ask->action ? ask->action : "",
        ask->object ? ask->object : "", ask->from, ask->until, (int64_t)ask->limit + 1);
    bool more = false;
    while (db_next(q)) {
        if (*n < ask->limit)
            take(q, &out[(*n)++]);
        else
            more = true;
    }
    const enum err e = db_done(q);
    if (e == E_OK && more) page_at_write(out[*n - 1].at, out[*n - 1].id, next);
    return e;
}

enum err audit_sweep(struct db *db)
{
    return db_exec(db, "DELETE FROM audit_log WHERE at < ?1", "i",
                   clock_wall_us() - LIMIT_AUDIT_DAYS * DAY_US);
}
