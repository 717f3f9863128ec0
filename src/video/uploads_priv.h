/* SPDX-License-Identifier: MIT */
/* video/uploads_priv.h - between uploads.c (the protocol and the files), uploads_db.c (the rows)
 * and uploads_finish.c (from a complete file to an asset). */
#pragma once
#include "base/map.h"
#include "video/uploads.h"
#include <pthread.h>

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

/* uploads.c */
bool upload_path(const struct uploads *u, const char *id, char *out, size_t cap);
void upload_changed(const struct uploads *u, const char *stream_id);
/* Who sends a piece of it just now is told 503 with its next bytes: they go nowhere any more. */
void upload_stop_writer(struct uploads *u, const char *id);

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
