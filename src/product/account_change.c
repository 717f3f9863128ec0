/* SPDX-License-Identifier: MIT */
#include "product/account_change.h"
#include "base/clock.h"
#include "product/audit.h"
#include "product/password.h"
#include "product/session.h"
#include <stdio.h>

static const char TAKEN[] = "There is an account with this e-mail address already.";

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err account_rename(struct db *db, const char *user_id, struct span name, struct problem *p)
{
    char checked[TEXT_CAP(LIMIT_NAME_CHARS)];
    enum err e = text_check(name, TEXT_LINE, LIMIT_NAME_CHARS, "name", checked, p);
    if (e != E_OK) return e;
    e = db_exec(db, "UPDATE users SET name = ?2, updated_at = ?3 WHERE id = ?1", "ssi", user_id,
                checked, clock_wall_us());
    return problem_of(p, e);
}

/* "": no password, or no such account. */
static enum err hash_of(struct db *db, const char *user_id, char hash[PASSWORD_HASH_CAP])
{
    struct db_rows *q = db_query(db, "SELECT password_hash FROM users WHERE id = ?1", "s", user_id);
    snprintf(hash, PASSWORD_HASH_CAP, "%s", db_next(q) ? db_text(q, 0) : "");
    return db_done(q);
}

enum err account_has_password(struct db *db, const char *user_id, bool *has)
{
    char hash[PASSWORD_HASH_CAP];
    const enum err e = hash_of(db, user_id, hash);
    *has = hash[0] != 0;
    return e;
}

enum err account_is_confirmed(struct db *db, const char *user_id, bool *is)
{
    struct db_rows *q = db_query(
        db, "SELECT email_confirmed_at IS NOT NULL FROM users WHERE id = ?1", "s", user_id);
    *is = db_next(q) && db_int(q, 0) != 0;
    return db_done(q);
}

enum err account_prove(struct db *db, const char *user_id, struct span password, struct problem *p)
{
    char hash[PASSWORD_HASH_CAP];
    const enum err e = hash_of(db, user_id, hash);
    if (e != E_OK) return problem_of(p, e);
    if (password.len && password.len <= LIMIT_PASSWORD_BYTES &&
        password_matches(password, hash[0] ? hash : NULL))
        return E_OK;
    return problem_set(p, E_INVALID, "wrong_password", "password", "This is not your password.");
}

enum err account_store_password(struct db *db, const char *user_id, const char *hash,
                                struct span keep)
{
    enum err e = db_exec(db,
                         "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1 AND "
                         "closing_at IS NULL",
                         "ssi", user_id, hash, clock_wall_us());
    if (e == E_OK) e = session_end_others(db, user_id, keep);
    if (e == E_OK) e = link_drop(db, user_id, LINK_RESET);
    if (e == E_OK) e = audit_add(db, user_id, "user.password", "user", user_id, NULL);
    return e;
}

enum err account_set_password(struct db *db, const char *user_id, struct span password,
                              struct span keep, const char *field, struct problem *p)
{
    char hash[PASSWORD_HASH_CAP];
    struct user u;
    enum err e = account_get(db, user_id, &u);
    if (e != E_OK) return problem_of(p, e);
    const char *weak = password_weakness(password, u.email, u.name);
    if (weak) return problem_set(p, E_INVALID, "weak_password", field, "%s", weak);
    e = password_hash(password, hash);
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) e = finish(db, account_store_password(db, user_id, hash, keep));
    return problem_of(p, e);
}

/* Links to the address before are good no more. */
enum err account_store_email(struct db *db, const char *user_id, const char *email, const char *key,
                             bool confirmed)
{
    const int64_t now = clock_wall_us();
    enum err e = confirmed
                     ? db_exec(db,
                               "UPDATE users SET email = ?2, email_key = ?3, email_confirmed_at = "
                               "?4, updated_at = ?4 WHERE id = ?1",
                               "sssi", user_id, email, key, now)
                     : db_exec(db,
                               "UPDATE users SET email = ?2, email_key = ?3, email_confirmed_at = "
                               "NULL, updated_at = ?4 WHERE id = ?1",
                               "sssi", user_id, email, key, now);
    for (int kind = LINK_CONFIRM; kind <= LINK_RESET && e == E_OK; kind++)
        e = link_drop(db, user_id, (enum link_kind)kind);
    if (e == E_OK) e = audit_add(db, user_id, "user.email", "user", user_id, NULL);
    return e;
}

enum err account_set_email(struct db *db, const char *user_id, struct span email, struct problem *p)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    enum err e = text_email(email, typed, key, p);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = finish(db, account_store_email(db, user_id, typed, key, false));
    if (e == E_CONFLICT) return problem_set(p, e, "email_taken", "email", "%s", TAKEN);
    return problem_of(p, e);
}
