/* SPDX-License-Identifier: MIT */
/* video/master.h - the whole of an asset as one file behind an address that works for 24 hours.
 *
 * The file is the one that was uploaded or fetched, when it was kept (assets.source_file), else an
 * MP4 made of the segments as they are, the largest picture and the sound (record/mp4_file.h). The
 * address has a random key of its own and is the only credential.
 *
 * assets.master_status: '' (as the asset's options say, when it is ready), 'preparing' (the job
 * waits for the recording's end, then makes the file), 'ready' until master_until, 'errored',
 * 'none'. One job of the kind "master" (its input is the key) does all of it: it comes back after
 * 24 hours and removes the file; with the file that was kept, too.
 *
 * Events: asset.master.preparing, ready, errored, deleted. Threads: SQL; the jobs' own. */
#pragma once
#include "video/asset.h"
#include "video/jobs.h"

#define MASTER_LIFE_US (INT64_C(24) * 3600 * 1000000)

/* Asks for it; where there is one, or it is being made, that stays. `origin`: of the request, for
 * the address in events; may be "". */
enum err master_want(struct db *db, const struct asset *a, const char *origin) WARN_UNUSED;
/* Takes it away, or the wish; without one nothing happens. */
enum err master_drop(struct live *l, struct db *db, const struct asset *a) WARN_UNUSED;
/* What the asset's options ask for, within the caller's transaction. */
enum err master_wanted(struct db *db, const char *asset_id) WARN_UNUSED;

/* The file behind an address. E_NOTFOUND: none, or not any more. */
enum err master_find(const struct live *l, struct db *db, const char *key, const char *name,
                     char *path, size_t cap) WARN_UNUSED;

/* The kind "master" of jobs; ctx is the live. */
enum err master_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us, char *problem,
                    size_t cap);
void master_failed(void *ctx, struct db *db, const struct job *j, const char *problem);
