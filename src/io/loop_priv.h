/* SPDX-License-Identifier: MIT */
/* io/loop_priv.h - what the files of io/ know of a loop. */
#pragma once
#include "base/list.h"
#include "io/loop.h"
#include <uv.h>

uv_loop_t *loop_uv(struct loop *l);
/* True on the loop's own thread, or before it runs. */
bool loop_is_mine(const struct loop *l);

/* Something to do once at the end of this iteration, before the loop waits: a connection's
 * queued writes. The node is taken off its list before fn is called. */
struct flush {
    struct list node;
    void (*fn)(struct flush *f);
};
void loop_flush_soon(struct loop *l, struct flush *f); /* twice is fine */
/* The same, to be done before the loop is freed: what ends by itself and has no owner any more. The
 * node may be taken off its list before that. */
void loop_at_end(struct loop *l, struct flush *f);
