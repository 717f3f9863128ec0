/* SPDX-License-Identifier: MIT */
#include "serve/images/image_worker.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "bridge/transcoder.h"
#include "io/child.h"
#include "wire/image_msg.h"
#include <stdio.h>

struct image_worker {
    struct loop *loop;
    struct child *child;
    struct timer timer;
    struct str in;
    image_worker_done *done;
    void *ctx;
    bool late, over;
    char reason[LIMIT_WORKER_TEXT + 1];
};

static void free_worker(void *arg)
{
    struct image_worker *w = arg;
    str_fini(&w->in);
    free(w);
}

static void end(struct image_worker *w)
{
    w->over = true;
    timer_stop(&w->timer);
    child_close(w->child);
    loop_defer(w->loop, free_worker, w);
}

static void finish(struct image_worker *w, enum err e, struct buf *image, const char *reason)
{
    end(w);
    w->done(w->ctx, e, image, reason);
}

/* True: a whole answer was there, and it is over. */
static bool answered(struct image_worker *w)
{
    struct span rest = str_span(&w->in);
    struct image_msg m;
    if (image_msg_next(&rest, &m) != E_OK) return false;
    if (m.type == IMAGE_MSG_IMAGE && m.media.len) {
        struct buf *b = buf_copy(m.media);
        finish(w, E_OK, b, NULL);
        buf_unref(b);
        return true;
    }
    if (m.type != IMAGE_MSG_FAILED) return false;
    (void)span_cstr(span_head(m.media, LIMIT_WORKER_TEXT), w->reason, sizeof w->reason);
    for (char *c = w->reason; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) *c = ' ';
    finish(w, E_UNSUPPORTED, NULL, w->reason);
    return true;
}

static void on_read(void *ctx, struct span bytes)
{
    struct image_worker *w = ctx;
    if (w->over) return;
    str_add(&w->in, bytes);
    if (w->in.len >= 4 && image_msg_length(str_span(&w->in)) > LIMIT_IMAGE_BYTES + 5) {
        finish(w, E_IO, NULL, "its answer is too long");
        return;
    }
    if (image_msg_length(str_span(&w->in)) <= w->in.len) (void)answered(w);
}

static void on_exit_(void *ctx, const char *how)
{
    struct image_worker *w = ctx;
    if (w->over) return;
    metric_add(M_WORKER_DEATHS, 1);
    log_warn("image-worker-died", "how=\"%s\"", w->late ? "took too long" : how);
    finish(w, w->late ? E_TIMEOUT : E_IO, NULL, "the worker died");
}

static void on_timer(struct timer *t, void *ctx)
{
    struct image_worker *w = ctx;
    (void)t;
    w->late = true;
    child_kill(w->child); /* on_exit_ follows */
}

enum err image_worker_start(struct loop *l, struct buf *const *msgs, unsigned n,
                            image_worker_done *done, void *ctx, struct image_worker **out)
{
    static const struct child_ops OPS = {.on_read = on_read, .on_exit = on_exit_};
    char path[4096];
    enum err e = transcoder_program(path, sizeof path);
    if (e != E_OK) return e;
    const char *const argv[] = {path, "image", NULL};
    struct image_worker *w = NEW(struct image_worker);
    w->loop = l;
    w->done = done;
    w->ctx = ctx;
    e = child_spawn(l, argv, &OPS, w, &w->child);
    if (e != E_OK) {
        free(w);
        return e;
    }
    timer_init(&w->timer, l, on_timer, w);
    timer_at(&w->timer, loop_now_us(l) + LIMIT_IMAGE_MS * INT64_C(1000));
    for (unsigned i = 0; i < n; i++)
        if (msgs[i]->len) child_send(w->child, msgs[i]);
    *out = w;
    return E_OK;
}

void image_worker_cancel(struct image_worker *w)
{
    end(w);
}
