/* SPDX-License-Identifier: MIT */
/* The thread that does what is to be done at Mux, one job after the other: its API takes about one
 * creation a second. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/provider_priv.h"
#include <stdio.h>

enum { IDLE_S = 20, ROUND_S = 60, GAP_MAX_S = 60, STALE_GAP_S = 5 };

/* --- jobs: E_OK done, anything else: again later ---------------------------------------------- */

struct local {
    char stream_id[LIVE_ID_CAP], live_id[LIVE_ID_CAP], remote_id[REMOTE_ID_CAP];
};

static enum err find_local(struct provider *p, const char *stream_id, struct local *l)
{
    struct db_rows *q = db_query(p->db,
                                 "SELECT l.id, coalesce(l.remote_id, '') FROM streams s "
                                 "JOIN live_streams l ON l.id = s.live_stream_id "
                                 "WHERE s.id = ?1 AND l.remote = 1",
                                 "s", stream_id);
    const bool found = db_next(q);
    if (found) {
        snprintf(l->stream_id, sizeof l->stream_id, "%s", stream_id);
        snprintf(l->live_id, sizeof l->live_id, "%s", db_text(q, 0));
        snprintf(l->remote_id, sizeof l->remote_id, "%s", db_text(q, 1));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

void provider_tell(struct provider *p, const char *stream_id)
{
    if (p->cfg.on_changed) p->cfg.on_changed(p->cfg.ctx, stream_id);
}

static enum err write_live(struct provider *p, const struct local *l, const struct remote_live *r)
{
    uint8_t sealed[REMOTE_KEY_CAP + 64];
    const size_t n = p->cfg.seal(p->cfg.secret, l->live_id, r->stream_key, sealed, sizeof sealed);
    const enum err e =
        db_exec(p->db,
                "UPDATE live_streams SET remote_id = ?2, remote_key_sealed = ?3, "
                "remote_playback_id = ?4, updated_at = ?5 WHERE id = ?1",
                "ssbsi", l->live_id, r->id, span_of(sealed, n), r->playback_id, clock_wall_us());
    if (e == E_OK) log_info("provider", "stream=%s live_stream=%s", l->stream_id, r->id);
    return e;
}

enum err provider_search(struct provider *p, const char *path,
                         bool (*find)(struct provider *p, struct span json, void *ctx, bool *found,
                                      size_t *n),
                         void *ctx)
{
    char url[80];
    for (unsigned page = 1; page <= LIMIT_PROVIDER_PAGES; page++) {
        struct str body = {0};
        bool found = false;
        size_t n = 0;
        snprintf(url, sizeof url, "%s?limit=100&page=%u", path, page);
        const enum err e = provider_ask(p, "GET", url, NULL, &body);
        const bool fine = e == E_OK && find(p, str_span(&body), ctx, &found, &n);
        str_fini(&body);
        if (e != E_OK || !fine) return e != E_OK && e != E_NOTFOUND ? e : E_PROTO;
        if (found) return E_OK;
        if (n == 0) return E_NOTFOUND;
    }
    return E_NOTFOUND;
}

struct live_search {
    const char *stream_id;
    struct remote_live *out;
};

static bool find_live(struct provider *p, struct span json, void *ctx, bool *found, size_t *n)
{
    const struct live_search *s = ctx;
    return p->cfg.words.find_live(json, s->stream_id, s->out, found, n);
}

/* The live stream at Mux that has our id as its passthrough. E_NOTFOUND: there is none. */
static enum err find_remote(struct provider *p, const char *stream_id, struct remote_live *out)
{
    return provider_search(p, "/video/v1/live-streams", find_live,
                           &(struct live_search){stream_id, out});
}

enum { NOT_ASKED, ASKED, ASKED_AND_SOUGHT };

static enum err set_asked(struct provider *p, const struct provider_job *j, int asked)
{
    return db_exec(p->db, "UPDATE provider_jobs SET asked = ?2 WHERE id = ?1", "si", j->id,
                   (int64_t)asked);
}

enum err provider_look_twice(struct provider *p, const struct provider_job *j)
{
    if (j->asked != ASKED) return E_NOTFOUND;
    const enum err e = set_asked(p, j, ASKED_AND_SOUGHT);
    return e == E_OK ? E_MORE : e;
}

enum err provider_create(struct provider *p, const struct provider_job *j, const char *path,
                         const char *body, struct str *answer)
{
    enum err e = set_asked(p, j, ASKED);
    if (e != E_OK) return e;
    e = provider_ask(p, "POST", path, body, answer);
    /* Then nothing was made there, and nobody need look. */
    if (e == E_LIMIT || e == E_INVALID || e == E_NOTFOUND) {
        const enum err w = set_asked(p, j, NOT_ASKED);
        if (w != E_OK) e = w;
    }
    return e;
}

static void create_body(struct provider *p, const char *stream_id, struct str *out)
{
    const struct settings *s = p->cfg.settings;
    str_addf(out,
             "{\"playback_policies\":[\"public\"],\"passthrough\":\"%s\",\"new_asset_settings\":"
             "{\"playback_policies\":[\"public\"],\"passthrough\":\"%s\"},\"latency_mode\":\"low\","
             "\"reconnect_window\":%lld",
             stream_id, stream_id, (long long)s->reconnect_window);
    if (s->max_stream_duration >= 60 && s->max_stream_duration <= 43200)
        str_addf(out, ",\"max_continuous_duration\":%lld", (long long)s->max_stream_duration);
    str_addc(out, '}');
}

static enum err create(struct provider *p, const struct provider_job *j, struct remote_live *r)
{
    struct str body = {0}, answer = {0};
    create_body(p, j->object_id, &body);
    enum err e = provider_create(p, j, "/video/v1/live-streams", str_c(&body), &answer);
    if (e == E_OK && !p->cfg.words.live(str_span(&answer), r)) e = E_PROTO;
    str_fini(&body);
    str_fini(&answer);
    return e;
}

static enum err do_create(struct provider *p, const struct provider_job *j)
{
    struct local l = {0};
    struct remote_live r = {0};
    enum err e = find_local(p, j->object_id, &l);
    if (e != E_OK || l.remote_id[0]) return e == E_NOTFOUND ? E_OK : e;
    e = j->asked ? find_remote(p, j->object_id, &r) : E_NOTFOUND;
    if (e == E_NOTFOUND) e = provider_look_twice(p, j);
    if (e == E_NOTFOUND) e = create(p, j, &r);
    if (e == E_OK) e = write_live(p, &l, &r);
    if (e == E_OK) provider_tell(p, l.stream_id);
    return e;
}

static enum err put(struct provider *p, const char *method, const char *remote_id, const char *what,
                    struct str *out)
{
    char path[REMOTE_ID_CAP + 80];
    snprintf(path, sizeof path, "/video/v1/live-streams/%s%s", remote_id, what);
    return provider_ask(p, method, path, NULL, out);
}

static enum err do_key(struct provider *p, const struct provider_job *j)
{
    struct local l = {0};
    struct remote_live r = {0};
    struct str answer = {0};
    enum err e = find_local(p, j->object_id, &l);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (!l.remote_id[0]) return E_OK; /* it comes with its creation */
    e = put(p, "POST", l.remote_id, "/reset-stream-key", &answer);
    if (e == E_OK && !p->cfg.words.live(str_span(&answer), &r)) e = E_PROTO;
    str_fini(&answer);
    return e == E_OK ? write_live(p, &l, &r) : e;
}

/* Its owner has ended it: the encoder is sent away, and does not come back. */
static enum err do_complete(struct provider *p, const struct provider_job *j)
{
    struct local l = {0};
    enum err e = find_local(p, j->object_id, &l);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (!l.remote_id[0]) return E_MORE; /* its creation comes first */
    e = put(p, "PUT", l.remote_id, "/complete", NULL);
    if (e == E_OK) e = put(p, "PUT", l.remote_id, "/disable", NULL);
    if (e == E_NOTFOUND) return E_OK;
    return e == E_OK ? provider_queue(p->db, JOB_LOOK, l.remote_id, l.remote_id, clock_wall_us())
                     : e;
}

static enum err do_delete(struct provider *p, const struct provider_job *j)
{
    struct remote_live r = {0};
    enum err e = E_OK;
    if (j->remote_id[0])
        snprintf(r.id, sizeof r.id, "%s", j->remote_id);
    else
        e = find_remote(p, j->object_id, &r);
    if (e == E_OK) e = put(p, "DELETE", r.id, "", NULL);
    return e == E_NOTFOUND ? E_OK : e;
}

static enum err do_forget(struct provider *p, const struct provider_job *j)
{
    char path[REMOTE_ID_CAP + 32];
    snprintf(path, sizeof path, "/video/v1/assets/%s", j->remote_id);
    const enum err e = provider_ask(p, "DELETE", path, NULL, NULL);
    return e == E_NOTFOUND ? E_OK : e;
}

static enum err count(struct provider *p, const char *sql, const char *id, bool *any)
{
    struct db_rows *q = db_query(p->db, sql, "s", id);
    *any = db_next(q);
    return db_done(q);
}

static enum err do_look(struct provider *p, const struct provider_job *j)
{
    struct remote_live r = {0};
    struct str answer = {0};
    bool ours = false;
    enum err e = count(p, "SELECT 1 FROM live_streams WHERE remote_id = ?1", j->object_id, &ours);
    if (e != E_OK || !ours) return e;
    e = put(p, "GET", j->object_id, "", &answer);
    if (e == E_OK && !p->cfg.words.live(str_span(&answer), &r)) e = E_PROTO;
    str_fini(&answer);
    if (e == E_NOTFOUND) return provider_lost_live(p, j->object_id);
    return e == E_OK ? provider_follow_live(p, &r) : e;
}

static enum err do_asset(struct provider *p, const struct provider_job *j)
{
    char path[REMOTE_ID_CAP + 32];
    struct remote_asset r = {0};
    struct str answer = {0};
    snprintf(path, sizeof path, "/video/v1/assets/%s", j->object_id);
    enum err e = provider_ask(p, "GET", path, NULL, &answer);
    if (e == E_OK && !p->cfg.words.asset(str_span(&answer), &r)) e = E_PROTO;
    str_fini(&answer);
    if (e == E_NOTFOUND) return provider_lost_asset(p, j->object_id);
    return e == E_OK ? provider_follow_asset(p, &r) : e;
}

static const struct {
    const char *kind;
    enum err (*run)(struct provider *p, const struct provider_job *j);
} KINDS[] = {
    {JOB_CREATE, do_create},
    {JOB_KEY, do_key},
    {JOB_COMPLETE, do_complete},
    {JOB_DELETE, do_delete},
    {JOB_LOOK, do_look},
    {JOB_ASSET, do_asset},
    {JOB_FORGET, do_forget},
    {JOB_UPLOAD, provider_do_upload},
    {JOB_UPLOAD_LOOK, provider_do_upload_look},
    {JOB_UPLOAD_CANCEL, provider_do_upload_cancel},
};

/* --- the queue -------------------------------------------------------------------------------- */

static bool next_job(struct provider *p, int64_t now, struct provider_job *j, int64_t *next)
{
    struct db_rows *q = db_query(p->db,
                                 "SELECT id, kind, object_id, remote_id, asked, wishes, attempts, "
                                 "next_at FROM provider_jobs ORDER BY next_at, created_at LIMIT 1",
                                 "");
    bool found = false;
    *next = INT64_MAX;
    if (db_next(q)) {
        *next = db_int(q, 7);
        found = *next <= now;
        snprintf(j->id, sizeof j->id, "%s", db_text(q, 0));
        snprintf(j->kind, sizeof j->kind, "%s", db_text(q, 1));
        snprintf(j->object_id, sizeof j->object_id, "%s", db_text(q, 2));
        snprintf(j->remote_id, sizeof j->remote_id, "%s", db_text(q, 3));
        j->asked = (int)db_int(q, 4);
        j->wishes = db_int(q, 5);
        j->attempts = (int)db_int(q, 6);
    }
    return db_done(q) == E_OK && found;
}

/* Nine to eleven tenths of 1, 2, 4, … seconds. */
static int64_t gap_us(int attempts)
{
    const int64_t s = attempts > 5 ? GAP_MAX_S : INT64_C(1) << attempts;
    return s * US_PER_SEC * 9 / 10 + (int64_t)(rand_u64() % (uint64_t)(s * US_PER_SEC / 5));
}

static enum err settle(struct provider *p, const struct provider_job *j, enum err e)
{
    if (e == E_OK)
        return db_exec(p->db, "DELETE FROM provider_jobs WHERE id = ?1 AND wishes = ?2", "si",
                       j->id, j->wishes);
    if (e == E_CLOSED) return E_OK; /* we are stopping: it is done after the next start */
    return db_exec(p->db,
                   "UPDATE provider_jobs SET attempts = attempts + 1, next_at = ?3 "
                   "WHERE id = ?1 AND wishes = ?2",
                   "sii", j->id, j->wishes, clock_wall_us() + gap_us(j->attempts));
}

static void run_job(struct provider *p, const struct provider_job *j)
{
    enum err e = E_OK; /* of a kind that we do not know: away with it */
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (!strcmp(KINDS[i].kind, j->kind)) e = KINDS[i].run(p, j);
    if (e != E_OK && e != E_MORE && e != E_CLOSED)
        log_warn("provider", "job=%s attempt=%d failed: %s", j->id, j->attempts + 1, err_text(e));
    if (settle(p, j, e) != E_OK) {
        log_error("provider", "job=%s cannot be written", j->id);
        p->quiet_until_us = clock_mono_us() + STALE_GAP_S * US_PER_SEC;
    }
    provider_tell_waiters(p);
}

/* Hints may be lost. At the start everything that may have changed is looked at, then once a minute
 * what is going on. */
static void look_round(struct provider *p, bool all)
{
    struct db_rows *q =
        db_query(p->db,
                 "SELECT l.remote_id FROM live_streams l JOIN streams s ON s.live_stream_id = l.id "
                 "WHERE l.remote = 1 AND l.remote_id IS NOT NULL AND (s.status = 'LIVE' OR "
                 "s.recording_status IN ('RECORDING', 'PROCESSING', 'UPLOADING') OR (?1 = 1 AND "
                 "s.ended_reason NOT IN ('owner', 'limit')))",
                 "i", (int64_t)all);
    char(*ids)[REMOTE_ID_CAP] = NULL;
    size_t n = 0;
    while (db_next(q)) {
        ids = xrealloc(ids, (n + 1) * sizeof *ids);
        snprintf(ids[n++], sizeof *ids, "%s", db_text(q, 0));
    }
    enum err e = db_done(q);
    for (size_t i = 0; i < n && e == E_OK; i++)
        e = provider_queue(p->db, JOB_LOOK, ids[i], ids[i], clock_wall_us());
    free(ids);
    if (e == E_OK) e = provider_look_at_uploads(p);
    if (e != E_OK) log_warn("provider", "streams cannot be looked at: %s", err_text(e));
    p->next_round_us = clock_mono_us() + ROUND_S * US_PER_SEC;
}

static void rest(struct provider *p, int64_t until_us)
{
    const struct timespec t = {.tv_sec = until_us / US_PER_SEC,
                               .tv_nsec = until_us % US_PER_SEC * 1000};
    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->ending) && !p->woken)
        if (pthread_cond_timedwait(&p->cond, &p->lock, &t) != 0) break;
    p->woken = false;
    pthread_mutex_unlock(&p->lock);
}

