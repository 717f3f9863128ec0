/* SPDX-License-Identifier: MIT */
/* /upload/{id}: the protocol of direct uploads (docs/api/uploads.md). The address is the only
 * credential; pages of other sites may use it as the upload's cors_origin says, errors included. */
#include "api/api_priv.h"
#include "api/upload_take.h"
#include "base/xalloc.h"
#include <stdio.h>

#define ASKED_CAP 200

static void open_upload(struct take *t, struct db *db)
{
    if (!t->bad_range) {
        uploads_begin(t->api->cfg.uploads, db, &t->ask, &t->w, &t->reply);
        return;
    }
    uploads_cors(db, t->ask.id, t->reply.cors_origin);
    t->reply.status = 400;
    snprintf(t->reply.text, sizeof t->reply.text,
             "This is no Content-Range: bytes FIRST-LAST/SIZE, with * for a size not known yet.");
}

/* Appends at most four. */
static size_t cors(const struct upload_reply *u, struct http_header *h)
{
    size_t n = 0;
    if (!u->cors_origin[0]) return 0;
    h[n++] = (struct http_header){"access-control-allow-origin", u->cors_origin};
    h[n++] = (struct http_header){"access-control-expose-headers", "range, location"};
    if (strcmp(u->cors_origin, "*") != 0) h[n++] = (struct http_header){"vary", "origin"};
    return n;
}

static const char *code_of(int status)
{
    switch (status) {
    case 404:
        return "not_found";
    case 410:
        return "upload_over";
    case 413:
        return "too_large";
    case 415:
        return "not_media";
    case 503:
        return "try_again";
    case 507:
        return "disk_full";
    default:
        return status >= 500 ? "internal_error" : "bad_piece";
    }
}

static void answer_upload(struct take *t)
{
    char range[48];
    const struct upload_reply *u = &t->reply;
    struct http_header h[8];
    size_t n = cors(u, h);
    h[n++] = (struct http_header){"cache-control", "no-store"};
    if (u->status == 308 && u->stored) {
        snprintf(range, sizeof range, "bytes=0-%llu", (unsigned long long)u->stored - 1);
        h[n++] = (struct http_header){"range", range};
    }
    if (u->status == 503) h[n++] = (struct http_header){"retry-after", "1"};
    if (u->status >= 400)
        http_reply_error(t->r, u->status, code_of(u->status), u->text, NULL, h, n);
    else
        http_reply(t->r, u->status ? u->status : 503, h, n, NULL, 0);
}

static const struct take_ops UPLOAD = {open_upload, NULL, answer_upload};

static void on_head(struct http_request *r, void *ctx)
{
    const struct bound *b = ctx;
    take_begin(r, b->api, &UPLOAD, NULL, http_param(r, 0));
}

static const struct http_intake BODY = {NULL, on_head, take_on_body, take_on_end};

/* --- preflight
 * ---------------------------------------------------------------------------------------- */

static void open_preflight(struct take *t, struct db *db)
{
    uploads_cors(db, t->ask.id, t->reply.cors_origin);
    t->reply.status = 204;
}

/* What it asks for is allowed: there is nothing here that a header could do. */
static void answer_preflight(struct take *t)
{
    char asked[ASKED_CAP];
    struct http_header h[8];
    size_t n = cors(&t->reply, h);
    const struct span want = http_header_in(t->r, "access-control-request-headers");
    if (!want.len || !span_cstr(want, asked, sizeof asked))
        snprintf(asked, sizeof asked, "content-type, content-range");
    if (n) {
        h[n++] = (struct http_header){"access-control-allow-methods", "PUT, POST, PATCH, OPTIONS"};
        h[n++] = (struct http_header){"access-control-allow-headers", asked};
        h[n++] = (struct http_header){"access-control-max-age", "7200"};
    }
    h[n++] = (struct http_header){"allow", "PUT, POST, PATCH, OPTIONS"};
    http_reply(t->r, t->reply.status == 204 ? 204 : 503, h, n, NULL, 0);
}

static const struct take_ops PREFLIGHT = {open_preflight, NULL, answer_preflight};

static void on_options(struct http_request *r, void *ctx)
{
    const struct bound *b = ctx;
    take_begin(r, b->api, &PREFLIGHT, NULL, http_param(r, 0));
}

static const struct http_intake OPTIONS = {NULL, on_options, take_on_body, take_on_end};

static const struct endpoint ENDPOINTS[] = {
    {HTTP_PUT, "/upload/{}", NULL, 0, {0}, &BODY},
    {HTTP_POST, "/upload/{}", NULL, 0, {0}, &BODY},
    {HTTP_PATCH, "/upload/{}", NULL, 0, {0}, &BODY},
    {HTTP_OPTIONS, "/upload/{}", NULL, 0, {0}, &OPTIONS},
};
const struct endpoint_table upload_endpoints = ENDPOINT_TABLE(ENDPOINTS);
