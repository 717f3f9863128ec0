/* SPDX-License-Identifier: MIT */
#include "product/session.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include <arpa/inet.h>
#include <stdio.h>

enum { HEX_CAP = 2 * SHA256_LEN + 1 };

/* Written back at most once a day, not with every request. */
#define RENEW_US (INT64_C(24) * 3600 * US_PER_SEC)

/* "Last used" and "last seen" are for people: so coarse that reading a page does not write. */
#define USED_US (INT64_C(5) * 60 * US_PER_SEC)

/* Plain SHA-256 is enough: nobody guesses 256 random bits. */
static void hash_token(struct span token, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(token, h);
    hash_hex(span_of(h, sizeof h), hex);
}

void session_address(const char *address, char out[SESSION_ADDRESS_CAP])
{
    struct in6_addr six;
    struct in_addr four;
    char text[INET6_ADDRSTRLEN];
    out[0] = 0;
    if (inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six)) {
        memcpy(&four, six.s6_addr + 12, sizeof four);
    } else if (inet_pton(AF_INET6, address, &six) == 1) {
        memset(six.s6_addr + 6, 0, 10);
        if (inet_ntop(AF_INET6, &six, text, sizeof text))
            snprintf(out, SESSION_ADDRESS_CAP, "%s/48", text);
        return;
    } else if (inet_pton(AF_INET, address, &four) != 1) {
        return;
    }
    four.s_addr &= htonl(0xffffff00u);
    if (inet_ntop(AF_INET, &four, text, sizeof text))
        snprintf(out, SESSION_ADDRESS_CAP, "%s/24", text);
}

struct from_text {
    char user_agent[LIMIT_USER_AGENT_BYTES + 1], address[SESSION_ADDRESS_CAP];
};

static void from_text(const struct session_from *from, struct from_text *out)
{
    size_t n = 0;
    *out = (struct from_text){0};
    if (!from) return;
    for (size_t i = 0; i < from->user_agent.len && n < LIMIT_USER_AGENT_BYTES; i++) {
        const uint8_t c = from->user_agent.p[i];
        if (c >= ' ' && c < 0x7f) out->user_agent[n++] = (char)c;
    }
    if (from->address) session_address(from->address, out->address);
}

static enum err insert(struct db *db, const char *hash, const char *user_id,
                       const struct from_text *from, int64_t now)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "DELETE FROM sessions WHERE user_id = ?1 AND token_hash NOT IN (SELECT token_hash "
                "FROM sessions WHERE user_id = ?1 ORDER BY expires_at DESC LIMIT ?2)",
                "si", user_id, (int64_t)LIMIT_SESSIONS_PER_USER - 1);
    /* Nobody comes in while the account is being removed. */
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, used_at, "
                    "user_agent, address) SELECT ?1, id, ?3, ?4, ?3, ?5, ?6 FROM users "
                    "WHERE id = ?2 AND closing_at IS NULL AND suspended_at IS NULL",
                    "ssiiss", hash, user_id, now, now + SESSION_LIFE_US, from->user_agent,
                    from->address);
    if (e == E_OK && !db_changes(db)) e = E_AUTH;
    if (e == E_OK)
        e = db_exec(db, "UPDATE users SET last_seen_at = ?1 WHERE id = ?2", "is", now, user_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err session_start_from(struct db *db, const char *user_id, const struct session_from *from,
                            char token[SESSION_TOKEN_CAP])
{
    uint8_t random[32];
    char hash[HEX_CAP], fresh[HASH_B64_LEN(sizeof random)];
    struct from_text text;
    rand_bytes(random, sizeof random);
    hash_b64url(span_of(random, sizeof random), fresh);
    hash_token(span_str(fresh), hash);
    from_text(from, &text);
    const enum err e = insert(db, hash, user_id, &text, clock_wall_us());
    if (e == E_OK) memcpy(token, fresh, SESSION_TOKEN_CAP);
    return e;
}

enum err session_find(struct db *db, struct span token, struct user *out, bool *renewed)
{
    char hash[HEX_CAP], user_id[ID_CAP] = "";
    if (token.len != SESSION_TOKEN_CAP - 1) return E_AUTH;
    hash_token(token, hash);
    const int64_t now = clock_wall_us();
    int64_t expires = 0, used = 0, seen = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT s.user_id, s.expires_at, s.used_at, u.last_seen_at FROM "
                                 "sessions s JOIN users u ON u.id = s.user_id "
                                 "WHERE s.token_hash = ?1",
                                 "s", hash);
    if (db_next(q) && span_cstr(span_str(db_text(q, 0)), user_id, sizeof user_id)) {
        expires = db_int(q, 1);
        used = db_int(q, 2);
        seen = db_int(q, 3);
    }
    enum err e = db_done(q);
    if (e != E_OK) return e;
    if (expires <= now) return E_AUTH;
    e = account_get(db, user_id, out);
    if (e != E_OK) return e == E_NOTFOUND ? E_AUTH : e;
    *renewed = expires < now + SESSION_LIFE_US - RENEW_US;
    /* A database that is too busy to note it does not send anybody away: the next request does. */
    if (now - seen > USED_US &&
        db_exec(db, "UPDATE users SET last_seen_at = ?1 WHERE id = ?2", "is", now, user_id) != E_OK)
        log_warn("session", "user=%s use is not noted", user_id);
    if (!*renewed && used > now - USED_US) return E_OK;
    if (db_exec(db,
                "UPDATE sessions SET used_at = ?1, expires_at = CASE ?2 WHEN 1 THEN ?3 ELSE "
                "expires_at END WHERE token_hash = ?4",
                "iiis", now, (int64_t)*renewed, now + SESSION_LIFE_US, hash) != E_OK)
        *renewed = false;
    return E_OK;
}

