/* SPDX-License-Identifier: MIT */
/* The making of an image, from the gate's word to the answers. Home loop, but for the work of the
 * pool. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "record/recording.h"
#include "serve/images/images_priv.h"
#include <stdio.h>

#define CACHE_FORMAT "1" /* another number: what is in the cache is not used any more */

/* --- the end of a job --- */

static void stop_reading(struct image_job *j)
{
    if (j->reading) feed_detach(&j->reader);
    j->reading = false;
}

static void source_fini(struct image_job *j)
{
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++)
        if (j->source.snap[i]) feed_msg_unref(&j->source.snap[i]->msg);
    archive_unref(j->archive);
    j->archive = NULL;
    j->source = (struct image_source){0};
    record_log_unref(j->log);
    j->log = NULL;
}

static void free_job(struct image_job *j)
{
    source_fini(j);
    image_plan_fini(&j->plan);
    buf_unref(j->image);
    free(j->dir);
    free(j->key);
    free(j);
}

static void go_on(struct image_service *s);

/* The gate or the pool still has it: they free it. */
static bool is_lent(const struct image_job *j)
{
    return j->state == JOB_GATE || j->state == JOB_LOOKING || j->state == JOB_READING;
}

static void drop(struct image_job *j)
{
    struct image_service *s = j->service;
    CHECK(!j->dead && list_empty(&j->asks));
    j->dead = true;
    stop_reading(j);
    timer_stop(&j->timer);
    list_remove(&j->node);
    list_remove(&j->turn);
    map_del(&s->by_key, span_str(j->key));
    s->n_jobs--;
    if (j->worker) image_worker_cancel(j->worker);
    j->worker = NULL;
    if (j->state == JOB_WORKING || j->state == JOB_READING) s->working--;
    if (j->state == JOB_DONE) s->live_bytes -= j->image->len;
    if (!is_lent(j)) free_job(j);
    if (!s->closed) go_on(s);
}

static struct image_ask *next_ask(struct image_job *j)
{
    struct image_ask *ask = CONTAINER_OF(j->asks.next, struct image_ask, node);
    list_remove(&ask->node);
    j->service->n_asks--;
    return ask;
}

static void refuse_all(struct image_job *j, int status, const char *code, const char *message)
{
    while (!list_empty(&j->asks)) {
        struct image_ask *ask = next_ask(j);
        if (status == 503 || status == 412) ask->answer.retry_s = 2;
        image_ask_refuse(ask, status, code, message);
    }
    drop(j);
}

static void fail(struct image_job *j, enum err e, const char *message)
{
    switch (e) {
    case E_NOTFOUND:
        refuse_all(j, 404, "not_found", message);
        return;
    case E_INVALID:
        refuse_all(j, 400, "invalid_parameters", message);
        return;
    case E_CLOSED:
        refuse_all(j, 412, "not_ready", message);
        return;
    case E_UNSUPPORTED:
    case E_LIMIT:
        refuse_all(j, 422, "no_image", message);
        return;
    case E_TIMEOUT:
        refuse_all(j, 503, "timeout", "It took too long to make this image.");
        return;
    default:
        log_warn("image-failed", "why=%s", err_label(e));
        refuse_all(j, 503, "failed", message);
    }
}

/* --- answers --- */

/* A time that was asked for stays that picture; what is usual may become another. */
static void say_life(const struct image_job *j, struct image_answer *a, int64_t now)
{
    const bool usual = j->params.kind == IMAGE_THUMBNAIL && j->params.time_us == IMAGE_NO_TIME;
    const long long left = (j->until_us - now) / US_PER_SEC;
    const char *whose = j->is_signed ? "private" : "public";
    if (j->running)
        snprintf(a->life, sizeof a->life, "%s, max-age=%lld", whose, left < 1 ? 1 : left);
    else if (usual || j->params.kind == IMAGE_TILES)
        snprintf(a->life, sizeof a->life, "%s, max-age=300", whose);
    else
        snprintf(a->life, sizeof a->life, "%s, max-age=86400, immutable", whose);
}

