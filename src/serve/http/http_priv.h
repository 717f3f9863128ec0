/* SPDX-License-Identifier: MIT */
/* serve/http/http_priv.h - between the files of the HTTP server.
 *
 *   server.c       listener, loops, drain
 *   connection.c   a connection: its timer, its end; what both protocols do with a request
 *   h1_conn.c      drives engine/h1          h2_conn.c   drives engine/h2
 *   request.c      what handlers read        reply.c     what they answer
 */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "engine/h2.h"
#include "serve/conn.h"
#include "serve/http/http.h"
#include "serve/http/router.h"
#include <stdatomic.h>

#define REQUEST_MAGIC 0x48747252u
#define DATE_LEN      30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and the final zero */

/* What the connections of one loop share. */
struct http_shard {
    struct http_server *server;
    struct loop *loop;
    struct list conns;
    struct list requests; /* alive, whoever holds them */
    struct http_request *spare;
    unsigned n_spare;
    struct str scratch;    /* reply heads, frames on their way out */
    struct map const_bufs; /* address -> buf, of http_reply_const */
    struct http_head head; /* of the request that is being parsed */
    int64_t date_s;
    char date[DATE_LEN];
    bool draining;
};

struct http_server {
    struct router *router;
    struct tls_ctx *tls;
    struct tcp_listener *listener;
    const char *public_url;
    uint16_t port;
    bool trust_proxy;
    _Atomic unsigned connections;
    unsigned n_shards;
    struct loop **loops;
    struct http_shard *shards;
};

struct http_conn {
    struct list node;
    struct http_shard *shard;
    struct conn *conn;
    struct timer timer;
    struct list requests;
    struct http_request *reading; /* HTTP/1.1: the one whose body arrives, or that is answered */
    struct h2 *h2;                /* NULL: HTTP/1.1 */
    struct h1 h1;
    bool running, paused, woken, doomed, held, any_over, closing, closed;
};

enum request_state {
    REQUEST_READING,
    REQUEST_ASKED,     /* with the handler */
    REQUEST_STREAMING, /* http_stream_begin was called */
    REQUEST_ANSWERED,
};

struct stream_piece {
    struct stream_piece *next;
    struct buf *buf;
};

struct http_request {
    uint32_t magic;
    enum request_state state;
    struct list node, in_shard; /* of the connection; of the shard */
    struct http_shard *shard;
    struct http_conn *conn; /* NULL: the client has gone */
    struct h2_stream *h2;   /* NULL: HTTP/1.1, or closed */
    const struct http_route *route;
    struct http_head head;
    struct str head_bytes, path, params, body, origin;
    unsigned n_params;
    uint16_t param_at[HTTP_PARAMS_MAX];
    bool has_path, secure;
    char peer[TCP_PEER_LEN];
    const struct http_intake *intake; /* takes the body */
    void *user;
    bool held, continued; /* the body is not wanted now; "100 Continue" was sent */
    /* A refusal that waits for the end of the body, which is thrown away. */
    uint16_t refused;
    unsigned allowed;
    const char *refused_why;
    uint64_t discarded;
    void (*on_gone)(struct http_request *r, void *ctx);
    void *gone_ctx;
    /* HTTP/2 pulls the body of the reply from here. */
    struct buf *out_buf;
    struct file *out_file;
    uint64_t out_off, out_left;
    struct stream_piece *out_first, **out_end;
    size_t out_queued, out_at; /* of a streamed body; out_at: taken of the first piece */
    bool out_ended, out_over;  /* over: behind by too much, to be told that it is gone */
};

/* connection.c */
void http_conn_accept(void *server, struct tcp *t);
void http_conn_arm(struct http_conn *c);  /* sets the timer to the next deadline */
void http_conn_wake(struct http_conn *c); /* the timer, in the next iteration */
void http_conn_close(struct http_conn *c);
void http_conn_finish(struct http_conn *c); /* closes when everything has been sent */
void http_conn_end_idle(struct http_conn *c);
void http_conn_drain(struct http_conn *c);
struct http_request *http_request_new(struct http_conn *c, const struct http_head *head);
void http_request_free(struct http_request *r);
void http_request_route(struct http_request *r);
/* Adds to the body. False: it is too large; the request is refused. */
bool http_request_body(struct http_request *r, struct span bytes);
/* An intake's: with the handler from here on. */
void http_request_begin(struct http_request *r);
/* All of it is here: calls the handler, or answers the refusal. */
void http_request_ready(struct http_request *r);
void http_request_refuse(struct http_request *r, uint16_t status, const char *why);
void http_request_answer_refusal(struct http_request *r);
void http_request_gone(struct http_request *r);
struct span http_shard_date(struct http_shard *s);

/* h1_conn.c, h2_conn.c. */
void h1_conn_read(struct http_conn *c, struct span bytes);
void h1_conn_run(struct http_conn *c);
void h1_conn_timeout(struct http_conn *c);
void h2_conn_open(struct http_conn *c);
void h2_conn_read(struct http_conn *c, struct span bytes);
void h2_conn_go(struct http_conn *c); /* events, then output */
void h2_conn_timeout(struct http_conn *c);

/* What is to be sent for a request: a head, and a body in one of three forms. */
struct http_plan {
    struct http_reply reply;
    struct buf *buf;
    struct file *file;
    uint64_t off; /* in either */
    bool streamed;
};
void h1_conn_reply(struct http_request *r, const struct http_plan *p);
void h1_conn_stream(struct http_request *r, struct buf *b);
void h1_conn_stream_end(struct http_request *r);
void h1_conn_hold(struct http_request *r); /* r->held has changed */
void h2_conn_reply(struct http_request *r, const struct http_plan *p);
void h2_conn_stream(struct http_request *r, struct buf *b);
void h2_conn_stream_end(struct http_request *r);
void h2_conn_hold(struct http_request *r);
