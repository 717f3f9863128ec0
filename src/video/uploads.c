/* SPDX-License-Identifier: MIT */
/* From a request to bytes on disk. The rules are in uploads.h; what is refused here leaves the
 * upload waiting as it was. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/file.h"
#include "video/uploads_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_EVERY_BYTES (16u << 20) /* the disk's free space is looked at this often */
#define COMPARE_BYTES    65536

struct upload_write {
    struct uploads *u;
    struct upload_row row;
    int fd;
    uint64_t first, at, end; /* end: UINT64_MAX when the length is not known */
    uint64_t limit;          /* no byte at or above it */
    const char *limit_text;  /* why */
    int64_t total;           /* -1: not known */
    uint64_t room_asked;     /* up to here there was room on the disk */
    uint64_t flushed;        /* up to here the disk has begun to write */
    bool whole;              /* without a Content-Range */
    _Atomic int64_t last_us; /* the client's last byte */
    bool busy, replaced;     /* under the lock */
};

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

/* --- answers -----------------------------------------------------------------------------------
 */

static bool say(struct upload_reply *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* False, for `return say(...)`. */
static bool say(struct upload_reply *r, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->text, sizeof r->text, fmt, ap);
    va_end(ap);
    r->status = status;
    r->retry_s = status == 503;
    return false;
}

static void say_stored(struct upload_reply *r, int64_t received)
{
    r->status = 308;
    r->stored = (uint64_t)received;
}

static bool say_io(struct upload_reply *r, int code, const char *id)
{
    log_warn("upload-io", "upload=%.8s error=\"%s\"", id, strerror(code));
    if (code == ENOSPC || code == EDQUOT)
        return say(r, 507, "The server's disk is full; nothing of this piece was kept.");
    return say(r, 503, "The server could not store this piece; send it again.");
}

/* --- one writer at a time -----------------------------------------------------------------------
 */

static bool claim(struct uploads *u, struct upload_write *w, struct upload_reply *r)
{
    const int64_t now = clock_mono_us();
    const struct span key = span_str(w->row.id);
    bool ok = true;
    pthread_mutex_lock(&u->lock);
    struct upload_write *old = map_get(&u->writes, key);
    if (old && (old->busy || now - atomic_load(&old->last_us) < LIMIT_UPLOAD_SILENT_MS * US_PER_MS))
        ok = say(r, 503, "Another request is sending a piece of this upload.");
    else if (!old && u->writes.len >= LIMIT_UPLOAD_WRITES)
        ok = say(r, 503, "The server takes no more uploads at this moment.");
    if (ok) {
        if (old) old->replaced = true;
        map_put(&u->writes, key, w);
    }
    pthread_mutex_unlock(&u->lock);
    return ok;
}

static void unclaim(struct upload_write *w)
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

/* While busy nobody takes over. False: somebody has. */
static bool enter(struct upload_write *w, struct upload_reply *r)
{
    pthread_mutex_lock(&w->u->lock);
    w->busy = !w->replaced;
    pthread_mutex_unlock(&w->u->lock);
    return w->busy ? true
                   : say(r, 503, "This upload was taken over by another request, or is over.");
}

static void leave(struct upload_write *w)
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

/* --- what may be sent ----------------------------------------------------------------------------
 */

static bool is(const struct upload_row *row, const char *status)
{
    return strcmp(row->status, status) == 0;
}

static bool is_late(const struct upload_row *row)
{
    return clock_wall_us() - row->created_at > row->timeout_s * US_PER_SEC;
}

/* It is complete: what was stored before may come again, a reply having been lost. */
static bool say_complete(const struct upload_row *row, const struct upload_ask *ask,
                         struct upload_reply *r)
{
    const uint64_t size = (uint64_t)row->size;
    const struct content_range *c = &ask->range;
    bool same;
    if (ask->has_range)
        same = (!c->has_total || c->total == size) && (c->asks || c->last < size);
    else
        same = ask->body_len == UINT64_MAX || ask->body_len == size;
    if (!same)
        return say(r, 400, "This upload is complete already, with %lld bytes.",
                   (long long)row->size);
    r->status = 200;
    return false;
}

