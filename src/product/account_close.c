/* SPDX-License-Identifier: MIT */
#include "product/account_close.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "product/avatar.h"
#include <stdio.h>

#define AGAIN_US (60 * US_PER_SEC)

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static enum err each(struct db *db, const char *const *sql, size_t n, const char *user_id)
{
    enum err e = E_OK;
    for (size_t i = 0; i < n && e == E_OK; i++) e = db_exec(db, sql[i], "s", user_id);
    return e;
}

/* --- the mark --------------------------------------------------------------------------------- */

static enum err not_the_last(struct db *db, const char *user_id)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT 1 FROM users WHERE id = ?1 AND role = 'admin' AND NOT EXISTS (SELECT 1 "
                 "FROM users o WHERE o.role = 'admin' AND o.suspended_at IS NULL AND o.id <> ?1)",
                 "s", user_id);
    const bool last = db_next(q);
    const enum err e = db_done(q);
    return e == E_OK && last ? E_LIMIT : e;
}

static enum err mark(struct db *db, const char *user_id, const char *actor_id)
{
    /* What lets somebody in, or sends something out. */
    static const char *const NOW[] = {
        "DELETE FROM sessions WHERE user_id = ?1",
        "DELETE FROM api_tokens WHERE user_id = ?1",
        "DELETE FROM account_links WHERE user_id = ?1",
        "DELETE FROM webhooks WHERE user_id = ?1",
        "UPDATE live_streams SET status = 'disabled' WHERE user_id = ?1",
    };
    /* With the name that it still has. */
    enum err e = not_the_last(db, user_id);
    if (e == E_OK) e = audit_add(db, actor_id, "user.delete", "user", user_id, NULL);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE users SET closing_at = ?2, updated_at = ?2, name = 'Deleted account', "
                    "role = 'user', "
                    "email = '', email_key = 'closing ' || id, password_hash = '', "
                    "handle = NULL, about = '' WHERE id = ?1 AND closing_at IS NULL",
                    "si", user_id, clock_wall_us());
    if (e == E_OK && db_changes(db) == 0) e = E_CONFLICT;
    if (e == E_OK) e = each(db, NOW, sizeof NOW / sizeof *NOW, user_id);
    return e;
}

enum err account_close(struct db *db, const char *user_id, const char *actor_id)
{
    struct user u;
    enum err e = account_get(db, user_id, &u);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return e;
    return finish(db, mark(db, user_id, actor_id));
}

/* --- what takes time -------------------------------------------------------------------------- */

/* The first row's first column; "" without one. */
static enum err one(struct db *db, const char *sql, const char *user_id, char out[ID_CAP])
{
    struct db_rows *q = db_query(db, sql, "s", user_id);
    snprintf(out, ID_CAP, "%s", db_next(q) ? db_text(q, 0) : "");
    return db_done(q);
}

struct rooms {
    char (*ids)[ID_CAP];
    size_t n;
};

static enum err rooms_of(struct db *db, const char *user_id, struct rooms *r)
{
    struct db_rows *q = db_query(
        db, "SELECT DISTINCT stream_id FROM chat_messages WHERE user_id = ?1", "s", user_id);
    while (db_next(q)) {
        r->ids = xrealloc(r->ids, (r->n + 1) * sizeof *r->ids);
        snprintf(r->ids[r->n++], ID_CAP, "%s", db_text(q, 0));
    }
    return db_done(q);
}

/* What names the account without a reference that would take it along. */
static enum err remove_rows(struct db *db, const char *user_id)
{
    static const char *const LAST[] = {
        "DELETE FROM media_events WHERE user_id = ?1",
        "DELETE FROM jobs WHERE user_id = ?1",
        "DELETE FROM provider_uploads WHERE user_id = ?1",
        "DELETE FROM users WHERE id = ?1",
    };
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    return finish(db, each(db, LAST, sizeof LAST / sizeof *LAST, user_id));
}

static enum err remove_account(struct db *db, const struct account_closing *c, const char *user_id)
{
    struct rooms rooms = {0};
    enum err e = rooms_of(db, user_id, &rooms);
    if (e == E_OK) e = remove_rows(db, user_id);
    for (size_t i = 0; i < rooms.n && e == E_OK; i++) c->room_changed(c->ctx, rooms.ids[i]);
    free(rooms.ids);
    if (e == E_OK) log_info("account_deleted", "user=%s", user_id);
    return e;
}

/* The picture of the person first; uploads before what they become, streams before what is nobody's
 * stream's. */
static enum err step(struct db *db, const struct account_closing *c, const char *user_id)
{
    char id[ID_CAP];
    struct problem p = {0};
    enum err e = one(db, "SELECT 'image' FROM users WHERE id = ?1 AND image <> ''", user_id, id);
    if (e != E_OK) return e;
    if (id[0]) return avatar_clear(db, c->data, user_id);
    e = one(db, "SELECT id FROM uploads WHERE user_id = ?1 AND status = 'waiting' LIMIT 1", user_id,
            id);
    if (e != E_OK) return e;
    if (id[0]) {
        e = uploads_cancel(c->uploads, db, user_id, id);
        return e == E_CONFLICT ? E_OK : e;
    }
    e = one(db, "SELECT id FROM streams WHERE user_id = ?1 LIMIT 1", user_id, id);
    if (e != E_OK) return e;
    if (id[0]) {
        e = stream_remove(db, c->runtime, id, user_id, &p);
        if (e == E_OK) c->stream_gone(c->ctx, id);
        return e;
    }
    e = one(db, "SELECT id FROM assets WHERE user_id = ?1 LIMIT 1", user_id, id);
    if (e != E_OK) return e;
    return id[0] ? live_remove_asset(c->live, db, id) : remove_account(db, c, user_id);
}

enum err account_close_step(struct db *db, const struct account_closing *c)
{
    char user_id[ID_CAP] = "";
    const int64_t now = clock_wall_us();
    struct db_rows *q = db_query(
        db, "SELECT id FROM users WHERE closing_at <= ?1 ORDER BY closing_at LIMIT 1", "i", now);
    if (db_next(q)) snprintf(user_id, sizeof user_id, "%s", db_text(q, 0));
    enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!user_id[0]) return E_NOTFOUND;
    e = step(db, c, user_id);
    if (e == E_OK) return e;
    log_warn("account_delete", "user=%s is not removed yet: %s", user_id, err_text(e));
    return db_exec(db, "UPDATE users SET closing_at = ?2 WHERE id = ?1", "si", user_id,
                   now + AGAIN_US);
}
