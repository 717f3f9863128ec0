/* SPDX-License-Identifier: MIT */
#include "product/session.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/rand.h"

enum { HEX_CAP = 2 * SHA256_LEN + 1 };

/* Written back at most once a day, not with every request. */
#define RENEW_US (INT64_C(24) * 3600 * US_PER_SEC)

/* When somebody was here last is known to this much. */
#define SEEN_STEP_US (INT64_C(5) * 60 * US_PER_SEC)

/* Plain SHA-256 is enough: nobody guesses 256 random bits. */
static void hash_token(struct span token, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(token, h);
    hash_hex(span_of(h, sizeof h), hex);
}

static enum err insert(struct db *db, const char *hash, const char *user_id, int64_t now)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "DELETE FROM sessions WHERE user_id = ?1 AND token_hash NOT IN (SELECT token_hash "
                "FROM sessions WHERE user_id = ?1 ORDER BY expires_at DESC LIMIT ?2)",
                "si", user_id, (int64_t)LIMIT_SESSIONS_PER_USER - 1);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) "
                    "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2 AND "
                    "suspended_at IS NULL)",
                    "ssii", hash, user_id, now, now + SESSION_LIFE_US);
    if (e == E_OK && !db_changes(db)) e = E_AUTH;
    if (e == E_OK)
        e = db_exec(db, "UPDATE users SET last_seen_at = ?1 WHERE id = ?2", "is", now, user_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err session_start(struct db *db, const char *user_id, char token[SESSION_TOKEN_CAP])
{
    uint8_t random[32];
    char hash[HEX_CAP], fresh[HASH_B64_LEN(sizeof random)];
    rand_bytes(random, sizeof random);
    hash_b64url(span_of(random, sizeof random), fresh);
    hash_token(span_str(fresh), hash);
    const enum err e = insert(db, hash, user_id, clock_wall_us());
    if (e == E_OK) memcpy(token, fresh, SESSION_TOKEN_CAP);
    return e;
}

enum err session_find(struct db *db, struct span token, struct user *out, bool *renewed)
{
    char hash[HEX_CAP], user_id[ID_CAP] = "";
    if (token.len != SESSION_TOKEN_CAP - 1) return E_AUTH;
    hash_token(token, hash);
    const int64_t now = clock_wall_us();
    int64_t expires = 0, seen = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT s.user_id, s.expires_at, u.last_seen_at FROM sessions s "
                                 "JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?1",
                                 "s", hash);
    if (db_next(q) && span_cstr(span_str(db_text(q, 0)), user_id, sizeof user_id)) {
        expires = db_int(q, 1);
        seen = db_int(q, 2);
    }
    enum err e = db_done(q);
    if (e != E_OK) return e;
    if (expires <= now) return E_AUTH;
    e = account_get(db, user_id, out);
    if (e != E_OK) return e == E_NOTFOUND ? E_AUTH : e;
    if (now - seen > SEEN_STEP_US)
        e = db_exec(db, "UPDATE users SET last_seen_at = ?1 WHERE id = ?2", "is", now, user_id);
    if (e != E_OK) return e;
    *renewed = expires < now + SESSION_LIFE_US - RENEW_US;
    if (!*renewed) return E_OK;
    return db_exec(db, "UPDATE sessions SET expires_at = ?1 WHERE token_hash = ?2", "is",
                   now + SESSION_LIFE_US, hash);
}

enum err session_end(struct db *db, struct span token)
{
    char hash[HEX_CAP];
    hash_token(token, hash);
    return db_exec(db, "DELETE FROM sessions WHERE token_hash = ?1", "s", hash);
}

enum err session_sweep(struct db *db)
{
    return db_exec(db, "DELETE FROM sessions WHERE expires_at <= ?1", "i", clock_wall_us());
}
