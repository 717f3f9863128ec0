/* SPDX-License-Identifier: MIT */
/* base/buf.h - reference-counted bytes, immutable once shared; crosses threads.
 *
 * Lifetime: buf_new() returns the only reference and may be written through `data` until it is
 *   handed on; then it is const for everybody. The last buf_unref() frees it, on any thread.
 * Threads: ref and unref anywhere. Decrement is acq_rel (see docs/adr on refcounts). */
#pragma once
#include "base/span.h"
#include <stdatomic.h>

struct buf {
    _Atomic uint32_t refs;
    size_t len;
    uint8_t data[];
};

/* Room for `len` bytes, contents not set. Aborts when out of memory: check limits first. */
struct buf *buf_new(size_t len);
struct buf *buf_copy(struct span s);
struct buf *buf_ref(struct buf *b); /* returns b; NULL is fine */
void buf_unref(struct buf *b);      /* NULL is fine */

static inline struct span buf_span(const struct buf *b)
{
    return b ? (struct span){b->data, b->len} : SPAN_NULL;
}
