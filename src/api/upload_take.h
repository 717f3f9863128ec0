/* SPDX-License-Identifier: MIT */
/* api/upload_take.h - one request's body on its way into an upload: loop and pool in turn.
 *
 *   on_head   ops->open on the pool: begins the write, or has the reply already
 *   on_body   collected, and written on the pool piece by piece; a client that is faster than the
 *             disk is slowed down (LIMIT_UPLOAD_PENDING_BYTES)
 *   on_end    the piece is stored; ops->ended on the pool; ops->answer on the loop
 *
 * A refusal is answered at once where that is heard (the client waits for "100 Continue"), else
 * after the rest of the body, up to LIMIT_UPLOAD_DISCARD_BYTES: browsers show no reply that comes
 * while they are still sending. */
#pragma once
#include "api/call.h"
#include "video/uploads.h"

struct take;

struct take_ops {
    /* Pool. Sets t->w, or t->reply. */
    void (*open)(struct take *t, struct db *db);
    /* Pool, before the answer; NULL: nothing to do. */
    void (*ended)(struct take *t, struct db *db);
    /* Loop: answers t->r, also when nobody listens any more, and frees what is the caller's. */
    void (*answer)(struct take *t);
};

struct take {
    uint32_t magic;
    struct api *api;
    struct http_request *r;
    const struct take_ops *ops;
    void *ctx; /* the caller's */
    struct upload_ask ask;
    bool bad_range; /* a Content-Range that is none */
    struct upload_write *w;
    struct upload_reply reply;

    /* private */
    struct str in, out; /* arrived; on its way to the disk */
    uint64_t discarded;
    bool waits;      /* for "100 Continue" */
    bool put_failed; /* the job's, for the loop when it is done */
    bool open;       /* the loop may look at `w`, which lasts until the last job */
    bool working, ended, refused, gone;
};

/* The part of on_head: notes the request, and goes on. The id of the upload is t->ask.id. */
void take_begin(struct http_request *r, struct api *a, const struct take_ops *ops, void *ctx,
                const char *id);
void take_on_body(struct http_request *r, void *ctx, struct span bytes);
void take_on_end(struct http_request *r, void *ctx);

extern const struct endpoint_table upload_endpoints;        /* upload_http.c */
extern const struct endpoint_table app_recording_endpoints; /* app_recording.c */
