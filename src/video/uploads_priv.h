/* SPDX-License-Identifier: MIT */
/* video/uploads_priv.h - between uploads.c (the folder, who writes), upload_rules.c (what may be
 * sent), upload_write.c (from a request to the disk), uploads_db.c (the rows) and uploads_finish.c
 * (from a complete file to an asset). */
#pragma once
#include "base/map.h"
#include "video/uploads.h"
#include <pthread.h>
#include <stdatomic.h>

#define UPLOAD_ROOM_EVERY_BYTES (16u << 20) /* the disk's free space is looked at this often */

struct uploads {
    struct uploads_config cfg;
    pthread_mutex_t lock; /* guards `writes` and the marks of its members */
    struct map writes;    /* upload id -> upload_write */
    void (*on_stream_changed)(void *ctx, const char *stream_id);
    void *changed_ctx;
};

struct upload_row {
    char id[UPLOAD_ID_CAP], user_id[UPLOAD_ID_CAP], stream_id[UPLOAD_ID_CAP];
    char asset_id[UPLOAD_ID_CAP]; /* chosen when the upload is made: finishing can be repeated */
    char status[16], cors_origin[UPLOAD_ORIGIN_CAP], problem[UPLOAD_TEXT_CAP];
    int64_t size; /* -1: not known */
    int64_t received, created_at, timeout_s;
};

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

/* uploads.c */
bool upload_path(const struct uploads *u, const char *id, char *out, size_t cap);
void upload_changed(const struct uploads *u, const char *stream_id);
/* Who sends a piece of it just now is told 503 with its next bytes: they go nowhere any more. */
void upload_stop_writer(struct uploads *u, const char *id);

/* One writer at a time; false: the reply says who else. */
bool upload_claim(struct uploads *u, struct upload_write *w, struct upload_reply *r);
void upload_unclaim(struct upload_write *w);
/* While busy nobody takes over. False: somebody has. */
bool upload_enter(struct upload_write *w, struct upload_reply *r);
void upload_leave(struct upload_write *w);

/* upload_rules.c. False always, for `return upload_say(...)`. */
bool upload_say(struct upload_reply *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool upload_say_io(struct upload_reply *r, int code, const char *id);
void upload_say_stored(struct upload_reply *r, int64_t received);
/* False: the reply says why not. */
bool upload_is_open(const struct upload_row *row, const struct upload_ask *ask,
                    struct upload_reply *r);
bool upload_check_total(const struct upload_row *row, uint64_t total, struct upload_reply *r);
/* The piece, or the whole: sets where it begins and ends, and the total. */
bool upload_check_ask(struct upload_write *w, const struct upload_ask *ask, struct upload_reply *r);
/* What this user may still store, and the largest size, as one bound. */
bool upload_check_quota(struct upload_write *w, struct db *db, struct upload_reply *r);
bool upload_check_room(struct upload_write *w, uint64_t up_to, struct upload_reply *r);

/* uploads_db.c */
enum err upload_row_get(struct db *db, const char *id, struct upload_row *out) WARN_UNUSED;
/* `received` moves on from `row->received`, and the size is known from now on, or -1. E_CONFLICT:
 * the upload does not wait any more. */
enum err upload_row_advance(struct db *db, const struct upload_row *row, int64_t received,
                            int64_t size) WARN_UNUSED;
/* Ends a waiting upload without an asset; event may be NULL. E_CONFLICT: it does not wait. */
enum err upload_row_close(struct db *db, const struct upload_row *row, const char *status,
                          const char *problem, const char *event) WARN_UNUSED;
/* Bytes of this user that count against the quota, without the upload `but`. */
enum err upload_user_bytes(struct db *db, const char *user_id, const char *but,
                           int64_t *out) WARN_UNUSED;

/* uploads_finish.c */
void upload_finish(struct uploads *u, struct db *db, const struct upload_row *row,
                   struct upload_reply *reply);
enum err uploads_recover(struct uploads *u, struct db *db) WARN_UNUSED;
void upload_remove_file(const struct uploads *u, const char *id);
