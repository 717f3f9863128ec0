/* SPDX-License-Identifier: MIT */
/* client/http_client.h - requests of our own to addresses that clients gave: webhooks out, media
 * in.
 *
 * All requests run on one thread of the client's own [libcurl, multi interface]: a thousand of them
 * waiting for dead hosts hold a descriptor each and no thread of the pool. Names are resolved by
 * short-lived threads of libcurl's. What goes wrong within `total_ms` is reported then.
 *
 * Only http and https; no proxy of the environment, no cookies, no decompression, no credentials in
 * the address. Unless `allow_private`, each address that is about to be connected to, that of a
 * redirect too, must be public (net_guard.h): what the name was resolved to is what is looked at,
 * so that a name which changes between two look-ups gains nothing.
 *
 * Errors of an answer: E_OK there is a status (any: 404 is an answer); E_AUTH a private address;
 * E_INVALID an address that cannot be asked, or leads on and on; E_TIMEOUT; E_LIMIT the body is
 * above `max_bytes`; E_FULL the disk; E_CLOSED the client is ending or `cancel` was set; E_IO
 * anything else. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include <stdatomic.h>

struct http_client;

#define HTTP_CLIENT_WHY_CAP  160
#define HTTP_CLIENT_TYPE_CAP 128

struct http_want {
    const char *url;
    bool post;          /* with `body`; else GET */
    const char *method; /* constant; another one than POST or GET, "PUT"; NULL: as `post` says */
    bool once; /* on a connection of its own: on a kept one that breaks, libcurl sends it again */
    struct span body;       /* copied */
    const char *headers[8]; /* "Name: value", copied; NULL ends */
    bool allow_private;
    unsigned redirects; /* followed at most; 0: a 3xx is the answer */
    int64_t connect_ms; /* to a connection, name and TLS included; 0: total_ms */
    int64_t total_ms;   /* to the end; must be given */
    int64_t idle_ms;    /* with less than LIMIT_FETCH_RATE bytes a second; 0: no such limit */
    uint64_t max_bytes; /* of the body */
    bool cut;           /* a longer body is cut off there, and that is no error */
    int fd; /* > 0: the body is written there, from where it stands; stays the caller's */
    uint64_t min_free;    /* so much of that disk is left free: E_FULL */
    _Atomic bool *cancel; /* NULL, or set by anybody; outlives the request */
    _Atomic uint64_t *received,
        *expected; /* NULL, or bytes so far, and by Content-Length (0: unknown) */
};

struct http_answer {
    enum err err;
    int status;       /* of HTTP; 0: none */
    struct span body; /* without `fd`; until `done` returns */
    uint64_t bytes;   /* of the body */
    int64_t took_us;
    int64_t retry_after_s;           /* Retry-After, as seconds from now; 0: none */
    char type[HTTP_CLIENT_TYPE_CAP]; /* Content-Type, "" */
    char why[HTTP_CLIENT_WHY_CAP];   /* in words, when err is not E_OK */
};

typedef void http_done(void *arg, const struct http_answer *a);

/* `agent`: User-Agent. */
struct http_client *http_client_new(const char *agent);
/* Every request that still runs ends with E_CLOSED first. No other thread uses it any more. */
void http_client_free(struct http_client *c);

/* Any thread. `done` runs on the client's thread, once, and must not block. The caller bounds how
 * many it starts. */
void http_client_start(struct http_client *c, const struct http_want *w, http_done *done,
                       void *arg);
/* Starts and waits: for pool threads. With `fd`; a body in memory is gone when it returns. */
enum err http_client_run(struct http_client *c, const struct http_want *w, struct http_answer *out);

/* Whether an address can be asked at all: scheme, host, length, no credentials, no control
 * characters; and, unless `allow_private`, no host that names this machine or a private address
 * plainly. (What others lead to is seen when they are asked.) E_INVALID, and why. Any thread. */
enum err http_url_check(const char *url, bool allow_private, const char **why) WARN_UNUSED;
