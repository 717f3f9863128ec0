/* SPDX-License-Identifier: MIT */
#include "product/account.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "product/password.h"
#include <stdio.h>

static const char TAKEN[] = "There is an account with this e-mail address already.";

static bool email_taken(struct db *db, const char *key)
{
    struct db_rows *q = db_query(db, "SELECT 1 FROM users WHERE email_key = ?1", "s", key);
    const bool taken = db_next(q);
    return db_done(q) == E_OK && taken;
}

/* With a handle. In a transaction. */
static enum err insert_row(struct db *db, struct user *u, const char *key, const char *hash)
{
    const enum err e = db_exec(
        db,
        "INSERT INTO users (id, name, email, email_key, password_hash, role, created_at, "
        "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        "ssssssi", u->id, u->name, u->email, key, hash, u->admin ? "admin" : "user", u->created_at);
    return e == E_OK ? handle_give(db, u->id, u->name, u->handle) : e;
}

static enum err insert(struct db *db, struct user *u, const char *key, const char *hash)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = insert_row(db, u, key, hash);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err account_add(struct db *db, const struct account_new *in, struct user *out,
                     struct problem *p)
{
    struct user u = {.admin = in->admin, .created_at = clock_wall_us()};
    char key[LIMIT_EMAIL_BYTES + 1], hash[PASSWORD_HASH_CAP];
    enum err e = text_check(in->name, TEXT_LINE, LIMIT_NAME_CHARS, "name", u.name, p);
    if (e == E_OK) e = text_email(in->email, u.email, key, p);
    if (e != E_OK) return e;
    const char *weak = password_weakness(in->password, key, u.name);
    if (weak) return problem_set(p, E_INVALID, "weak_password", "password", "%s", weak);
    if (email_taken(db, key))
        return problem_set(p, E_CONFLICT, "email_taken", "email", "%s", TAKEN);

    e = password_hash(in->password, hash);
    if (e != E_OK) return problem_of(p, e);
    rand_id(u.id, ID_CHARS);
    e = insert(db, &u, key, hash);
    if (e == E_CONFLICT) return problem_set(p, e, "email_taken", "email", "%s", TAKEN);
    if (e != E_OK) return problem_of(p, e);
    *out = u;
    return E_OK;
}

enum err account_add_outside(struct db *db, const struct account_outside *in, struct user *out,
                             struct problem *p)
{
    struct user u = {.created_at = clock_wall_us()};
    char key[LIMIT_EMAIL_BYTES + 1];
    enum err e = text_check(in->name, TEXT_LINE, LIMIT_NAME_CHARS, "name", u.name, p);
    if (e == E_OK) e = text_email(in->email, u.email, key, p);
    if (e != E_OK) return e;
    if (email_taken(db, key))
        return problem_set(p, E_CONFLICT, "email_taken", "email", "%s", TAKEN);
    rand_id(u.id, ID_CHARS);
    e = insert_row(db, &u, key, ""); /* no password matches that */
    if (e == E_OK && in->email_verified)
        e = db_exec(db, "UPDATE users SET email_confirmed_at = ?2 WHERE id = ?1", "si", u.id,
                    u.created_at);
    if (e != E_OK) return problem_of(p, e);
    *out = u;
    return E_OK;
}

#define USER_COLUMNS "id, name, email, image, role, created_at, handle"

static void user_read(struct db_rows *q, struct user *u)
{
    *u = (struct user){.admin = strcmp(db_text(q, 4), "admin") == 0, .created_at = db_int(q, 5)};
    snprintf(u->id, sizeof u->id, "%s", db_text(q, 0));
    snprintf(u->name, sizeof u->name, "%s", db_text(q, 1));
    snprintf(u->email, sizeof u->email, "%s", db_text(q, 2));
    snprintf(u->image, sizeof u->image, "%s", db_text(q, 3));
    snprintf(u->handle, sizeof u->handle, "%s", db_text(q, 6));
}

/* The parameters have grown since: the password is here in clear now, and only now. */
static void rehash(struct db *db, const char *id, struct span password)
{
    char hash[PASSWORD_HASH_CAP];
    if (password_hash(password, hash) != E_OK ||
        db_exec(db, "UPDATE users SET password_hash = ?1 WHERE id = ?2", "ss", hash, id) != E_OK)
        log_warn("password", "could not be hashed anew, user=%s", id);
}

enum err account_check(struct db *db, struct span email, struct span password, struct user *out,
                       struct problem *p)
{
    struct user u;
    struct problem ignored;
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1], hash[PASSWORD_HASH_CAP];
    bool known = false;
    if (text_email(email, typed, key, &ignored) != E_OK) key[0] = 0; /* nobody's */
    struct db_rows *q =
        db_query(db,
                 "SELECT " USER_COLUMNS
                 ", password_hash FROM users WHERE email_key = ?1 AND closing_at IS NULL",
                 "s", key);
    if (db_next(q)) {
        known = true;
        user_read(q, &u);
        snprintf(hash, sizeof hash, "%s", db_text(q, 7));
    }
    const enum err e = db_done(q);
    if (e != E_OK) return problem_of(p, e);
    /* Over-long passwords cost the same: they are cut, and then match nothing. */
    const bool fits = password.len <= LIMIT_PASSWORD_BYTES;
    const bool ok =
        password_matches(span_head(password, LIMIT_PASSWORD_BYTES),
                         known && hash[0] ? hash : NULL); /* "": no password, the same time */
    if (!ok || !fits)
        return problem_set(p, E_AUTH, "invalid_credentials", NULL,
                           "The e-mail address or the password is wrong.");
    if (password_is_outdated(hash)) rehash(db, u.id, password);
    *out = u;
    return E_OK;
}

enum err account_get(struct db *db, const char *id, struct user *out)
{
    struct user u;
    struct db_rows *q = db_query(db, "SELECT " USER_COLUMNS " FROM users WHERE id = ?1", "s", id);
    const bool found = db_next(q);
    if (found) user_read(q, &u);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!found) return E_NOTFOUND;
    *out = u;
    return E_OK;
}
