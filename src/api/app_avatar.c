/* SPDX-License-Identifier: MIT */
/* /api/me/avatar, and the pictures under /avatars.
 *
 *   head ─▶ pool: who is it? ─▶ the body, bounded ─▶ its head is looked at ─▶ bspnode-worker makes
 * the larger picture, then of that the smaller one ─▶ pool: files, the account ─▶ the reply
 *
 * The body is taken only from somebody who is logged in, of few at a time: it is held in memory.
 * What a stranger has sent is unpacked by the worker alone, and what is kept is what the worker has
 * made.
 */
#include "api/api_priv.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/avatar.h"
#include "serve/images/image_worker.h"
#include "wire/image_msg.h"
#include "wire/picture_sniff.h"
#include <stdio.h>

enum { PUT_MAGIC = 0x41564154 };

#define DISCARD_BYTES (16u << 20) /* read away, so that a browser hears why not */

static const struct throttle_rule AVATARS = {"avatar", 60, 10 * US_PER_SEC};

struct put {
    uint32_t magic;
    struct api *api;
    struct http_request *r;
    struct call *call;
    struct str in;
    struct buf *made[AVATAR_SIZES];
    unsigned n_made;
    struct image_worker *worker;
    uint64_t discarded;
    /* `busy`: a job on the pool has it. `open`: the body is being taken. */
    bool busy, open, ended, gone, refused, counted;
};

static struct put *put_of(const struct http_request *r)
{
    return OBJ_CAST(struct put, PUT_MAGIC, http_user(r));
}

static void answer(struct put *p)
{
    if (!p->call->status) { /* the client has gone, or the program is ending */
        problem_set(&p->call->problem, E_CLOSED, "stopping", NULL, "The server is stopping.");
        call_fail(p->call, E_CLOSED, 503);
    }
    if (p->worker) image_worker_cancel(p->worker);
    if (p->counted) atomic_fetch_sub(&p->api->avatars, 1);
    for (unsigned i = 0; i < AVATAR_SIZES; i++) buf_unref(p->made[i]);
    call_answer(p->call);
    str_fini(&p->in);
    p->magic = 0;
    free(p);
}

/* What is still being sent is thrown away first. */
static void refuse(struct put *p, enum err e, int status, const char *code, const char *text)
{
    if (code) {
        problem_set(&p->call->problem, e, code, NULL, "%s", text);
        call_fail(p->call, e, status);
    }
    p->refused = true;
    p->open = false;
    str_fini(&p->in);
    if (p->ended || p->gone)
        answer(p);
    else
        http_body_want(p->r, true);
}

/* --- the account ------------------------------------------------------------------------------ */

static void store_work(void *arg) /* pool */
{
    struct put *p = arg;
    struct call *c = p->call;
    char image[USER_URL_CAP];
    const struct span files[AVATAR_SIZES] = {buf_span(p->made[0]), buf_span(p->made[1])};
    c->db = api_db(p->api); /* another thread than the first, perhaps */
    const enum err e = avatar_set(c->db, p->api->cfg.settings->data, c->user.id, files, image);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    snprintf(c->user.image, sizeof c->user.image, "%s", image);
    call_json(c, 200, json_pack("{s:o}", "user", user_json(&c->user)));
}

static void store_done(void *arg) /* loop */
{
    answer(arg);
}

static void store(struct put *p)
{
    if (p->gone || atomic_load(&p->api->loops_stopped)) {
        answer(p);
        return;
    }
    p->busy = true;
    pool_run(p->api->cfg.pool, store_work, http_loop(p->r), store_done, p);
}

/* --- the worker ------------------------------------------------------------------------------- */

static void make(struct put *p, struct span file);

static void on_made(void *ctx, enum err e, struct buf *image, const char *reason)
{
    struct put *p = ctx;
    char text[LIMIT_WORKER_TEXT + 64];
    p->worker = NULL;
    if (e == E_UNSUPPORTED) {
        snprintf(text, sizeof text, "The picture cannot be used: %s.", reason);
        refuse(p, E_INVALID, 422, "bad_picture", text);
        return;
    }
    if (e != E_OK) {
        refuse(p, E_INVALID, 422, "bad_picture", "The picture could not be read.");
        return;
    }
    p->made[p->n_made++] = buf_ref(image);
    if (p->n_made < AVATAR_SIZES)
        make(p, buf_span(p->made[0]));
    else
        store(p);
}

/* The next size of that file. */
static void make(struct put *p, struct span file)
{
    const uint16_t side = (uint16_t)AVATAR_SIDE[p->n_made];
    const struct image_want want = {
        .format = IMAGE_JPEG, .fit = IMAGE_CROP, .width = side, .height = side, .frames = 1};
    struct str msg = {0};
    image_msg_want(&want, &msg);
    image_msg_head(IMAGE_MSG_STILL, file.len, &msg);
    str_add(&msg, file);
    image_msg_head(IMAGE_MSG_END, 0, &msg);
    struct buf *b = str_take_buf(&msg);
    const enum err e = image_worker_start(http_loop(p->r), &b, 1, on_made, p, &p->worker);
    buf_unref(b);
    if (e == E_OK) return;
    log_error("avatar", "the worker cannot be started: %s", err_text(e));
    refuse(p, E_IO, 503, "no_worker", "The server cannot read pictures now.");
}

