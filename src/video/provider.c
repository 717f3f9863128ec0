/* SPDX-License-Identifier: MIT */
/* What others want of the provider, as rows. */
#include "video/provider.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "video/provider_priv.h"
#include <stdio.h>

static _Atomic(struct provider *) the; /* provider_start() to provider_stop() */

void provider_set_running(struct provider *p)
{
    atomic_store(&the, p);
}

bool provider_is_mux(void)
{
    return atomic_load(&the) != NULL;
}

void provider_wake(void)
{
    struct provider *p = atomic_load(&the);
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->woken = true;
    pthread_cond_signal(&p->cond);
    pthread_mutex_unlock(&p->lock);
}

enum err provider_queue(struct db *db, const char *kind, const char *object_id,
                        const char *remote_id, int64_t at)
{
    char id[REMOTE_ID_CAP + 24];
    snprintf(id, sizeof id, "%s:%s", kind, object_id);
    return db_exec(
        db,
        "INSERT INTO provider_jobs (id, kind, object_id, remote_id, next_at, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (id) DO UPDATE SET "
        "wishes = provider_jobs.wishes + 1, next_at = excluded.next_at",
        "ssssi", id, kind, object_id, remote_id, at);
}

/* Nobody publishes here what is Mux's: the gate refuses a disabled stream. */
enum err provider_want_live(struct db *db, const char *live_id, const char *stream_id)
{
    const enum err e = db_exec(
        db, "UPDATE live_streams SET remote = 1, status = 'disabled' WHERE id = ?1", "s", live_id);
    return e != E_OK ? e : provider_queue(db, JOB_CREATE, stream_id, "", clock_wall_us());
}

enum err provider_end_live(struct db *db, const char *stream_id)
{
    return provider_queue(db, JOB_COMPLETE, stream_id, "", clock_wall_us());
}

enum err provider_renew_key(struct db *db, const char *live_id, const char *stream_id)
{
    const enum err e =
        db_exec(db, "UPDATE live_streams SET remote_key_sealed = NULL WHERE id = ?1", "s", live_id);
    return e != E_OK ? e : provider_queue(db, JOB_KEY, stream_id, "", clock_wall_us());
}

struct known {
    char id[REMOTE_ID_CAP], asset_id[REMOTE_ID_CAP];
    bool never_asked;
};

static enum err find_known(struct db *db, const char *live_id, const char *stream_id,
                           struct known *k)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT coalesce(l.remote_id, ''), l.remote_asset_id, EXISTS (SELECT 1 FROM "
                 "provider_jobs j WHERE j.id = 'live.create:' || ?2 AND j.asked = 0) "
                 "FROM live_streams l WHERE l.id = ?1",
                 "ss", live_id, stream_id);
    *k = (struct known){0};
    if (db_next(q)) {
        snprintf(k->id, sizeof k->id, "%s", db_text(q, 0));
        snprintf(k->asset_id, sizeof k->asset_id, "%s", db_text(q, 1));
        k->never_asked = db_int(q, 2) != 0;
    }
    return db_done(q);
}

enum err provider_drop_live(struct db *db, const char *live_id, const char *stream_id)
{
    struct known k;
    const int64_t now = clock_wall_us();
    enum err e = find_known(db, live_id, stream_id, &k);
    if (e == E_OK)
        e = db_exec(
            db, "DELETE FROM provider_jobs WHERE object_id = ?1 OR (object_id = ?2 AND ?2 <> '')",
            "ss", stream_id, k.id);
    if (e == E_OK && !k.never_asked) e = provider_queue(db, JOB_DELETE, stream_id, k.id, now);
    if (e == E_OK && k.asset_id[0]) e = provider_queue(db, JOB_FORGET, k.asset_id, k.asset_id, now);
    if (e != E_OK) return e;
    return db_exec(db,
                   "UPDATE live_streams SET remote = 0, status = 'idle', remote_id = NULL, "
                   "remote_key_sealed = NULL, remote_playback_id = '', remote_asset_id = '', "
                   "remote_asset_end = '', remote_asset_playback_id = '' WHERE id = ?1",
                   "s", live_id);
}

/* --- waiting for a key ------------------------------------------------------------------------ */

