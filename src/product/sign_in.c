/* SPDX-License-Identifier: MIT */
#include "product/sign_in.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "product/audit.h"
#include <stdio.h>

enum { HEX_CAP = 2 * SHA256_LEN + 1 };

bool sign_in_next_is_ours(struct span path)
{
    if (path.len == 0 || path.len > LIMIT_NEXT_BYTES || path.p[0] != '/') return false;
    /* Browsers read a backslash as a slash, and drop tabs and line feeds. */
    for (size_t i = 0; i < path.len; i++)
        if (path.p[i] <= ' ' || path.p[i] >= 127 || path.p[i] == '\\') return false;
    return path.len == 1 || path.p[1] != '/';
}

/* --- on the way ------------------------------------------------------------------------------- */

/* 256 random bits need no slow hash. */
static void hash_token(struct span token, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(token, h);
    hash_hex(span_of(h, sizeof h), hex);
}

static void make_token(char out[SIGN_IN_TOKEN_CAP])
{
    uint8_t random[32];
    rand_bytes(random, sizeof random);
    hash_b64url(span_of(random, sizeof random), out);
}

static bool is_token(const char *s)
{
    return strlen(s) == SIGN_IN_TOKEN_CAP - 1 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               SIGN_IN_TOKEN_CAP - 1;
}

static enum err insert_flow(struct db *db, const struct sign_in *in, const char *state,
                            const char *browser)
{
    const int64_t now = clock_wall_us();
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "DELETE FROM sign_ins WHERE expires_at <= ?1 OR state_hash IN (SELECT state_hash "
                "FROM sign_ins ORDER BY expires_at DESC LIMIT -1 OFFSET ?2)",
                "ii", now, (int64_t)LIMIT_OIDC_FLOWS - 1);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO sign_ins (state_hash, browser_hash, user_id, next, redirect_uri, "
                    "expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    "sssssi", state, browser, in->user_id[0] ? in->user_id : NULL, in->next,
                    in->redirect_uri, now + LIMIT_OIDC_FLOW_S * US_PER_SEC);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err sign_in_begin(struct db *db, const struct sign_in *in, char state[SIGN_IN_TOKEN_CAP],
                       char browser[SIGN_IN_TOKEN_CAP])
{
    char state_hash[HEX_CAP], browser_hash[HEX_CAP];
    make_token(state);
    if (!is_token(browser)) make_token(browser);
    hash_token(span_str(state), state_hash);
    hash_token(span_str(browser), browser_hash);
    return insert_flow(db, in, state_hash, browser_hash);
}

static enum err read_flow(struct db *db, const char *state_hash, const char *browser_hash,
                          struct sign_in *out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT user_id, next, redirect_uri FROM sign_ins WHERE "
                                 "state_hash = ?1 AND browser_hash = ?2 AND expires_at > ?3",
                                 "ssi", state_hash, browser_hash, clock_wall_us());
    const bool found = db_next(q);
    if (found) {
        snprintf(out->user_id, sizeof out->user_id, "%s", db_text(q, 0));
        snprintf(out->next, sizeof out->next, "%s", db_text(q, 1));
        snprintf(out->redirect_uri, sizeof out->redirect_uri, "%s", db_text(q, 2));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_AUTH;
}