/* False: the reply says why not. */
static bool is_open(const struct upload_row *row, const struct upload_ask *ask,
                    struct upload_reply *r)
{
    if (is(row, "asset_created")) return say_complete(row, ask, r);
    if (is(row, "cancelled")) return say(r, 410, "This upload was cancelled.");
    if (is(row, "errored")) return say(r, 410, "This upload has failed: %s", row->problem);
    if (is(row, "timed_out") || is_late(row))
        return say(r, 410, "This upload has timed out; ask for a new one.");
    return true;
}

static bool check_size(struct uploads *u, uint64_t size, struct upload_reply *r)
{
    const int64_t max = u->cfg.settings->max_upload_size;
    if (!max || size <= (uint64_t)max) return true;
    return say(r, 413, "The file is larger than this server takes: %lld bytes.", (long long)max);
}

static bool check_total(const struct upload_row *row, uint64_t total, struct upload_reply *r)
{
    if (row->size >= 0 && total != (uint64_t)row->size)
        return say(r, 400, "The size was %lld bytes before, and is %llu now.", (long long)row->size,
                   (unsigned long long)total);
    if (total < (uint64_t)row->received)
        return say(r, 400, "%lld bytes are stored already, more than the size of %llu.",
                   (long long)row->received, (unsigned long long)total);
    return true;
}

static bool check_piece(struct upload_write *w, const struct upload_ask *ask,
                        struct upload_reply *r)
{
    const struct content_range *c = &ask->range;
    const uint64_t len = c->last - c->first + 1;
    if (ask->body_len != UINT64_MAX && ask->body_len != len)
        return say(r, 400, "Content-Range tells of %llu bytes, and the body has %llu.",
                   (unsigned long long)len, (unsigned long long)ask->body_len);
    if (!check_size(w->u, c->has_total ? c->total : c->last + 1, r)) return false;
    if (c->has_total && !check_total(&w->row, c->total, r)) return false;
    w->total = c->has_total ? (int64_t)c->total : w->row.size;
    if (w->total >= 0 && c->last >= (uint64_t)w->total)
        return say(r, 400, "The piece ends after the file's %lld bytes.", (long long)w->total);
    /* A client that was stopped in the middle of a piece and goes on with the next one at its place
     * sends pieces of odd sizes, and a file that is not the one it read. */
    if (len % LIMIT_UPLOAD_GRAIN_BYTES && (w->total < 0 || c->last + 1 != (uint64_t)w->total))
        return say(r, 400, "A piece that is not the last must be a multiple of 256 KiB.");
    if (c->first > (uint64_t)w->row.received)
        return say(r, 400,
                   "There is a gap: the next byte is number %lld, and the piece begins at %llu.",
                   (long long)w->row.received, (unsigned long long)c->first);
    w->first = w->at = w->flushed = c->first;
    w->end = c->last + 1;
    return true;
}

static bool check_whole(struct upload_write *w, const struct upload_ask *ask,
                        struct upload_reply *r)
{
    w->whole = true;
    w->total = -1;
    w->end = UINT64_MAX;
    if (ask->body_len == UINT64_MAX) return true;
    if (ask->body_len == 0) return say(r, 400, "The file is empty.");
    if (ask->body_len > CONTENT_RANGE_MAX) return say(r, 413, "The file is too large.");
    if (!check_size(w->u, ask->body_len, r) || !check_total(&w->row, ask->body_len, r))
        return false;
    w->end = ask->body_len;
    w->total = (int64_t)ask->body_len;
    return true;
}

/* What this user may still store, and the largest size, as one bound. */
static bool check_quota(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    const struct settings *s = w->u->cfg.settings;
    int64_t used = 0;
    w->limit = s->max_upload_size ? (uint64_t)s->max_upload_size : CONTENT_RANGE_MAX;
    w->limit_text = "The file is larger than this server takes.";
    if (!s->upload_quota) return true;
    if (upload_user_bytes(db, w->row.user_id, w->row.id, &used) != E_OK)
        return say(r, 503, "The database does not answer.");
    const uint64_t left = used < s->upload_quota ? (uint64_t)(s->upload_quota - used) : 0;
    if (left < w->limit) {
        w->limit = left;
        w->limit_text = "This upload does not fit into what its owner may store here.";
    }
    const uint64_t most = w->total >= 0 ? (uint64_t)w->total : w->end;
    return most == UINT64_MAX || most <= w->limit ? true : say(r, 413, "%s", w->limit_text);
}

