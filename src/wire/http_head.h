/* SPDX-License-Identifier: MIT */
/* wire/http_head.h - one HTTP/1.1 request head, parsed strictly (RFC 9112 sections 2 to 6,
 * RFC 9110 sections 5 and 7.2).
 *
 * Where a recipient may be lenient, this is not: what two parsers could read in two ways is
 * refused, so that nothing can be smuggled past a proxy in front of us. Lines end in CRLF only;
 * no folded lines; one Host; one plain Content-Length or exactly `chunked`, never both.
 *
 * A head is offsets into the bytes it was parsed from (`base`, borrowed), so it may be moved
 * along with them by setting `base` anew. HTTP/2 requests are put into the same struct.
 * Limits: LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADERS, LIMIT_HTTP_TARGET_BYTES. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "wire/http_types.h"

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_slice {
    uint16_t off, len;
};

struct http_field {
    struct http_slice name, value;
};

struct http_head {
    const uint8_t *base;
    enum http_method method;
    enum http_framing framing;
    uint64_t content_length; /* with HTTP_LENGTH; may be 0 */
    uint8_t minor;           /* HTTP/1.minor: 0 or 1; 2 when it came by HTTP/2 */
    bool keep_alive;         /* the connection may go on after this request */
    bool expect_continue;    /* the client waits for 100 before it sends the body */
    bool has_query;
    struct http_slice path;  /* as sent, percent-encoded; "*" only with OPTIONS */
    struct http_slice query; /* without the question mark */
    struct http_slice host;  /* authority: of an absolute-form target, else of Host; may be empty */
    uint16_t size;           /* bytes of the head with its empty line */
    uint16_t n_fields;
    struct http_field fields[LIMIT_HTTP_HEADERS];
};

/* What to answer when a head is refused. */
struct http_problem {
    uint16_t status; /* 400, 414, 417, 431, 501, 505 */
    const char *why; /* static, for the log and the error body */
};

/* Parses the head at the beginning of `in`; one empty line before it is skipped. Writes *out only
 * on E_OK, *why only on a refusal. E_MORE: a valid beginning. E_PROTO, E_LIMIT, E_UNSUPPORTED. */
enum err http_head_parse(struct span in, struct http_head *out,
                         struct http_problem *why) WARN_UNUSED;

static inline struct span http_slice_of(const struct http_head *h, struct http_slice s)
{
    return (struct span){h->base + s.off, s.len};
}

static inline struct span http_head_path(const struct http_head *h)
{
    return http_slice_of(h, h->path);
}

static inline struct span http_head_query(const struct http_head *h)
{
    return http_slice_of(h, h->query);
}

static inline struct span http_head_host(const struct http_head *h)
{
    return http_slice_of(h, h->host);
}

/* The first field of that name (lower case here, any case on the wire); p == NULL: none. */
struct span http_head_get(const struct http_head *h, const char *name);

/* RFC 9110 5.6.2 token, 5.5 field value, and what a Host or :authority may hold. */
bool http_is_token(struct span s);
bool http_is_value(struct span s);
bool http_is_host(struct span s);

/* Splits target into path and query, as offsets from `base`; false when it is not origin-form. */
bool http_target_split(struct http_head *h, struct http_slice target);
