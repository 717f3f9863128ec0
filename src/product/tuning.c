/* SPDX-License-Identifier: MIT */
#include "product/tuning.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "product/audit.h"
#include <stdio.h>

#define DAY_US          (INT64_C(24) * 3600 * US_PER_SEC)
#define INVITE_USES_MAX 1000
#define INVITE_DAYS_MAX 365
#define QUOTA_MAX       INT64_C(1125899906842624)

const char *const REGISTRATION[] = {"open", "invite", "closed", NULL};

static void take(struct tuning *t, const char *key, const char *value)
{
    uint64_t n;
    if (strcmp(key, "registration") == 0) {
        for (int i = 0; REGISTRATION[i]; i++)
            if (strcmp(value, REGISTRATION[i]) == 0) t->registration = (enum registration)i;
    } else if (strcmp(key, "streams_per_user") == 0) {
        if (span_u64(span_str(value), LIMIT_STREAMS_PER_USER, &n)) t->streams_per_user = (int64_t)n;
    } else if (strcmp(key, "storage_quota") == 0) {
        if (span_u64(span_str(value), QUOTA_MAX, &n)) t->storage_quota = (int64_t)n;
    }
}

enum err tuning_get(struct db *db, const struct settings *s, struct tuning *out)
{
    *out = (struct tuning){s->registration ? REGISTRATION_OPEN : REGISTRATION_CLOSED,
                           LIMIT_STREAMS_PER_USER, s->storage_quota};
    struct db_rows *q = db_query(db, "SELECT key, value FROM admin_settings", "");
    while (db_next(q)) {
        char key[32];
        snprintf(key, sizeof key, "%s", db_text(q, 0));
        take(out, key, db_text(q, 1));
    }
    return db_done(q);
}

enum err tuning_streams(struct db *db, int64_t *out)
{
    const struct settings none = {0};
    struct tuning t;
    const enum err e = tuning_get(db, &none, &t);
    if (e == E_OK) *out = t.streams_per_user;
    return e;
}

