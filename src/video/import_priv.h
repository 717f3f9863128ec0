/* SPDX-License-Identifier: MIT */
/* video/import_priv.h - between import.c (the jobs) and import_db.c (the rows). */
#pragma once
#include "video/import.h"
#include "video/importer.h"
#include "video/live_priv.h"

struct imports {
    struct imports_config cfg;
    struct jobs *jobs;
    struct job_kind kinds[8];
};

struct import_asset {
    char id[LIVE_ID_CAP], user_id[LIVE_ID_CAP], dir[LIVE_ID_CAP], stream_id[LIVE_ID_CAP];
    char tier[8]; /* max_resolution_tier of its options; "": none was given */
    bool test, keeps_source, clip;
};

#define TEST_ASSET_US (10 * INT64_C(1000000)) /* a test asset is no longer than this */

/* E_NOTFOUND: gone, or it is preparing no more. `stream_id`: of the upload that it comes from. */
enum err import_db_find(struct db *db, const char *asset_id, struct import_asset *out) WARN_UNUSED;
/* The folder of a recording that can be cut: ready, of that user. E_NOTFOUND. */
enum err import_db_find_source(struct db *db, const char *asset_id, const char *user_id, char *dir,
                               size_t cap) WARN_UNUSED;
/* `percent` -1: not known. E_NOTFOUND: the asset is gone. */
enum err import_db_progress(struct db *db, const char *asset_id, const char *state,
                            int percent) WARN_UNUSED;
/* Everything that is known at the end, the job's row away, the next job queued. E_NOTFOUND: the
 * asset is gone. */
enum err import_db_ready(struct db *db, const struct job *j, const struct import_asset *a,
                         const struct import_result *r) WARN_UNUSED;
/* Its stream keeps what recording it has. */
enum err import_db_errored(struct db *db, const struct import_asset *a, enum err why,
                           const char *problem) WARN_UNUSED;
/* E_MORE: the stream's own recording still runs. E_NOTFOUND: asset or stream are gone. */
enum err import_db_adopt(struct db *db, const char *asset_id, const char *stream_id) WARN_UNUSED;

/* import_standard.c: an object with the reasons; "": it is standard. */
void import_standard_json(const struct import_input *in, struct str *out);

struct import_fetch_limits {
    uint64_t max_bytes;
    int64_t total_ms, idle_ms; /* to the end; with next to nothing coming */
    uint64_t min_free;         /* of the disk; 0: it is not on one */
};
/* import_fetch.c: the address into an open file; `limits` NULL: those of media. `go_on` is asked
 * about once a second; percent -1: not known. E_CLOSED: it said no. E_NOTFOUND, E_AUTH, E_LIMIT:
 * will not do; others may pass. */
enum err import_fetch(struct imports *i, const char *url, int fd,
                      const struct import_fetch_limits *limits,
                      bool (*go_on)(void *ctx, int percent), void *ctx, char *problem,
                      size_t cap) WARN_UNUSED;
