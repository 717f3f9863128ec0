/* SPDX-License-Identifier: MIT */
/* What was sent to an endpoint, page by page, and again. */
#include "base/clock.h"
#include "product/text.h"
#include "product/webhook.h"
#include "video/webhook_body.h"
#include <stdio.h>

#define AGAIN_US (INT64_C(3600) * US_PER_SEC)

#define SELECT                                                                                     \
    "SELECT d.id, d.event_id, e.type, e.object_type, e.object_id, d.state, d.attempts,"            \
    " d.created_at, d.next_at, a.at, a.status, a.took_us FROM webhook_deliveries d"                \
    " JOIN media_events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id"             \
    " LEFT JOIN webhook_attempts a ON a.delivery_id = d.id AND a.at = (SELECT max(b.at)"           \
    "  FROM webhook_attempts b WHERE b.delivery_id = d.id) "                                       \
    "WHERE w.user_id = ?1 AND d.webhook_id = ?2 "

#define PAGE                                                                                       \
    "AND d.created_at <= ?3 AND (d.created_at < ?3 OR d.id < ?4)"                                  \
    " ORDER BY d.created_at DESC, d.id DESC LIMIT ?5"

static enum err missing(struct problem *p)
{
    return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such delivery.");
}

static void read_row(struct db_rows *q, struct webhook_delivery *d)
{
    *d = (struct webhook_delivery){.attempts = db_int(q, 6),
                                   .created_at = db_int(q, 7),
                                   .next_at = db_int(q, 8),
                                   .last_at = db_int(q, 9),
                                   .last_status = db_int(q, 10),
                                   .last_took_us = db_int(q, 11)};
    snprintf(d->id, sizeof d->id, "%s", db_text(q, 0));
    snprintf(d->event_id, sizeof d->event_id, "%s", db_text(q, 1));
    snprintf(d->type, sizeof d->type, "%s", db_text(q, 2));
    snprintf(d->object_type, sizeof d->object_type, "%s", db_text(q, 3));
    snprintf(d->object_id, sizeof d->object_id, "%s", db_text(q, 4));
    snprintf(d->state, sizeof d->state, "%s", db_text(q, 5));
}

/* "time.id"; an id has a full stop of its own. */
static bool read_cursor(const char *text, int64_t *time, const char **id)
{
    struct span rest = span_str(text);
    uint64_t v;
    *time = INT64_MAX;
    *id = "~";
    if (!rest.len) return true;
    if (!span_u64(span_cut(&rest, '.'), INT64_MAX, &v) || !rest.len) return false;
    *time = (int64_t)v;
    *id = (const char *)rest.p;
    return true;
}

/* Whether it is this account's; what waits for it need not be counted. */
static enum err check_owner(struct db *db, const char *user_id, const char *webhook_id,
                            bool *enabled, struct problem *p)
{
    struct db_rows *q = db_query(db, "SELECT enabled FROM webhooks WHERE id = ?1 AND user_id = ?2",
                                 "ss", webhook_id, user_id);
    const bool found = db_next(q);
    *enabled = found && db_int(q, 0);
    const enum err e = db_done(q);
    if (e != E_OK || found) return problem_of(p, e);
    return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such webhook.");
}

enum err webhook_deliveries(struct db *db, const char *user_id, const struct webhook_list_ask *ask,
                            struct webhook_delivery *out, size_t *n, char next[WEBHOOK_CURSOR_CAP],
                            struct problem *p)
{
    struct webhook_delivery d;
    int64_t time;
    const char *id;
    bool more = false, enabled;
    enum err e = check_owner(db, user_id, ask->webhook_id, &enabled, p);
    if (e != E_OK) return e;
    if (!read_cursor(ask->cursor, &time, &id))
        return problem_set(p, E_INVALID, "invalid", "cursor", "This is not a cursor of a page.");
    /* Two statements, each with an index of its own: a page costs the same wherever it is. */
    const int64_t rows = (int64_t)ask->limit + 1;
    struct db_rows *q =
        ask->state ? db_query(db, SELECT "AND d.state = ?6 " PAGE, "ssisis", user_id,
                              ask->webhook_id, time, id, rows, ask->state)
                   : db_query(db, SELECT PAGE, "ssisi", user_id, ask->webhook_id, time, id, rows);
    *n = 0;
    next[0] = 0;
    while (db_next(q)) {
        read_row(q, &d);
        if ((more = *n == ask->limit)) break;
        out[(*n)++] = d;
    }
    e = db_done(q);
    if (e == E_OK && more)
        snprintf(next, WEBHOOK_CURSOR_CAP, "%lld.%s", (long long)out[*n - 1].created_at,
                 out[*n - 1].id);
    return problem_of(p, e);
}

enum err webhook_delivery_get(struct db *db, const char *user_id, const char *webhook_id,
                              const char *id, struct webhook_delivery *out, struct str *body,
                              struct problem *p)
{
    struct db_rows *q = db_query(db, SELECT "AND d.id = ?3", "sss", user_id, webhook_id, id);
    const bool found = db_next(q);
    if (found) read_row(q, out);
    enum err e = db_done(q);
    if (e == E_OK && !found) return missing(p);
    const int before = out->attempts > 0 ? (int)out->attempts - 1 : 0;
    if (e == E_OK) e = webhook_body_write(db, id, before, body);
    return problem_of(p, e);
}

struct db_rows *webhook_attempts(struct db *db, const char *delivery_id)
{
    return db_query(db,
                    "SELECT answer, status, at, took_us FROM webhook_attempts"
                    " WHERE delivery_id = ?1 ORDER BY at",
                    "s", delivery_id);
}

enum err webhook_send_again(struct db *db, const char *user_id, const char *webhook_id,
                            const char *id, struct problem *p)
{
    const int64_t now = clock_wall_us();
    bool enabled;
    enum err e = check_owner(db, user_id, webhook_id, &enabled, p);
    if (e != E_OK) return e;
    if (!enabled)
        return problem_set(p, E_CONFLICT, "disabled", NULL,
                           "This webhook is switched off; switch it on first.");
    /* What still waits keeps the longer time. */
    e = db_exec(db,
                "UPDATE webhook_deliveries SET state = 'waiting', next_at = ?3, give_up_at ="
                " CASE WHEN next_at IS NOT NULL AND give_up_at > ?4 THEN give_up_at ELSE ?4 END"
                " WHERE id = ?1 AND webhook_id = ?2",
                "ssii", id, webhook_id, now, now + AGAIN_US);
    return e == E_OK && !db_changes(db) ? missing(p) : problem_of(p, e);
}
