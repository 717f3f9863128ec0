/* SPDX-License-Identifier: MIT */
#include "product/visibility.h"
#include "base/clock.h"
#include "base/rand.h"
#include "product/password.h"
#include <stdio.h>

_Static_assert(WATCH_HASH_CAP == PASSWORD_HASH_CAP, "a password's hash");

bool visibility_listed(const struct stream *s)
{
    return s->visibility == VISIBILITY_PUBLIC;
}

static bool confirmed_only;

void visibility_init(bool mail)
{
    confirmed_only = mail;
}

static bool is_invited(struct db *db, const char *stream_id, const char *user_id)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT 1 FROM stream_invitations i JOIN users u ON u.email_key = i.email_key "
                 "WHERE i.stream_id = ?1 AND u.id = ?2 AND (?3 = 0 OR u.email_confirmed_at IS NOT "
                 "NULL)",
                 "ssi", stream_id, user_id, (int64_t)confirmed_only);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

bool visibility_may_watch(struct db *db, const struct stream *s, const struct user *u,
                          struct span grant)
{
    if (s->visibility != VISIBILITY_PRIVATE) return true;
    if (u && (u->admin || strcmp(u->id, s->user_id) == 0)) return true;
    if (s->has_password && grant.len &&
        grant_check(GRANT_ENTRY, grant, s->id, s->password_at, clock_wall_us() / US_PER_SEC) ==
            E_OK)
        return true;
    return u && is_invited(db, s->id, u->id);
}

enum err visibility_enter(const struct stream *s, struct db *db, struct span password,
                          char grant[GRANT_CAP])
{
    char hash[WATCH_HASH_CAP] = "";
    struct db_rows *q =
        db_query(db, "SELECT watch_password_hash FROM streams WHERE id = ?1", "s", s->id);
    const bool fits = db_next(q) && span_cstr(span_str(db_text(q, 0)), hash, sizeof hash);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (password.len > LIMIT_PASSWORD_BYTES) password = span_head(password, 0);
    if (!password_matches(password, fits && hash[0] ? hash : NULL)) return E_AUTH;
    grant_write(GRANT_ENTRY, s->id, s->password_at, clock_wall_us() / US_PER_SEC + GRANT_ENTRY_S,
                grant);
    return E_OK;
}

/* --- what its owner sets ---------------------------------------------------------------------- */

enum err visibility_check(const struct stream_fields *f, struct problem *p)
{
    if ((f->has & STREAM_HAS_VISIBILITY) && f->visibility == VISIBILITY_PRIVATE &&
        provider_is_mux())
        return problem_set(p, E_INVALID, "not_possible", "visibility",
                           "What Mux plays cannot be private here.");
    return E_OK;
}

/* Shared with many, so a short one is the owner's choice, guarded by rate limits. */
enum err visibility_hash(struct span password, char out[WATCH_HASH_CAP], struct problem *p)
{
    if (!password.len) {
        out[0] = 0;
        return E_OK;
    }
    if (password.len < LIMIT_WATCH_PASSWORD_MIN)
        return problem_set(p, E_INVALID, "invalid", "password",
                           "A stream's password needs at least %d characters.",
                           LIMIT_WATCH_PASSWORD_MIN);
    if (password.len > LIMIT_PASSWORD_BYTES || memchr(password.p, 0, password.len))
        return problem_set(p, E_INVALID, "invalid", "password",
                           "This password is too long, or holds a zero character.");
    return problem_of(p, password_hash(password, out));
}

enum err visibility_write(struct db *db, const char *stream_id, const struct stream_fields *f)
{
    if (!(f->has & (STREAM_HAS_VISIBILITY | STREAM_HAS_PASSWORD))) return E_OK;
    return db_exec(
        db,
        "UPDATE streams SET access_epoch = access_epoch + CASE WHEN ?3 IS NOT NULL OR visibility "
        "<> coalesce(?2, visibility) THEN 1 ELSE 0 END, visibility = coalesce(?2, visibility), "
        "watch_password_hash = coalesce(?3, watch_password_hash), "
        "password_at = CASE WHEN ?3 IS NULL THEN password_at ELSE ?4 END WHERE id = ?1",
        "sssi", stream_id, f->has & STREAM_HAS_VISIBILITY ? VISIBILITY[f->visibility] : NULL,
        f->has & STREAM_HAS_PASSWORD ? f->password_hash : NULL, clock_wall_us());
}

/* --- invitations ------------------------------------------------------------------------------ */

static void read_invitation(struct db_rows *q, struct invitation *out)
{
    snprintf(out->id, sizeof out->id, "%s", db_text(q, 0));
    snprintf(out->email, sizeof out->email, "%s", db_text(q, 1));
    out->created_at = db_int(q, 2);
}

static enum err add(struct db *db, const char *stream_id, const char *email, const char *key,
                    struct problem *p)
{
    char id[ID_CHARS + 1];
    rand_id(id, ID_CHARS);
    const enum err e = db_exec(
        db,
        "INSERT INTO stream_invitations (id, stream_id, email, email_key, created_at) "
        "SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM stream_invitations WHERE "
        "stream_id = ?2) < ?6 ON CONFLICT (stream_id, email_key) DO NOTHING",
        "ssssii", id, stream_id, email, key, clock_wall_us(), (int64_t)LIMIT_STREAM_INVITATIONS);
    return problem_of(p, e);
}

enum err visibility_invite(struct db *db, const char *stream_id, struct span email,
                           struct invitation *out, struct problem *p)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    enum err e = text_email(email, typed, key, p);
    if (e == E_OK) e = add(db, stream_id, typed, key, p);
    if (e != E_OK) return e;
    struct db_rows *q = db_query(db,
                                 "SELECT id, email, created_at FROM stream_invitations "
                                 "WHERE stream_id = ?1 AND email_key = ?2",
                                 "ss", stream_id, key);
    const bool found = db_next(q);
    if (found) read_invitation(q, out);
    e = db_done(q);
    if (e != E_OK || found) return problem_of(p, e);
    return problem_set(p, E_INVALID, "too_many", "email", "A stream has at most %d invitations.",
                       LIMIT_STREAM_INVITATIONS);
}

enum err visibility_invited(struct db *db, const char *stream_id, struct invitation *listed,
                            size_t *n)
{
    struct db_rows *q = db_query(db,
                                 "SELECT id, email, created_at FROM stream_invitations "
                                 "WHERE stream_id = ?1 ORDER BY created_at, id LIMIT ?2",
                                 "si", stream_id, (int64_t)LIMIT_STREAM_INVITATIONS);
    *n = 0;
    while (*n < LIMIT_STREAM_INVITATIONS && db_next(q)) read_invitation(q, &listed[(*n)++]);
    return db_done(q);
}

enum err visibility_uninvite(struct db *db, const char *stream_id, const char *id,
                             struct problem *p)
{
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = db_exec(db, "DELETE FROM stream_invitations WHERE id = ?1 AND stream_id = ?2", "ss", id,
                stream_id);
    if (e == E_OK && !db_changes(db))
        e = problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such invitation.");
    if (e == E_OK)
        e = db_exec(db, "UPDATE streams SET access_epoch = access_epoch + 1 WHERE id = ?1", "s",
                    stream_id);
    if (e == E_OK) return problem_of(p, db_commit(db));
    db_rollback(db);
    return problem_of(p, e);
}