static bool check_room(struct upload_write *w, uint64_t up_to, struct upload_reply *r)
{
    struct statvfs v;
    const int64_t min = w->u->cfg.settings->min_free_disk;
    if (up_to <= w->room_asked || fstatvfs(w->fd, &v) != 0) return true;
    const uint64_t have = (uint64_t)w->row.received > w->at ? (uint64_t)w->row.received : w->at;
    const uint64_t want = up_to > have ? up_to - have : 0;
    if ((uint64_t)v.f_bavail * v.f_frsize < want + (uint64_t)min)
        return say(r, 507, "The server's disk is full; nothing of this piece was kept.");
    w->room_asked = up_to;
    return true;
}

static bool open_file(struct upload_write *w, struct upload_reply *r)
{
    char path[4096];
    if (!upload_path(w->u, w->row.id, path, sizeof path))
        return say(r, 503, "The path is too long.");
    w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (w->fd < 0) return say_io(r, errno, w->row.id);
    struct stat st;
    if (fstat(w->fd, &st) != 0) return say_io(r, errno, w->row.id);
    if (st.st_size < w->row.received) {
        log_error("upload-file", "upload=%.8s is shorter than its row says: %lld of %lld",
                  w->row.id, (long long)st.st_size, (long long)w->row.received);
        return say(r, 500, "The server has lost a part of this upload; ask for a new one.");
    }
    /* What a request that was cut off has left. */
    if (st.st_size > w->row.received && ftruncate(w->fd, w->row.received) != 0)
        return say_io(r, errno, w->row.id);
    return true;
}

/* --- the life of a write
 * -------------------------------------------------------------------------- */

static void free_write(struct upload_write *w)
{
    unclaim(w);
    if (w->fd >= 0) close(w->fd);
    free(w);
}

/* How far is it? With the size, and all of it there, that was the end. */
static void answer_question(struct upload_write *w, struct db *db, const struct upload_ask *ask,
                            struct upload_reply *r)
{
    if (ask->body_len != UINT64_MAX && ask->body_len != 0) {
        say(r, 400, "A question for the offset has no body.");
        return;
    }
    if (ask->range.has_total && !check_total(&w->row, ask->range.total, r)) return;
    const int64_t size = ask->range.has_total ? (int64_t)ask->range.total : w->row.size;
    if (w->row.received == 0 || w->row.received != size) {
        say_stored(r, w->row.received);
        return;
    }
    if (w->row.size < 0 && upload_row_advance(db, &w->row, w->row.received, size) != E_OK) {
        say(r, 503, "The database does not answer.");
        return;
    }
    w->row.size = size;
    upload_finish(w->u, db, &w->row, r);
}

static bool start(struct upload_write *w, struct db *db, const struct upload_ask *ask,
                  struct upload_reply *r)
{
    if (ask->has_range && ask->range.asks) {
        answer_question(w, db, ask, r);
        return false;
    }
    if (!(ask->has_range ? check_piece(w, ask, r) : check_whole(w, ask, r))) return false;
    return check_quota(w, db, r) && open_file(w, r) &&
           check_room(w, w->end == UINT64_MAX ? ROOM_EVERY_BYTES : w->end, r);
}

void uploads_begin(struct uploads *u, struct db *db, const struct upload_ask *ask,
                   struct upload_write **out, struct upload_reply *r)
{
    struct upload_write *w = NEW(struct upload_write);
    *r = (struct upload_reply){.cors_origin = "*"};
    *out = NULL;
    w->u = u;
    w->fd = -1;
    atomic_init(&w->last_us, clock_mono_us());
    enum err e = upload_row_get(db, ask->id, &w->row);
    if (e == E_OK) memcpy(r->cors_origin, w->row.cors_origin, sizeof r->cors_origin);
    if (e == E_NOTFOUND)
        say(r, 404, "There is no such upload.");
    else if (e != E_OK)
        say(r, 503, "The database does not answer.");
    /* A question need not wait for the one who writes, and must not disturb them. */
    else if (is_open(&w->row, ask, r) && ask->has_range && ask->range.asks && !ask->range.has_total)
        start(w, db, ask, r);
    else if (!r->status && claim(u, w, r)) {
        /* Again: another one's piece may have been stored in between. */
        e = upload_row_get(db, ask->id, &w->row);
        if (e != E_OK)
            say(r, 503, "The database does not answer.");
        else if (is_open(&w->row, ask, r) && start(w, db, ask, r))
            *out = w;
    }
    if (!*out) free_write(w);
}

