/* SPDX-License-Identifier: MIT */
#include "product/admin.h"
#include "base/clock.h"
#include "base/rand.h"
#include "product/account_close.h"
#include "product/audit.h"
#include "product/password.h"
#include <stdio.h>

static enum err no_user(struct problem *p)
{
    return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such user.");
}

static enum err settle(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err admin_may_sign_in(struct db *db, const char *user_id, struct problem *p)
{
    char why[TEXT_CAP(LIMIT_NOTE_CHARS)] = "";
    struct db_rows *q =
        db_query(db, "SELECT suspended_at IS NOT NULL, suspended_reason FROM users WHERE id = ?1",
                 "s", user_id);
    const bool found = db_next(q), suspended = found && db_int(q, 0);
    if (suspended) snprintf(why, sizeof why, "%s", db_text(q, 1));
    const enum err e = db_done(q);
    if (e != E_OK) return problem_of(p, e);
    if (!found) return no_user(p);
    if (!suspended) return E_OK;
    return problem_set(p, E_AUTH, "suspended", NULL, "This account is suspended%s%.150s",
                       *why ? ": " : ".", why);
}

/* Whether another account is left that can administer; within the transaction. */
static enum err not_the_last(struct db *db, const char *user_id, struct problem *p)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT role = 'admin', (SELECT COUNT(*) FROM users WHERE role ="
                 " 'admin' AND suspended_at IS NULL AND closing_at IS NULL AND id <> ?1)"
                 " FROM users WHERE id = ?1",
                 "s", user_id);
    const bool found = db_next(q), last = found && db_int(q, 0) && !db_int(q, 1);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!found) return no_user(p);
    if (!last) return E_OK;
    return problem_set(p, E_CONFLICT, "last_admin", NULL,
                       "This is the last administrator; make another one first.");
}

static enum err not_oneself(const char *actor_id, const char *user_id, struct problem *p)
{
    if (!actor_id || strcmp(actor_id, user_id) != 0) return E_OK;
    return problem_set(p, E_CONFLICT, "yourself", NULL, "Another administrator must do this.");
}

/* The name, for the line of the audit log. */
static void name_of(struct db *db, const char *user_id, char out[TEXT_CAP(LIMIT_NAME_CHARS)])
{
    struct user u;
    snprintf(out, TEXT_CAP(LIMIT_NAME_CHARS), "%s",
             account_get(db, user_id, &u) == E_OK ? u.name : "");
}

static enum err note(struct db *db, const char *actor_id, const char *action, const char *user_id,
                     const char *words)
{
    char name[TEXT_CAP(LIMIT_NAME_CHARS)];
    char detail[TEXT_CAP(LIMIT_NAME_CHARS) + TEXT_CAP(LIMIT_NOTE_CHARS) + 4];
    name_of(db, user_id, name);
    snprintf(detail, sizeof detail, "%s%s%s", name, *words ? ": " : "", words);
    return audit_add(db, actor_id, action, "user", user_id, detail);
}

static enum err shut_out(struct db *db, const char *user_id)
{
    enum err e = db_exec(db, "DELETE FROM sessions WHERE user_id = ?1", "s", user_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM api_tokens WHERE user_id = ?1", "s", user_id);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE uploads SET status = 'cancelled', updated_at = ?2 WHERE user_id = ?1"
                    " AND status = 'waiting'",
                    "si", user_id, clock_wall_us());
    return e == E_OK ? admin_order_end_all(db, user_id) : e;
}

enum err admin_suspend(struct db *db, const char *actor_id, const char *user_id, struct span reason,
                       struct problem *p)
{
    char why[TEXT_CAP(LIMIT_NOTE_CHARS)];
    enum err e = text_check(reason, TEXT_LINES, LIMIT_NOTE_CHARS, "reason", why, p);
    if (e == E_OK) e = not_oneself(actor_id, user_id, p);
    if (e != E_OK) return e;
    e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = not_the_last(db, user_id, p);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE users SET suspended_at = COALESCE(suspended_at, ?2),"
                    " suspended_reason = ?3, updated_at = ?2 WHERE id = ?1",
                    "sis", user_id, clock_wall_us(), why);
    if (e == E_OK) e = shut_out(db, user_id);
    if (e == E_OK) e = note(db, actor_id, "user.suspend", user_id, why);
    return problem_of(p, settle(db, e));
}

