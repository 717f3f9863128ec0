/* SPDX-License-Identifier: MIT */
/* What handlers read of a request. */
#include "base/xalloc.h"
#include "serve/http/http_priv.h"
#include "wire/http_uri.h"
#include "wire/http_value.h"

struct loop *http_loop(const struct http_request *r)
{
    return r->shard->loop;
}

enum http_method http_get_method(const struct http_request *r)
{
    return r->head.method;
}

struct span http_path(const struct http_request *r)
{
    return str_span(&r->path);
}

struct span http_query(const struct http_request *r)
{
    return r->head.has_query ? http_head_query(&r->head) : SPAN_NULL;
}

const char *http_param(const struct http_request *r, unsigned i)
{
    return i < r->n_params ? (const char *)r->params.p + r->param_at[i] : "";
}

struct span http_header_in(const struct http_request *r, const char *name)
{
    return http_head_get(&r->head, name);
}

/* HTTP/2 clients may send each cookie in a field of its own (RFC 9113 section 8.2.3). */
struct span http_cookie(const struct http_request *r, const char *name)
{
    struct span value;
    for (size_t i = 0; i < r->head.n_fields; i++) {
        const struct http_field *f = &r->head.fields[i];
        if (!span_ieq(http_slice_of(&r->head, f->name), SPAN_LIT("cookie"))) continue;
        if (http_cookie_get(http_slice_of(&r->head, f->value), name, &value)) return value;
    }
    return SPAN_NULL;
}

enum err http_query_get(const struct http_request *r, const char *name, char *out, size_t cap)
{
    return http_uri_query_get(http_query(r), name, out, cap);
}

struct span http_body(const struct http_request *r)
{
    return str_span(&r->body);
}

void http_body_want(struct http_request *r, bool on)
{
    CHECK(r->magic == REQUEST_MAGIC && r->intake);
    if (!r->conn || r->state != REQUEST_ASKED || r->held == !on) return;
    r->held = !on;
    if (r->h2)
        h2_conn_hold(r);
    else
        h1_conn_hold(r);
}

uint64_t http_body_length(const struct http_request *r)
{
    switch (r->head.framing) {
    case HTTP_NO_BODY:
        return 0;
    case HTTP_LENGTH:
        return r->head.content_length;
    default:
        return HTTP_BODY_UNKNOWN;
    }
}

void http_set_user(struct http_request *r, void *user)
{
    CHECK(r->magic == REQUEST_MAGIC);
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}

/* The last element of a list: what the proxy in front of us has added itself. */
static struct span last_of(struct span list)
{
    struct span last = SPAN_NULL;
    while (list.p) last = span_trim(span_cut(&list, ','));
    return last;
}

static bool looks_like_address(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789abcdefABCDEF.:", s.p[i]) || !s.p[i]) return false;
    return s.len > 0;
}

const char *http_peer(const struct http_request *r)
{
    struct http_request *w = (struct http_request *)(uintptr_t)r;
    if (!r->shard->server->trust_proxy) return r->peer;
    struct span last = SPAN_NULL; /* of the last such field */
    for (size_t i = 0; i < r->head.n_fields; i++)
        if (span_ieq(http_slice_of(&r->head, r->head.fields[i].name), SPAN_LIT("x-forwarded-for")))
            last = last_of(http_slice_of(&r->head, r->head.fields[i].value));
    if (looks_like_address(last) && last.len < sizeof w->peer)
        (void)span_cstr(last, w->peer, sizeof w->peer);
    return r->peer;
}

bool http_secure(const struct http_request *r)
{
    if (r->secure || !r->shard->server->trust_proxy) return r->secure;
    return span_ieq(last_of(http_header_in(r, "x-forwarded-proto")), SPAN_LIT("https"));
}

const char *http_origin(struct http_request *r)
{
    const char *fixed = r->shard->server->public_url;
    if (fixed[0]) return fixed;
    if (r->origin.len == 0) {
        str_adds(&r->origin, http_secure(r) ? "https://" : "http://");
        str_add(&r->origin, http_head_host(&r->head));
    }
    return str_c(&r->origin);
}

void http_on_gone(struct http_request *r, void (*fn)(struct http_request *r, void *ctx), void *ctx)
{
    CHECK(r->magic == REQUEST_MAGIC);
    r->on_gone = fn;
    r->gone_ctx = ctx;
}
