/* SPDX-License-Identifier: MIT */
#include "bridge/worker_gop.h"
#include "base/xalloc.h"

void worker_gop_clear(struct worker_gop *g)
{
    for (unsigned i = 0; i < g->n; i++) frame_unref(g->at[i]);
    g->n = 0;
    g->bytes = 0;
}

void worker_gop_fini(struct worker_gop *g)
{
    worker_gop_clear(g);
    free(g->at);
    *g = (struct worker_gop){0};
}

void worker_gop_add(struct worker_gop *g, const struct frame *f)
{
    if (f->key || g->n == LIMIT_GOP_CACHE_FRAMES || g->bytes + f->len > WORKER_GOP_BYTES)
        worker_gop_clear(g);
    if (!f->key && g->n == 0) return;
    if (g->n == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 64;
        g->at = xrealloc(g->at, g->cap * sizeof(struct frame *));
    }
    g->at[g->n++] = frame_ref((struct frame *)(uintptr_t)f); /* shared, and never written to */
    g->bytes += f->len;
}
