/* SPDX-License-Identifier: MIT */
/* Numbered migrations: each runs once, in a transaction that also notes its number. Two programs
 * that start on one folder take turns, because the number is read again inside the transaction. */
#include "base/clock.h"
#include "base/log.h"
#include "store/backend.h"
#include <stdio.h>

static enum err current_version(struct db *db, int64_t *out)
{
    struct db_rows *q = db_query(db, "SELECT max(version) FROM schema_migrations", "");
    int64_t v = 0;
    if (db_next(q)) v = db_int(q, 0);
    const enum err e = db_done(q);
    if (e == E_OK) *out = v;
    return e;
}

static enum err apply(struct db *db, const struct migration *m)
{
    const struct store_backend *be = db->be;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    int64_t now;
    e = current_version(db, &now);
    if (e == E_OK && now < m->version) {
        e = be->script(db->conn, m->sql);
        if (e == E_OK && !be->references_hold(db->conn)) e = E_CONFLICT;
        if (e == E_OK)
            e = db_exec(db,
                        "INSERT INTO schema_migrations (version, name, applied_at) "
                        "VALUES (?1, ?2, ?3)",
                        "isi", (int64_t)m->version, m->name, clock_wall_us());
        if (e == E_OK) log_info("migration", "version=%d name=%s", m->version, m->name);
    }
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err store_migrate(struct db *db, const struct migration *list, size_t n, char *problem,
                       size_t cap)
{
    const struct store_backend *be = db->be;
    enum err e = be->script(db->conn, "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                      "version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                      "applied_at BIGINT NOT NULL);");
    int64_t now = 0;
    if (e == E_OK) e = current_version(db, &now);
    if (e != E_OK) {
        snprintf(problem, cap, "the database cannot be read (%s)", err_text(e));
        return e;
    }
    if (now > (int64_t)n) {
        snprintf(problem, cap,
                 "the data folder was made by a newer bspnode (schema %d; this one knows %d): "
                 "use that one, or a backup from before the upgrade",
                 (int)now, (int)n);
        return E_CONFLICT;
    }
    if (now == (int64_t)n) return E_OK;

    e = be->migrating(db->conn, true);
    for (size_t i = (size_t)now; i < n && e == E_OK; i++) {
        e = apply(db, &list[i]);
        if (e != E_OK)
            snprintf(problem, cap,
                     "upgrading the database failed at step %d, %s (%s); nothing "
                     "of that step was kept",
                     list[i].version, list[i].name, err_text(e));
    }
    const enum err back = be->migrating(db->conn, false);
    return e == E_OK ? back : e;
}

enum err store_version(struct db *db, int *out)
{
    int64_t v;
    const enum err e = current_version(db, &v);
    if (e == E_OK) *out = (int)v;
    return e;
}
