/* SPDX-License-Identifier: MIT */
#include "product/notice.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/rand.h"
#include "product/visibility.h"
#include <stdio.h>

const char *const NOTICE_KINDS[] = {"live", "scheduled", "moved", "cancelled", "soon", NULL};

/* --- the schedule ----------------------------------------------------------------------------- */

/* What followers know: another change that nobody has been told of yet does not count. */
static enum err take_back(struct db *db, const char *stream_id, int64_t *known_at)
{
    struct db_rows *q = db_query(db,
                                 "SELECT kind, at, was_at FROM notices WHERE stream_id = ?1 AND"
                                 " after_id = '' AND kind IN ('scheduled', 'moved', 'cancelled')"
                                 " AND due_at > ?2 LIMIT 1",
                                 "si", stream_id, clock_wall_us());
    if (db_next(q)) {
        const char *kind = db_text(q, 0);
        *known_at = !strcmp(kind, "scheduled")   ? 0
                    : !strcmp(kind, "cancelled") ? db_int(q, 1)
                                                 : db_int(q, 2);
    }
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    return db_exec(db,
                   "DELETE FROM notices WHERE stream_id = ?1 AND after_id = '' AND due_at > ?2"
                   " AND kind IN ('scheduled', 'moved', 'cancelled')",
                   "si", stream_id, clock_wall_us());
}

static int64_t delay_us; /* set once before the threads are there */

void notice_set_delay(int64_t us)
{
    delay_us = us;
}

enum err notice_schedule(struct db *db, const char *stream_id, int64_t was_at, int64_t is_at)
{
    const int64_t now = clock_wall_us();
    char id[ID_CHARS + 1];
    if (was_at == is_at) return E_OK;
    enum err e = take_back(db, stream_id, &was_at);
    if (was_at < now) was_at = 0; /* it was then, or not: nobody waits for it */
    if (is_at < now) is_at = 0;
    if (e != E_OK || was_at == is_at) return e;
    const enum notice_kind kind = !was_at  ? NOTICE_SCHEDULED
                                  : !is_at ? NOTICE_CANCELLED
                                           : NOTICE_MOVED;
    rand_id(id, ID_CHARS);
    return db_exec(db,
                   "INSERT INTO notices (id, kind, user_id, stream_id, title, at, was_at, due_at,"
                   " expires_at) SELECT ?1, ?2, user_id, id, title, ?4, ?5, ?6, ?7 FROM streams s"
                   " WHERE id = ?3 AND " VISIBILITY_LISTED_SQL,
                   "sssiiii", id, NOTICE_KINDS[kind], stream_id, is_at ? is_at : was_at, was_at,
                   now + delay_us, is_at > was_at ? is_at : was_at);
}

/* --- what somebody wants ---------------------------------------------------------------------- */

enum err notice_prefs_get(struct db *db, const char *user_id, struct notice_prefs *out)
{
    struct notice_prefs p = {NOTICE_WANT_ALL, NOTICE_WANT_ALL};
    struct db_rows *q =
        db_query(db, "SELECT mail, push FROM notice_prefs WHERE user_id = ?1", "s", user_id);
    if (db_next(q)) p = (struct notice_prefs){(unsigned)db_int(q, 0), (unsigned)db_int(q, 1)};
    const enum err e = db_done(q);
    if (e == E_OK) *out = p;
    return e;
}

enum err notice_prefs_set(struct db *db, const char *user_id, struct notice_prefs p)
{
    return db_exec(db,
                   "INSERT INTO notice_prefs (user_id, mail, push) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (user_id) DO UPDATE SET mail = ?2, push = ?3",
                   "sii", user_id, (int64_t)p.mail, (int64_t)p.push);
}

/* --- one click -------------------------------------------------------------------------------- */

enum { MAC_LEN = 15 }; /* 20 characters of base64url */

static void sign(const struct secret *s, const char *follower_id, const char *user_id,
                 char out[HASH_B64_LEN(MAC_LEN)])
{
    uint8_t key[SECRET_LEN], mac[SHA256_LEN];
    char text[2 * ID_CAP + 2];
    secret_derive(s, "unsubscribe", key);
    snprintf(text, sizeof text, "%s.%s", follower_id, user_id);
    hash_hmac_sha256(span_of(key, sizeof key), span_str(text), mac);
    hash_b64url(span_of(mac, MAC_LEN), out);
}

void notice_token(const struct secret *s, const char *follower_id, const char *user_id,
                  char out[NOTICE_TOKEN_CAP])
{
    char mac[HASH_B64_LEN(MAC_LEN)];
    sign(s, follower_id, user_id, mac);
    snprintf(out, NOTICE_TOKEN_CAP, "%s.%s.%s", follower_id, user_id, mac);
}

enum err notice_token_read(const struct secret *s, struct span token, char follower_id[ID_CAP],
                           char user_id[ID_CAP])
{
    char follower[ID_CAP], user[ID_CAP], mac[HASH_B64_LEN(MAC_LEN)];
    if (!span_cstr(span_cut(&token, '.'), follower, sizeof follower) ||
        !span_cstr(span_cut(&token, '.'), user, sizeof user) || !token.p)
        return E_AUTH;
    sign(s, follower, user, mac);
    if (!hash_equal(span_str(mac), token)) return E_AUTH;
    memcpy(follower_id, follower, ID_CAP);
    memcpy(user_id, user, ID_CAP);
    return E_OK;
}

enum err notice_unsubscribe(struct db *db, const char *follower_id, const char *user_id, bool all)
{
    if (!all)
        return db_exec(db, "UPDATE follows SET by_mail = 0 WHERE follower_id = ?1 AND user_id = ?2",
                       "ss", follower_id, user_id);
    /* The account may be gone meanwhile. */
    return db_exec(db,
                   "INSERT INTO notice_prefs (user_id, mail, push) SELECT id, 0, ?2 FROM users"
                   " WHERE id = ?1 ON CONFLICT (user_id) DO UPDATE SET mail = 0",
                   "si", follower_id, (int64_t)NOTICE_WANT_ALL);
}
