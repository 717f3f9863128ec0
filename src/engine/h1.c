/* SPDX-License-Identifier: MIT */
/*            head            body, if any              reply complete
 *   HEAD ----------> BODY --------------------> WAIT ------------------> HEAD
 *      \______________/   refused at any time     \__ or not to go on __> OVER
 */
#include "engine/h1.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum { HEAD, BODY_LENGTH, BODY_CHUNKED, WAIT, OVER };

void h1_init(struct h1 *h, int64_t now_us)
{
    *h = (struct h1){.since_us = now_us, .last_us = now_us, .now_us = now_us, .minor = 1};
}

void h1_fini(struct h1 *h)
{
    str_fini(&h->in);
}

static bool kept(const struct h1 *h)
{
    return h->in.len > 0;
}

/* What has not been taken yet, in one piece. */
static struct span view(struct h1 *h)
{
    if (kept(h) && h->in_at == h->in.len) {
        str_fini(&h->in);
        h->in_at = 0;
    }
    if (!kept(h)) return h->cur;
    if (h->cur.len) {
        if (h->in_at) str_drop(&h->in, h->in_at);
        h->in_at = 0;
        str_add(&h->in, h->cur);
        h->cur = SPAN_NULL;
    }
    return span_skip(str_span(&h->in), h->in_at);
}

static void take(struct h1 *h, size_t n)
{
    if (kept(h))
        h->in_at += n;
    else
        h->cur = span_skip(h->cur, n);
}

/* The fed bytes are only borrowed: copies what is left of them. */
static bool keep_rest(struct h1 *h)
{
    if (h->cur.len) str_add(&h->in, h->cur);
    h->cur = SPAN_NULL;
    return false;
}

void h1_feed(struct h1 *h, struct span bytes, int64_t now_us)
{
    CHECK(h->cur.len == 0);
    if (bytes.len == 0 || h->state == OVER) return;
    if (h->state == HEAD && !kept(h)) h->since_us = now_us;
    h->cur = bytes;
    h->now_us = now_us;
}

static bool error(struct h1 *h, struct h1_event *ev, uint16_t status, const char *why)
{
    *ev = (struct h1_event){.kind = H1_ERROR, .problem = {status, why}};
    if (h->state == HEAD) h->head_only = false; /* that was the request before */
    h->state = OVER;
    h->keep_alive = false;
    h->cur = SPAN_NULL;
    return true;
}

/* A head that trickles in is parsed again only when its end is there or it has doubled, so that
 * the work stays linear. */
static bool worth_parsing(const struct h1 *h, struct span v)
{
    if (h->tried == 0 || v.len >= 2 * h->tried || v.len >= LIMIT_HTTP_HEAD_BYTES) return true;
    const size_t from = h->tried < 4 ? 0 : h->tried - 3;
    return memmem(v.p + from, v.len - from, "\r\n\r\n", 4) != NULL;
}

static void begin(struct h1 *h, const struct http_head *head)
{
    h->minor = head->minor;
    h->head_only = head->method == HTTP_HEAD;
    h->keep_alive = head->keep_alive;
    h->expect_continue = head->expect_continue && head->framing != HTTP_NO_BODY;
    h->body_seen = h->reply_chunked = h->reply_close = false;
    h->chunk = (struct http_chunk){0};
    h->left = head->framing == HTTP_LENGTH ? head->content_length : 0;
    h->got = 0;
    h->held = false;
    h->since_us = h->last_us = h->now_us;
    h->state = head->framing == HTTP_CHUNKED ? BODY_CHUNKED : BODY_LENGTH;
    h->tried = 0;
}

static bool next_head(struct h1 *h, struct http_head *head, struct h1_event *ev)
{
    struct http_problem why = {0};
    const struct span v = view(h);
    if (v.len == 0) return false;
    if (!worth_parsing(h, v)) return keep_rest(h);
    const enum err e = http_head_parse(v, head, &why);
    if (e == E_MORE) {
        h->tried = v.len;
        return keep_rest(h);
    }
    if (e != E_OK) return error(h, ev, why.status, why.why);
    take(h, head->size);
    begin(h, head);
    *ev = (struct h1_event){.kind = H1_REQUEST};
    return true;
}

static bool body_end(struct h1 *h, struct h1_event *ev)
{
    h->state = WAIT;
    *ev = (struct h1_event){.kind = H1_END};
    return true;
}

static bool body_piece(struct h1 *h, struct h1_event *ev, struct span piece)
{
    h->body_seen = true;
    h->got += piece.len;
    h->last_us = h->now_us;
    *ev = (struct h1_event){.kind = H1_BODY, .body = piece};
    return true;
}

static bool next_length(struct h1 *h, struct h1_event *ev)
{
    if (h->left == 0) return body_end(h, ev);
    const struct span v = view(h);
    const struct span piece = span_head(v, h->left < SIZE_MAX ? (size_t)h->left : SIZE_MAX);
    if (piece.len == 0) return false;
    take(h, piece.len);
    h->left -= piece.len;
    return body_piece(h, ev, piece);
}

static bool next_chunked(struct h1 *h, struct h1_event *ev)
{
    struct span v = view(h), data = SPAN_NULL;
    const size_t had = v.len;
    const enum err e = http_chunk_next(&h->chunk, &v, &data);
    take(h, had - v.len);
    if (e == E_MORE) return false;
    if (e != E_OK) return error(h, ev, 400, "chunked body");
    return h->chunk.done ? body_end(h, ev) : body_piece(h, ev, data);
}

