/* SPDX-License-Identifier: MIT */
/* product/live_stream.h - live streams as the media API sees them: the other view of the product's
 * streams. One that was made through it is reusable: after the end of a broadcast it takes the next
 * one. Pool threads. Events (video/outbox.h) are written with each change. */
#pragma once
#include "base/clock.h"
#include "product/ingest.h"
#include "product/stream.h"
#include "video/live.h"
#include "video/playback_id.h"

/* Mux's bounds, in seconds. */
enum { LIVE_WINDOW_MAX_S = 1800, LIVE_SHORTEST_S = 60, LIVE_LONGEST_S = 43200 };
#define LIVE_WINDOW_US (60 * US_PER_SEC)  /* of standard latency, when nothing is said */
#define LIVE_TEST_US   (300 * US_PER_SEC) /* how long a test stream lasts */

struct live_stream {
    char id[ID_CAP], stream_id[ID_CAP], user_id[ID_CAP], active_asset_id[ID_CAP];
    char status[12], latency_mode[12], ingest_protocol[16];
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)]; /* the product's */
    bool reusable, test, connected, recording;
    int64_t reconnect_window_us, max_duration_us; /* -1: the setting */
    int64_t created_at, updated_at;
    char *passthrough, *meta, *asset_options,
        *options; /* owned; all but the first are JSON, or "" */
};

/* What is given; NULL, or -1: as it is, or the default. */
struct live_stream_fields {
    const char *title; /* of the product's stream; cut to what fits there */
    const char *passthrough, *meta, *asset_options, *options, *latency_mode;
    const char *asset_policies, *asset_passthrough, *asset_meta;
    int64_t reconnect_window_us, max_duration_us;
    bool test; /* when it is made */
};

struct live_target {
    char id[ID_CAP], live_stream_id[ID_CAP];
    char url[LIMIT_MUX_URL_BYTES + 1], stream_key[LIMIT_MUX_URL_BYTES + 1];
    char passthrough[TEXT_CAP(LIMIT_MUX_PASSTHROUGH)];
};

/* With its playback ids and targets, in one transaction. E_INVALID "too_many_streams". */
enum err live_stream_add(struct db *db, const struct secret *secret, const char *user_id,
                         const struct live_stream_fields *f, const enum playback_policy *policies,
                         size_t n_policies, const struct live_target *targets, size_t n_targets,
                         char id[ID_CAP], struct problem *p) WARN_UNUSED;
/* `user_id` NULL: whoever's it is. E_NOTFOUND. live_stream_fini() after E_OK. */
enum err live_stream_get(struct db *db, const char *id, const char *user_id,
                         struct live_stream *out) WARN_UNUSED;
void live_stream_fini(struct live_stream *s);
/* Newest first; `status` and `key_hash` (base/secret.h) may be NULL: any. At most `limit` ids. */
enum err live_stream_list(struct db *db, const char *user_id, const char *status,
                          const char *key_hash, int64_t limit, int64_t offset, char (*ids)[ID_CAP],
                          size_t *n) WARN_UNUSED;
/* Its recordings without the running one, oldest first; the newest `cap` of them. */
enum err live_stream_recordings(struct db *db, const struct live_stream *s, size_t cap,
                                char (*ids)[ID_CAP], size_t *n) WARN_UNUSED;

enum err live_stream_change(struct db *db, const struct live_stream *s,
                            const struct live_stream_fields *f) WARN_UNUSED;
enum err live_stream_reset_key(struct db *db, const struct secret *secret, struct live *live,
                               const struct live_stream *s) WARN_UNUSED;
/* Ends the broadcast, if there is one. */
enum err live_stream_complete(struct db *db, struct live *live,
                              const struct live_stream *s) WARN_UNUSED;
/* Also cuts the encoder off. Again is fine. */
enum err live_stream_disable(struct db *db, struct live *live,
                             const struct live_stream *s) WARN_UNUSED;
enum err live_stream_enable(struct db *db, const struct live_stream *s) WARN_UNUSED;
/* The product's stream goes too; recordings stay. */
enum err live_stream_remove(struct db *db, struct live *live,
                            const struct live_stream *s) WARN_UNUSED;
/* Playback ids have changed, within the caller's transaction or without one. */
enum err live_stream_touch(struct db *db, const char *id) WARN_UNUSED;

/* --- targets (live_target.c): data, as yet ---
 * E_LIMIT: LIMIT_MUX_TARGETS. E_NOTFOUND: not of this live stream. */
enum err live_target_add(struct db *db, const char *live_stream_id, const struct live_target *t,
                         char id[ID_CAP]) WARN_UNUSED;
enum err live_target_get(struct db *db, const char *live_stream_id, const char *id,
                         struct live_target *out) WARN_UNUSED;
enum err live_target_list(struct db *db, const char *live_stream_id,
                          struct live_target out[LIMIT_MUX_TARGETS], size_t *n) WARN_UNUSED;
enum err live_target_remove(struct db *db, const char *live_stream_id, const char *id) WARN_UNUSED;