static void answer_one(const struct image_job *j, struct image_ask *ask)
{
    struct image_answer *a = &ask->answer;
    a->status = 200;
    a->image = buf_ref(j->image);
    a->tiles = j->plan.tiles;
    snprintf(a->etag, sizeof a->etag, "\"%.32s\"", j->name);
    say_life(j, a, loop_now_us(j->service->home));
    image_ask_reply(ask);
}

static void answer_all(struct image_job *j)
{
    struct image_service *s = j->service;
    j->until_us = loop_now_us(s->home) + IMAGE_LIVE_US;
    while (!list_empty(&j->asks)) answer_one(j, next_ask(j));
    if (j->state == JOB_WORKING) s->working--;
    const bool keep =
        j->running && j->image && s->live_bytes + j->image->len <= LIMIT_IMAGE_LIVE_BYTES;
    if (keep) {
        j->state = JOB_DONE;
        s->live_bytes += j->image->len;
        source_fini(j);
        if (!timer_active(&s->sweep)) timer_at(&s->sweep, j->until_us);
        go_on(s);
        return;
    }
    j->state = JOB_QUEUED; /* neither lent nor counted */
    drop(j);
}

/* --- the worker --- */

struct store {
    struct image_cache *cache;
    char name[IMAGE_NAME_CAP];
    struct buf *image;
};

static void store_work(void *arg)
{
    struct store *st = arg;
    image_cache_put(st->cache, st->name, st->image);
    buf_unref(st->image);
    free(st);
}

static void keep_on_disk(const struct image_job *j)
{
    struct store *st = NEW(struct store);
    st->cache = j->service->cache;
    snprintf(st->name, sizeof st->name, "%s", j->name);
    st->image = buf_ref(j->image);
    pool_run(j->service->cfg.pool, store_work, NULL, NULL, st);
}

static void on_worker(void *ctx, enum err e, struct buf *image, const char *reason)
{
    struct image_job *j = ctx;
    j->worker = NULL;
    if (e != E_OK) {
        char text[LIMIT_WORKER_TEXT + 64];
        snprintf(text, sizeof text, "The image could not be made: %s.", reason);
        fail(j, e, text);
        return;
    }
    metric_add(M_IMAGES_MADE, 1);
    j->image = buf_ref(image);
    if (!j->running) keep_on_disk(j);
    answer_all(j);
}

static void read_work(void *arg)
{
    struct image_job *j = arg;
    j->result.e = image_plan_make(&j->source, &j->params, &j->plan, &j->result.problem);
}

static void name_live(struct image_job *j)
{
    uint8_t sum[SHA256_LEN];
    struct str s = {0};
    str_addf(&s, "%s %s %llu %lld", j->key, j->log ? record_log_run(j->log) : "",
             (unsigned long long)j->plan.msn, (long long)clock_wall_us());
    hash_sha256(str_span(&s), sum);
    hash_hex(span_of(sum, sizeof sum), j->name);
    str_fini(&s);
}

static void read_done(void *arg)
{
    struct image_job *j = arg;
    struct image_service *s = j->service;
    if (j->dead) {
        free_job(j);
        return;
    }
    j->state = JOB_WORKING;
    if (j->result.e != E_OK) {
        fail(j, j->result.e, j->result.problem);
        return;
    }
    if (j->running) name_live(j);
    if (j->params.kind == IMAGE_TILES) {
        answer_all(j);
        return;
    }
    const enum err e =
        image_worker_start(s->home, j->plan.msgs, j->plan.n, on_worker, j, &j->worker);
    image_plan_fini(&j->plan);
    source_fini(j);
    if (e != E_OK) fail(j, e == E_NOTFOUND ? E_IO : e, "The server cannot make images now.");
}

static void go_on(struct image_service *s)
{
    while (s->working < LIMIT_IMAGE_WORKERS && !list_empty(&s->queue)) {
        struct image_job *j = CONTAINER_OF(s->queue.next, struct image_job, turn);
        list_remove(&j->turn);
        j->state = JOB_READING;
        s->working++;
        pool_run(s->cfg.pool, read_work, s->home, read_done, j);
    }
}