/* What is stored already does not change. */
static bool compare(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    uint8_t *have = xmalloc(COMPARE_BYTES);
    bool same = true;
    int code = 0;
    for (uint64_t at = w->at; bytes.len && same && !code;) {
        const struct span s = span_head(bytes, COMPARE_BYTES);
        const ssize_t n = pread(w->fd, have, s.len, (off_t)at);
        if (n != (ssize_t)s.len)
            code = n < 0 ? errno : EIO;
        else
            same = memcmp(have, s.p, s.len) == 0;
        at += s.len;
        bytes = span_skip(bytes, s.len);
    }
    free(have);
    if (code) return say_io(r, code, w->row.id);
    return same ? true : say(r, 400, "The piece overlaps what is stored, with other bytes.");
}

static bool store(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    while (bytes.len) {
        const ssize_t n = pwrite(w->fd, bytes.p, bytes.len, (off_t)w->at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return say_io(r, n < 0 ? errno : ENOSPC, w->row.id);
        w->at += (uint64_t)n;
        bytes = span_skip(bytes, (size_t)n);
    }
    file_write_behind(w->fd, &w->flushed, w->at);
    return true;
}

static bool put(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    if (bytes.len > w->end - w->at)
        return say(r, 400, "The body is longer than its Content-Range.");
    if (w->at + bytes.len > w->limit) return say(r, 413, "%s", w->limit_text);
    if (!check_room(w, w->end != UINT64_MAX ? w->end : w->at + bytes.len + ROOM_EVERY_BYTES, r))
        return false;
    if (w->at < (uint64_t)w->row.received) {
        const uint64_t old = (uint64_t)w->row.received - w->at;
        const struct span again = span_head(bytes, old < bytes.len ? (size_t)old : bytes.len);
        if (!compare(w, again, r)) return false;
        w->at += again.len;
        bytes = span_skip(bytes, again.len);
    }
    return store(w, bytes, r);
}

bool upload_write_put(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    if (!enter(w, r)) return false;
    const bool ok = put(w, bytes, r);
    leave(w);
    return ok;
}

static bool check_end(struct upload_write *w, struct upload_reply *r)
{
    if (w->whole && w->end == UINT64_MAX) {
        if (w->at == 0) return say(r, 400, "The file is empty.");
        if (!check_total(&w->row, w->at, r)) return false;
        w->total = (int64_t)w->at;
        return true;
    }
    if (w->at == w->end) return true;
    return say(r, 400, "The body is shorter than it should be: it ends at %llu instead of %llu.",
               (unsigned long long)w->at, (unsigned long long)w->end);
}

static void end(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    const int64_t at = (int64_t)w->at;
    if (!check_end(w, r)) return;
    if (at > w->row.received || w->total != w->row.size) {
        const int64_t received = at > w->row.received ? at : w->row.received;
        if (fdatasync(w->fd) != 0) {
            say_io(r, errno, w->row.id);
            return;
        }
        const enum err e = upload_row_advance(db, &w->row, received, w->total);
        if (e != E_OK) {
            if (e == E_CONFLICT)
                say(r, 410, "This upload was cancelled, or has timed out.");
            else
                say(r, e == E_FULL ? 507 : 503, "The server could not store this piece.");
            return;
        }
        w->row.received = received;
        w->row.size = w->total;
    }
    if (w->row.size >= 0 && w->row.received == w->row.size)
        upload_finish(w->u, db, &w->row, r);
    else
        say_stored(r, w->row.received);
}

/* Gives back the space of what does not count. */
static void cut(struct upload_write *w)
{
    struct upload_reply none;
    if (w->fd < 0 || !enter(w, &none)) return;
    if (w->at > (uint64_t)w->row.received && ftruncate(w->fd, w->row.received) != 0)
        log_warn("upload-file", "upload=%.8s error=\"%s\"", w->row.id, strerror(errno));
    leave(w);
}

void upload_write_end(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    if (enter(w, r)) {
        end(w, db, r);
        if (r->status >= 400) {
            leave(w);
            cut(w);
        }
    }
    free_write(w);
}

void upload_write_drop(struct upload_write *w)
{
    if (!w) return;
    cut(w);
    free_write(w);
}