enum err admin_unsuspend(struct db *db, const char *actor_id, const char *user_id,
                         struct problem *p)
{
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = db_exec(db,
                "UPDATE users SET suspended_at = NULL, suspended_reason = '', updated_at = ?2"
                " WHERE id = ?1",
                "si", user_id, clock_wall_us());
    if (e == E_OK && !db_changes(db)) e = no_user(p);
    if (e == E_OK) e = note(db, actor_id, "user.unsuspend", user_id, "");
    return problem_of(p, settle(db, e));
}

enum err admin_set_role(struct db *db, const char *actor_id, const char *user_id, bool admin,
                        struct problem *p)
{
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    if (!admin) e = not_the_last(db, user_id, p);
    if (e == E_OK)
        e = db_exec(db, "UPDATE users SET role = ?2, updated_at = ?3 WHERE id = ?1", "ssi", user_id,
                    admin ? "admin" : "user", clock_wall_us());
    if (e == E_OK && !db_changes(db)) e = no_user(p);
    if (e == E_OK) e = note(db, actor_id, "user.role", user_id, admin ? "admin" : "user");
    return problem_of(p, settle(db, e));
}

#define QUOTA_MAX INT64_C(1125899906842624)

enum err admin_set_quota(struct db *db, const char *actor_id, const char *user_id, int64_t bytes,
                         struct problem *p)
{
    char words[32] = "the setting";
    if (bytes < -1 || bytes > QUOTA_MAX)
        return problem_set(p, E_INVALID, "invalid", "bytes",
                           "This must be a number of bytes up to %lld; 0: no limit.",
                           (long long)QUOTA_MAX);
    if (bytes >= 0) snprintf(words, sizeof words, "%lld bytes", (long long)bytes);
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = db_exec(db,
                "UPDATE users SET storage_quota = NULLIF(CAST(?2 AS BIGINT), -1), updated_at = ?3"
                " WHERE id = ?1",
                "sii", user_id, bytes, clock_wall_us());
    if (e == E_OK && !db_changes(db)) e = no_user(p);
    if (e == E_OK) e = note(db, actor_id, "user.quota", user_id, words);
    return problem_of(p, settle(db, e));
}

void admin_new_password(char out[ADMIN_PASSWORD_CAP])
{
    static const char SET[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 of them: 80 bits */
    uint8_t random[ADMIN_PASSWORD_CAP - 1];
    rand_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) out[i] = SET[random[i] % (sizeof SET - 1)];
    out[sizeof random] = 0;
    explicit_bzero(random, sizeof random);
}

enum err admin_set_password(struct db *db, const char *actor_id, const char *user_id,
                            struct span password, struct problem *p)
{
    struct user u;
    char hash[PASSWORD_HASH_CAP], key[LIMIT_EMAIL_BYTES + 1], typed[LIMIT_EMAIL_BYTES + 1];
    struct problem ignored;
    if (account_get(db, user_id, &u) != E_OK) return no_user(p);
    if (text_email(span_str(u.email), typed, key, &ignored) != E_OK) key[0] = 0;
    const char *weak = password_weakness(password, key, u.name);
    if (weak) return problem_set(p, E_INVALID, "weak_password", "password", "%s", weak);
    enum err e = password_hash(password, hash);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = db_exec(db, "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1", "ssi",
                user_id, hash, clock_wall_us());
    if (e == E_OK) e = db_exec(db, "DELETE FROM sessions WHERE user_id = ?1", "s", user_id);
    if (e == E_OK) e = note(db, actor_id, "user.password", user_id, "");
    return problem_of(p, settle(db, e));
}

enum err admin_delete_user(struct db *db, const char *actor_id, const char *user_id,
                           struct problem *p)
{
    enum err e = not_oneself(actor_id, user_id, p);
    if (e == E_OK) e = not_the_last(db, user_id, p);
    if (e == E_OK) e = account_close(db, user_id, actor_id);
    return e == E_NOTFOUND || e == E_CONFLICT ? (p->code ? e : no_user(p)) : problem_of(p, e);
}