static bool has_key(struct db *db, const char *live_id)
{
    struct db_rows *q = db_query(
        db, "SELECT 1 FROM live_streams WHERE id = ?1 AND remote_key_sealed IS NULL", "s", live_id);
    const bool waits = db_next(q);
    return db_done(q) != E_OK || !waits;
}

static bool may_wait(struct provider *p)
{
    pthread_mutex_lock(&p->lock);
    const bool may = p->waiters < LIMIT_PROVIDER_WAITERS && !atomic_load(&p->ending);
    if (may) p->waiters++;
    pthread_mutex_unlock(&p->lock);
    return may;
}

void provider_wait(struct db *db, const char *id, bool (*done)(struct db *db, const char *id))
{
    struct provider *p = atomic_load(&the);
    const int64_t until = clock_mono_us() + LIMIT_PROVIDER_WAIT_MS * US_PER_MS;
    const struct timespec t = {.tv_sec = until / US_PER_SEC, .tv_nsec = until % US_PER_SEC * 1000};
    bool over = false;
    if (!p || !may_wait(p)) return;
    while (!over) {
        pthread_mutex_lock(&p->lock);
        const uint64_t seen = p->changes;
        pthread_mutex_unlock(&p->lock);
        if (done(db, id)) break;
        pthread_mutex_lock(&p->lock);
        while (!over && p->changes == seen && !atomic_load(&p->ending))
            over = pthread_cond_timedwait(&p->change, &p->lock, &t) != 0;
        over = over || atomic_load(&p->ending);
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_lock(&p->lock);
    p->waiters--;
    pthread_mutex_unlock(&p->lock);
}

void provider_wait_key(struct db *db, const char *live_id)
{
    provider_wait(db, live_id, has_key);
}

void provider_tell_waiters(struct provider *p)
{
    pthread_mutex_lock(&p->lock);
    p->changes++;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
}

/* --- webhooks --------------------------------------------------------------------------------- */

static bool signature_is(struct span hex, struct span secret, struct span time, struct span body)
{
    uint8_t given[SHA256_LEN], right[SHA256_LEN];
    struct str text = {0};
    if (!hash_unhex(hex, given, sizeof given)) return false;
    str_add(&text, time);
    str_addc(&text, '.');
    str_add(&text, body);
    hash_hmac_sha256(secret, str_span(&text), right);
    str_fini(&text);
    return hash_equal(span_of(given, sizeof given), span_of(right, sizeof right));
}

bool provider_signed(struct span header, struct span secret, struct span body, int64_t now_s)
{
    struct span rest = header, time = SPAN_NULL;
    uint64_t t = 0;
    unsigned tries = 0;
    bool fits = false;
    while (rest.len && !time.len) {
        struct span part = span_cut(&rest, ',');
        if (span_starts(part, "t=")) time = span_skip(part, 2);
    }
    if (!span_u64(time, INT64_MAX, &t)) return false;
    const int64_t age = now_s - (int64_t)t;
    if (age > PROVIDER_TOLERANCE_S || age < -PROVIDER_TOLERANCE_S) return false;
    for (rest = header; rest.len && !fits && tries < 8;) {
        struct span part = span_cut(&rest, ',');
        if (!span_starts(part, "v1=")) continue;
        tries++;
        fits = signature_is(span_skip(part, 3), secret, time, body);
    }
    return fits;
}

static enum err take_hint(struct db *db, const char *event_id, const char *job,
                          const char *remote_id)
{
    const int64_t now = clock_wall_us(), kept = INT64_C(36) * 3600 * US_PER_SEC;
    enum err e = db_exec(db,
                         "INSERT INTO provider_events (id, at) VALUES (?1, ?2) "
                         "ON CONFLICT (id) DO NOTHING",
                         "si", event_id, now);
    if (e != E_OK || db_changes(db) == 0) return e;
    e = db_exec(db, "DELETE FROM provider_events WHERE at < ?1", "i", now - kept);
    return e != E_OK || !job ? e : provider_queue(db, job, remote_id, remote_id, now);
}

enum err provider_hint(struct db *db, const char *event_id, const char *kind, const char *remote_id)
{
    const char *job = !strcmp(kind, "live")     ? JOB_LOOK
                      : !strcmp(kind, "asset")  ? JOB_ASSET
                      : !strcmp(kind, "upload") ? JOB_UPLOAD_LOOK
                                                : NULL;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = take_hint(db, event_id, job, remote_id);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_OK) provider_wake();
    return e;
}
