/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/xalloc.h"

struct buf *buf_new(size_t len)
{
    struct buf *b = xmalloc(sizeof *b + len);
    atomic_init(&b->refs, 1);
    b->len = len;
    return b;
}

struct buf *buf_copy(struct span s)
{
    struct buf *b = buf_new(s.len);
    if (s.len) memcpy(b->data, s.p, s.len);
    return b;
}

struct buf *buf_ref(struct buf *b)
{
    if (b) atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void buf_unref(struct buf *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1) free(b);
}
