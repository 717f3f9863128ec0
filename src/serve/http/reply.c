/* SPDX-License-Identifier: MIT */
/* From what a handler answers to what is sent: gzip twin, 304, ranges, in this order. */
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "serve/http/http_priv.h"
#include "wire/http_value.h"
#include <stdio.h>

#define HEADERS_MAX 24 /* of a handler's; ours come on top */
#define OURS_MAX    6

struct draft {
    struct http_plan plan;
    struct http_header headers[HEADERS_MAX + OURS_MAX];
    size_t n;
    char range[64];
};

static void add(struct draft *d, const char *name, const char *value)
{
    CHECK(d->n < HEADERS_MAX + OURS_MAX);
    d->headers[d->n++] = (struct http_header){name, value};
}

static void draft_init(struct draft *d, int status, const struct http_header *h, size_t n,
                       uint64_t length)
{
    CHECK(n <= HEADERS_MAX);
    d->plan = (struct http_plan){.reply = {.status = status, .length = length}};
    d->n = 0;
    for (size_t i = 0; i < n; i++) add(d, h[i].name, h[i].value);
}

static const char *value_of(const struct draft *d, const char *name)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->headers[i].name, name) == 0) return d->headers[i].value;
    return NULL;
}

static void drop(struct draft *d, const char *name)
{
    for (size_t i = 0; i < d->n;)
        if (strcmp(d->headers[i].name, name) == 0)
            d->headers[i] = d->headers[--d->n];
        else
            i++;
}

static void count(const struct http_request *r, int status)
{
    metric_add(M_HTTP_REQUESTS, 1);
    if (status >= 500)
        metric_add(M_HTTP_ERRORS_5XX, 1);
    else if (status >= 400)
        metric_add(M_HTTP_ERRORS_4XX, 1);
    log_debug("http", "peer=%s method=%s path=%.*s status=%d", r->peer,
              http_method_name(r->head.method), (int)(r->path.len < 200 ? r->path.len : 200),
              r->path.len ? (const char *)r->path.p : "", status);
}

static void send(struct http_request *r, struct draft *d, unsigned flags)
{
    struct http_plan *p = &d->plan;
    CHECK(r->magic == REQUEST_MAGIC && r->state == REQUEST_ASKED);
    count(r, p->reply.status);
    r->state = p->streamed ? REQUEST_STREAMING : REQUEST_ANSWERED;
    if (!r->conn) {
        if (!p->streamed) http_request_free(r);
        return;
    }
    if (!p->streamed) r->on_gone = NULL;
    p->reply.headers = d->headers;
    p->reply.n_headers = d->n;
    p->reply.date = http_shard_date(r->shard);
    p->reply.close = (flags & HTTP_CLOSE) != 0;
    if (r->h2)
        h2_conn_reply(r, p);
    else
        h1_conn_reply(r, p);
}

static bool is_get(const struct http_request *r)
{
    return r->head.method == HTTP_GET || r->head.method == HTTP_HEAD;
}

/* If-None-Match: the client has it already. */
static bool not_modified(struct http_request *r, struct draft *d)
{
    const char *etag = value_of(d, "etag");
    if (!etag || d->plan.reply.status != 200 || !is_get(r)) return false;
    const struct span field = http_header_in(r, "if-none-match");
    if (!field.p || !http_etag_matches(field, span_str(etag))) return false;
    d->plan.reply.status = 304;
    d->plan.reply.length = 0;
    d->plan.buf = NULL;
    d->plan.file = NULL;
    drop(d, "content-type");
    drop(d, "content-encoding");
    return true;
}

/* If-Range: the part is only of use to a client that has the rest of this very body. */
static bool range_holds(const struct http_request *r, const struct draft *d)
{
    const struct span cond = http_header_in(r, "if-range");
    const char *etag = value_of(d, "etag");
    if (!cond.p) return true;
    return etag && !span_starts(cond, "W/") && span_is(cond, etag);
}

/* True when the request was answered: 416. */
static bool apply_range(struct http_request *r, struct draft *d)
{
    struct http_plan *p = &d->plan;
    uint64_t first, last;
    if (p->reply.status != 200) return false;
    add(d, "accept-ranges", "bytes");
    const struct span field = http_header_in(r, "range");
    if (!field.p || r->head.method != HTTP_GET || !range_holds(r, d)) return false;
    const uint64_t size = p->reply.length;
    const enum http_range kind = http_range_parse(field, size, &first, &last);
    if (kind == HTTP_RANGE_WHOLE) return false;
    if (kind == HTTP_RANGE_BAD) {
        snprintf(d->range, sizeof d->range, "bytes */%llu", (unsigned long long)size);
        drop(d, "content-type");
        drop(d, "cache-control");
        drop(d, "etag");
        add(d, "content-range", d->range);
        http_reply_error(r, 416, "range_not_satisfiable", "The range begins after the end.", NULL,
                         d->headers, d->n);
        return true;
    }
    snprintf(d->range, sizeof d->range, "bytes %llu-%llu/%llu", (unsigned long long)first,
             (unsigned long long)last, (unsigned long long)size);
    add(d, "content-range", d->range);
    p->reply.status = 206;
    p->reply.length = last - first + 1;
    p->off += first;
    return false;
}

static void finish(struct http_request *r, struct draft *d, unsigned flags)
{
    if (!not_modified(r, d) && (flags & HTTP_RANGES) && apply_range(r, d)) return;
    send(r, d, flags);
}

void http_reply(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                struct buf *body, unsigned flags)
{
    struct draft d;
    draft_init(&d, status, h, n_h, body ? body->len : 0);
    d.plan.buf = body;
    finish(r, &d, flags);
}