enum err sign_in_take(struct db *db, struct span state, struct span browser, struct sign_in *out)
{
    char state_hash[HEX_CAP], browser_hash[HEX_CAP];
    hash_token(state, state_hash);
    hash_token(browser, browser_hash);
    *out = (struct sign_in){0};
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = read_flow(db, state_hash, browser_hash, out);
    if (e == E_OK) e = db_exec(db, "DELETE FROM sign_ins WHERE state_hash = ?1", "s", state_hash);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* --- identities ------------------------------------------------------------------------------- */

/* E_NOTFOUND: nobody is known by it. */
static enum err find_owner(struct db *db, const char *issuer, const char *subject,
                           char user_id[ID_CAP])
{
    struct db_rows *q =
        db_query(db, "SELECT user_id FROM identities WHERE issuer = ?1 AND subject = ?2", "ss",
                 issuer, subject);
    const bool found = db_next(q);
    if (found) snprintf(user_id, ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err note_use(struct db *db, const char *issuer, const struct oidc_person *who)
{
    return db_exec(db,
                   "UPDATE identities SET used_at = ?3, email = ?4 WHERE issuer = ?1 AND subject = "
                   "?2",
                   "ssis", issuer, who->subject, clock_wall_us(), who->email);
}

static enum err insert_identity(struct db *db, const char *issuer, const struct oidc_person *who,
                                const char *user_id)
{
    char id[ID_CAP];
    rand_id(id, ID_CHARS);
    return db_exec(db,
                   "INSERT INTO identities (id, user_id, issuer, subject, email, created_at, "
                   "used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                   "sssssi", id, user_id, issuer, who->subject, who->email, clock_wall_us());
}

/* What the provider calls them, or the beginning of their address. */
static void name_of(const struct oidc_person *who, char *out, size_t cap)
{
    struct problem ignored;
    const struct span email = span_str(who->email);
    if (text_check(span_str(who->name), TEXT_LINE, LIMIT_NAME_CHARS, "name", out, &ignored) == E_OK)
        return;
    const char *at = strchr(who->email, '@');
    const size_t n = at ? (size_t)(at - who->email) : email.len;
    (void)span_cstr(span_head(email, n < LIMIT_NAME_CHARS ? n : LIMIT_NAME_CHARS), out, cap);
}

static enum err add_person(struct db *db, const char *issuer, const struct oidc_person *who,
                           struct user *out, struct problem *p)
{
    char name[TEXT_CAP(LIMIT_NAME_CHARS)];
    name_of(who, name, sizeof name);
    const struct account_outside in = {span_str(name), span_str(who->email), who->email_verified};
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = account_add_outside(db, &in, out, p);
    if (e == E_OK) e = insert_identity(db, issuer, who, out->id);
    if (e == E_OK) e = audit_add(db, out->id, "identity.connect", "user", out->id, "a new account");
    if (e == E_OK) return problem_of(p, db_commit(db));
    db_rollback(db);
    if (p->code && !strcmp(p->code, "email_taken"))
        return problem_set(p, E_CONFLICT, "sign_in_account_exists", NULL,
                           "There is an account with this e-mail address already: log in to it and "
                           "connect the two on the account page.");
    return problem_of(p, e);
}

enum err sign_in_person(struct db *db, const char *issuer, const struct oidc_person *who, bool open,
                        struct user *out, struct problem *p)
{
    char id[ID_CAP];
    enum err e = find_owner(db, issuer, who->subject, id);
    if (e == E_OK) e = note_use(db, issuer, who);
    if (e == E_OK) e = account_get(db, id, out);
    if (e != E_NOTFOUND) return e == E_OK ? e : problem_of(p, e);
    if (!who->email[0])
        return problem_set(p, E_INVALID, "sign_in_no_email", NULL,
                           "The provider does not tell your e-mail address.");
    if (!open)
        return problem_set(p, E_AUTH, "registration_closed", NULL,
                           "This server takes no new accounts; ask its operator for one.");
    return add_person(db, issuer, who, out, p);
}

static enum err count_of(struct db *db, const char *user_id, int64_t *n)
{
    struct db_rows *q =
        db_query(db, "SELECT COUNT(*) FROM identities WHERE user_id = ?1", "s", user_id);
    *n = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

static enum err connect(struct db *db, const char *issuer, const struct oidc_person *who,
                        const char *user_id, struct problem *p)
{
    char owner[ID_CAP];
    int64_t n;
    enum err e = find_owner(db, issuer, who->subject, owner);
    if (e == E_OK && strcmp(owner, user_id) != 0)
        return problem_set(p, E_CONFLICT, "sign_in_taken", NULL,
                           "This identity is connected to another account.");
    if (e != E_NOTFOUND) return e == E_OK ? note_use(db, issuer, who) : e;
    e = count_of(db, user_id, &n);
    if (e != E_OK) return e;
    if (n >= LIMIT_IDENTITIES)
        return problem_set(p, E_CONFLICT, "too_many", NULL, "At most %d can be connected.",
                           LIMIT_IDENTITIES);
    e = insert_identity(db, issuer, who, user_id);
    return e == E_OK ? audit_add(db, user_id, "identity.connect", "user", user_id, issuer) : e;
}

enum err sign_in_connect(struct db *db, const char *issuer, const struct oidc_person *who,
                         const char *user_id, struct problem *p)
{
    enum err e = db_begin(db);
    if (e == E_OK) {
        e = connect(db, issuer, who, user_id, p);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    return e == E_OK ? e : problem_of(p, e);
}

enum err sign_in_list(struct db *db, const char *user_id, struct identity *out, size_t *n)
{
    struct db_rows *q = db_query(db,
                                 "SELECT id, issuer, email, created_at, used_at FROM identities "
                                 "WHERE user_id = ?1 ORDER BY created_at, id LIMIT ?2",
                                 "si", user_id, (int64_t)LIMIT_IDENTITIES);
    *n = 0;
    while (db_next(q) && *n < LIMIT_IDENTITIES) {
        struct identity *i = &out[(*n)++];
        snprintf(i->id, sizeof i->id, "%s", db_text(q, 0));
        snprintf(i->issuer, sizeof i->issuer, "%s", db_text(q, 1));
        snprintf(i->email, sizeof i->email, "%s", db_text(q, 2));
        i->created_at = db_int(q, 3);
        i->used_at = db_int(q, 4);
    }
    return db_done(q);
}

static enum err disconnect(struct db *db, const char *user_id, const char *id, struct problem *p)
{
    int64_t left;
    enum err e =
        db_exec(db, "DELETE FROM identities WHERE id = ?1 AND user_id = ?2", "ss", id, user_id);
    if (e == E_OK && !db_changes(db))
        return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such identity.");
    if (e == E_OK) e = count_of(db, user_id, &left);
    if (e != E_OK) return e;
    struct db_rows *q =
        db_query(db, "SELECT 1 FROM users WHERE id = ?1 AND password_hash = ''", "s", user_id);
    const bool bare = db_next(q);
    e = db_done(q);
    if (e == E_OK && bare && !left)
        return problem_set(p, E_CONFLICT, "last_sign_in", NULL,
                           "Without a password this is the only way into your account: set a "
                           "password first.");
    return e == E_OK ? audit_add(db, user_id, "identity.disconnect", "user", user_id, "") : e;
}

enum err sign_in_disconnect(struct db *db, const char *user_id, const char *id, struct problem *p)
{
    enum err e = db_begin(db);
    if (e == E_OK) {
        e = disconnect(db, user_id, id, p);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    return e == E_OK ? e : problem_of(p, e);
}