/* A bomb is refused by what it says of itself, before anybody unpacks it. */
static void look(struct put *p)
{
    struct picture_head h;
    char text[160];
    const enum err e = picture_sniff(str_span(&p->in), &h);
    if (e == E_UNSUPPORTED) {
        refuse(p, E_UNSUPPORTED, 415, "unsupported_media_type",
               "A picture is a PNG, JPEG, WebP or GIF file.");
    } else if (e != E_OK) {
        refuse(p, E_INVALID, 422, "bad_picture", "The picture is broken.");
    } else if (h.width > LIMIT_AVATAR_SIDE || h.height > LIMIT_AVATAR_SIDE ||
               (uint64_t)h.width * h.height > LIMIT_AVATAR_PIXELS) {
        snprintf(text, sizeof text,
                 "The picture has %u x %u pixels; at most %u million can be taken.", h.width,
                 h.height, LIMIT_AVATAR_PIXELS / 1000000);
        refuse(p, E_INVALID, 422, "picture_too_large", text);
    } else {
        make(p, str_span(&p->in));
    }
}

/* --- the request ------------------------------------------------------------------------------ */

static bool is_picture_type(struct span type)
{
    static const char *const TYPES[] = {"image/png", "image/jpeg", "image/webp", "image/gif"};
    const struct span plain = span_trim(span_cut(&type, ';'));
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (span_ieq(plain, span_str(TYPES[i]))) return true;
    return false;
}

static void too_large(struct put *p)
{
    char text[96];
    snprintf(text, sizeof text, "The file is too large: at most %u MiB.", LIMIT_AVATAR_BYTES >> 20);
    refuse(p, E_LIMIT, 413, "too_large", text);
}

static void admit_work(void *arg) /* pool */
{
    struct put *p = arg;
    if (call_admit(p->call)) (void)call_may(p->call, &AVATARS, p->call->user.id);
}

static void admit_done(void *arg) /* loop */
{
    struct put *p = arg;
    const uint64_t len = http_body_length(p->r);
    p->busy = false;
    if (p->gone) {
        answer(p);
    } else if (p->call->status) {
        refuse(p, E_AUTH, 0, NULL, NULL);
    } else if (!is_picture_type(p->call->content_type)) {
        refuse(p, E_UNSUPPORTED, 415, "unsupported_media_type",
               "A picture is a PNG, JPEG, WebP or GIF file.");
    } else if (len != HTTP_BODY_UNKNOWN && len > LIMIT_AVATAR_BYTES) {
        too_large(p);
    } else if (atomic_fetch_add(&p->api->avatars, 1) >= LIMIT_AVATARS_AT_ONCE) {
        atomic_fetch_sub(&p->api->avatars, 1);
        p->call->problem.retry_s = 2;
        refuse(p, E_LIMIT, 429, "busy", "Other pictures are being made; try again in a moment.");
    } else {
        p->counted = true;
        p->open = true;
        http_body_want(p->r, true);
    }
}

static void on_gone(struct http_request *r, void *ctx)
{
    (void)r;
    struct put *p = OBJ_CAST(struct put, PUT_MAGIC, ctx);
    p->gone = true;
    if (!p->busy) answer(p);
}

static void on_head(struct http_request *r, void *ctx)
{
    const struct bound *b = ctx;
    struct put *p = NEW(struct put);
    p->magic = PUT_MAGIC;
    p->api = b->api;
    p->r = r;
    p->call = call_new(r, b);
    http_set_user(r, p);
    http_on_gone(r, on_gone, p);
    p->busy = true;
    pool_run(b->api->cfg.pool, admit_work, http_loop(r), admit_done, p);
}

static void on_body(struct http_request *r, void *ctx, struct span bytes)
{
    (void)ctx;
    struct put *p = put_of(r);
    if (p->open) {
        str_add(&p->in, bytes);
        if (p->in.len > LIMIT_AVATAR_BYTES) too_large(p);
        return;
    }
    p->discarded += bytes.len;
    if (p->refused && p->discarded > DISCARD_BYTES) answer(p);
}

static void on_end(struct http_request *r, void *ctx)
{
    (void)ctx;
    struct put *p = put_of(r);
    p->ended = true;
    if (p->busy) return; /* an empty body: admit_done() will want it */
    if (p->refused)
        answer(p);
    else
        look(p);
}

static void never(struct call *c) /* the intake takes every body */
{
    call_fail(c, E_PROTO, 0);
}

static void clear(struct call *c)
{
    const enum err e = avatar_clear(c->db, c->api->cfg.settings->data, c->user.id);
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
}

static void get(struct call *c)
{
    struct buf *b;
    const enum err e = avatar_read(c->api->cfg.settings->data, c->param[0], c->param[1], &b);
    if (e == E_OK)
        call_bytes(c, "image/jpeg", "public, max-age=31536000, immutable", b);
    else
        call_fail(c, problem_set(&c->problem, e, "not_found", NULL, "There is no such picture."),
                  0);
}

static const struct http_intake BODY = {NULL, on_head, on_body, on_end};

static const struct endpoint ENDPOINTS[] = {
    {HTTP_PUT, "/api/me/avatar", never, CALL_USER, {0}, &BODY, LIMIT_AVATAR_BYTES},
    {HTTP_DELETE, "/api/me/avatar", clear, CALL_USER, {0}, NULL, 0},
    {HTTP_GET, "/avatars/{}/{}.jpg", get, CALL_OPEN, {0}, NULL, 0},
};
const struct endpoint_table app_avatar = ENDPOINT_TABLE(ENDPOINTS);
