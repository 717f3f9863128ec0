/* SPDX-License-Identifier: MIT */
/* video/uploads.h - direct uploads: a file that arrives in pieces becomes an asset.
 *
 * A file grows from its beginning: `received` bytes are on disk and in the row, whatever happens.
 * A piece counts when it is there to its end and synced; a piece that was cut off has never been.
 * What was stored does not change: bytes that come again are compared. So an asset can only be made
 * of a file without a hole, and that happens once, when [0, size) is complete.
 *
 * One request at a time writes an upload. A second one is answered 503, which every client repeats,
 * unless the first has been silent for LIMIT_UPLOAD_SILENT_MS: then it is taken for dead (a network
 * that changed) and the second takes over. Two that write in turn do no harm either: each piece is
 * checked against what is there.
 *
 * Threads: pool threads, unless it says otherwise. Times are microseconds since 1970. */
#pragma once
#include "base/settings.h"
#include "store/store.h"
#include "wire/content_range.h"

struct uploads;

#define UPLOAD_ID_CAP     48
#define UPLOAD_ORIGIN_CAP 256 /* an origin of CORS, with the final zero */
#define UPLOAD_TEXT_CAP   240

struct uploads_config {
    const struct settings *settings;
    struct store *store;
};

/* Makes DATA/uploads, finishes what a stop in the middle has left. Blocking, before serving. */
enum err uploads_open(const struct uploads_config *cfg, struct uploads **out, char *problem,
                      size_t cap) WARN_UNUSED;
/* Before serving: who is told, on a pool thread after the commit, that the status of a stream's
 * recording has changed. */
void uploads_on_stream_changed(struct uploads *u, void (*fn)(void *ctx, const char *stream_id),
                               void *ctx);
void uploads_close(struct uploads *u); /* after the pool has stopped; NULL is fine */

/* --- what the APIs ask ------------------------------------------------------------------------ */

struct text_track_new;
struct upload_new {
    const char *user_id;
    const char *stream_id;   /* whose recording it becomes; NULL: nobody's */
    const char *client_key;  /* the same one again: the stream's upload that waits; NULL: none */
    const char *cors_origin; /* "" or NULL: none; "*": any */
    int64_t timeout_s;
    bool test;
    const char *options;                /* JSON: new_asset_settings, for the asset; NULL: "" */
    const char *meta;                   /* JSON; NULL: "" */
    const char *passthrough;            /* NULL: "" */
    const char *policies;               /* of the asset's playback ids, "public,signed"; NULL: "" */
    bool keep_source;                   /* the file stays when it has been imported */
    int64_t size;                       /* -1: not known */
    const struct text_track_new *texts; /* that the asset shall have (video/text_tracks.h) */
    size_t n_texts;
};

/* E_LIMIT: too many of this user's are waiting, or the size is above the limit or the quota; `text`
 * says which. */
enum err uploads_create(struct uploads *u, struct db *db, const struct upload_new *ask,
                        char id[UPLOAD_ID_CAP], char text[UPLOAD_TEXT_CAP]) WARN_UNUSED;
/* E_NOTFOUND; E_CONFLICT: it waits no longer. */
enum err uploads_cancel(struct uploads *u, struct db *db, const char *user_id,
                        const char *id) WARN_UNUSED;
/* Uploads that nobody finished: timed_out, and their files go. Any number of times. */
void uploads_sweep(struct uploads *u, struct db *db);
/* Within a transaction: the recording status of a stream that has ended, from what there is.
 * UPLOADING while an upload of its recording waits (RECORDING before the stream's end), PROCESSING
 * while one is imported; with neither it is READY or FAILED as its recording is. A stream that is
 * live is left alone. */
enum err uploads_settle_stream(struct db *db, const char *stream_id) WARN_UNUSED;

/* Within a transaction: a stream that was only recorded, and never live, has ended with that. */
enum err uploads_end_recorded_only(struct db *db, const char *stream_id) WARN_UNUSED;

/* --- the protocol ------------------------------------------------------------------------------
 */

/* What is answered. 308 and the questions have `stored`: bytes from the beginning. */
struct upload_reply {
    int status;
    int retry_s;     /* with 503 */
    uint64_t stored; /* 308: Range 0 to stored - 1 */
    char cors_origin[UPLOAD_ORIGIN_CAP];
    char text[UPLOAD_TEXT_CAP]; /* of an error */
};

struct upload_ask {
    const char *id;
    bool has_range;
    struct content_range range; /* with has_range */
    uint64_t body_len;          /* UINT64_MAX: not known */
};

/* One request's bytes on their way. */
struct upload_write;

/* Either *out is set, then the body is to be brought; or the reply is final. */
void uploads_begin(struct uploads *u, struct db *db, const struct upload_ask *ask,
                   struct upload_write **out, struct upload_reply *reply);
/* False: the reply is final; then only upload_write_drop() is left to do. */
bool upload_write_put(struct upload_write *w, struct span bytes, struct upload_reply *reply);
/* The body is over: stores the piece, makes the asset when it was the last. Takes `w` over. */
void upload_write_end(struct upload_write *w, struct db *db, struct upload_reply *reply);
/* It did not come to its end: as if it had never begun. Takes `w` over; NULL is fine. */
void upload_write_drop(struct upload_write *w);
/* Bytes have come that are not written yet: the client is alive. Any thread. */
void upload_write_touch(struct upload_write *w);
/* The origin for CORS of an upload; "*" when there is no such one. */
void uploads_cors(struct db *db, const char *id, char out[UPLOAD_ORIGIN_CAP]);
