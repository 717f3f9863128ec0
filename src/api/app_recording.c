/* SPDX-License-Identifier: MIT */
/* POST /api/streams/{id}/upload-recording: the browser's own recording of a stream. A body of media
 * is the whole of it; a body of JSON asks for an upload that can be resumed. */
#include "api/app_recording.h"
#include "api/api_priv.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "api/upload_take.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include <stdio.h>

#define RESUMABLE_TIMEOUT_S (48 * 3600) /* the next visit may be the day after tomorrow */
#define WHOLE_TIMEOUT_S     3600

static const struct throttle_rule UPLOADS = {"upload-recording", 60, 10 * US_PER_SEC};

static bool is_media_type(struct span type)
{
    struct span kind = span_trim(span_cut(&type, ';'));
    const struct span top = span_cut(&kind, '/');
    return span_ieq(top, SPAN_LIT("video")) || span_ieq(top, SPAN_LIT("audio")) ||
           (span_ieq(top, SPAN_LIT("application")) && span_ieq(kind, SPAN_LIT("octet-stream")));
}

/* The owner's stream, and not too often. False: the reply is made. */
static bool may_upload(struct call *c)
{
    struct stream s;
    if (!text_is_id(c->param[0])) {
        problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
        call_fail(c, E_NOTFOUND, 404);
        return false;
    }
    const enum err e = stream_get_own(c->db, c->param[0], c->user.id, &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return false;
    }
    stream_fini(&s);
    return call_may(c, &UPLOADS, c->user.id);
}

/* An upload here. False: the reply is made. */
static bool make_upload(struct call *c, int64_t size, int64_t timeout_s, struct span key,
                        char id[UPLOAD_ID_CAP])
{
    char text[UPLOAD_TEXT_CAP], client_key[PROVIDER_UPLOAD_KEY_CAP] = "";
    if (key.len && !span_cstr(key, client_key, sizeof client_key)) client_key[0] = 0;
    const struct upload_new ask = {.user_id = c->user.id,
                                   .stream_id = c->param[0],
                                   .client_key = client_key,
                                   .cors_origin = "*",
                                   .timeout_s = timeout_s,
                                   .policies = "public",
                                   .size = size};
    const enum err e = uploads_create(c->api->cfg.uploads, c->db, &ask, id, text);
    if (e == E_LIMIT) problem_set(&c->problem, e, "too_large", NULL, "%s", text);
    if (e == E_OK) return true;
    call_fail(c, e, e == E_LIMIT ? 413 : 0);
    return false;
}

/* --- JSON: an upload that can be resumed
 * --------------------------------------------------------------- */

static bool refuse(struct call *c, const char *field, const char *text)
{
    problem_set(&c->problem, E_INVALID, "invalid", field, "%s", text);
    call_fail(c, E_INVALID, 422);
    return false;
}

static bool read_fields(struct call *c, int64_t *size, struct span *key)
{
    struct body_field f[] = {{"mimeType", BODY_TEXT, true, NULL},
                             {"size", BODY_NUMBER, false, NULL},
                             {"key", BODY_TEXT, false, NULL}};
    if (!body_read(c, f, 3)) return false;
    if (!is_media_type(body_text(&f[0])))
        return refuse(c, "mimeType", "This must be a type of video or sound, such as video/webm.");
    *size = f[1].value ? json_integer_value(f[1].value) : -1;
    if (f[1].value && (*size < 1 || (uint64_t)*size > CONTENT_RANGE_MAX))
        return refuse(c, "size", "This must be the size of the file in bytes.");
    *key = f[2].value ? body_text(&f[2]) : SPAN_NULL;
    if (f[2].value && (!key->len || key->len >= PROVIDER_UPLOAD_KEY_CAP))
        return refuse(c, "key", "This must be the client's own name of its recording.");
    return true;
}

static bool is_too_large(struct call *c, int64_t size)
{
    const int64_t most = c->api->cfg.settings->max_upload_size;
    if (!most || size <= most) return false;
    problem_set(&c->problem, E_LIMIT, "too_large", "size",
                "The file is larger than this server takes: %lld bytes.", (long long)most);
    call_fail(c, E_LIMIT, 413);
    return true;
}

static void create(struct call *c)
{
    char id[UPLOAD_ID_CAP];
    int64_t size;
    struct span key;
    if (!read_fields(c, &size, &key) || !may_upload(c)) return;
    if (provider_is_mux()) {
        if (!is_too_large(c, size)) app_recording_at_mux(c, key);
        return;
    }
    if (!make_upload(c, size, RESUMABLE_TIMEOUT_S, key, id)) return;
    call_json(c, 201,
              json_pack("{s:s, s:o}", "uploadId", id, "uploadUrl",
                        json_sprintf("%s/upload/%s", c->origin, id)));
}

