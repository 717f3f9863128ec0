/* SPDX-License-Identifier: MIT */
/* serve/images/image_worker.h - one bspnode-worker that makes one image and ends.
 *
 * Belongs to one loop; calls and the callback there. Limits: LIMIT_IMAGE_MS by the clock, and what
 * the sandbox of the worker allows (worker/sandbox.c). */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

struct image_worker;

/* Once, never from within image_worker_start(); afterwards the worker is gone. E_OK: `image` is
 * borrowed. E_UNSUPPORTED: it says why it cannot be. E_TIMEOUT; E_IO: it died. */
typedef void image_worker_done(void *ctx, enum err e, struct buf *image, const char *reason);

/* Sends the messages (references are taken). E_NOTFOUND: no such program; what the system says. */
enum err image_worker_start(struct loop *l, struct buf *const *msgs, unsigned n,
                            image_worker_done *done, void *ctx,
                            struct image_worker **out) WARN_UNUSED;
void image_worker_cancel(struct image_worker *w); /* no callback */
