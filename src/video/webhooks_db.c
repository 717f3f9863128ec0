/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/xalloc.h"
#include "video/webhooks_priv.h"
#include <stdio.h>

static bool read_endpoint(const struct webhooks_config *cfg, struct db_rows *q,
                          struct endpoint_row *r)
{
    if (!span_cstr(span_str(db_text(q, 0)), r->id, sizeof r->id)) return false;
    r->address = xstrdup(db_text(q, 1));
    if (cfg->open_secret(cfg->secret, r->id, db_blob(q, 2), r->secret, sizeof r->secret) != E_OK)
        r->secret[0] = 0;
    r->next_at = db_int(q, 3);
    return true;
}

enum err webhooks_db_endpoints(const struct webhooks_config *cfg, struct db *db,
                               struct endpoint_row **out, size_t *n)
{
    struct endpoint_row *rows = NULL;
    size_t len = 0, cap = 0;
    struct db_rows *q = db_query(
        db,
        "SELECT w.id, w.address, w.secret_sealed, (SELECT min(d.next_at) FROM webhook_deliveries d"
        " WHERE d.webhook_id = w.id AND d.next_at IS NOT NULL) FROM webhooks w"
        " WHERE w.enabled = 1 AND EXISTS (SELECT 1 FROM webhook_deliveries d"
        " WHERE d.webhook_id = w.id AND d.next_at IS NOT NULL)",
        "");
    while (db_next(q)) {
        if (len == cap) rows = xrealloc(rows, (cap = cap ? 2 * cap : 16) * sizeof *rows);
        if (read_endpoint(cfg, q, &rows[len])) len++;
    }
    *out = rows;
    *n = len;
    return db_done(q);
}

/* The plus keeps the planner on the index of ages: the oldest are read first, and no more than
 * needed. */
enum err webhooks_db_due(struct db *db, const char *webhook_id, int64_t now,
                         struct delivery_row *out, size_t cap, size_t *n)
{
    struct db_rows *q = db_query(
        db,
        "SELECT d.id, e.object_id, d.attempts, d.give_up_at FROM webhook_deliveries d"
        " JOIN media_events e ON e.id = d.event_id"
        " WHERE d.webhook_id = ?1 AND d.next_at IS NOT NULL AND +d.next_at <= ?2"
        " AND NOT EXISTS (SELECT 1 FROM webhook_deliveries b JOIN media_events f"
        "  ON f.id = b.event_id WHERE b.webhook_id = d.webhook_id AND b.next_at IS NOT NULL"
        "  AND b.created_at < d.created_at AND b.attempts < ?4 AND f.object_id = e.object_id)"
        " ORDER BY d.created_at LIMIT ?3",
        "siii", webhook_id, now, (int64_t)cap, (int64_t)ORDER_ATTEMPTS);
    *n = 0;
    while (*n < cap && db_next(q)) {
        struct delivery_row *r = &out[*n];
        if (!span_cstr(span_str(db_text(q, 0)), r->id, sizeof r->id) ||
            !span_cstr(span_str(db_text(q, 1)), r->object_id, sizeof r->object_id))
            continue;
        r->attempts = (int)db_int(q, 2);
        r->give_up_at = db_int(q, 3);
        (*n)++;
    }
    return db_done(q);
}

enum err webhooks_db_next(struct db *db, const char *webhook_id, int64_t now, int64_t *out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT min(next_at) FROM webhook_deliveries WHERE webhook_id = ?1"
                                 " AND next_at IS NOT NULL AND next_at > ?2",
                                 "si", webhook_id, now);
    *out = db_next(q) && !db_null(q, 0) ? db_int(q, 0) : INT64_MAX;
    return db_done(q);
}

/* The delivery may have gone meanwhile, with its endpoint. */
static enum err write_attempt(struct db *db, const struct attempt *a)
{
    const bool again = !a->success && a->next_at >= 0;
    const char *state = a->success ? "delivered" : again ? "waiting" : "given_up";
    enum err e = again
                     ? db_exec(db,
                               "UPDATE webhook_deliveries SET attempts = attempts + 1, state = ?2,"
                               " next_at = ?3 WHERE id = ?1",
                               "ssi", a->delivery_id, state, a->next_at)
                     : db_exec(db,
                               "UPDATE webhook_deliveries SET attempts = attempts + 1, state = ?2,"
                               " next_at = NULL WHERE id = ?1",
                               "ss", a->delivery_id, state);
    if (e != E_OK || !db_changes(db)) return e;
    return db_exec(db,
                   "INSERT INTO webhook_attempts (delivery_id, at, status, answer, took_us)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
                   "siisi", a->delivery_id, a->at, (int64_t)a->status, a->answer, a->took_us);
}

enum err webhooks_db_record(struct db *db, const struct attempt *a)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_attempt(db, a);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err webhooks_db_hurry(struct db *db, const char *webhook_id, int64_t now)
{
    return db_exec(db,
                   "UPDATE webhook_deliveries SET next_at = ?2 WHERE webhook_id = ?1"
                   " AND next_at IS NOT NULL AND next_at > ?2",
                   "si", webhook_id, now);
}

/* Rows are removed a few at a time: other writers wait for each. */
enum { SWEEP_ROWS = 200, SWEEP_ROUNDS = 50 };

enum err webhooks_db_sweep(struct db *db, int64_t now)
{
    enum err e = db_exec(db,
                         "UPDATE webhook_deliveries SET state = 'given_up', next_at = NULL"
                         " WHERE next_at IS NOT NULL AND give_up_at < ?1",
                         "i", now);
    if (e == E_OK && db_changes(db))
        log_warn("webhooks", "deliveries=%lld given up: their endpoints have not taken them",
                 (long long)db_changes(db));
    for (int i = 0; i < SWEEP_ROUNDS && e == E_OK; i++) {
        e = db_exec(db,
                    "DELETE FROM media_events WHERE id IN (SELECT id FROM media_events"
                    " WHERE created_at < ?1 LIMIT ?2)",
                    "ii", now - EVENTS_KEPT_US, (int64_t)SWEEP_ROWS);
        if (e != E_OK || db_changes(db) < SWEEP_ROWS) break;
    }
    return e;
}