static void *provider_run(void *arg)
{
    struct provider *p = arg;
    p->db = db_open_thread(p->cfg.store);
    look_round(p, true);
    while (!atomic_load(&p->ending)) {
        struct provider_job j;
        int64_t next;
        const int64_t mono = clock_mono_us(), wall = clock_wall_us();
        if (mono >= p->next_round_us) look_round(p, false);
        if (p->quiet_until_us > mono) {
            rest(p, p->quiet_until_us);
        } else if (next_job(p, wall, &j, &next)) {
            run_job(p, &j);
        } else {
            const int64_t idle = IDLE_S * US_PER_SEC, left = next - wall;
            rest(p, mono + (left > 0 && left < idle ? left : idle));
        }
    }
    return NULL;
}

/* --- the outside ------------------------------------------------------------------------------ */

static enum err bad(char *problem, size_t cap, const char *text)
{
    snprintf(problem, cap, "%s", text);
    return E_INVALID;
}

static void authorize(struct provider *p)
{
    const struct settings *s = p->cfg.settings;
    char plain[300], text[HASH_B64_LEN(sizeof plain)];
    const int n = snprintf(plain, sizeof plain, "%s:%s", s->mux_token_id, s->mux_token_secret);
    hash_b64(span_of(plain, (size_t)n), text);
    snprintf(p->authorization, sizeof p->authorization, "Authorization: Basic %s", text);
}

