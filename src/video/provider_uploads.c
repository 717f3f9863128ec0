/* SPDX-License-Identifier: MIT */
/* Recordings that browsers upload to Mux: what is wished for, as rows. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "video/provider_priv.h"
#include "video/uploads.h"
#include <stdio.h>

#define TAKE(field, text) snprintf(field, sizeof(field), "%s", text)

#define COLUMNS "SELECT id, coalesce(remote_id, ''), url, problem, status FROM provider_uploads "

static bool is_over(const char *status)
{
    return !strcmp(status, "errored") || !strcmp(status, "cancelled");
}

static enum err read_one(struct db_rows *q, struct provider_upload *out, bool *waits)
{
    const bool found = db_next(q);
    if (found) {
        TAKE(out->id, db_text(q, 0));
        TAKE(out->remote_id, db_text(q, 1));
        TAKE(out->url, db_text(q, 2));
        TAKE(out->problem, db_text(q, 3));
        out->over = is_over(db_text(q, 4));
        *waits = !strcmp(db_text(q, 4), "wanted") || !strcmp(db_text(q, 4), "waiting");
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* --- a new one -------------------------------------------------------------------------------- */

static enum err check_waiting(struct db *db, const char *user_id)
{
    struct db_rows *q = db_query(db,
                                 "SELECT count(*) FROM provider_uploads WHERE user_id = ?1 AND "
                                 "status IN ('wanted', 'waiting')",
                                 "s", user_id);
    const int64_t n = db_next(q) ? db_int(q, 0) : 0;
    const enum err e = db_done(q);
    return e != E_OK ? e : n >= LIMIT_UPLOADS_WAITING ? E_LIMIT : E_OK;
}

static enum err add(struct db *db, const struct provider_upload_ask *ask, const char *id)
{
    const int64_t now = clock_wall_us();
    enum err e = check_waiting(db, ask->user_id);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO provider_uploads (id, stream_id, user_id, client_key, "
                    "cors_origin, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    "sssssi", id, ask->stream_id, ask->user_id, ask->client_key, ask->cors_origin,
                    now);
    if (e == E_OK) e = provider_queue(db, JOB_UPLOAD, id, "", now);
    return e == E_OK ? uploads_settle_stream(db, ask->stream_id) : e;
}

static enum err find_or_add(struct db *db, const struct provider_upload_ask *ask,
                            struct provider_upload *out)
{
    bool waits;
    enum err e = E_NOTFOUND;
    if (ask->client_key[0])
        e = read_one(db_query(db, COLUMNS "WHERE stream_id = ?1 AND client_key = ?2", "ss",
                              ask->stream_id, ask->client_key),
                     out, &waits);
    if (e != E_NOTFOUND) return e;
    rand_id(out->id, PROVIDER_UPLOAD_ID_CAP - 1);
    return add(db, ask, out->id);
}

enum err provider_upload_want(struct db *db, const struct provider_upload_ask *ask,
                              struct provider_upload *out)
{
    *out = (struct provider_upload){0};
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = find_or_add(db, ask, out);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_OK) provider_wake();
    return e;
}

static bool is_settled(struct db *db, const char *id)
{
    struct db_rows *q =
        db_query(db, "SELECT 1 FROM provider_uploads WHERE id = ?1 AND status = 'wanted'", "s", id);
    const bool waits = db_next(q);
    return db_done(q) != E_OK || !waits;
}

enum err provider_upload_wait(struct db *db, const char *id, struct provider_upload *out)
{
    bool waits;
    if (!is_settled(db, id)) provider_wait(db, id, is_settled);
    return read_one(db_query(db, COLUMNS "WHERE id = ?1", "s", id), out, &waits);
}

/* --- the end of one --------------------------------------------------------------------------- */

/* Whatever of it may be at Mux goes: an upload, or what became of it. */
static enum err forget(struct db *db, const char *id, const char *remote_id, const char *asset_id)
{
    const int64_t now = clock_wall_us();
    bool never_asked = false;
    struct db_rows *q =
        db_query(db, "SELECT 1 FROM provider_jobs WHERE kind = ?1 AND object_id = ?2 AND asked = 0",
                 "ss", JOB_UPLOAD, id);
    never_asked = db_next(q);
    enum err e = db_done(q);
    if (e == E_OK)
        e = db_exec(
            db, "DELETE FROM provider_jobs WHERE object_id = ?1 OR (object_id = ?2 AND ?2 <> '')",
            "ss", id, remote_id);
    if (e != E_OK || (never_asked && !remote_id[0])) return e;
    if (asset_id[0]) return provider_queue(db, JOB_FORGET, asset_id, asset_id, now);
    return provider_queue(db, JOB_UPLOAD_CANCEL, id, remote_id, now);
}

static enum err cancel(struct db *db, const char *stream_id, const char *id)
{
    struct provider_upload u = {0};
    bool waits = false;
    enum err e =
        read_one(db_query(db, COLUMNS "WHERE stream_id = ?1 AND (id = ?2 OR remote_id = ?2)", "ss",
                          stream_id, id),
                 &u, &waits);
    if (e == E_OK && !waits) e = E_CONFLICT;
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE provider_uploads SET status = 'cancelled', client_key = '', url = '' "
                    "WHERE id = ?1",
                    "s", u.id);
    if (e == E_OK) e = forget(db, u.id, u.remote_id, "");
    return e == E_OK ? uploads_settle_stream(db, stream_id) : e;
}

