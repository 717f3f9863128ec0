/* SPDX-License-Identifier: MIT */
#include "product/push.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "client/http_client.h"
#include <stdio.h>

void push_key(const struct secret *s, uint8_t priv[P256_PRIVATE_LEN], uint8_t pub[P256_PUBLIC_LEN])
{
    char purpose[32];
    _Static_assert((int)SECRET_LEN == (int)P256_PRIVATE_LEN, "a derived key is a private key");
    /* One number in four billion is above the curve's order. */
    for (unsigned i = 0;; i++) {
        snprintf(purpose, sizeof purpose, "web push %u", i);
        secret_derive(s, purpose, priv);
        if (p256_public(priv, pub) == E_OK) return;
    }
}

static enum err check(const struct settings *set, const struct push_subscription *s, char *endpoint,
                      struct problem *p)
{
    struct web_push_keys keys;
    const char *why = "This address is too long.";
    const bool fits = span_cstr(s->endpoint, endpoint, LIMIT_PUSH_ENDPOINT_BYTES + 1);
    if (!fits || http_url_check(endpoint, set->push_allow_private, &why) != E_OK)
        return problem_set(p, E_INVALID, "invalid", "endpoint", "%s", why);
    if (!set->push_allow_private && !span_starts(s->endpoint, "https://"))
        return problem_set(p, E_INVALID, "invalid", "endpoint", "This must be an https address.");
    if (web_push_keys_parse(s->p256dh, s->auth, &keys) != E_OK)
        return problem_set(p, E_INVALID, "invalid", "keys",
                           "These are not the keys of a push subscription.");
    return E_OK;
}

static enum err add(struct db *db, const char *user_id, const char *endpoint, const char *p256dh,
                    const char *auth)
{
    char id[ID_CHARS + 1];
    rand_id(id, ID_CHARS);
    /* Keys and owner may be others; what waits for the browser that was is not for this one. */
    enum err e = db_exec(db, "DELETE FROM push_subscriptions WHERE endpoint = ?1", "s", endpoint);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth,"
                    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    "sssssi", id, user_id, endpoint, p256dh, auth, clock_wall_us());
    if (e == E_OK)
        e = db_exec(db,
                    "DELETE FROM push_subscriptions WHERE user_id = ?1 AND id NOT IN (SELECT id"
                    " FROM push_subscriptions WHERE user_id = ?1 ORDER BY created_at DESC, id"
                    " LIMIT ?2)",
                    "si", user_id, (int64_t)LIMIT_PUSH_SUBSCRIPTIONS);
    return e;
}

enum err push_add(struct db *db, const struct settings *set, const char *user_id,
                  const struct push_subscription *s, struct problem *p)
{
    char endpoint[LIMIT_PUSH_ENDPOINT_BYTES + 1], p256dh[128], auth[64];
    enum err e = check(set, s, endpoint, p);
    if (e != E_OK) return e;
    if (!span_cstr(s->p256dh, p256dh, sizeof p256dh) || !span_cstr(s->auth, auth, sizeof auth))
        return problem_set(p, E_INVALID, "invalid", "keys",
                           "These are not the keys of a push subscription.");
    e = db_begin(db);
    if (e == E_OK) {
        e = add(db, user_id, endpoint, p256dh, auth);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    return e == E_OK ? E_OK : problem_of(p, e);
}

enum err push_remove(struct db *db, const char *user_id, struct span endpoint)
{
    char text[LIMIT_PUSH_ENDPOINT_BYTES + 1];
    if (!span_cstr(endpoint, text, sizeof text)) return E_OK;
    return db_exec(db, "DELETE FROM push_subscriptions WHERE user_id = ?1 AND endpoint = ?2", "ss",
                   user_id, text);
}

enum err push_count(struct db *db, const char *user_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM push_subscriptions WHERE user_id = ?1", "s", user_id);
    if (db_next(q)) *out = db_int(q, 0);
    return db_done(q);
}

enum err push_send_all(struct db *db, const char *user_id, const char *payload, const char *topic,
                       int64_t now, int64_t expires_at)
{
    return db_exec(db,
                   "INSERT INTO pushes (id, subscription_id, payload, topic, next_at, expires_at)"
                   " SELECT lower(hex(randomblob(10))), id, ?2, ?3, ?4, ?5 FROM push_subscriptions"
                   " WHERE user_id = ?1",
                   "sssii", user_id, payload, topic, now, expires_at);
}

bool push_fits(struct db *db)
{
    struct db_rows *q = db_query(db, "SELECT count(*) FROM (SELECT 1 FROM pushes LIMIT ?1)", "i",
                                 (int64_t)LIMIT_PUSHES_WAITING);
    const bool fits = db_next(q) && db_int(q, 0) < LIMIT_PUSHES_WAITING;
    return db_done(q) == E_OK && fits;
}
