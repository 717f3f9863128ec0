/* SPDX-License-Identifier: MIT */
#include "product/account_link.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/rand.h"
#include <stdio.h>

enum { HEX_CAP = 2 * SHA256_LEN + 1 };
static const char *const KINDS[] = {"confirm", "change", "reset"};

static void hash_token(struct span token, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(token, h);
    hash_hex(span_of(h, sizeof h), hex);
}

enum err link_add(struct db *db, enum link_kind kind, const char *user_id, const char *email,
                  char token[LINK_TOKEN_CAP])
{
    uint8_t random[32];
    char fresh[HASH_B64_LEN(sizeof random)], hash[HEX_CAP];
    const int64_t now = clock_wall_us();
    rand_bytes(random, sizeof random);
    hash_b64url(span_of(random, sizeof random), fresh);
    hash_token(span_str(fresh), hash);
    enum err e =
        db_exec(db,
                "DELETE FROM account_links WHERE user_id = ?1 AND kind = ?2 AND token_hash "
                "NOT IN (SELECT token_hash FROM account_links WHERE user_id = ?1 AND "
                "kind = ?2 ORDER BY created_at DESC LIMIT ?3)",
                "ssi", user_id, KINDS[kind], (int64_t)LIMIT_LINKS_PER_USER - 1);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO account_links (token_hash, user_id, kind, email, created_at, "
                    "expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    "ssssii", hash, user_id, KINDS[kind], email, now,
                    now + (kind == LINK_RESET ? LINK_RESET_US : LINK_EMAIL_US));
    if (e == E_OK) snprintf(token, LINK_TOKEN_CAP, "%s", fresh);
    return e;
}

enum err link_look(struct db *db, struct span token, struct account_link *out)
{
    char hash[HEX_CAP];
    enum err e = E_NOTFOUND;
    if (token.len != LINK_TOKEN_CAP - 1) return e;
    hash_token(token, hash);
    struct db_rows *q = db_query(db,
                                 "SELECT l.user_id, l.kind, l.email FROM account_links l "
                                 "JOIN users u ON u.id = l.user_id WHERE token_hash = ?1 AND "
                                 "expires_at > ?2 AND u.closing_at IS NULL",
                                 "si", hash, clock_wall_us());
    if (db_next(q)) {
        e = E_OK;
        snprintf(out->user_id, sizeof out->user_id, "%s", db_text(q, 0));
        snprintf(out->email, sizeof out->email, "%s", db_text(q, 2));
        for (unsigned k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            if (!strcmp(KINDS[k], db_text(q, 1))) out->kind = (enum link_kind)k;
    }
    const enum err done = db_done(q);
    return done == E_OK ? e : done;
}

enum err link_take(struct db *db, struct span token, struct account_link *out)
{
    char hash[HEX_CAP];
    enum err e = link_look(db, token, out);
    if (e != E_OK) return e;
    hash_token(token, hash);
    e = db_exec(db, "DELETE FROM account_links WHERE token_hash = ?1", "s", hash);
    return e == E_OK && db_changes(db) == 0 ? E_NOTFOUND : e;
}

enum err link_drop(struct db *db, const char *user_id, enum link_kind kind)
{
    return db_exec(db, "DELETE FROM account_links WHERE user_id = ?1 AND kind = ?2", "ss", user_id,
                   KINDS[kind]);
}

enum err link_awaited(struct db *db, const char *user_id, char email[LIMIT_EMAIL_BYTES + 1])
{
    struct db_rows *q = db_query(db,
                                 "SELECT email FROM account_links WHERE user_id = ?1 AND "
                                 "kind = 'change' AND expires_at > ?2 ORDER BY created_at DESC",
                                 "si", user_id, clock_wall_us());
    snprintf(email, LIMIT_EMAIL_BYTES + 1, "%s", db_next(q) ? db_text(q, 0) : "");
    return db_done(q);
}

enum err link_sweep(struct db *db)
{
    return db_exec(db, "DELETE FROM account_links WHERE expires_at <= ?1", "i", clock_wall_us());
}