/* Making one costs; the first who asks pays. */
static void enqueue(struct image_job *j)
{
    struct image_service *s = j->service;
    const struct image_ask *first = CONTAINER_OF(j->asks.next, struct image_ask, node);
    unsigned wait = 0;
    if (!peer_limit_ask(s->fresh, first->peer, loop_now_us(s->home), &wait)) {
        LIST_EACH(it, &j->asks) CONTAINER_OF(it, struct image_ask, node)->answer.retry_s = wait;
        refuse_all(j, 429, "too_many_requests", "Too many new images are being asked for.");
        return;
    }
    j->state = JOB_QUEUED;
    list_push_back(&s->queue, &j->turn);
    go_on(s);
}

/* --- a recording --- */

static void look_work(void *arg)
{
    struct image_job *j = arg;
    j->result.e = E_NOTFOUND;
    if (j->params.kind != IMAGE_TILES)
        j->result.e = image_cache_get(j->service->cache, j->name, &j->image);
    if (j->result.e == E_OK) return;
    j->result.e = recording_load(j->dir, &j->archive);
    if (j->result.e != E_OK) return;
    j->source.archive = j->archive;
    j->source.n = j->archive->n_renditions;
}

static void look_done(void *arg)
{
    struct image_job *j = arg;
    if (j->dead) {
        free_job(j);
        return;
    }
    j->state = JOB_QUEUED;
    if (j->image)
        answer_all(j);
    else if (j->result.e == E_OK)
        enqueue(j);
    else
        fail(j, E_NOTFOUND, "There are no pictures in this recording.");
}

static void take_recording(struct image_job *j, const char *dir)
{
    uint8_t sum[SHA256_LEN];
    struct str s = {0};
    j->dir = xstrdup(dir);
    str_addf(&s, CACHE_FORMAT " %s %lld ", dir, (long long)j->source.usual_us);
    image_params_key(&j->params, &s);
    hash_sha256(str_span(&s), sum);
    hash_hex(span_of(sum, sizeof sum), j->name);
    str_fini(&s);
    j->state = JOB_LOOKING;
    pool_run(j->service->cfg.pool, look_work, j->service->home, look_done, j);
}

/* --- a running stream --- */

static bool all_there(const struct image_job *j)
{
    unsigned have = 0;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) have += j->source.snap[i] ? 1 : 0;
    return have && have >= j->source.n;
}

static void enough_of_log(struct image_job *j)
{
    stop_reading(j);
    timer_stop(&j->timer);
    enqueue(j);
}

static void on_snapshot(struct feed_reader *reader, struct feed_msg *m)
{
    struct image_job *j = reader->ctx;
    struct log_snapshot *s = log_snapshot_of(m);
    if (s->rendition >= LIMIT_RECORD_RENDITIONS) return;
    if (j->source.snap[s->rendition]) feed_msg_unref(&j->source.snap[s->rendition]->msg);
    feed_msg_ref(m);
    j->source.snap[s->rendition] = s;
    if (s->n_renditions > j->source.n) j->source.n = s->n_renditions;
    if (all_there(j)) timer_at(&j->timer, loop_now_us(j->service->home)); /* not from in here */
}

static void on_log_timer(struct timer *t, void *ctx)
{
    struct image_job *j = ctx;
    (void)t;
    bool any = false;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) any = any || j->source.snap[i];
    if (any)
        enough_of_log(j);
    else
        fail(j, E_CLOSED, "This stream has not begun yet.");
}

static void take_log(struct image_job *j, struct record_log *log)
{
    j->running = true;
    j->log = record_log_ref(log);
    j->state = JOB_LOG;
    timer_at(&j->timer, loop_now_us(j->service->home) + IMAGE_WAIT_US);
    j->reading = true;
    feed_attach(record_log_feed(log), &j->reader, on_snapshot, j);
}

/* --- the gate --- */

static bool lacks_token(const struct image_job *j, const struct image_ask *ask)
{
    return j->is_signed && !ask->token;
}

static void refuse_token(struct image_ask *ask)
{
    image_ask_refuse(ask, 403, "forbidden", "This playback id needs a token.");
}

