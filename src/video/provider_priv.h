/* SPDX-License-Identifier: MIT */
/* video/provider_priv.h - between provider.c (rows), provider_mux.c (the thread and its jobs),
 * provider_mux_http.c (requests) and provider_mux_state.c (what is at Mux becomes what is here). */
#pragma once
#include "base/str.h"
#include "video/live.h"
#include "video/provider.h"
#include <pthread.h>
#include <stdatomic.h>

#define JOB_CREATE   "live.create"   /* of a stream */
#define JOB_KEY      "live.key"      /* of a stream */
#define JOB_COMPLETE "live.complete" /* of a stream */
#define JOB_DELETE   "live.delete"   /* of a stream that is gone; remote_id, or by passthrough */
#define JOB_LOOK     "live.look"     /* of a live stream at Mux */
#define JOB_ASSET    "asset.look"    /* of an asset at Mux */
#define JOB_FORGET   "asset.delete"  /* of an asset at Mux */

#define JOB_UPLOAD        "upload.create" /* of a row of provider_uploads */
#define JOB_UPLOAD_LOOK   "upload.look"   /* of an upload at Mux */
#define JOB_UPLOAD_CANCEL "upload.cancel" /* of a row that may be gone; as JOB_DELETE */

#define PROVIDER_UPLOAD_LIFE_S (48 * 3600) /* the next visit may be the day after tomorrow */

struct provider {
    struct provider_config cfg;
    struct db *db; /* the thread's */
    pthread_t thread;
    bool started, joined;
    char authorization[512];
    int64_t quiet_until_us; /* the thread's; clock_mono_us: Mux said so */
    int64_t next_round_us;

    pthread_mutex_t lock;
    pthread_cond_t cond;   /* for the thread */
    pthread_cond_t change; /* for those who wait for a key */
    bool woken;
    unsigned waiters;
    uint64_t changes;
    _Atomic bool ending;
};

struct provider_job {
    char id[REMOTE_ID_CAP + 24], kind[24], object_id[REMOTE_ID_CAP], remote_id[REMOTE_ID_CAP];
    int asked; /* a creation: how its answer stands (provider_set_asked) */
    int64_t wishes;
    int attempts;
};

/* NULL: nobody any more. */
void provider_set_running(struct provider *p);

enum err provider_queue(struct db *db, const char *kind, const char *object_id,
                        const char *remote_id, int64_t at) WARN_UNUSED;

/* Waits for `done`, LIMIT_PROVIDER_WAIT_MS at most; not at all when others wait already. */
void provider_wait(struct db *db, const char *id, bool (*done)(struct db *db, const char *id));
/* After each job. */
void provider_tell_waiters(struct provider *p);

/* Asks Mux. E_OK: 2xx, `out` (may be NULL) has the body. E_NOTFOUND: 404. E_INVALID: another 4xx.
 * E_LIMIT: 429, nothing was done there. Others: it may have been done. */
enum err provider_ask(struct provider *p, const char *method, const char *path, const char *body,
                      struct str *out) WARN_UNUSED;

/* A page of a list at Mux after the other, until `find` has found. E_NOTFOUND: it is not there. */
enum err provider_search(struct provider *p, const char *path,
                         bool (*find)(struct provider *p, struct span json, void *ctx, bool *found,
                                      size_t *n),
                         void *ctx) WARN_UNUSED;
/* It is not in the list. E_NOTFOUND: it may be made (again). E_MORE: Mux may still be at it, look
 * once more. */
enum err provider_look_twice(struct provider *p, const struct provider_job *j) WARN_UNUSED;
/* Sends a creation: before it the job says so; afterwards, when nothing was made, no longer. */
enum err provider_create(struct provider *p, const struct provider_job *j, const char *path,
                         const char *body, struct str *answer) WARN_UNUSED;
void provider_tell(struct provider *p, const char *stream_id);

/* The stream here follows what is there. E_MORE: look again. */
enum err provider_follow_live(struct provider *p, const struct remote_live *r) WARN_UNUSED;
enum err provider_follow_asset(struct provider *p, const struct remote_asset *r) WARN_UNUSED;
/* Of uploads (provider_mux_uploads.c). The last two: E_NOTFOUND when it is of none of ours. */
enum err provider_do_upload(struct provider *p, const struct provider_job *j) WARN_UNUSED;
enum err provider_do_upload_look(struct provider *p, const struct provider_job *j) WARN_UNUSED;
enum err provider_do_upload_cancel(struct provider *p, const struct provider_job *j) WARN_UNUSED;
enum err provider_look_at_uploads(struct provider *p) WARN_UNUSED; /* queues it */
enum err provider_follow_uploaded(struct provider *p, const struct remote_asset *r) WARN_UNUSED;
enum err provider_lost_uploaded(struct provider *p, const char *remote_id) WARN_UNUSED;
/* It is not there any more. */
enum err provider_lost_live(struct provider *p, const char *remote_id) WARN_UNUSED;
enum err provider_lost_asset(struct provider *p, const char *remote_id) WARN_UNUSED;
