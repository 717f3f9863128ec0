/* SPDX-License-Identifier: MIT */
/* video/renditions.h - static renditions: a recording as one MP4 or M4A file, kept in the asset's
 * folder.
 *
 * Made of its segments without touching the codecs (record/mp4_file.h) where the recording has a
 * picture of that size; a smaller one is encoded by bspnode-worker (video/importer.h), in a folder
 * of its own beside the asset's, with the recording's own sound. A rendition is 'preparing' until
 * its job has run, which waits until the recording has ended; then 'ready', or 'skipped' when the
 * recording is smaller than that, or has no picture (or sound) at all: nothing is made larger.
 * Threads: SQL; the jobs' own. */
#pragma once
#include "video/jobs.h"
#include "video/live.h"

#define RENDITION_NAME_CAP 24

struct rendition {
    char id[LIVE_ID_CAP], asset_id[LIVE_ID_CAP];
    char resolution[16], status[12], name[RENDITION_NAME_CAP];
    int64_t width, height, filesize, bitrate, created_at;
    char passthrough[256 * 4], problem[256];
};

/* "highest", "audio-only", "720p", ...; also Mux's older "capped-1080p", "low", "medium", "high".
 */
bool rendition_name(const char *resolution, char out[RENDITION_NAME_CAP]);

/* E_CONFLICT: there is one of that size; E_LIMIT: LIMIT_STATIC_RENDITIONS. */
enum err rendition_add(struct db *db, const char *asset_id, const char *user_id,
                       const char *resolution, const char *passthrough,
                       struct rendition *out) WARN_UNUSED;
/* What the asset's options ask for, within the caller's transaction. */
enum err renditions_wanted(struct db *db, const char *asset_id) WARN_UNUSED;
/* The file too. E_NOTFOUND. */
enum err rendition_remove(struct live *l, struct db *db, const char *asset_id,
                          const char *id) WARN_UNUSED;
enum err renditions_list(struct db *db, const char *asset_id, struct rendition *out,
                         unsigned *n) WARN_UNUSED;
enum err rendition_get(struct db *db, const char *id, struct rendition *out) WARN_UNUSED;
/* The asset is being removed: what its jobs have left in the middle goes too. */
void renditions_forget(const struct live *l, struct db *db, const char *asset_id);
/* E_OK: ready. E_CLOSED: preparing. E_NOTFOUND. */
enum err renditions_state(struct db *db, const char *asset_id, const char *name) WARN_UNUSED;

/* The kind "rendition" of jobs; ctx is the live. */
enum err renditions_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                        char *problem, size_t cap);
void renditions_failed(void *ctx, struct db *db, const struct job *j, const char *problem);
