/* SPDX-License-Identifier: MIT */
/* Direct uploads at Mux: made for browsers, followed until an asset has come of them. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "video/provider_priv.h"
#include "video/uploads.h"
#include <stdio.h>

#define TAKE(field, text) snprintf(field, sizeof(field), "%s", text)

enum { LOOK_AT_ONCE = 20 };

struct row {
    char id[PROVIDER_UPLOAD_ID_CAP], stream_id[LIVE_ID_CAP], remote_id[REMOTE_ID_CAP];
    char status[16], cors_origin[PROVIDER_ORIGIN_CAP], asset_id[REMOTE_ID_CAP];
    int64_t created_at;
};

#define ROW                                                                                        \
    "SELECT id, stream_id, coalesce(remote_id, ''), status, cors_origin, asset_id, created_at "    \
    "FROM provider_uploads WHERE "

static enum err find_row(struct provider *p, const char *sql, const char *key, struct row *r)
{
    struct db_rows *q = db_query(p->db, sql, "s", key);
    const bool found = db_next(q);
    if (found) {
        TAKE(r->id, db_text(q, 0));
        TAKE(r->stream_id, db_text(q, 1));
        TAKE(r->remote_id, db_text(q, 2));
        TAKE(r->status, db_text(q, 3));
        TAKE(r->cors_origin, db_text(q, 4));
        TAKE(r->asset_id, db_text(q, 5));
        r->created_at = db_int(q, 6);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static bool is(const struct row *r, const char *status)
{
    return !strcmp(r->status, status);
}

/* The end of a transaction, whichever way; the stream says what has become of its recording. */
static enum err settle(struct provider *p, const char *stream_id, enum err e)
{
    if (e == E_OK) e = uploads_settle_stream(p->db, stream_id);
    if (e == E_OK)
        e = db_commit(p->db);
    else
        db_rollback(p->db);
    if (e == E_OK) provider_tell(p, stream_id);
    return e;
}

/* The stream keeps the recording that it has. */
static enum err close_row(struct provider *p, const struct row *r, const char *status,
                          const char *problem)
{
    enum err e = db_begin(p->db);
    if (e != E_OK) return e;
    log_warn("provider", "stream=%s upload=%.8s %s: %s", r->stream_id, r->id, status, problem);
    return settle(p, r->stream_id,
                  db_exec(p->db,
                          "UPDATE provider_uploads SET status = ?2, problem = ?3, client_key = '', "
                          "url = '' WHERE id = ?1",
                          "sss", r->id, status, problem));
}

/* --- making one ------------------------------------------------------------------------------- */

struct search {
    const char *id;
    struct remote_upload *out;
};

static bool find_upload(struct provider *p, struct span json, void *ctx, bool *found, size_t *n)
{
    const struct search *s = ctx;
    return p->cfg.words.find_upload(json, s->id, s->out, found, n);
}

static enum err find_remote(struct provider *p, const char *id, struct remote_upload *out)
{
    return provider_search(p, "/video/v1/uploads", find_upload, &(struct search){id, out});
}

static enum err create(struct provider *p, const struct provider_job *j, const struct row *r,
                       struct remote_upload *out)
{
    struct str body = {0}, answer = {0};
    str_addf(&body,
             "{\"cors_origin\":\"%s\",\"timeout\":%d,\"new_asset_settings\":"
             "{\"playback_policies\":[\"public\"],\"passthrough\":\"%s\"}}",
             r->cors_origin, PROVIDER_UPLOAD_LIFE_S, r->id);
    enum err e = provider_create(p, j, "/video/v1/uploads", str_c(&body), &answer);
    if (e == E_OK && !p->cfg.words.upload(str_span(&answer), out)) e = E_PROTO;
    str_fini(&body);
    str_fini(&answer);
    return e;
}

/* A page here may send its recording only where its policy allows. */
static bool may_send(struct provider *p, const char *url)
{
    char origins[REMOTE_ORIGINS_CAP];
    provider_upload_origins(p->cfg.settings, origins);
    return provider_origin_fits(span_str(origins), span_str(url));
}

static enum err keep(struct provider *p, const struct row *r, const struct remote_upload *u)
{
    enum err e = db_exec(p->db,
                         "UPDATE provider_uploads SET remote_id = ?2, url = ?3, status = 'waiting' "
                         "WHERE id = ?1 AND status = 'wanted'",
                         "sss", r->id, u->id, u->url);
    if (e == E_OK && !may_send(p, u->url)) {
        e = close_row(p, r, "errored",
                      "Mux's address for the upload is none of --mux-upload-origins.");
        if (e == E_OK) e = provider_queue(p->db, JOB_UPLOAD_CANCEL, r->id, u->id, clock_wall_us());
    }
    if (e == E_OK) log_info("provider", "stream=%s upload=%.8s made", r->stream_id, r->id);
    return e;
}