static enum err put(struct db *db, const char *actor_id, const char *key, const char *value)
{
    enum err e = db_exec(db,
                         "INSERT INTO admin_settings (key, value) VALUES (?1, ?2)"
                         " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                         "ss", key, value);
    return e == E_OK ? audit_add(db, actor_id, "setting.change", "setting", key, value) : e;
}

static enum err put_number(struct db *db, const char *actor_id, const char *key, int64_t n)
{
    char value[24];
    snprintf(value, sizeof value, "%lld", (long long)n);
    return put(db, actor_id, key, value);
}

static bool is_registration(const char *word)
{
    for (int i = 0; REGISTRATION[i]; i++)
        if (strcmp(word, REGISTRATION[i]) == 0) return true;
    return false;
}

enum err tuning_set(struct db *db, const char *actor_id, const char *registration,
                    int64_t streams_per_user, int64_t storage_quota, struct problem *p)
{
    if (registration && !is_registration(registration))
        return problem_set(p, E_INVALID, "invalid", "registration",
                           "This must be open, invite or closed.");
    if (streams_per_user > LIMIT_STREAMS_PER_USER || streams_per_user < -1)
        return problem_set(p, E_INVALID, "invalid", "streamsPerUser",
                           "This must be a number from 0 to %d.", LIMIT_STREAMS_PER_USER);
    if (storage_quota > QUOTA_MAX || storage_quota < -1)
        return problem_set(p, E_INVALID, "invalid", "storageQuota",
                           "This must be a number of bytes up to %lld; 0: no limit.",
                           (long long)QUOTA_MAX);
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    if (registration) e = put(db, actor_id, "registration", registration);
    if (e == E_OK && streams_per_user >= 0)
        e = put_number(db, actor_id, "streams_per_user", streams_per_user);
    if (e == E_OK && storage_quota >= 0)
        e = put_number(db, actor_id, "storage_quota", storage_quota);
    if (e == E_OK) return problem_of(p, db_commit(db));
    db_rollback(db);
    return problem_of(p, e);
}

/* --- invitations ------------------------------------------------------------------------------ */

enum { HEX_CAP = 2 * SHA256_LEN + 1 };

static void hash_code(struct span code, char hex[HEX_CAP])
{
    uint8_t h[SHA256_LEN];
    hash_sha256(code, h);
    hash_hex(span_of(h, sizeof h), hex);
}

static enum err insert(struct db *db, const char *actor_id, const char *hash, const char *note,
                       int64_t uses, int64_t days)
{
    const int64_t now = clock_wall_us();
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "INSERT INTO invites (code_hash, note, uses_left, expires_at, created_at)"
                " SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM invites) < ?6",
                "ssiiii", hash, note, uses, now + days * DAY_US, now, (int64_t)LIMIT_INVITES);
    if (e == E_OK && !db_changes(db)) e = E_LIMIT;
    if (e == E_OK) e = audit_add(db, actor_id, "invite.create", "invite", hash, note);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err invite_add(struct db *db, const char *actor_id, struct span note, int64_t uses,
                    int64_t days, char code[INVITE_CODE_CAP], struct problem *p)
{
    char words[TEXT_CAP(LIMIT_NAME_CHARS)], hash[HEX_CAP], fresh[INVITE_CODE_CAP];
    enum err e = text_check(note, TEXT_LINES, LIMIT_NAME_CHARS, "note", words, p);
    if (e != E_OK) return e;
    if (uses < 1 || uses > INVITE_USES_MAX)
        return problem_set(p, E_INVALID, "invalid", "uses", "This must be a number from 1 to %d.",
                           INVITE_USES_MAX);
    if (days < 1 || days > INVITE_DAYS_MAX)
        return problem_set(p, E_INVALID, "invalid", "days", "This must be a number from 1 to %d.",
                           INVITE_DAYS_MAX);
    rand_id(fresh, INVITE_CODE_CAP - 1);
    hash_code(span_str(fresh), hash);
    e = db_exec(db, "DELETE FROM invites WHERE expires_at < ?1 OR uses_left <= 0", "i",
                clock_wall_us());
    if (e == E_OK) e = insert(db, actor_id, hash, words, uses, days);
    if (e == E_LIMIT)
        return problem_set(p, E_INVALID, "too_many_invites", NULL,
                           "There are %d invitations, which is the most; delete some first.",
                           LIMIT_INVITES);
    if (e == E_OK) memcpy(code, fresh, sizeof fresh);
    return problem_of(p, e);
}

enum err invite_list(struct db *db, struct invite *out, size_t *n)
{
    const size_t room = *n;
    *n = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT code_hash, note, uses_left, expires_at, created_at FROM"
                                 " invites WHERE expires_at > ?1 AND uses_left > 0"
                                 " ORDER BY created_at DESC, code_hash LIMIT ?2",
                                 "ii", clock_wall_us(), (int64_t)room);
    while (*n < room && db_next(q)) {
        struct invite *i = &out[(*n)++];
        snprintf(i->id, sizeof i->id, "%s", db_text(q, 0));
        snprintf(i->note, sizeof i->note, "%s", db_text(q, 1));
        i->uses_left = db_int(q, 2);
        i->expires_at = db_int(q, 3);
        i->created_at = db_int(q, 4);
    }
    return db_done(q);
}

enum err invite_remove(struct db *db, const char *actor_id, const char *id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db, "DELETE FROM invites WHERE code_hash = ?1", "s", id);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK) e = audit_add(db, actor_id, "invite.delete", "invite", id, NULL);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err invite_use(struct db *db, struct span code, struct problem *p)
{
    char hash[HEX_CAP];
    hash_code(code, hash);
    const enum err e = db_exec(db,
                               "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ?1"
                               " AND uses_left > 0 AND expires_at > ?2",
                               "si", hash, clock_wall_us());
    if (e != E_OK) return problem_of(p, e);
    if (db_changes(db)) return E_OK;
    return problem_set(p, E_AUTH, "bad_invite", "invite",
                       "This invitation is not valid, or has been used.");
}

void invite_give_back(struct db *db, struct span code)
{
    char hash[HEX_CAP];
    hash_code(code, hash);
    if (db_exec(db, "UPDATE invites SET uses_left = uses_left + 1 WHERE code_hash = ?1", "s",
                hash) != E_OK)
        log_warn("invite", "a use of an invitation was lost");
}
