/* SPDX-License-Identifier: MIT */
/* engine/h2.h - the server's half of one HTTP/2 connection (RFC 9113), without I/O [nghttp2].
 *
 *   h2_feed(h, bytes, now);  while (h2_next(h, &ev)) ...;  while (h2_output(h, &span)) send it
 *
 * A stream is announced by H2_REQUEST; then H2_BODY*, H2_END; and at last, whatever happened,
 * exactly one H2_CLOSED, after which its pointer is gone. Replies may be given as soon as it is
 * announced. Bytes of a body are acknowledged to the peer when h2_next has handed them out, so an
 * application that stops asking stops the peer.
 *
 * Owner: h2_new/h2_free; one thread. Limits: LIMIT_HTTP2_STREAMS at once, heads as in HTTP/1.1,
 * LIMIT_HTTP2_RESETS and LIMIT_HTTP2_CONTROL_FRAMES against floods (rapid reset, ping, settings):
 * above them the connection ends with ENHANCE_YOUR_CALM. Spans live until the next call. */
#pragma once
#include "engine/h1.h"

struct h2;
struct h2_stream;

enum h2_kind { H2_REQUEST, H2_BODY, H2_END, H2_CLOSED };

struct h2_event {
    enum h2_kind kind;
    struct h2_stream *stream;
    struct http_head *head;      /* H2_REQUEST: as HTTP/1.1 would have brought it; minor is 2 */
    struct http_problem problem; /* H2_REQUEST: status != 0: answer that; head is not to be used */
    struct span body;            /* H2_BODY */
    bool whole;                  /* H2_CLOSED: the reply went out to its end */
};

/* Where the bytes of a reply's body come from. `read` fills at most cap bytes, *n of them. *n == 0
 * and not *end: nothing now; h2_resume() when there is. An error resets the stream. It is not
 * called after H2_CLOSED. */
struct h2_source {
    enum err (*read)(void *ctx, uint8_t *dst, size_t cap, size_t *n, bool *end);
    void *ctx;
};

struct h2 *h2_new(int64_t now_us);
void h2_free(struct h2 *h); /* NULL is fine */

/* E_PROTO, E_LIMIT: send what h2_output has (the GOAWAY), then close. */
enum err h2_feed(struct h2 *h, struct span bytes, int64_t now_us) WARN_UNUSED;
bool h2_next(struct h2 *h, struct h2_event *ev);
bool h2_has_events(const struct h2 *h); /* sending closes streams too */
/* The next bytes for the peer, valid until the next call. False: none now. */
bool h2_output(struct h2 *h, struct span *out);

/* The time, for what follows and is not fed: replies, resumes, output. */
void h2_tick(struct h2 *h, int64_t now_us);
/* Once a stream. source == NULL: no body. `length` of the reply is sent as content-length. */
void h2_reply(struct h2 *h, struct h2_stream *s, const struct http_reply *r,
              const struct h2_source *source);
void h2_resume(struct h2 *h, struct h2_stream *s);
/* The reply cannot be finished. Its source is not read any more. */
void h2_reset(struct h2 *h, struct h2_stream *s);

/* No new streams; those that run may finish. h2_is_done() is true when nothing is left. */
void h2_goaway(struct h2 *h);
bool h2_is_done(const struct h2 *h);

/* While held, a stream's body and its end are not handed out: the peer's window closes, and its
 * time stands still. Held from the beginning: call it when H2_REQUEST is told. */
void h2_stream_hold(struct h2 *h, struct h2_stream *s, bool on);

void h2_stream_set_ctx(struct h2_stream *s, void *ctx);
void *h2_stream_ctx(const struct h2_stream *s);

/* As h1_deadline_us: the peer's turn only, and that includes a window that stays closed while there
 * is something to send. Past it: h2_on_deadline() resets such streams, and those whose requests do
 * not arrive; false: the connection itself is idle or stuck, close it. */
int64_t h2_deadline_us(const struct h2 *h);
bool h2_on_deadline(struct h2 *h, int64_t now_us);