/* A signed id is for those that the gate has let in. */
static void sort_out(struct image_job *j)
{
    LIST_EACH(it, &j->asks)
    {
        struct image_ask *ask = CONTAINER_OF(it, struct image_ask, node);
        if (!lacks_token(j, ask)) continue;
        list_remove(&ask->node);
        j->service->n_asks--;
        refuse_token(ask);
    }
}

static void on_gate(void *ctx, enum err e, const struct gate_media_answer *m)
{
    struct image_job *j = ctx;
    if (j->dead) {
        free_job(j);
        return;
    }
    j->state = JOB_QUEUED;
    const bool chosen = e == E_OK && m->dir && m->thumbnail_us >= 0;
    j->source.usual_us = chosen ? m->thumbnail_us : IMAGE_NO_TIME;
    j->is_signed = e == E_AUTH || (e == E_OK && m->is_signed);
    sort_out(j);
    if (list_empty(&j->asks))
        drop(j);
    else if (e == E_CLOSED || e == E_AUTH)
        fail(j, E_CLOSED, "This stream is not live now.");
    else if (e != E_OK)
        fail(j, E_NOTFOUND, "There is no such playback id.");
    else if (m->log)
        take_log(j, m->log);
    else if (m->dir)
        take_recording(j, m->dir);
    else
        fail(j, E_CLOSED, "This stream is not live now.");
}

/* --- asks --- */

static void sweep(struct timer *t, void *ctx)
{
    struct image_service *s = ctx;
    const int64_t now = loop_now_us(s->home);
    int64_t next = INT64_MAX;
    (void)t;
    LIST_EACH(it, &s->jobs)
    {
        struct image_job *j = CONTAINER_OF(it, struct image_job, node);
        if (j->state != JOB_DONE) continue;
        if (j->until_us <= now)
            drop(j);
        else if (j->until_us < next)
            next = j->until_us;
    }
    if (next != INT64_MAX) timer_at(&s->sweep, next);
}

static struct image_job *new_job(struct image_service *s, struct image_ask *ask, const char *key)
{
    struct image_job *j = NEW(struct image_job);
    j->service = s;
    j->key = xstrdup(key);
    j->params = ask->params;
    snprintf(j->id, sizeof j->id, "%s", ask->id);
    list_init(&j->asks);
    list_init(&j->turn);
    list_push_back(&s->jobs, &j->node);
    map_put(&s->by_key, span_str(j->key), j);
    timer_init(&j->timer, s->home, on_log_timer, j);
    s->n_jobs++;
    return j;
}

static void join(struct image_job *j, struct image_ask *ask)
{
    list_push_back(&j->asks, &ask->node);
    j->service->n_asks++;
}

void image_job_ask(struct image_service *s, struct image_ask *ask)
{
    struct str key = {0};
    str_addf(&key, "%s ", ask->id);
    image_params_key(&ask->params, &key);
    struct image_job *j = map_get(&s->by_key, str_span(&key));
    if (j && j->state == JOB_DONE && j->until_us <= loop_now_us(s->home)) {
        drop(j);
        j = NULL;
    }
    if (s->closed || s->n_asks >= LIMIT_IMAGE_WAITS || (!j && s->n_jobs >= LIMIT_IMAGE_JOBS)) {
        ask->answer.retry_s = 2;
        image_ask_refuse(ask, 503, "busy", "The server is busy with other images.");
    } else if (j && lacks_token(j, ask)) {
        refuse_token(ask);
    } else if (j && j->state == JOB_DONE) {
        answer_one(j, ask);
    } else if (j) {
        join(j, ask);
    } else {
        j = new_job(s, ask, str_c(&key));
        join(j, ask);
        s->cfg.gate->media(s->cfg.gate->self, j->id, on_gate, j);
    }
    str_fini(&key);
}

void image_jobs_init(struct image_service *s)
{
    list_init(&s->jobs);
    list_init(&s->queue);
    timer_init(&s->sweep, s->home, sweep, s);
}

void image_jobs_close(struct image_service *s)
{
    s->closed = true;
    timer_stop(&s->sweep);
    while (!list_empty(&s->jobs)) {
        struct image_job *j = CONTAINER_OF(s->jobs.next, struct image_job, node);
        refuse_all(j, 503, "closing", "The server is restarting.");
    }
}