bool h1_next(struct h1 *h, struct http_head *head, struct h1_event *ev)
{
    switch (h->state) {
    case HEAD:
        return next_head(h, head, ev);
    case BODY_LENGTH:
        return next_length(h, ev);
    case BODY_CHUNKED:
        return next_chunked(h, ev);
    case WAIT:
        return keep_rest(h);
    default:
        h->cur = SPAN_NULL;
        return false;
    }
}

bool h1_keep(struct h1 *h)
{
    keep_rest(h);
    return h->in.len > h->in_at;
}

bool h1_wants_continue(const struct h1 *h)
{
    return h->expect_continue && !h->body_seen &&
           (h->state == BODY_LENGTH || h->state == BODY_CHUNKED);
}

bool h1_is_full(const struct h1 *h)
{
    return h->in.len - h->in_at >= LIMIT_HTTP_PIPELINE_BYTES;
}

bool h1_reply_has_body(const struct h1 *h, int status)
{
    return http_status_has_body(status) && !h->head_only;
}

static void add_number(struct str *out, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    str_add(out, span_of(digits + n, sizeof digits - n));
}

static void add_field(struct str *out, struct span name, struct span value)
{
    CHECK(http_is_token(name) && http_is_value(value));
    str_add(out, name);
    str_add(out, SPAN_LIT(": "));
    str_add(out, value);
    str_add(out, SPAN_LIT("\r\n"));
}

static void add_framing(struct h1 *h, const struct http_reply *r, struct str *out)
{
    if (!http_status_has_body(r->status)) return;
    if (r->length != HTTP_LENGTH_UNKNOWN) {
        str_add(out, SPAN_LIT("content-length: "));
        add_number(out, r->length);
        str_add(out, SPAN_LIT("\r\n"));
    } else if (h->minor >= 1) {
        h->reply_chunked = true;
        str_add(out, SPAN_LIT("transfer-encoding: chunked\r\n"));
    } else {
        h->reply_close = true; /* HTTP/1.0: the end of the connection ends the body */
    }
}

void h1_reply_head(struct h1 *h, const struct http_reply *r, struct str *out)
{
    /* Without the rest of a body there is no telling where the next request begins. */
    h->reply_close = r->close || !h->keep_alive || h->state != WAIT;
    h->reply_chunked = false;
    str_reserve(out, 512);
    str_add(out, SPAN_LIT("HTTP/1.1 "));
    add_number(out, (uint64_t)r->status);
    str_addc(out, ' ');
    str_adds(out, http_reason(r->status));
    str_add(out, SPAN_LIT("\r\n"));
    if (r->date.len) add_field(out, SPAN_LIT("date"), r->date);
    for (size_t i = 0; i < r->n_headers; i++)
        add_field(out, span_str(r->headers[i].name), span_str(r->headers[i].value));
    add_framing(h, r, out);
    if (h->reply_close)
        str_add(out, SPAN_LIT("connection: close\r\n"));
    else if (h->minor == 0)
        str_add(out, SPAN_LIT("connection: keep-alive\r\n"));
    str_add(out, SPAN_LIT("\r\n"));
}

struct span h1_chunk_head(const struct h1 *h, size_t len, char out[H1_CHUNK_HEAD])
{
    if (!h->reply_chunked || len == 0) return SPAN_NULL;
    size_t at = H1_CHUNK_HEAD;
    out[--at] = '\n';
    out[--at] = '\r';
    do out[--at] = "0123456789abcdef"[len & 15];
    while (len >>= 4);
    return span_of(out + at, H1_CHUNK_HEAD - at);
}

struct span h1_chunk_tail(const struct h1 *h)
{
    return h->reply_chunked ? SPAN_LIT("\r\n") : SPAN_NULL;
}

struct span h1_chunk_last(const struct h1 *h)
{
    return h->reply_chunked && !h->head_only ? SPAN_LIT("0\r\n\r\n") : SPAN_NULL;
}

bool h1_reply_done(struct h1 *h, int64_t now_us)
{
    if (h->reply_close || h->state != WAIT) {
        h->state = OVER;
        return false;
    }
    h->state = HEAD;
    h->tried = 0;
    h->since_us = h->now_us = now_us;
    return true;
}

void h1_hold(struct h1 *h, bool on, int64_t now_us)
{
    if (h->held == on) return;
    h->held = on;
    if (on) {
        h->held_us = now_us;
        return;
    }
    h->since_us += now_us - h->held_us;
    h->last_us = now_us;
}

bool h1_is_idle(const struct h1 *h)
{
    return h->state == HEAD && !kept(h);
}

int64_t h1_deadline_us(const struct h1 *h)
{
    if (h1_is_idle(h)) return h->since_us + LIMIT_HTTP_IDLE_MS * US_PER_MS;
    if (h->state == HEAD) return h->since_us + LIMIT_HTTP_HEAD_MS * US_PER_MS;
    if ((h->state != BODY_LENGTH && h->state != BODY_CHUNKED) || h->held) return INT64_MAX;
    /* Silence is one way to hold a connection, a byte now and then another. */
    const int64_t silence = h->last_us + LIMIT_HTTP_BODY_MS * US_PER_MS;
    const int64_t seconds = (int64_t)(h->got / LIMIT_HTTP_BODY_RATE);
    const int64_t pace = h->since_us + LIMIT_HTTP_BODY_MS * US_PER_MS +
                         (seconds < INT32_MAX ? seconds : INT32_MAX) * US_PER_SEC;
    return silence < pace ? silence : pace;
}