/* The client has thrown its recording away. */
static void discard(struct call *c)
{
    struct stream s;
    if (!body_read(c, NULL, 0)) return;
    enum err e = text_is_id(c->param[0]) ? E_OK : E_NOTFOUND;
    if (e == E_OK) e = stream_get_own(c->db, c->param[0], c->user.id, &s, &c->problem);
    if (e == E_OK) {
        stream_fini(&s);
        e = app_recording_drop_at_mux(c);
        if (e == E_NOTFOUND && text_is_id(c->param[1]))
            e = uploads_cancel(c->api->cfg.uploads, c->db, c->user.id, c->param[1]);
    }
    if (e == E_NOTFOUND) problem_set(&c->problem, e, "not_found", NULL, "There is no such upload.");
    if (e == E_CONFLICT)
        problem_set(&c->problem, e, "complete", NULL, "This upload waits for nothing any more.");
    if (e != E_OK)
        call_fail(c, e, 0);
    else
        call_empty(c, 204);
}

/* --- media: the whole recording
 * -------------------------------------------------------------------------- */

struct whole {
    struct call *call;
    char id[UPLOAD_ID_CAP];
};

static void open_whole(struct take *t, struct db *db)
{
    struct whole *w = t->ctx;
    struct call *c = w->call;
    const int64_t size = t->ask.body_len == UINT64_MAX ? -1 : (int64_t)t->ask.body_len;
    if (!call_admit(c)) return;
    if (t->ask.has_range || size == 0) {
        problem_set(&c->problem, E_INVALID, "invalid", NULL,
                    size == 0 ? "The recording is empty."
                              : "Ask for an upload with JSON to send a recording in pieces.");
        call_fail(c, E_INVALID, 422);
        return;
    }
    if (provider_is_mux()) {
        problem_set(&c->problem, E_CONFLICT, "provider_mux", NULL,
                    "Recordings of this server are kept by Mux: ask with JSON for an upload, and "
                    "send the recording to the address that you get.");
        call_fail(c, E_CONFLICT, 409);
        return;
    }
    if (!may_upload(c) || !make_upload(c, -1, WHOLE_TIMEOUT_S, SPAN_NULL, w->id)) {
        w->id[0] = 0;
        return;
    }
    uploads_begin(t->api->cfg.uploads, db, &t->ask, &t->w, &t->reply);
}

static void reply_stream(struct call *c)
{
    struct stream s;
    const enum err e = stream_get(c->db, c->param[0], &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    call_json(c, 202, stream_json_own(c->api, c->db, &s, c->origin));
    stream_fini(&s);
}

static void ended_whole(struct take *t, struct db *db)
{
    struct whole *w = t->ctx;
    struct call *c = w->call;
    const struct upload_reply *r = &t->reply;
    c->db = db;            /* this job may be on another thread than the first */
    if (c->status) return; /* refused before there was an upload */
    if (r->status == 200) {
        reply_stream(c);
        return;
    }
    /* Nobody knows its address: it cannot be gone on with. */
    if (w->id[0] && uploads_cancel(t->api->cfg.uploads, db, c->user.id, w->id) != E_OK &&
        r->status != 415)
        log_warn("upload-recording", "upload=%.8s stays until it times out", w->id);
    const enum err e = r->status == 413   ? E_LIMIT
                       : r->status == 415 ? E_UNSUPPORTED
                       : r->status == 507 ? E_FULL
                       : r->status == 503 ? E_TIMEOUT
                                          : E_PROTO;
    problem_set(&c->problem, e,
                r->status == 413   ? "too_large"
                : r->status == 415 ? "unsupported_media_type"
                : r->status == 507 ? "disk_full"
                                   : "upload_failed",
                NULL, "%s", r->text[0] ? r->text : "The recording did not arrive whole.");
    c->problem.retry_s = r->retry_s;
    call_fail(c, e, r->status >= 400 ? r->status : 400);
}

static void answer_whole(struct take *t)
{
    struct whole *w = t->ctx;
    if (!w->call->status) { /* the program is ending */
        problem_set(&w->call->problem, E_CLOSED, "stopping", NULL, "The server is stopping.");
        call_fail(w->call, E_CLOSED, 503);
    }
    call_answer(w->call);
    free(w);
}

static const struct take_ops WHOLE = {open_whole, ended_whole, answer_whole};

static void on_head(struct http_request *r, void *ctx)
{
    const struct bound *b = ctx;
    struct whole *w = NEW(struct whole);
    w->call = call_new(r, b);
    take_begin(r, b->api, &WHOLE, w, w->id);
}

static bool wants(const struct http_request *r, void *ctx)
{
    (void)ctx;
    return is_media_type(http_header_in(r, "content-type"));
}

static const struct http_intake BODY = {wants, on_head, take_on_body, take_on_end};

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/streams/{}/upload-recording", create, CALL_USER | CALL_BODY, {0}, &BODY},
    {HTTP_DELETE, "/api/streams/{}/upload-recording/{}", discard, CALL_USER, {0}, NULL},
};
const struct endpoint_table app_recording_endpoints = ENDPOINT_TABLE(ENDPOINTS);