enum err provider_do_upload(struct provider *p, const struct provider_job *j)
{
    struct row r = {0};
    struct remote_upload u = {0};
    enum err e = find_row(p, ROW "id = ?1", j->object_id, &r);
    if (e != E_OK || !is(&r, "wanted")) return e == E_NOTFOUND ? E_OK : e;
    if (clock_wall_us() - r.created_at > PROVIDER_UPLOAD_LIFE_S * US_PER_SEC)
        return close_row(p, &r, "errored", "Mux has not taken it in two days.");
    e = j->asked ? find_remote(p, j->object_id, &u) : E_NOTFOUND;
    if (e == E_NOTFOUND) e = provider_look_twice(p, j);
    if (e == E_NOTFOUND) e = create(p, j, &r, &u);
    return e == E_OK ? keep(p, &r, &u) : e;
}

/* --- following one ---------------------------------------------------------------------------- */

static enum err ask(struct provider *p, const char *method, const char *id, const char *what,
                    struct remote_upload *out)
{
    char path[REMOTE_ID_CAP + 40];
    struct str answer = {0};
    snprintf(path, sizeof path, "/video/v1/uploads/%s%s", id, what);
    enum err e = provider_ask(p, method, path, NULL, &answer);
    if (e == E_OK && !p->cfg.words.upload(str_span(&answer), out)) e = E_PROTO;
    str_fini(&answer);
    return e;
}

/* It is whole: Mux makes an asset of it. */
static enum err take_asset(struct provider *p, const struct row *r, const char *asset_id)
{
    if (!asset_id[0]) return E_MORE;
    enum err e = db_begin(p->db);
    if (e != E_OK) return e;
    e = db_exec(p->db,
                "UPDATE provider_uploads SET status = 'asset_created', asset_id = ?2 "
                "WHERE id = ?1 AND status IN ('wanted', 'waiting')",
                "ss", r->id, asset_id);
    if (e == E_OK) e = provider_queue(p->db, JOB_ASSET, asset_id, asset_id, clock_wall_us());
    return settle(p, r->stream_id, e);
}

enum err provider_do_upload_look(struct provider *p, const struct provider_job *j)
{
    struct row r = {0};
    struct remote_upload u = {0};
    enum err e = find_row(p, ROW "remote_id = ?1", j->object_id, &r);
    if (e != E_OK || !is(&r, "waiting")) return e == E_NOTFOUND ? E_OK : e;
    e = db_exec(p->db, "UPDATE provider_uploads SET looked_at = ?2 WHERE id = ?1", "si", r.id,
                clock_wall_us());
    if (e == E_OK) e = ask(p, "GET", j->object_id, "", &u);
    if (e == E_NOTFOUND) return close_row(p, &r, "errored", "It is not at Mux any more.");
    if (e != E_OK || !strcmp(u.status, "waiting")) return e;
    if (!strcmp(u.status, "asset_created")) return take_asset(p, &r, u.asset_id);
    if (!strcmp(u.status, "cancelled"))
        return close_row(p, &r, "cancelled", "It was cancelled at Mux.");
    return close_row(p, &r, "errored",
                     u.problem[0]                     ? u.problem
                     : !strcmp(u.status, "timed_out") ? "The recording did not arrive in time."
                                                      : "Mux could not take it.");
}

/* What was cancelled, or whose stream is gone: also when it has become an asset meanwhile. */
enum err provider_do_upload_cancel(struct provider *p, const struct provider_job *j)
{
    struct remote_upload u = {0};
    enum err e = E_OK;
    if (j->remote_id[0])
        TAKE(u.id, j->remote_id);
    else
        e = find_remote(p, j->object_id, &u);
    if (e == E_OK) {
        char id[REMOTE_ID_CAP];
        TAKE(id, u.id);
        e = ask(p, "PUT", id, "/cancel", &u);
        if (e == E_INVALID) e = ask(p, "GET", id, "", &u); /* it waits no longer */
    }
    if (e == E_OK && u.asset_id[0])
        e = provider_queue(p->db, JOB_FORGET, u.asset_id, u.asset_id, clock_wall_us());
    return e == E_NOTFOUND ? E_OK : e;
}

/* --- the asset -------------------------------------------------------------------------------- */

/* What the stream has now. */
struct now {
    bool running; /* it is live, or its own recording is still being closed */
    bool recorded;
    int64_t duration_s;
};

