/* SPDX-License-Identifier: MIT */
/* api/call.h - one API request on its way: loop -> pool -> loop.
 *
 * call_begin() runs on the loop and notes what only the loop may ask for. The endpoint's `work`
 * runs on a pool thread, after origin, session and rate limits have been checked there; it fills
 * the reply. Spans point into the request, which stays until it is answered. */
#pragma once
#include "api/api.h"
#include "product/api_token.h"
#include "product/session.h"
#include "product/throttle.h"
#include <jansson.h>

struct call;

enum {
    CALL_USER = 1,       /* 401 without a session */
    CALL_USER_MAYBE = 2, /* looks for a session, goes on without */
    CALL_HASH = 4,       /* hashes a password: through the lanes */
    CALL_BODY = 8,       /* needs a JSON body */
    CALL_MUX = 16,       /* of the Mux-compatible API: mux_call.h */
    CALL_OPEN = 32,      /* needs neither; other sites' pages may read the reply */
    CALL_AWAY = 64,      /* waits for another server: through lanes of its own */
};

#define CALL_SIGN_IN_COOKIE "bsp_sign_in"

#define CALL_QUERY_MAX 7
#define CALL_QUERY_CAP 128

struct endpoint {
    enum http_method method;
    const char *pattern;
    void (*work)(struct call *c); /* pool thread */
    unsigned flags;
    const char *query[CALL_QUERY_MAX]; /* names of query parameters to note */
    const struct http_intake *intake;  /* NULL: bodies are gathered */
    size_t body_max;                   /* 0: LIMIT_HTTP_JSON_BYTES */
};

/* The endpoints of one file, for routes.c. */
struct endpoint_table {
    const struct endpoint *endpoints;
    size_t n;
};
#define ENDPOINT_TABLE(array)                                                                      \
    {                                                                                              \
        array, sizeof(array) / sizeof *(array)                                                     \
    }

#define CALL_ORIGIN_CAP 300
#define CALL_AUTH_CAP   256

struct call {
    uint32_t magic;
    struct api *api;
    struct http_request *r;
    const struct endpoint *ep;

    /* The request, noted on the loop. */
    struct span body, content_type, token, origin_header, host, fetch_site;
    struct span authorization, raw_query, mux_signature, user_agent;
    struct span entry;   /* what says that the password of a private stream was given */
    struct span sign_in; /* the cookie of a sign-in on its way: app_sign_in.c */
    const char *param[2];
    char query[CALL_QUERY_MAX][CALL_QUERY_CAP];
    bool has_query[CALL_QUERY_MAX], bad_query[CALL_QUERY_MAX];
    char origin[CALL_ORIGIN_CAP]; /* "https://host:port", how the client reached us */
    char peer[THROTTLE_PEER_CAP]; /* the address as the rate limits count it */
    bool secure;

    /* On the pool. */
    struct db *db;
    struct user user; /* with has_user */
    bool has_user;
    struct api_token token_row; /* when it came by a token; else its id is "" */
    json_t *in;                 /* the body; body.c, mux_fields.c */
    char field[64];

    /* The reply. */
    int status; /* 0: from `problem` */
    struct problem problem;
    int64_t retry_s; /* Retry-After of a reply that is not from `problem`; 0: none */
    struct buf *reply;
    const char *type;                 /* of the reply; NULL: JSON */
    const char *life;                 /* its Cache-Control; NULL: nobody keeps it */
    const struct call_source *source; /* call_stream.h; NULL: none */
    void *source_self;
    char cookie[192];                     /* Set-Cookie; "": none */
    char location[LIMIT_NEXT_BYTES + 64]; /* of a 303 */
};

/* routes.c gives it to each endpoint's route. */
struct bound {
    struct api *api;
    const struct endpoint *ep;
};
void call_begin(struct http_request *r, void *bound);
/* The same step by step, for a body that is not held in memory: on the loop; on the pool, false:
 * the reply is made; on the loop, the reply goes out and `c` with it. */
struct call *call_new(struct http_request *r, const struct bound *bound);
bool call_admit(struct call *c);
void call_answer(struct call *c);

/* The client's way to us, for the URLs it is told; "" (URLs without a host) when what it says of
 * that is not plain. Loop. */
void call_origin(struct http_request *r, char out[CALL_ORIGIN_CAP]);

/* Id and secret of "Authorization: Basic base64(id:secret)" or "Bearer id:secret": views of
 * `plain`.
 */
bool call_credentials(struct span header, char plain[CALL_AUTH_CAP], struct span *id,
                      struct span *secret);

/* Replies with JSON; takes the reference of `json` over. */
void call_json(struct call *c, int status, json_t *json);
void call_empty(struct call *c, int status);
/* 303 to a path of ours. */
void call_lead(struct call *c, const char *path);
/* 200 with bytes of that type; takes the reference over. The texts are constant. */
void call_bytes(struct call *c, const char *type, const char *life, struct buf *bytes);
/* Replies with what `problem` says; a status other than its usual one may be given, or 0. */
void call_fail(struct call *c, enum err e, int status);

/* Sets, or with token NULL clears, the session cookie. */
void call_cookie(struct call *c, const char *token);

/* True when the rate limit lets it pass; otherwise the reply is made. */
bool call_may(struct call *c, const struct throttle_rule *rule, const char *key);
