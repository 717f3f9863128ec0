/* SPDX-License-Identifier: MIT */
#include "media/frame.h"
#include "base/limits.h"
#include "base/xalloc.h"

struct frame *frame_new(size_t len)
{
    CHECK(len <= LIMIT_FRAME_BYTES);
    struct frame *f = xmalloc(sizeof *f + len);
    *f = (struct frame){.len = len};
    atomic_init(&f->refs, 1);
    return f;
}

struct frame *frame_ref(struct frame *f)
{
    if (f) atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void frame_unref(struct frame *f)
{
    if (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1) free(f);
}
