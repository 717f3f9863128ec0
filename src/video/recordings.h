/* SPDX-License-Identifier: MIT */
/* video/recordings.h - all recordings of a stream: which there are, which is the stream's own, what
 * goes when its owner deletes one.
 *
 * The stream's own is what its page plays, at an address that stays: when another recording takes
 * the place, the two change their playback ids. A recording that still arrives from a browser is in
 * the list from its upload's beginning on, under the id that its asset will have.
 *
 * Threads: pool threads. Times are microseconds since 1970. */
#pragma once
#include "video/live.h"

enum recording_state {
    STORED_RECORDING,  /* the server writes it */
    STORED_UPLOADING,  /* it arrives */
    STORED_PROCESSING, /* bspnode-worker is at it, or will be */
    STORED_READY,
    STORED_FAILED /* `problem` says why */
};

#define RECORDING_ID_CAP 129 /* Mux's may be longer than ours */

struct stream_recording {
    char id[RECORDING_ID_CAP];          /* of the asset */
    char playback_id[RECORDING_ID_CAP]; /* the oldest public one, or "" */
    char dir[LIVE_ID_CAP];
    enum recording_state state;
    bool own;          /* the stream's */
    bool from_browser; /* uploaded; else the server's */
    bool remote;       /* at Mux (video/provider.h); then the ids are Mux's, or its upload's here */
    int progress;      /* percent of UPLOADING and PROCESSING; -1: not known */
    int64_t received;  /* of UPLOADING, bytes */
    int64_t bytes;     /* of its media on disk; 0: none, or not known */
    int64_t duration_us; /* -1: not known */
    int64_t width, height;
    int64_t started_at, created_at;
    char problem[240];
};

/* Newest first, at most `max` into `out`, *n of them. */
enum err recordings_list(struct live *l, struct db *db, const char *stream_id,
                         struct stream_recording *out, size_t max, size_t *n) WARN_UNUSED;
/* E_NOTFOUND: the stream has no such recording. */
enum err recordings_get(struct live *l, struct db *db, const char *stream_id, const char *id,
                        struct stream_recording *out) WARN_UNUSED;
/* Of what is awaited of a stream: percent, -1 when it is not known. */
enum err recordings_progress(struct db *db, const char *stream_id, int *percent) WARN_UNUSED;

/* Makes it the stream's own; already is fine. E_NOTFOUND. E_CONFLICT: it is not ready, or the
 * stream is live. */
enum err recordings_choose(struct live *l, struct db *db, const char *stream_id,
                           const char *id) WARN_UNUSED;
/* An upload that failed is not shown any more. E_NOTFOUND: there is no such one. */
enum err recordings_dismiss(struct db *db, const char *stream_id, const char *id) WARN_UNUSED;

/* Within a transaction, before an asset's rows go: the newest of the stream's other recordings
 * takes its place when it is the stream's own. */
enum err recordings_succeed(struct db *db, const char *asset_id) WARN_UNUSED;
/* Within a transaction, afterwards: what the stream's status is without it. */
enum err recordings_settle(struct db *db, const char *stream_id) WARN_UNUSED;