enum err provider_upload_cancel(struct db *db, const char *stream_id, const char *id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = cancel(db, stream_id, id);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_OK) provider_wake();
    return e;
}

static enum err remove_one(struct db *db, const char *stream_id, const char *id)
{
    char remote_id[REMOTE_ID_CAP], asset_id[REMOTE_ID_CAP], playback_id[REMOTE_ID_CAP];
    bool over = false;
    struct db_rows *q = db_query(db,
                                 "SELECT coalesce(remote_id, ''), asset_id, playback_id, status "
                                 "FROM provider_uploads WHERE stream_id = ?1 AND id = ?2",
                                 "ss", stream_id, id);
    const bool found = db_next(q);
    if (found) {
        TAKE(remote_id, db_text(q, 0));
        TAKE(asset_id, db_text(q, 1));
        TAKE(playback_id, db_text(q, 2));
        over = is_over(db_text(q, 3));
    }
    enum err e = db_done(q);
    if (e != E_OK || !found) return e != E_OK ? e : E_NOTFOUND;
    if (!over || asset_id[0]) e = forget(db, id, remote_id, asset_id);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET uploaded_playback_id = '', duration = coalesce((SELECT "
                    "a.duration_us / 1000000 FROM assets a WHERE a.id = streams.recording_id), "
                    "duration) WHERE id = ?1 AND uploaded_playback_id = ?2 AND ?2 <> ''",
                    "ss", stream_id, playback_id);
    /* Kept, so that the stream's status is still found out from what it has. */
    return e != E_OK ? e
                     : db_exec(db,
                               "UPDATE provider_uploads SET status = 'cancelled', client_key = '', "
                               "url = '', asset_id = '', playback_id = '' WHERE id = ?1",
                               "s", id);
}

enum err provider_upload_remove(struct db *db, const char *stream_id, const char *id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = remove_one(db, stream_id, id);
    if (e == E_OK) e = uploads_settle_stream(db, stream_id);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_OK) provider_wake();
    return e;
}

enum err provider_drop_uploads(struct db *db, const char *stream_id)
{
    for (;;) {
        char id[PROVIDER_UPLOAD_ID_CAP], remote_id[REMOTE_ID_CAP], asset_id[REMOTE_ID_CAP];
        bool over = false;
        struct db_rows *q = db_query(db,
                                     "SELECT id, coalesce(remote_id, ''), asset_id, status FROM "
                                     "provider_uploads WHERE stream_id = ?1 LIMIT 1",
                                     "s", stream_id);
        const bool found = db_next(q);
        if (found) {
            TAKE(id, db_text(q, 0));
            TAKE(remote_id, db_text(q, 1));
            TAKE(asset_id, db_text(q, 2));
            over = is_over(db_text(q, 3));
        }
        enum err e = db_done(q);
        if (e != E_OK || !found) return e;
        /* One that is over was seen to then; its asset, if there is one, was not. */
        if (!over || asset_id[0]) e = forget(db, id, remote_id, asset_id);
        if (e == E_OK) e = db_exec(db, "DELETE FROM provider_uploads WHERE id = ?1", "s", id);
        if (e != E_OK) return e;
    }
}

/* --- where to --------------------------------------------------------------------------------- */

static const char MUX_API[] = "https://api.mux.com";
static const char MUX_UPLOADS[] = "https://*.production.mux.com";

/* The origin of a URL: up to its path. */
static struct span origin_of(struct span url)
{
    const struct span whole = url;
    const size_t scheme = span_starts(url, "https://") ? 8 : span_starts(url, "http://") ? 7 : 0;
    if (!scheme) return SPAN_NULL;
    url = span_skip(url, scheme);
    size_t n = 0;
    while (n < url.len && !strchr("/?#", url.p[n])) n++;
    return n ? span_head(whole, scheme + n) : SPAN_NULL;
}

static bool is_origin(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr(";,'\"@\\", s.p[i])) return false;
    return s.len > 0;
}

void provider_upload_origins(const struct settings *s, char out[REMOTE_ORIGINS_CAP])
{
    struct span list = span_str(s->mux_upload_origins);
    size_t n = 0;
    if (!list.len)
        list = span_str(!strcmp(s->mux_base_url, MUX_API) ? MUX_UPLOADS : s->mux_base_url);
    out[0] = 0;
    while (list.len) {
        const struct span one = origin_of(span_trim(span_cut(&list, ',')));
        if (!is_origin(one) || n + one.len + 2 > REMOTE_ORIGINS_CAP) continue;
        n += (size_t)snprintf(out + n, REMOTE_ORIGINS_CAP - n, "%s%.*s", n ? " " : "", (int)one.len,
                              (const char *)one.p);
    }
}

/* One origin against another; a host of "*." stands for every name below it. */
static bool fits(struct span pattern, struct span origin)
{
    const char *star = memmem(pattern.p, pattern.len, "//*.", 4);
    if (!star) return span_ieq(pattern, origin);
    const size_t at = (size_t)(star - (const char *)pattern.p) + 2;
    const struct span tail = span_skip(pattern, at + 1); /* ".example.org" */
    return origin.len > at + tail.len && span_ieq(span_head(pattern, at), span_head(origin, at)) &&
           span_ieq(span_skip(origin, origin.len - tail.len), tail);
}

bool provider_origin_fits(struct span origins, struct span url)
{
    const struct span origin = origin_of(url);
    if (!is_origin(origin)) return false;
    while (origins.len)
        if (fits(span_cut(&origins, ' '), origin)) return true;
    return false;
}
