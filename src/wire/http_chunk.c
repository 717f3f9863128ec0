/* SPDX-License-Identifier: MIT */
/* chunk   = 1*HEXDIG [ ";" extension ] CRLF data CRLF
 * body    = *chunk 1*"0" [ ";" extension ] CRLF *( trailer-field CRLF ) CRLF
 */
#include "wire/http_chunk.h"

enum { SIZE, EXT, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER_START, TRAILER, TRAILER_LF, LAST_LF };

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static enum err size_byte(struct http_chunk *c, uint8_t b)
{
    const int h = hex(b);
    if (h >= 0) {
        if (c->digits == 15) return E_LIMIT; /* below 2^60: cannot overflow */
        c->digits++;
        c->left = c->left << 4 | (uint64_t)h;
        return E_OK;
    }
    if (c->digits == 0) return E_PROTO;
    if (b == ';')
        c->state = EXT;
    else if (b == '\r')
        c->state = SIZE_LF;
    else
        return E_PROTO;
    return E_OK;
}

/* A byte of an extension or of a trailer line. */
static enum err text_byte(struct http_chunk *c, uint8_t b, uint8_t at_cr, uint32_t limit)
{
    if (b == '\r') {
        c->state = at_cr;
        return E_OK;
    }
    if ((b < 0x20 && b != '\t') || b == 0x7f) return E_PROTO;
    return ++c->extra > limit ? E_LIMIT : E_OK;
}

static enum err trailer_start(struct http_chunk *c, uint8_t b)
{
    if (b == '\r') {
        c->state = LAST_LF;
        return E_OK;
    }
    if (b == ' ' || b == '\t' || b == ':') return E_PROTO; /* folded, or no name */
    c->state = TRAILER;
    return text_byte(c, b, TRAILER_LF, LIMIT_HTTP_TRAILER_BYTES);
}

static enum err expect(struct http_chunk *c, uint8_t b, uint8_t want, uint8_t next)
{
    if (b != want) return E_PROTO;
    c->state = next;
    return E_OK;
}

static enum err take(struct http_chunk *c, uint8_t b)
{
    enum err e;
    switch (c->state) {
    case SIZE:
        return size_byte(c, b);
    case EXT:
        return text_byte(c, b, SIZE_LF, LIMIT_HTTP_CHUNK_EXT_BYTES);
    case SIZE_LF:
        e = expect(c, b, '\n', c->left ? DATA : TRAILER_START);
        if (e == E_OK && c->left == 0) c->extra = 0;
        return e;
    case DATA_CR:
        return expect(c, b, '\r', DATA_LF);
    case DATA_LF:
        c->digits = 0;
        return expect(c, b, '\n', SIZE);
    case TRAILER_START:
        return trailer_start(c, b);
    case TRAILER:
        return text_byte(c, b, TRAILER_LF, LIMIT_HTTP_TRAILER_BYTES);
    case TRAILER_LF:
        return expect(c, b, '\n', TRAILER_START);
    default:
        c->done = true;
        return expect(c, b, '\n', LAST_LF);
    }
}

enum err http_chunk_next(struct http_chunk *c, struct span *in, struct span *data)
{
    while (!c->done) {
        if (in->len == 0) return E_MORE;
        if (c->state == DATA) {
            *data = span_head(*in, c->left < SIZE_MAX ? (size_t)c->left : SIZE_MAX);
            *in = span_skip(*in, data->len);
            c->left -= data->len;
            if (c->left == 0) c->state = DATA_CR;
            return E_OK;
        }
        const uint8_t b = in->p[0];
        *in = span_skip(*in, 1);
        const enum err e = take(c, b);
        if (e != E_OK) return e;
    }
    *data = SPAN_NULL;
    return E_OK;
}
