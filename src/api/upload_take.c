/* SPDX-License-Identifier: MIT */
#include "api/upload_take.h"
#include "api/api_priv.h"
#include "base/limits.h"
#include "base/xalloc.h"

enum { TAKE_MAGIC = 0x54414b45 };
#define WRITE_BYTES (128u << 10) /* less is not worth a job, until the end */

static struct take *take_of(const struct http_request *r)
{
    return OBJ_CAST(struct take, TAKE_MAGIC, http_user(r));
}

static void answer(struct take *t)
{
    t->ops->answer(t);
    str_fini(&t->in);
    str_fini(&t->out);
    t->magic = 0;
    free(t);
}

/* --- the last job: the piece is stored, or forgotten
 * ------------------------------------------------ */

static void end_work(void *arg) /* pool */
{
    struct take *t = arg;
    struct db *db = api_db(t->api);
    if (t->w && t->ended && !t->refused && !t->gone)
        upload_write_end(t->w, db, &t->reply);
    else
        upload_write_drop(t->w);
    t->w = NULL;
    if (t->ops->ended) t->ops->ended(t, db);
}

static void end_done(void *arg) /* loop */
{
    answer(arg);
}

static void finish(struct take *t)
{
    t->working = true;
    t->open = false;
    if (!atomic_load(&t->api->loops_stopped)) {
        pool_run(t->api->cfg.pool, end_work, http_loop(t->r), end_done, t);
        return;
    }
    /* The program ends: nobody listens, and what is not stored will be sent again. */
    upload_write_drop(t->w);
    t->w = NULL;
    t->reply = (struct upload_reply){.status = 503};
    answer(t);
}

/* --- refusals
 * ---------------------------------------------------------------------------------------- */

static void refuse(struct take *t)
{
    const uint64_t len = t->ask.body_len;
    t->refused = true;
    str_fini(&t->in);
    if (t->ended || t->waits || (len != UINT64_MAX && len > LIMIT_UPLOAD_DISCARD_BYTES))
        finish(t);
    else
        http_body_want(t->r, true); /* read away */
}

/* --- the disk
 * ---------------------------------------------------------------------------------------- */

static void put_done(void *arg);

static void put_work(void *arg) /* pool */
{
    struct take *t = arg;
    t->put_failed = !upload_write_put(t->w, str_span(&t->out), &t->reply);
}

static void go_on(struct take *t)
{
    if (t->working) return;
    if (t->gone || (t->ended && t->in.len == 0)) {
        finish(t);
        return;
    }
    if (t->in.len == 0 || (t->in.len < WRITE_BYTES && !t->ended)) return;
    const struct str empty = t->out;
    t->out = t->in;
    t->in = empty;
    t->in.len = 0;
    t->working = true;
    pool_run(t->api->cfg.pool, put_work, http_loop(t->r), put_done, t);
}

static void put_done(void *arg) /* loop */
{
    struct take *t = arg;
    t->working = false;
    t->out.len = 0;
    if (t->gone || atomic_load(&t->api->loops_stopped)) {
        finish(t);
    } else if (t->put_failed) {
        refuse(t);
    } else {
        if (t->in.len < LIMIT_UPLOAD_PENDING_BYTES / 2) http_body_want(t->r, true);
        go_on(t);
    }
}

/* --- the request
 * --------------------------------------------------------------------------------------- */

static void open_work(void *arg) /* pool */
{
    struct take *t = arg;
    t->ops->open(t, api_db(t->api));
}

static void open_done(void *arg) /* loop */
{
    struct take *t = arg;
    t->working = false;
    if (t->gone || atomic_load(&t->api->loops_stopped)) {
        finish(t);
    } else if (!t->w) {
        refuse(t);
    } else {
        t->waits = false;
        t->open = true;
        http_body_want(t->r, true);
    }
}

static void on_gone(struct http_request *r, void *ctx)
{
    (void)r;
    struct take *t = OBJ_CAST(struct take, TAKE_MAGIC, ctx);
    t->gone = true;
    if (!t->working) finish(t);
}

void take_begin(struct http_request *r, struct api *a, const struct take_ops *ops, void *ctx,
                const char *id)
{
    struct take *t = NEW(struct take);
    const struct span range = http_header_in(r, "content-range");
    t->magic = TAKE_MAGIC;
    t->api = a;
    t->r = r;
    t->ops = ops;
    t->ctx = ctx;
    t->ask = (struct upload_ask){.id = id, .body_len = http_body_length(r)};
    t->ask.has_range = range.p != NULL;
    t->bad_range = range.p && content_range_parse(range, &t->ask.range) != E_OK;
    t->waits = http_header_in(r, "expect").p != NULL;
    t->reply.cors_origin[0] = '*';
    http_set_user(r, t);
    http_on_gone(r, on_gone, t);
    t->working = true;
    pool_run(a->cfg.pool, open_work, http_loop(r), open_done, t);
}

void take_on_body(struct http_request *r, void *ctx, struct span bytes)
{
    (void)ctx;
    struct take *t = take_of(r);
    if (t->refused) {
        t->discarded += bytes.len;
        if (t->discarded <= LIMIT_UPLOAD_DISCARD_BYTES || t->working) return;
        http_body_want(r, false);
        finish(t);
        return;
    }
    str_add(&t->in, bytes);
    if (t->open) upload_write_touch(t->w);
    if (t->in.len >= LIMIT_UPLOAD_PENDING_BYTES) http_body_want(r, false);
    go_on(t);
}

void take_on_end(struct http_request *r, void *ctx)
{
    (void)ctx;
    struct take *t = take_of(r);
    t->ended = true;
    if (t->refused && !t->working)
        finish(t);
    else
        go_on(t);
}