void http_reply_gz(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                   struct buf *body, struct buf *gz, unsigned flags)
{
    struct draft d;
    if (!gz) {
        http_reply(r, status, h, n_h, body, flags);
        return;
    }
    /* A range is of the plain body. */
    const bool plain = ((flags & HTTP_RANGES) && http_header_in(r, "range").p) ||
                       !http_accepts_gzip(http_header_in(r, "accept-encoding"));
    draft_init(&d, status, h, n_h, plain ? body->len : gz->len);
    d.plan.buf = plain ? body : gz;
    add(&d, "vary", "accept-encoding");
    if (!plain) add(&d, "content-encoding", "gzip");
    finish(r, &d, plain ? flags : flags & ~(unsigned)HTTP_RANGES);
}

/* A buf made once a loop: the queues hold references, and constant bytes have none to give. */
static struct buf *const_buf(struct http_shard *s, struct span bytes)
{
    const struct span key = span_of(&bytes.p, sizeof bytes.p);
    struct buf *b = map_get(&s->const_bufs, key);
    if (b && b->len == bytes.len) return b;
    buf_unref(b);
    b = buf_copy(bytes);
    map_put(&s->const_bufs, key, b);
    return b;
}

void http_reply_const(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                      struct span body, struct span gz, unsigned flags)
{
    struct buf *plain = body.len ? const_buf(r->shard, body) : NULL;
    struct buf *zipped = plain && gz.len ? const_buf(r->shard, gz) : NULL;
    http_reply_gz(r, status, h, n_h, plain, zipped, flags);
}

void http_reply_file(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                     struct file *f, uint64_t off, uint64_t len, unsigned flags)
{
    struct draft d;
    draft_init(&d, status, h, n_h, len);
    d.plan.file = f;
    d.plan.off = off;
    finish(r, &d, flags);
}

static void add_json(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_addf(out, "\\%c", *p);
        else if ((unsigned char)*p < 0x20)
            str_addf(out, "\\u%04x", (unsigned)(unsigned char)*p);
        else
            str_addc(out, *p);
    }
    str_addc(out, '"');
}

void http_reply_error(struct http_request *r, int status, const char *code, const char *message,
                      const char *field, const struct http_header *h, size_t n_h)
{
    struct draft d;
    struct str json = {0};
    str_adds(&json, "{\"error\":{\"code\":");
    add_json(&json, code);
    str_adds(&json, ",\"message\":");
    add_json(&json, message);
    if (field) {
        str_adds(&json, ",\"field\":");
        add_json(&json, field);
    }
    str_adds(&json, "}}\n");
    struct buf *b = str_take_buf(&json);
    draft_init(&d, status, h, n_h, b->len);
    d.plan.buf = b;
    if (!value_of(&d, "content-type")) add(&d, "content-type", "application/json");
    if (!value_of(&d, "cache-control")) add(&d, "cache-control", "no-store");
    if (!value_of(&d, "x-content-type-options")) add(&d, "x-content-type-options", "nosniff");
    send(r, &d, 0);
    buf_unref(b);
}

static const char *refusal_text(uint16_t status)
{
    switch (status) {
    case 404:
        return "There is nothing at this address.";
    case 405:
        return "This address does not take that method.";
    case 408:
        return "The request did not arrive in time.";
    case 413:
        return "The body is larger than this address takes.";
    case 431:
        return "The request's head is too long.";
    default:
        return "The request is malformed.";
    }
}

static void allow_text(unsigned methods, char out[64])
{
    size_t n = 0;
    for (int m = 0; m < HTTP_METHOD_COUNT; m++)
        if (methods & 1u << m)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n ? ", " : "",
                                  http_method_name((enum http_method)m));
}

void http_request_answer_refusal(struct http_request *r)
{
    char allow[64] = "";
    const struct http_header h[] = {{"allow", allow}};
    r->state = REQUEST_ASKED;
    allow_text(r->allowed | 1u << HTTP_OPTIONS, allow);
    if (r->refused == 405 && r->head.method == HTTP_OPTIONS) {
        http_reply(r, 204, h, 1, NULL, 0);
        return;
    }
    http_reply_error(r, r->refused, r->refused_why, refusal_text(r->refused), NULL, h,
                     r->refused == 405 ? 1 : 0);
}

void http_preflight(struct http_request *r, void *ctx)
{
    static const struct http_header h[] = {
        {"access-control-allow-origin", "*"},
        {"access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"},
        {"access-control-allow-headers", "authorization, content-type, if-match, if-none-match, "
                                         "range"},
        {"access-control-max-age", "86400"},
    };
    (void)ctx;
    http_reply(r, 204, h, sizeof h / sizeof h[0], NULL, 0);
}

void http_stream_begin(struct http_request *r, int status, const struct http_header *h, size_t n_h)
{
    struct draft d;
    draft_init(&d, status, h, n_h, HTTP_LENGTH_UNKNOWN);
    d.plan.streamed = true;
    send(r, &d, 0);
}

void http_stream_send(struct http_request *r, struct buf *b)
{
    CHECK(r->magic == REQUEST_MAGIC && r->state == REQUEST_STREAMING);
    if (!r->conn) return;
    if (r->h2)
        h2_conn_stream(r, b);
    else
        h1_conn_stream(r, b);
}

size_t http_stream_queued(const struct http_request *r)
{
    if (!r->conn) return 0;
    return r->h2 ? r->out_queued : conn_queued(r->conn->conn);
}

void http_stream_end(struct http_request *r)
{
    CHECK(r->magic == REQUEST_MAGIC && r->state == REQUEST_STREAMING);
    r->state = REQUEST_ANSWERED;
    r->on_gone = NULL;
    if (!r->conn)
        http_request_free(r);
    else if (r->h2)
        h2_conn_stream_end(r);
    else
        h1_conn_stream_end(r);
}
