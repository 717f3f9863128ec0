/* SPDX-License-Identifier: MIT */
/* video/import.h - what a file becomes: the jobs that make assets of uploads, of addresses and of
 * other assets.
 *
 *   fetch   input: an address. The file is fetched to `source` in the asset's folder; goes on as
 *           import, also after a restart.
 *   import  `source` in the asset's folder becomes a recording (video/importer.h).
 *   clip    input: "ASSET START END", microseconds, "-" for the end: a part of a recording.
 *   adopt   input: a stream whose uploaded recording the asset is. The asset takes the playback ids
 *           of the server's own recording, which gets a new one, and becomes the stream's
 * recording; waits while the server still records.
 *
 *   text    input: a text track (video/text_tracks.h).
 *
 * The asset's row goes from 'preparing' (progress at most once a second) to 'ready' with what is
 * known then, or to 'errored' with `problem` in words; the outbox hears of it in the same
 * transaction. `source` is removed afterwards unless the row has a `source_file`. An asset that is
 * deleted meanwhile stops its job.
 *
 * Threads: the jobs' own. */
#pragma once
#include "video/jobs.h"
#include "video/live.h"
#include "video/playback_id.h"

struct imports;
struct http_client;
struct text_track_new;

struct imports_config {
    const struct settings *settings;
    struct store *store;
    struct live *live;
    struct http_client *client;
};

struct imports *imports_new(const struct imports_config *cfg);
/* Of what is interrupted the rest is done at the next start. */
void imports_start(struct imports *i);
void imports_stop(struct imports *i);
void imports_free(struct imports *i); /* NULL is fine */

#define IMPORT_SOURCE_FILE "source"

/* --- new assets --------------------------------------------------------------------------------
 */

struct import_new {
    const char *user_id;
    const char *url;                                   /* of a file; NULL: a clip */
    const char *source_asset_id;                       /* of a clip */
    int64_t start_us, end_us;                          /* of a clip; INT64_MAX: to its end */
    const char *passthrough, *meta, *options, *inputs; /* JSON but the first; NULL: "" */
    bool test;
    bool keep_source;   /* the file stays beside what is made of it */
    const char *origin; /* of the request: video/master.h; NULL: "" */
    const enum playback_policy *policies;
    size_t n_policies;
    const struct text_track_new *texts; /* video/text_tracks.h */
    size_t n_texts;
};

/* The asset's row, its playback ids, its job; tells the outbox. Pool thread. E_LIMIT: this user has
 * LIMIT_JOBS_PER_USER waiting. E_NOTFOUND: no such asset to cut from. E_CONFLICT: it is not ready.
 * E_INVALID: the clip begins behind its end, or the asset's. */
enum err import_create(struct db *db, const struct import_new *n, char id[LIVE_ID_CAP]) WARN_UNUSED;
