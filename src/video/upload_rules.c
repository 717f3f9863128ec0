/* SPDX-License-Identifier: MIT */
/* What may be sent to an upload, and the answers. What is refused leaves it waiting as it was. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "video/quota.h"
#include "video/uploads_priv.h"
#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

/* --- answers --- */

bool upload_say(struct upload_reply *r, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->text, sizeof r->text, fmt, ap);
    va_end(ap);
    r->status = status;
    r->retry_s = status == 503;
    return false;
}

void upload_say_stored(struct upload_reply *r, int64_t received)
{
    r->status = 308;
    r->stored = (uint64_t)received;
}

bool upload_say_io(struct upload_reply *r, int code, const char *id)
{
    log_warn("upload-io", "upload=%.8s error=\"%s\"", id, strerror(code));
    if (code == ENOSPC || code == EDQUOT)
        return upload_say(r, 507, "The server's disk is full; nothing of this piece was kept.");
    return upload_say(r, 503, "The server could not store this piece; send it again.");
}

/* --- what may be sent --- */

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
        return upload_say(r, 400, "This upload is complete already, with %lld bytes.",
                          (long long)row->size);
    r->status = 200;
    return false;
}

bool upload_is_open(const struct upload_row *row, const struct upload_ask *ask,
                    struct upload_reply *r)
{
    if (is(row, "asset_created")) return say_complete(row, ask, r);
    if (is(row, "cancelled")) return upload_say(r, 410, "This upload was cancelled.");
    if (is(row, "errored")) return upload_say(r, 410, "This upload has failed: %s", row->problem);
    if (is(row, "timed_out") || is_late(row))
        return upload_say(r, 410, "This upload has timed out; ask for a new one.");
    return true;
}

static bool check_size(struct uploads *u, uint64_t size, struct upload_reply *r)
{
    const int64_t max = u->cfg.settings->max_upload_size;
    if (!max || size <= (uint64_t)max) return true;
    return upload_say(r, 413, "The file is larger than this server takes: %lld bytes.",
                      (long long)max);
}

bool upload_check_total(const struct upload_row *row, uint64_t total, struct upload_reply *r)
{
    if (row->size >= 0 && total != (uint64_t)row->size)
        return upload_say(r, 400, "The size was %lld bytes before, and is %llu now.",
                          (long long)row->size, (unsigned long long)total);
    if (total < (uint64_t)row->received)
        return upload_say(r, 400, "%lld bytes are stored already, more than the size of %llu.",
                          (long long)row->received, (unsigned long long)total);
    return true;
}

static bool check_piece(struct upload_write *w, const struct upload_ask *ask,
                        struct upload_reply *r)
{
    const struct content_range *c = &ask->range;
    const uint64_t len = c->last - c->first + 1;
    if (ask->body_len != UINT64_MAX && ask->body_len != len)
        return upload_say(r, 400, "Content-Range tells of %llu bytes, and the body has %llu.",
                          (unsigned long long)len, (unsigned long long)ask->body_len);
    if (!check_size(w->u, c->has_total ? c->total : c->last + 1, r)) return false;
    if (c->has_total && !upload_check_total(&w->row, c->total, r)) return false;
    w->total = c->has_total ? (int64_t)c->total : w->row.size;
    if (w->total >= 0 && c->last >= (uint64_t)w->total)
        return upload_say(r, 400, "The piece ends after the file's %lld bytes.",
                          (long long)w->total);
    /* A client that was stopped in the middle of a piece and goes on with the next one at its place
     * sends pieces of odd sizes, and a file that is not the one it read. */
    if (len % LIMIT_UPLOAD_GRAIN_BYTES && (w->total < 0 || c->last + 1 != (uint64_t)w->total))
        return upload_say(r, 400, "A piece that is not the last must be a multiple of 256 KiB.");
    if (c->first > (uint64_t)w->row.received)
        return upload_say(
            r, 400, "There is a gap: the next byte is number %lld, and the piece begins at %llu.",
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
    if (ask->body_len == 0) return upload_say(r, 400, "The file is empty.");
    if (ask->body_len > CONTENT_RANGE_MAX) return upload_say(r, 413, "The file is too large.");
    if (!check_size(w->u, ask->body_len, r) || !upload_check_total(&w->row, ask->body_len, r))
        return false;
    w->end = ask->body_len;
    w->total = (int64_t)ask->body_len;
    return true;
}

bool upload_check_ask(struct upload_write *w, const struct upload_ask *ask, struct upload_reply *r)
{
    return ask->has_range ? check_piece(w, ask, r) : check_whole(w, ask, r);
}

bool upload_check_quota(struct upload_write *w, struct db *db, struct upload_reply *r)
{
    const struct settings *s = w->u->cfg.settings;
    int64_t used = 0;
    w->limit = s->max_upload_size ? (uint64_t)s->max_upload_size : CONTENT_RANGE_MAX;
    w->limit_text = "The file is larger than this server takes.";
    struct quota all;
    if (quota_get(db, s, w->row.user_id, &all) != E_OK ||
        (s->upload_quota && upload_user_bytes(db, w->row.user_id, w->row.id, &used) != E_OK))
        return upload_say(r, 503, "The database does not answer.");
    uint64_t left = UINT64_MAX;
    if (s->upload_quota) left = used < s->upload_quota ? (uint64_t)(s->upload_quota - used) : 0;
    if (all.limit) { /* which counts what there is of this one already */
        const int64_t room = all.limit - all.used + w->row.received;
        if (room < 0 || (uint64_t)room < left) left = room > 0 ? (uint64_t)room : 0;
    }
    if (left < w->limit) {
        w->limit = left;
        w->limit_text = "This upload does not fit into what its owner may store here.";
    }
    const uint64_t most = w->total >= 0 ? (uint64_t)w->total : w->end;
    return most == UINT64_MAX || most <= w->limit ? true : upload_say(r, 413, "%s", w->limit_text);
}

bool upload_check_room(struct upload_write *w, uint64_t up_to, struct upload_reply *r)
{
    struct statvfs v;
    const int64_t min = w->u->cfg.settings->min_free_disk;
    if (up_to <= w->room_asked || fstatvfs(w->fd, &v) != 0) return true;
    const uint64_t have = (uint64_t)w->row.received > w->at ? (uint64_t)w->row.received : w->at;
    const uint64_t want = up_to > have ? up_to - have : 0;
    if ((uint64_t)v.f_bavail * v.f_frsize < want + (uint64_t)min)
        return upload_say(r, 507, "The server's disk is full; nothing of this piece was kept.");
    w->room_asked = up_to;
    return true;
}
