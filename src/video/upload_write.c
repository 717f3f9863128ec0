/* SPDX-License-Identifier: MIT */
/* From a request to bytes on disk. The rules are in uploads.h. */
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/file.h"
#include "video/uploads_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_BYTES 65536

static bool open_file(struct upload_write *w, struct upload_reply *r)
{
    char path[4096];
    if (!upload_path(w->u, w->row.id, path, sizeof path))
        return upload_say(r, 503, "The path is too long.");
    w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (w->fd < 0) return upload_say_io(r, errno, w->row.id);
    struct stat st;
    if (fstat(w->fd, &st) != 0) return upload_say_io(r, errno, w->row.id);
    if (st.st_size < w->row.received) {
        log_error("upload-file", "upload=%.8s is shorter than its row says: %lld of %lld",
                  w->row.id, (long long)st.st_size, (long long)w->row.received);
        return upload_say(r, 500, "The server has lost a part of this upload; ask for a new one.");
    }
    /* What a request that was cut off has left. */
    if (st.st_size > w->row.received && ftruncate(w->fd, w->row.received) != 0)
        return upload_say_io(r, errno, w->row.id);
    return true;
}

/* --- the life of a write --- */

static void free_write(struct upload_write *w)
{
    upload_unclaim(w);
    if (w->fd >= 0) close(w->fd);
    free(w);
}

/* How far is it? With the size, and all of it there, that was the end. */
static void answer_question(struct upload_write *w, struct db *db, const struct upload_ask *ask,
                            struct upload_reply *r)
{
    if (ask->body_len != UINT64_MAX && ask->body_len != 0) {
        upload_say(r, 400, "A question for the offset has no body.");
        return;
    }
    if (ask->range.has_total && !upload_check_total(&w->row, ask->range.total, r)) return;
    const int64_t size = ask->range.has_total ? (int64_t)ask->range.total : w->row.size;
    if (w->row.received == 0 || w->row.received != size) {
        upload_say_stored(r, w->row.received);
        return;
    }
    if (w->row.size < 0 && upload_row_advance(db, &w->row, w->row.received, size) != E_OK) {
        upload_say(r, 503, "The database does not answer.");
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
    if (!upload_check_ask(w, ask, r)) return false;
    return upload_check_quota(w, db, r) && open_file(w, r) &&
           upload_check_room(w, w->end == UINT64_MAX ? UPLOAD_ROOM_EVERY_BYTES : w->end, r);
}

/* Who cancels closes the row and then removes the file, which may have been made after that. */
static bool still_open(struct upload_write *w, struct db *db, const struct upload_ask *ask,
                       struct upload_reply *r)
{
    struct upload_row now = {0};
    if (w->row.received > 0) return true; /* it was there before */
    if (upload_row_get(db, w->row.id, &now) != E_OK)
        return upload_say(r, 503, "The database does not answer.");
    if (upload_is_open(&now, ask, r)) return true;
    upload_remove_file(w->u, w->row.id);
    return false;
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
        upload_say(r, 404, "There is no such upload.");
    else if (e != E_OK)
        upload_say(r, 503, "The database does not answer.");
    /* A question need not wait for the one who writes, and must not disturb them. */
    else if (upload_is_open(&w->row, ask, r) && ask->has_range && ask->range.asks &&
             !ask->range.has_total)
        start(w, db, ask, r);
    else if (!r->status && upload_claim(u, w, r)) {
        /* Again: another one's piece may have been stored in between. */
        e = upload_row_get(db, ask->id, &w->row);
        if (e != E_OK)
            upload_say(r, 503, "The database does not answer.");
        else if (upload_is_open(&w->row, ask, r) && start(w, db, ask, r) &&
                 still_open(w, db, ask, r))
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
    if (code) return upload_say_io(r, code, w->row.id);
    return same ? true : upload_say(r, 400, "The piece overlaps what is stored, with other bytes.");
}

static bool store(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    while (bytes.len) {
        const ssize_t n = pwrite(w->fd, bytes.p, bytes.len, (off_t)w->at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return upload_say_io(r, n < 0 ? errno : ENOSPC, w->row.id);
        w->at += (uint64_t)n;
        bytes = span_skip(bytes, (size_t)n);
    }
    file_write_behind(w->fd, &w->flushed, w->at);
    return true;
}

static bool put(struct upload_write *w, struct span bytes, struct upload_reply *r)
{
    if (bytes.len > w->end - w->at)
        return upload_say(r, 400, "The body is longer than its Content-Range.");
    if (w->at + bytes.len > w->limit) return upload_say(r, 413, "%s", w->limit_text);
    if (!upload_check_room(
            w, w->end != UINT64_MAX ? w->end : w->at + bytes.len + UPLOAD_ROOM_EVERY_BYTES, r))
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
    if (!upload_enter(w, r)) return false;
    const bool ok = put(w, bytes, r);
    upload_leave(w);
    return ok;
}

static bool check_end(struct upload_write *w, struct upload_reply *r)
{
    if (w->whole && w->end == UINT64_MAX) {
        if (w->at == 0) return upload_say(r, 400, "The file is empty.");
        if (!upload_check_total(&w->row, w->at, r)) return false;
        w->total = (int64_t)w->at;
        return true;
    }
    if (w->at == w->end) return true;
    return upload_say(r, 400,
                      "The body is shorter than it should be: it ends at %llu instead of %llu.",
                      (unsigned long long)w->at, (unsigned long long)w->end);
}

static void end(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    const int64_t at = (int64_t)w->at;
    if (!check_end(w, r)) return;
    if (at > w->row.received || w->total != w->row.size) {
        const int64_t received = at > w->row.received ? at : w->row.received;
        if (fdatasync(w->fd) != 0) {
            upload_say_io(r, errno, w->row.id);
            return;
        }
        const enum err e = upload_row_advance(db, &w->row, received, w->total);
        if (e != E_OK) {
            if (e == E_CONFLICT)
                upload_say(r, 410, "This upload was cancelled, or has timed out.");
            else
                upload_say(r, e == E_FULL ? 507 : 503, "The server could not store this piece.");
            return;
        }
        w->row.received = received;
        w->row.size = w->total;
    }
    if (w->row.size >= 0 && w->row.received == w->row.size)
        upload_finish(w->u, db, &w->row, r);
    else
        upload_say_stored(r, w->row.received);
}

/* Gives back the space of what does not count. */
static void cut(struct upload_write *w)
{
    struct upload_reply none;
    if (w->fd < 0 || !upload_enter(w, &none)) return;
    if (w->at > (uint64_t)w->row.received && ftruncate(w->fd, w->row.received) != 0)
        log_warn("upload-file", "upload=%.8s error=\"%s\"", w->row.id, strerror(errno));
    upload_leave(w);
}

void upload_write_end(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    if (upload_enter(w, r)) {
        end(w, db, r);
        if (r->status >= 400) {
            upload_leave(w);
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
