/* SPDX-License-Identifier: MIT */
/* video/text_tracks.h - subtitles of an asset: rows, and the job that fetches their file.
 *
 * A track is 'preparing' until its job has fetched the file and rewritten it as clean WebVTT
 * (wire/subtitles.h), which is kept in its row; then 'ready', or 'errored' with `problem` in words.
 * The outbox hears of each change in its transaction. Names are unique within an asset: players
 * choose by them. Threads: pool threads; the jobs' own. */
#pragma once
#include "serve/gate.h"
#include "video/jobs.h"
#include "video/live.h"
#include "wire/lang_tag.h"

#define TEXT_NAME_CAP (4 * LIMIT_TEXT_NAME + 1)

struct text_track {
    char id[LIVE_ID_CAP], asset_id[LIVE_ID_CAP], status[12], language[LANG_TAG_MAX + 1];
    char name[TEXT_NAME_CAP], passthrough[4 * LIMIT_MUX_PASSTHROUGH + 1];
    char error_type[24], problem[256];
    bool closed_captions;
};

struct text_track_new {
    const char *url, *language;
    const char *name; /* NULL or "": after its language */
    const char *passthrough;
    bool closed_captions;
};

/* E_CONFLICT: there is one of this name. E_LIMIT: LIMIT_TEXT_TRACKS, or too many jobs wait. */
enum err text_track_add(struct db *db, const char *asset_id, const char *user_id,
                        const struct text_track_new *n, struct text_track *out) WARN_UNUSED;
/* The same within the caller's transaction, who calls jobs_wake() after it. */
enum err text_track_insert(struct db *db, const char *asset_id, const char *user_id,
                           const struct text_track_new *n, struct text_track *out) WARN_UNUSED;
/* The same of several; one whose name is taken is named after its language. */
enum err text_tracks_insert(struct db *db, const char *asset_id, const char *user_id,
                            const struct text_track_new *list, size_t n) WARN_UNUSED;
/* Within the caller's transaction: what an upload's asset shall have is noted, and made so. */
enum err text_wishes_note(struct db *db, const char *upload_id, const struct text_track_new *list,
                          size_t n) WARN_UNUSED;
enum err text_wishes_fulfil(struct db *db, const char *upload_id, const char *asset_id,
                            const char *user_id) WARN_UNUSED;
/* `asset_id` NULL: of any. E_NOTFOUND. */
enum err text_track_get(struct db *db, const char *asset_id, const char *id,
                        struct text_track *out) WARN_UNUSED;
/* At most *n. */
enum err text_tracks_list(struct db *db, const char *asset_id, struct text_track *out,
                          unsigned *n) WARN_UNUSED;
/* What PATCH may change; NULL: as it is. E_CONFLICT, E_NOTFOUND. */
struct text_track_change {
    const char *language, *name, *passthrough;
    const bool *closed_captions;
};
enum err text_track_change(struct db *db, const char *asset_id, const char *id,
                           const struct text_track_change *c) WARN_UNUSED;
enum err text_track_remove(struct db *db, const char *asset_id, const char *id) WARN_UNUSED;

/* For players: those that are ready. *out is the caller's to free(); NULL when there are none. */
enum err text_tracks_ready(struct db *db, const char *asset_id, struct gate_text **out,
                           unsigned *n) WARN_UNUSED;
/* The WebVTT of a track, by a playback id of its asset. E_CLOSED: preparing. E_NOTFOUND. */
enum err text_track_body(struct db *db, const char *playback_id, const char *id,
                         struct buf **out) WARN_UNUSED;

/* text_clip.c: what a clip gets of its source's tracks, cut and moved to its own beginning. */
struct text_clips {
    struct text_clip {
        char *name, *language, *passthrough, *body;
        bool closed_captions;
    } list[LIMIT_TEXT_TRACKS];
    size_t n;
};
/* Those that are ready, of an asset of this user; outside of a transaction, it may take some
 * milliseconds. text_clips_fini() after E_OK. */
enum err text_clips_cut(struct db *db, const char *asset_id, const char *user_id, int64_t start_us,
                        int64_t end_us, struct text_clips *out) WARN_UNUSED;
/* Within the caller's transaction; those whose name is taken are left out. */
enum err text_clips_insert(struct db *db, const char *asset_id,
                           const struct text_clips *c) WARN_UNUSED;
void text_clips_fini(struct text_clips *c);

/* text_job.c: the kind "text" of jobs; ctx is the imports. */
enum err text_job_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                      char *problem, size_t cap);
void text_job_failed(void *ctx, struct db *db, const struct job *j, const char *problem);
/* Its result. A track that is gone or not preparing: E_OK, and nothing. */
enum err text_track_ready(struct db *db, const char *id, const char *vtt) WARN_UNUSED;
enum err text_track_errored(struct db *db, const char *id, const char *type,
                            const char *problem) WARN_UNUSED;
