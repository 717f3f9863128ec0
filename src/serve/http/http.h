/* SPDX-License-Identifier: MIT */
/* serve/http/http.h - the HTTP server: routes in, requests to handlers, replies out.
 * HTTP/1.1 always; HTTP/2 by ALPN when there is TLS.
 *
 * Threads: a request lives on the loop of its connection (http_loop()); every function here that
 *   takes a request is for that loop's thread. A handler may answer later: pass the request
 *   through a pool job and answer in its `done` on the same loop.
 * Lifetime: a request stays valid until it has been answered: by http_reply*(), or by
 *   http_stream_end(). That holds also when the client has gone meanwhile: the reply is then
 *   dropped. Each request is answered exactly once. Spans of the request (path, headers, body)
 *   live as long as the request.
 * Limits: LIMIT_HTTP_*; a body above its route's `body_max` is answered 413 by the server. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "io/file.h"
#include "io/loop.h"
#include "wire/http_types.h"

struct http_request;

#define HTTP_PARAMS_MAX 4

/* A route: method and pattern. A pattern's `{}` stands for one path segment, or for the part of
 * one before the literal text that follows: "/api/streams/{}/end", "/{}.m3u8", "/media/{}/{}.m4s".
 * A final `*` matches and captures the rest of the path (slashes too, maybe empty). Exact text
 * beats `{}`, which beats `*`; the table's order decides between equals. Captures are
 * percent-decoded, non-empty, at most 255 bytes and hold no '/', no control character, and are
 * never "." or "..". HEAD is answered by GET's route. */
struct http_route {
    enum http_method method;
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
    void *ctx;
    size_t body_max; /* bytes of body gathered before the handler is called; 0: a body is 413 */
    const struct http_intake *intake; /* NULL: every body is gathered */
};

/* A body that is taken as it comes, of any size, instead of being held in memory.
 *
 *   on_head   the request without its body. Nothing of that is read until http_body_want(r, true),
 *             which also sends "100 Continue" to a client that waits for it.
 *   on_body   a piece, borrowed. http_body_want(r, false) stops: at most what has been read already
 *             is kept, and the client is slowed down by TCP or its HTTP/2 window.
 *   on_end    the whole body was there.
 *
 * From on_head on the request is the handler's, as in `handler`: it is answered exactly once, at
 * any time. Answered before its end, the connection closes (HTTP/1.1) or the rest is thrown away.
 * A client that goes away, sends a broken body or stops sending is told by http_on_gone(); while
 * its body is not wanted, only when it is wanted again. */
struct http_intake {
    /* Whether this request's body is to be taken so; false: it is gathered, and `handler` called.
     * NULL: always. */
    bool (*wants)(const struct http_request *r, void *ctx);
    void (*on_head)(struct http_request *r, void *ctx);
    void (*on_body)(struct http_request *r, void *ctx, struct span bytes);
    void (*on_end)(struct http_request *r, void *ctx);
};

/* --- the request --- */

struct loop *http_loop(const struct http_request *r);
enum http_method http_get_method(const struct http_request *r);
struct span http_path(const struct http_request *r);  /* decoded, begins with '/' */
struct span http_query(const struct http_request *r); /* raw, without '?'; may be empty */
/* The i-th capture of the route's pattern, zero-terminated. "" when there is none. */
const char *http_param(const struct http_request *r, unsigned i);
/* First header of that name (case-insensitive), trimmed; p == NULL when absent. */
struct span http_header_in(const struct http_request *r, const char *name);
struct span http_cookie(const struct http_request *r, const char *name); /* p == NULL: absent */
/* Decoded value of a query parameter into out (cap bytes, zero-terminated).
 * E_NOTFOUND, E_LIMIT (too long), E_PROTO (bad encoding). */
enum err http_query_get(const struct http_request *r, const char *name, char *out, size_t cap);
struct span http_body(const struct http_request *r);
/* Of an intake: begins, stops and goes on with the body. Ignored when the client has gone or the
 * request is answered. */