enum err provider_new(const struct provider_config *cfg, struct provider **out, char *problem,
                      size_t cap)
{
    const struct settings *s = cfg->settings;
    pthread_condattr_t mono;
    *out = NULL;
    if (strcmp(s->media_provider, "mux") != 0) return E_OK;
    if (!s->mux_token_id[0] || !s->mux_token_secret[0])
        return bad(problem, cap,
                   "--media-provider mux needs --mux-token-id and --mux-token-secret");
    if (strlen(s->mux_token_id) + strlen(s->mux_token_secret) > 256)
        return bad(problem, cap, "--mux-token-id and --mux-token-secret are too long");
    if (!s->mux_webhook_secret[0])
        log_warn("provider",
                 "without --mux-webhook-secret no webhook of Mux is taken: states follow "
                 "within a minute, and streams that go live are not noticed");
    struct provider *p = NEW(struct provider);
    p->cfg = *cfg;
    authorize(p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&p->cond, &mono);
    pthread_cond_init(&p->change, &mono);
    pthread_condattr_destroy(&mono);
    *out = p;
    return E_OK;
}

void provider_start(struct provider *p)
{
    if (!p) return;
    p->started = true;
    provider_set_running(p);
    CHECK(pthread_create(&p->thread, NULL, provider_run, p) == 0);
}

void provider_stop(struct provider *p)
{
    if (!p || !p->started || p->joined) return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->ending, true);
    pthread_cond_signal(&p->cond);
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->joined = true;
}

/* After the pool has stopped: nobody waits any more. */
void provider_free(struct provider *p)
{
    if (!p) return;
    provider_stop(p);
    provider_set_running(NULL);
    pthread_cond_destroy(&p->cond);
    pthread_cond_destroy(&p->change);
    pthread_mutex_destroy(&p->lock);
    explicit_bzero(p->authorization, sizeof p->authorization);
    free(p);
}