enum err session_end(struct db *db, struct span token)
{
    char hash[HEX_CAP];
    hash_token(token, hash);
    return db_exec(db, "DELETE FROM sessions WHERE token_hash = ?1", "s", hash);
}

enum err session_end_others(struct db *db, const char *user_id, struct span keep)
{
    char hash[HEX_CAP] = "";
    if (keep.p) hash_token(keep, hash);
    return db_exec(db, "DELETE FROM sessions WHERE user_id = ?1 AND token_hash <> ?2", "ss",
                   user_id, hash);
}

enum err session_list(struct db *db, const char *user_id, struct span token,
                      struct session_row *out, size_t *n)
{
    char hash[HEX_CAP] = "";
    const size_t room = *n;
    if (token.p) hash_token(token, hash);
    struct db_rows *q = db_query(
        db,
        "SELECT token_hash, user_agent, address, created_at, CASE used_at WHEN 0 THEN created_at "
        "ELSE used_at END AS used FROM sessions WHERE user_id = ?1 AND expires_at > ?2 "
        "ORDER BY used DESC, created_at DESC LIMIT ?3",
        "sii", user_id, clock_wall_us(), (int64_t)room);
    *n = 0;
    while (*n < room && db_next(q)) {
        struct session_row *r = &out[(*n)++];
        *r = (struct session_row){.created_at = db_int(q, 3), .used_at = db_int(q, 4)};
        r->current = hash[0] && !strcmp(db_text(q, 0), hash);
        snprintf(r->id, sizeof r->id, "%s", db_text(q, 0));
        snprintf(r->user_agent, sizeof r->user_agent, "%s", db_text(q, 1));
        snprintf(r->address, sizeof r->address, "%s", db_text(q, 2));
    }
    return db_done(q);
}

enum err session_end_id(struct db *db, const char *user_id, const char *id)
{
    if (strlen(id) != SESSION_ID_CAP - 1) return E_NOTFOUND;
    const enum err e =
        db_exec(db, "DELETE FROM sessions WHERE user_id = ?1 AND substr(token_hash, 1, ?3) = ?2",
                "ssi", user_id, id, (int64_t)SESSION_ID_CAP - 1);
    return e == E_OK && db_changes(db) == 0 ? E_NOTFOUND : e;
}

enum err session_began(struct db *db, struct span token, int64_t *at)
{
    char hash[HEX_CAP];
    hash_token(token, hash);
    struct db_rows *q =
        db_query(db, "SELECT created_at FROM sessions WHERE token_hash = ?1", "s", hash);
    *at = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err session_sweep(struct db *db)
{
    return db_exec(db, "DELETE FROM sessions WHERE expires_at <= ?1", "i", clock_wall_us());
}