void http_body_want(struct http_request *r, bool on);
/* What the head says of the length of the body. */
#define HTTP_BODY_UNKNOWN UINT64_MAX
uint64_t http_body_length(const struct http_request *r);
/* A pointer of the handler's, NULL at first. */
void http_set_user(struct http_request *r, void *user);
void *http_user(const struct http_request *r);
/* The client's address: of the connection, or with trust-proxy the last X-Forwarded-For. */
const char *http_peer(const struct http_request *r);
bool http_secure(const struct http_request *r); /* TLS, or X-Forwarded-Proto with trust-proxy */
/* "https://host:port" as the client reached us: --public-url, else from Host. Valid as long as r.
 */
const char *http_origin(struct http_request *r);

/* --- the reply --- */

/* Flags for http_reply() and http_reply_file(). */
enum {
    HTTP_RANGES = 1, /* 200 with a known length: answer Range with 206 or 416, Accept-Ranges */
    HTTP_CLOSE = 2,  /* close the connection afterwards */
};

/* Answers with a body from memory; the server takes its own reference to `body`, NULL: empty.
 * Content-Length and Date are the server's; give Content-Type among the headers. */
void http_reply(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                struct buf *body, unsigned flags);
/* The same with a gzip twin: sent instead when the client accepts it (adds Content-Encoding and
 * Vary). gz may be NULL. */
void http_reply_gz(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                   struct buf *body, struct buf *gz, unsigned flags);
/* The same for constant bytes that live for ever (embedded pages). */
void http_reply_const(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                      struct span body, struct span gz, unsigned flags);
/* Answers with bytes [off, off+len) of a file, by sendfile where possible. */
void http_reply_file(struct http_request *r, int status, const struct http_header *h, size_t n_h,
                     struct file *f, uint64_t off, uint64_t len, unsigned flags);
/* {"error":{"code":code,"message":message,"field":field}}; field may be NULL. Texts are escaped.
 * Extra headers (CORS, Retry-After) may be given. */
void http_reply_error(struct http_request *r, int status, const char *code, const char *message,
                      const char *field, const struct http_header *h, size_t n_h);

/* A handler for OPTIONS routes of what any web page may use without credentials (media). Other
 * OPTIONS are answered by the server: 204 with `allow`. */
void http_preflight(struct http_request *r, void *ctx);

/* A streamed reply (server-sent events). */
void http_stream_begin(struct http_request *r, int status, const struct http_header *h, size_t n_h);
void http_stream_send(struct http_request *r, struct buf *b); /* own reference; sent at once */
size_t http_stream_queued(const struct http_request *r);      /* back-pressure: not yet taken */
void http_stream_end(struct http_request *r);                 /* r is gone after this */
/* Tells when the client goes away before the end, once; then call http_stream_end(), or, for a
 * request waiting to be answered (a blocked playlist), any http_reply. `fn` NULL: forget it. */
void http_on_gone(struct http_request *r, void (*fn)(struct http_request *r, void *ctx), void *ctx);

/* --- the server --- */

struct http_server;
struct tls_ctx;

struct http_config {
    struct loop *const *loops;
    unsigned n_loops;
    const char *host;                /* "" = every address */
    uint16_t port;                   /* 0: any free one */
    struct tls_ctx *tls;             /* NULL: plain */
    const struct http_route *routes; /* must outlive the server */
    size_t n_routes;
    const char *public_url; /* "" or NULL: from the request */
    bool trust_proxy;
};

/* On failure `problem` says why, in words (address in use). */
enum err http_server_open(const struct http_config *cfg, struct http_server **out, char *problem,
                          size_t cap) WARN_UNUSED;
uint16_t http_server_port(const struct http_server *s);
/* Stops accepting; idle connections close, the others after their running reply; streamed replies
 * are ended (their http_on_gone fires). Then http_server_connections() falls to 0. On loops[0]. */
void http_server_drain(struct http_server *s);
unsigned http_server_connections(const struct http_server *s); /* any thread */
/* After all loops have stopped. */
void http_server_free(struct http_server *s);
