/* SPDX-License-Identifier: MIT */
#include "product/api_token.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include <stdio.h>

enum { HEX_CAP = 2 * SHA256_LEN + 1 };
#define USE_STEP_US (60 * US_PER_SEC) /* how exact the time of the last use is */

/* Plain SHA-256 is enough: nobody guesses 380 random bits. */
static void hash_secret(struct span secret, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(secret, h);
    hash_hex(span_of(h, sizeof h), hex);
}

static enum err count(struct db *db, const char *user_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM api_tokens WHERE user_id = ?1", "s", user_id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err api_token_add(struct db *db, const char *user_id, struct span name, struct api_token *out,
                       char secret[API_TOKEN_SECRET_CAP], struct problem *p)
{
    struct api_token t = {.created_at = clock_wall_us()};
    char hash[HEX_CAP], random[API_TOKEN_SECRET_CAP];
    int64_t have = 0;
    enum err e = E_OK;
    if (span_trim(name).len)
        e = text_check(name, TEXT_LINE, LIMIT_NAME_CHARS, "name", t.name, p);
    else
        snprintf(t.name, sizeof t.name, "API token");
    if (e == E_OK) e = problem_of(p, count(db, user_id, &have));
    if (e != E_OK) return e;
    if (have >= LIMIT_TOKENS_PER_USER)
        return problem_set(p, E_INVALID, "too_many_tokens", NULL,
                           "There are %d tokens, which is the most; delete some first.",
                           LIMIT_TOKENS_PER_USER);
    rand_uuid(t.id);
    rand_id(random, API_TOKEN_SECRET_CHARS);
    hash_secret(span_str(random), hash);
    snprintf(t.user_id, sizeof t.user_id, "%s", user_id);
    e = db_exec(db,
                "INSERT INTO api_tokens (id, user_id, name, secret_hash, created_at) "
                "VALUES (?1, ?2, ?3, ?4, ?5)",
                "ssssi", t.id, t.user_id, t.name, hash, t.created_at);
    if (e != E_OK) return problem_of(p, e);
    *out = t;
    memcpy(secret, random, sizeof random);
    return E_OK;
}

static void token_read(struct db_rows *q, struct api_token *t)
{
    snprintf(t->id, sizeof t->id, "%s", db_text(q, 0));
    snprintf(t->user_id, sizeof t->user_id, "%s", db_text(q, 1));
    snprintf(t->name, sizeof t->name, "%s", db_text(q, 2));
    t->created_at = db_int(q, 3);
    t->last_used_at = db_int(q, 4);
}

/* A request is answered all the same when this cannot be written. */
static void note_use(struct db *db, struct api_token *t)
{
    const int64_t now = clock_wall_us();
    if (now - t->last_used_at < USE_STEP_US && now >= t->last_used_at) return;
    if (db_exec(db, "UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1", "si", t->id, now) ==
        E_OK)
        t->last_used_at = now;
    else
        log_warn("api_token", "token=%s: its use was not noted", t->id);
}

enum err api_token_find(struct db *db, struct span id, struct span secret, struct api_token *out,
                        struct user *owner)
{
    char key[ID_CAP], hash[HEX_CAP];
    struct api_token t = {0};
    if (!span_cstr(id, key, sizeof key)) key[0] = 0; /* nobody's */
    hash_secret(secret, hash);
    struct db_rows *q = db_query(db,
                                 "SELECT id, user_id, name, created_at, last_used_at, secret_hash "
                                 "FROM api_tokens WHERE id = ?1 AND EXISTS (SELECT 1 FROM users u "
                                 "WHERE u.id = user_id AND u.suspended_at IS NULL)",
                                 "s", key);
    const bool same = db_next(q) && hash_equal(span_str(db_text(q, 5)), span_str(hash));
    if (same) token_read(q, &t);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!same || account_get(db, t.user_id, owner) != E_OK) return E_AUTH;
    note_use(db, &t);
    *out = t;
    return E_OK;
}

enum err api_token_list(struct db *db, const char *user_id, struct api_token **out, size_t *n)
{
    struct api_token *all = NULL;
    size_t len = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT id, user_id, name, created_at, last_used_at FROM api_tokens "
                 "WHERE ?1 IS NULL OR user_id = ?1 ORDER BY created_at, id",
                 "s", user_id);
    while (db_next(q)) {
        all = xrealloc(all, (len + 1) * sizeof *all);
        token_read(q, &all[len++]);
    }
    const enum err e = db_done(q);
    if (e != E_OK) {
        free(all);
        return e;
    }
    *out = all;
    *n = len;
    return E_OK;
}

enum err api_token_remove(struct db *db, const char *user_id, const char *id)
{
    const enum err e =
        db_exec(db, "DELETE FROM api_tokens WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)", "ss",
                id, user_id);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_NOTFOUND;
}
