/* SPDX-License-Identifier: MIT */
/* The folder of uploads, and that each of them has one writer at a time. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/uploads_priv.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool upload_path(const struct uploads *u, const char *id, char *out, size_t cap)
{
    const int n = snprintf(out, cap, "%s/uploads/%s", u->cfg.settings->data, id);
    return n > 0 && (size_t)n < cap;
}

void upload_changed(const struct uploads *u, const char *stream_id)
{
    if (stream_id[0] && u->on_stream_changed) u->on_stream_changed(u->changed_ctx, stream_id);
}

void upload_remove_file(const struct uploads *u, const char *id)
{
    char path[4096];
    if (!upload_path(u, id, path, sizeof path)) return;
    /* Whoever has it open still must not keep its space. */
    if (truncate(path, 0) != 0 && errno == ENOENT) return;
    if (unlink(path) != 0 && errno != ENOENT)
        log_warn("upload-file", "upload=%.8s error=\"%s\"", id, strerror(errno));
}

enum err uploads_open(const struct uploads_config *cfg, struct uploads **out, char *problem,
                      size_t cap)
{
    char dir[4096];
    struct uploads *u = NEW(struct uploads);
    u->cfg = *cfg;
    pthread_mutex_init(&u->lock, NULL);
    enum err e = E_OK;
    if (!upload_path(u, "", dir, sizeof dir) || (mkdir(dir, 0750) != 0 && errno != EEXIST)) {
        snprintf(problem, cap, "cannot make the folder of uploads: %s", strerror(errno));
        e = E_IO;
    }
    if (e == E_OK) e = uploads_recover(u, db_open_thread(cfg->store));
    if (e != E_OK) {
        if (!problem[0]) snprintf(problem, cap, "cannot look at the uploads: %s", err_text(e));
        uploads_close(u);
        return e;
    }
    *out = u;
    return E_OK;
}

void uploads_on_stream_changed(struct uploads *u, void (*fn)(void *ctx, const char *stream_id),
                               void *ctx)
{
    u->on_stream_changed = fn;
    u->changed_ctx = ctx;
}

void uploads_close(struct uploads *u)
{
    if (!u) return;
    map_fini(&u->writes);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* --- one writer at a time --- */

bool upload_claim(struct uploads *u, struct upload_write *w, struct upload_reply *r)
{
    const int64_t now = clock_mono_us();
    const struct span key = span_str(w->row.id);
    bool ok = true;
    pthread_mutex_lock(&u->lock);
    struct upload_write *old = map_get(&u->writes, key);
    if (old && (old->busy || now - atomic_load(&old->last_us) < LIMIT_UPLOAD_SILENT_MS * US_PER_MS))
        ok = upload_say(r, 503, "Another request is sending a piece of this upload.");
    else if (!old && u->writes.len >= LIMIT_UPLOAD_WRITES)
        ok = upload_say(r, 503, "The server takes no more uploads at this moment.");
    if (ok) {
        if (old) old->replaced = true;
        map_put(&u->writes, key, w);
    }
    pthread_mutex_unlock(&u->lock);
    return ok;
}

void upload_unclaim(struct upload_write *w)
{
    struct uploads *u = w->u;
    pthread_mutex_lock(&u->lock);
    if (map_get(&u->writes, span_str(w->row.id)) == w) map_del(&u->writes, span_str(w->row.id));
    pthread_mutex_unlock(&u->lock);
}

void upload_stop_writer(struct uploads *u, const char *id)
{
    pthread_mutex_lock(&u->lock);
    struct upload_write *w = map_get(&u->writes, span_str(id));
    if (w) w->replaced = true;
    pthread_mutex_unlock(&u->lock);
}

bool upload_enter(struct upload_write *w, struct upload_reply *r)
{
    pthread_mutex_lock(&w->u->lock);
    w->busy = !w->replaced;
    pthread_mutex_unlock(&w->u->lock);
    return w->busy
               ? true
               : upload_say(r, 503, "This upload was taken over by another request, or is over.");
}

void upload_leave(struct upload_write *w)
{
    pthread_mutex_lock(&w->u->lock);
    w->busy = false;
    atomic_store(&w->last_us, clock_mono_us());
    pthread_mutex_unlock(&w->u->lock);
}

void upload_write_touch(struct upload_write *w)
{
    atomic_store(&w->last_us, clock_mono_us());
}
