/* SPDX-License-Identifier: MIT */
/* wire/http_chunk.h - the chunked body, taken apart (RFC 9112 section 7.1).
 *
 * A resumable parser in a small struct; `struct http_chunk c = {0}` is at the beginning. Nothing is
 * copied: pieces of data are views into the input. Extensions and trailers are checked, bounded
 * (LIMIT_HTTP_CHUNK_EXT_BYTES for the whole body, LIMIT_HTTP_TRAILER_BYTES) and dropped.
 * Lines end in CRLF only; no space around the size. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

struct http_chunk {
    uint8_t state;
    uint8_t digits;
    bool done;      /* the last byte of the body and its trailers has been taken */
    uint32_t extra; /* bytes of extensions, then of trailers */
    uint64_t left;  /* of the chunk */
};

/* Takes bytes from *in. E_OK: *data is the next piece, or `done` is set and *data empty.
 * E_MORE: all of *in is taken and there is no more. E_PROTO, E_LIMIT: the connection is lost. */
enum err http_chunk_next(struct http_chunk *c, struct span *in, struct span *data) WARN_UNUSED;
