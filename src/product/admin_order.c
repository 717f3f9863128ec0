/* SPDX-License-Identifier: MIT */
/* What the running server is wished to do, as rows: written by the terminal, or beside the change
 * that needs it, so that a server that dies in between does it at its next start. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "product/admin.h"
#include "product/audit.h"
#include <stdio.h>

#define KEPT_US (INT64_C(24) * 3600 * US_PER_SEC)

static enum err order(struct db *db, const char *kind, const char *object_id, char id[ID_CAP])
{
    char fresh[ID_CHARS + 1];
    rand_id(fresh, ID_CHARS);
    const enum err e = db_exec(db,
                               "INSERT INTO admin_orders (id, kind, object_id, created_at)"
                               " VALUES (?1, ?2, ?3, ?4)",
                               "sssi", fresh, kind, object_id, clock_wall_us());
    if (e == E_OK && id) snprintf(id, ID_CAP, "%s", fresh);
    return e;
}

enum err admin_order_end_all(struct db *db, const char *user_id)
{
    char ids[LIMIT_PAGE_ITEMS][ID_CAP];
    for (;;) { /* those that have an order already are left out: so it ends */
        size_t n = 0;
        struct db_rows *q = db_query(db,
                                     "SELECT id FROM streams WHERE user_id = ?1 AND status = 'LIVE'"
                                     " AND NOT EXISTS (SELECT 1 FROM admin_orders o WHERE"
                                     " o.object_id = streams.id AND o.done_at IS NULL) LIMIT ?2",
                                     "si", user_id, (int64_t)LIMIT_PAGE_ITEMS);
        while (n < LIMIT_PAGE_ITEMS && db_next(q)) snprintf(ids[n++], ID_CAP, "%s", db_text(q, 0));
        enum err e = db_done(q);
        for (size_t i = 0; i < n && e == E_OK; i++) e = order(db, "end", ids[i], NULL);
        if (e != E_OK || n < LIMIT_PAGE_ITEMS) return e;
    }
}

static enum err stream_order(struct db *db, const char *actor_id, const char *kind,
                             const char *action, const struct stream *s, const char *reason,
                             char id[ID_CAP])
{
    char detail[LIMIT_AUDIT_DETAIL + 1];
    snprintf(detail, sizeof detail, "%s, of %s%s%s", s->title, s->user_name,
             reason && *reason ? ": " : "", reason ? reason : "");
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = order(db, kind, s->id, id);
    if (e == E_OK) e = audit_add(db, actor_id, action, "stream", s->id, detail);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err admin_end_stream(struct db *db, const char *actor_id, const char *stream_id,
                          const char *reason, char id[ID_CAP], struct problem *p)
{
    struct stream s;
    enum err e = stream_get(db, stream_id, &s, p);
    if (e != E_OK) return e;
    if (s.status != STREAM_LIVE)
        e = problem_set(p, E_CONFLICT, "not_live", NULL, "This stream is not live.");
    if (e == E_OK) e = stream_order(db, actor_id, "end", "stream.end", &s, reason, id);
    stream_fini(&s);
    return problem_of(p, e);
}

enum err admin_delete_stream(struct db *db, const char *actor_id, const char *stream_id,
                             char id[ID_CAP], struct problem *p)
{
    struct stream s;
    enum err e = stream_get(db, stream_id, &s, p);
    if (e != E_OK) return e;
    e = stream_order(db, actor_id, "delete", "stream.delete", &s, NULL, id);
    stream_fini(&s);
    return problem_of(p, e);
}

/* --- carrying out ----------------------------------------------------------------------------- */

struct waiting {
    char id[ID_CAP], object_id[ID_CAP];
    bool end;
};

static bool next_order(struct db *db, struct waiting *out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT id, object_id, kind FROM admin_orders WHERE done_at IS"
                                 " NULL AND kind IN ('end', 'delete') ORDER BY created_at LIMIT 1",
                                 "");
    const bool found = db_next(q);
    if (found) {
        snprintf(out->id, sizeof out->id, "%s", db_text(q, 0));
        snprintf(out->object_id, sizeof out->object_id, "%s", db_text(q, 1));
        out->end = strcmp(db_text(q, 2), "end") == 0;
    }
    return db_done(q) == E_OK && found;
}

static enum err carry_out(struct db *db, const struct stream_runtime *rt, const struct waiting *w,
                          struct problem *p)
{
    struct stream s;
    enum err e = stream_get(db, w->object_id, &s, p);
    if (e == E_NOTFOUND) return E_OK; /* it is gone: what is wanted, or more */
    if (e != E_OK) return e;
    e = w->end ? stream_end(db, rt, s.id, s.user_id, p) : stream_remove(db, rt, s.id, s.user_id, p);
    stream_fini(&s);
    return e == E_NOTFOUND ? E_OK : e;
}

void admin_orders_run(struct db *db, const struct stream_runtime *rt,
                      void (*told)(void *ctx, const char *stream_id), void *ctx)
{
    struct waiting w;
    while (next_order(db, &w)) {
        struct problem p = {0};
        const enum err e = carry_out(db, rt, &w, &p);
        if (e != E_OK) log_warn("order", "stream=%s end=%d: %s", w.object_id, w.end, p.text);
        if (db_exec(db, "UPDATE admin_orders SET done_at = ?2, problem = ?3 WHERE id = ?1", "sis",
                    w.id, clock_wall_us(), e == E_OK ? "" : p.text) != E_OK)
            return; /* the database does not answer: later */
        told(ctx, w.object_id);
    }
}

enum err admin_order_state(struct db *db, const char *id, char *problem, size_t cap)
{
    struct db_rows *q = db_query(
        db, "SELECT done_at IS NOT NULL, problem FROM admin_orders WHERE id = ?1", "s", id);
    const bool found = db_next(q), done = found && db_int(q, 0);
    if (done) snprintf(problem, cap, "%s", db_text(q, 1));
    const enum err e = db_done(q);
    return e != E_OK ? e : !found ? E_NOTFOUND : done ? E_OK : E_CLOSED;
}

enum err admin_orders_sweep(struct db *db)
{
    return db_exec(db, "DELETE FROM admin_orders WHERE done_at < ?1", "i",
                   clock_wall_us() - KEPT_US);
}
