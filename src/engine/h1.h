/* SPDX-License-Identifier: MIT */
/* engine/h1.h - the server's half of one HTTP/1.1 connection (RFC 9112), without I/O.
 *
 * Bytes in, events out; replies are written through it, so that it knows how the connection goes
 * on. One request at a time: what the client sends ahead is kept (h1_is_full() says when to stop
 * reading) and parsed when the reply is complete.
 *
 *   h1_feed(&h, bytes, now);
 *   while (h1_next(&h, &head, &ev)) ...          REQUEST, BODY*, END, then nothing until
 *   h1_reply_head(&h, &reply, &out); ...         the reply, and
 *   if (h1_reply_done(&h, now)) go on with h1_next, else close
 *
 * Owner: embedded, h1_init/h1_fini; one thread. Memory: nothing is kept between requests.
 * Spans of an event live until the next call. After H1_ERROR only an error reply can follow. */
#pragma once
#include "base/str.h"
#include "wire/http_chunk.h"
#include "wire/http_head.h"

enum h1_kind { H1_REQUEST, H1_BODY, H1_END, H1_ERROR };

struct h1_event {
    enum h1_kind kind;
    struct span body;            /* H1_BODY */
    struct http_problem problem; /* H1_ERROR: answer this status, then close */
};

struct h1 {
    /* private */
    uint8_t state;
    uint8_t minor;
    bool head_only, keep_alive, expect_continue, body_seen, reply_chunked, reply_close, held;
    uint64_t left; /* of a body with a length */
    uint64_t got;  /* of the body, for its pace */
    int64_t since_us, last_us, now_us, held_us;
    struct http_chunk chunk;
    struct span cur; /* fed and not looked at yet; borrowed until h1_next returns false */
    struct str in;   /* kept bytes, from in_at on */
    size_t in_at, tried;
};

void h1_init(struct h1 *h, int64_t now_us);
void h1_fini(struct h1 *h);

/* Call h1_next() until it returns false before feeding again. */
void h1_feed(struct h1 *h, struct span bytes, int64_t now_us);
/* H1_REQUEST fills *head; its base points into the engine, and the first head->size bytes from
 * there are the head's: copy them and set base, to keep it beyond the next call. */
bool h1_next(struct h1 *h, struct http_head *head, struct h1_event *ev);

/* Instead of going on with h1_next(): keeps what was fed and not taken. True: there is something.
 */
bool h1_keep(struct h1 *h);

/* The client waits for "100 Continue" before it sends the body: send H1_CONTINUE, or answer. */
#define H1_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
bool h1_wants_continue(const struct h1 *h);
/* True when as much has been sent ahead as is kept: stop reading until the reply is complete. */
bool h1_is_full(const struct h1 *h);

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

struct http_reply {
    int status;
    const struct http_header *headers;
    size_t n_headers;
    uint64_t length; /* of the body; HTTP_LENGTH_UNKNOWN: streamed */
    struct span date;
    bool close; /* end the connection afterwards */
};

/* Appends the status line and the fields to out. Content-Length, Transfer-Encoding, Date and
 * Connection are the engine's. Says `Connection: close` also when the request asked for it, was in
 * error, or has a body that was not read. */
void h1_reply_head(struct h1 *h, const struct http_reply *r, struct str *out);
/* Whether bytes of a body may follow (not for HEAD, 204, 304). */
bool h1_reply_has_body(const struct h1 *h, int status);
/* A piece of a streamed body goes between these two; empty when the reply is not chunked. */
#define H1_CHUNK_HEAD 20
struct span h1_chunk_head(const struct h1 *h, size_t len, char out[H1_CHUNK_HEAD]);
struct span h1_chunk_tail(const struct h1 *h);
struct span h1_chunk_last(const struct h1 *h); /* after the last piece */
/* The whole reply has been handed over. False: close the connection. */
bool h1_reply_done(struct h1 *h, int64_t now_us);

/* The body is not being taken for now (true): the peer's time stands still. Not calling h1_next()
 * is the caller's part. */
void h1_hold(struct h1 *h, bool on, int64_t now_us);

/* When the peer is too late, INT64_MAX while it is our turn. Then h1_is_idle() tells a quiet
 * keep-alive connection (close it) from a request that does not arrive (408). */
int64_t h1_deadline_us(const struct h1 *h);
bool h1_is_idle(const struct h1 *h);
