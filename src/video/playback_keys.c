/* SPDX-License-Identifier: MIT */
#include "video/playback_keys.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/rsa.h"
#include "base/xalloc.h"
#include <stdio.h>
#include <stdlib.h>

#define ID_CHARS 40

static enum err only_one(struct db *db, enum err e)
{
    return e != E_OK ? e : db_changes(db) ? E_OK : E_NOTFOUND;
}

/* --- signing keys --- */

/* The number is looked at in the same statement: two at once make no more than is allowed. */
static enum err insert_key(struct db *db, const char *user, const struct signing_key *k,
                           const char *pem)
{
    const enum err e =
        db_exec(db,
                "INSERT INTO signing_keys (id, user_id, public_pem, created_at)"
                " SELECT ?1, ?2, ?3, ?4 WHERE"
                " (SELECT COUNT(*) FROM signing_keys WHERE user_id = ?2) < ?5",
                "sssii", k->id, user, pem, k->created_at, (int64_t)LIMIT_SIGNING_KEYS);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_LIMIT;
}

enum err signing_key_create(struct db *db, const char *user, struct signing_key *out,
                            struct str *private_pem)
{
    struct str pub = {0};
    struct signing_key k = {.created_at = clock_wall_us()};
    rand_id(k.id, ID_CHARS);
    enum err e = rsa_make(private_pem, &pub);
    if (e == E_OK) e = insert_key(db, user, &k, str_c(&pub));
    str_fini(&pub);
    if (e == E_OK) *out = k;
    return e;
}

static void take_key(struct db_rows *q, struct signing_key *k)
{
    snprintf(k->id, sizeof k->id, "%s", db_text(q, 0));
    k->created_at = db_int(q, 1);
}

enum err signing_key_get(struct db *db, const char *user, const char *id, struct signing_key *out)
{
    struct db_rows *q =
        db_query(db, "SELECT id, created_at FROM signing_keys WHERE id = ?1 AND user_id = ?2", "ss",
                 id, user);
    const bool found = db_next(q);
    if (found) take_key(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err signing_key_list(struct db *db, const char *user, int64_t limit, int64_t offset,
                          struct signing_key *out, unsigned *n)
{
    unsigned got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT id, created_at FROM signing_keys WHERE user_id = ?1"
                                 " ORDER BY created_at DESC, id LIMIT ?2 OFFSET ?3",
                                 "sii", user, limit, offset);
    while (got < *n && db_next(q)) take_key(q, &out[got++]);
    *n = got;
    return db_done(q);
}

enum err signing_key_delete(struct db *db, const char *user, const char *id)
{
    return only_one(
        db, db_exec(db, "DELETE FROM signing_keys WHERE id = ?1 AND user_id = ?2", "ss", id, user));
}

/* --- restrictions --- */

void restriction_fini(struct restriction *r)
{
    free(r->domains);
    r->domains = NULL;
}

enum err restriction_create(struct db *db, const char *user, struct restriction *r)
{
    rand_id(r->id, ID_CHARS);
    r->created_at = r->updated_at = clock_wall_us();
    const enum err e =
        db_exec(db,
                "INSERT INTO playback_restrictions (id, user_id, allowed_domains,"
                " allow_no_referrer, allow_no_user_agent, allow_high_risk_user_agent, created_at,"
                " updated_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7 WHERE"
                " (SELECT COUNT(*) FROM playback_restrictions WHERE user_id = ?2) < ?8",
                "sssiiiii", r->id, user, r->domains ? r->domains : "",
                (int64_t)r->allow_no_referrer, (int64_t)r->allow_no_user_agent,
                (int64_t)r->allow_high_risk_user_agent, r->created_at, (int64_t)LIMIT_RESTRICTIONS);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_LIMIT;
}

#define COLUMNS                                                                                    \
    "id, created_at, updated_at, allowed_domains, allow_no_referrer, allow_no_user_agent,"         \
    " allow_high_risk_user_agent"

static void take_restriction(struct db_rows *q, struct restriction *r)
{
    *r = (struct restriction){0};
    snprintf(r->id, sizeof r->id, "%s", db_text(q, 0));
    r->created_at = db_int(q, 1);
    r->updated_at = db_int(q, 2);
    r->domains = xstrdup(db_text(q, 3));
    r->allow_no_referrer = db_int(q, 4) != 0;
    r->allow_no_user_agent = db_int(q, 5) != 0;
    r->allow_high_risk_user_agent = db_int(q, 6) != 0;
}

enum err restriction_get(struct db *db, const char *user, const char *id, struct restriction *out)
{
    struct db_rows *q =
        db_query(db, "SELECT " COLUMNS " FROM playback_restrictions WHERE id = ?1 AND user_id = ?2",
                 "ss", id, user);
    const bool found = db_next(q);
    if (found) take_restriction(q, out);
    const enum err e = db_done(q);
    if (e != E_OK && found) restriction_fini(out);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err restriction_update(struct db *db, const char *user, struct restriction *r)
{
    r->updated_at = clock_wall_us();
    return only_one(
        db, db_exec(db,
                    "UPDATE playback_restrictions SET allowed_domains = ?3, allow_no_referrer = ?4,"
                    " allow_no_user_agent = ?5, allow_high_risk_user_agent = ?6, updated_at = ?7"
                    " WHERE id = ?1 AND user_id = ?2",
                    "sssiiii", r->id, user, r->domains ? r->domains : "",
                    (int64_t)r->allow_no_referrer, (int64_t)r->allow_no_user_agent,
                    (int64_t)r->allow_high_risk_user_agent, r->updated_at));
}

enum err restriction_list(struct db *db, const char *user, int64_t limit, int64_t offset,
                          struct restriction *out, unsigned *n)
{
    unsigned got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT " COLUMNS " FROM playback_restrictions WHERE user_id = ?1"
                                 " ORDER BY created_at DESC, id LIMIT ?2 OFFSET ?3",
                                 "sii", user, limit, offset);
    while (got < *n && db_next(q)) take_restriction(q, &out[got++]);
    *n = got;
    return db_done(q);
}

enum err restriction_delete(struct db *db, const char *user, const char *id)
{
    return only_one(db,
                    db_exec(db, "DELETE FROM playback_restrictions WHERE id = ?1 AND user_id = ?2",
                            "ss", id, user));
}