static enum err look_at_stream(struct provider *p, const char *stream_id, struct now *n)
{
    struct db_rows *q = db_query(
        p->db,
        "SELECT s.status = 'LIVE' OR coalesce(a.is_live, 0) = 1, coalesce(a.status, '') = 'ready' "
        "OR l.remote_asset_end = 'ready', coalesce(s.duration, 0) FROM streams s JOIN live_streams "
        "l ON l.id = s.live_stream_id LEFT JOIN assets a ON a.id = s.recording_id WHERE s.id = ?1",
        "s", stream_id);
    const bool found = db_next(q);
    if (found) *n = (struct now){db_int(q, 0) != 0, db_int(q, 1) != 0, db_int(q, 2)};
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* As import_db.c has it: what was cut off does not replace what is whole. */
static bool falls_short(const struct now *n, const struct remote_asset *a)
{
    return n->recorded && a->duration_s >= 0 && a->duration_s < n->duration_s - 30 &&
           a->duration_s < n->duration_s / 10 * 9;
}

static enum err write_ready(struct provider *p, const struct row *r, const struct remote_asset *a,
                            const struct now *n)
{
    enum err e = db_exec(p->db,
                         "UPDATE provider_uploads SET status = 'ready', playback_id = ?2, "
                         "duration = nullif(?3, -1), client_key = '', url = '' WHERE id = ?1",
                         "ssi", r->id, a->playback_id, a->duration_s);
    if (e != E_OK || falls_short(n, a)) return e;
    e = db_exec(p->db,
                "UPDATE streams SET uploaded_playback_id = ?2, "
                "duration = CASE WHEN ?3 >= 0 THEN ?3 ELSE duration END WHERE id = ?1",
                "ssi", r->stream_id, a->playback_id, a->duration_s);
    return e == E_OK ? uploads_end_recorded_only(p->db, r->stream_id) : e;
}

static enum err become_ready(struct provider *p, const struct row *r, const struct remote_asset *a)
{
    struct now n = {0};
    enum err e = look_at_stream(p, r->stream_id, &n);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (n.running || !a->playback_id[0]) return E_MORE;
    e = db_begin(p->db);
    if (e == E_OK) e = settle(p, r->stream_id, write_ready(p, r, a, &n));
    if (e == E_OK) log_info("provider", "stream=%s upload=%.8s ready", r->stream_id, r->id);
    return e;
}

enum err provider_follow_uploaded(struct provider *p, const struct remote_asset *a)
{
    struct row r = {0};
    enum err e = find_row(p, ROW "asset_id = ?1", a->id, &r);
    if (e == E_NOTFOUND && a->upload_id[0]) {
        /* Of an upload that we have not heard the end of yet. */
        e = find_row(p, ROW "remote_id = ?1", a->upload_id, &r);
        if (e == E_OK && is(&r, "waiting")) return take_asset(p, &r, a->id);
    }
    if (e != E_OK || !is(&r, "asset_created")) return e;
    if (!strcmp(a->status, "errored"))
        return close_row(p, &r, "errored", a->problem[0] ? a->problem : "Mux could not read it.");
    return !strcmp(a->status, "ready") ? become_ready(p, &r, a) : E_MORE;
}

enum err provider_lost_uploaded(struct provider *p, const char *asset_id)
{
    struct row r = {0};
    enum err e = find_row(p, ROW "asset_id = ?1", asset_id, &r);
    if (e != E_OK || is(&r, "errored")) return e;
    e = db_exec(p->db,
                "UPDATE streams SET uploaded_playback_id = '' WHERE id = ?1 AND "
                "uploaded_playback_id = (SELECT playback_id FROM provider_uploads WHERE id = ?2)",
                "ss", r.stream_id, r.id);
    return e == E_OK ? close_row(p, &r, "errored", "The recording is not at Mux any more.") : e;
}

/* --- for those whose hints were lost ---------------------------------------------------------- */

enum err provider_look_at_uploads(struct provider *p)
{
    char ids[LOOK_AT_ONCE][REMOTE_ID_CAP];
    bool made[LOOK_AT_ONCE];
    int n = 0;
    /* Recordings that are still on their way may be many, and take days: some, in turn. */
    struct db_rows *q = db_query(
        p->db,
        "SELECT CASE asset_id WHEN '' THEN remote_id ELSE asset_id END, asset_id <> '' FROM "
        "provider_uploads WHERE status IN ('waiting', 'asset_created') ORDER BY looked_at LIMIT ?1",
        "i", (int64_t)LOOK_AT_ONCE);
    while (n < LOOK_AT_ONCE && db_next(q)) {
        TAKE(ids[n], db_text(q, 0));
        made[n++] = db_int(q, 1) != 0;
    }
    enum err e = db_done(q);
    for (int i = 0; i < n && e == E_OK; i++) {
        e = provider_queue(p->db, made[i] ? JOB_ASSET : JOB_UPLOAD_LOOK, ids[i], ids[i],
                           clock_wall_us());
        if (e == E_OK && made[i])
            e = db_exec(p->db, "UPDATE provider_uploads SET looked_at = ?2 WHERE asset_id = ?1",
                        "si", ids[i], clock_wall_us());
    }
    return e;
}
