/* SPDX-License-Identifier: MIT */
/* product/stream.h - streams: what a person announces, broadcasts and leaves behind as a recording.
 *
 * Whose a stream is, is checked here, in each function that changes one. Running broadcasts are the
 * media domain's (video/live.h), reached through struct stream_runtime.
 * Threads: pool threads. Limits: LIMIT_TITLE_CHARS, LIMIT_DESCRIPTION_CHARS,
 * LIMIT_STREAMS_PER_USER, LIMIT_PAGE_ITEMS. Times are microseconds since 1970, 0 for none. */
#pragma once
#include "product/ingest.h"
#include "video/provider.h"

enum stream_status { STREAM_CREATED, STREAM_LIVE, STREAM_ENDED };
enum stream_type { STREAM_RTMP, STREAM_BROWSER };
enum recording_status {
    RECORDING_NONE,
    RECORDING_RECORDING,
    RECORDING_UPLOADING,
    RECORDING_PROCESSING,
    RECORDING_READY,
    RECORDING_FAILED
};

/* Who may see it: product/visibility.h. */
enum visibility { VISIBILITY_PUBLIC, VISIBILITY_UNLISTED, VISIBILITY_PRIVATE };

/* The words of the schema and of the API; NULL-terminated, in the enums' order. */
extern const char *const STREAM_STATUS[], *const STREAM_TYPE[], *const RECORDING_STATUS[],
                                                                    *const VISIBILITY[];
/* The index of `word` in such a table, or -1. */
int stream_word(const char *const *table, struct span word);

struct stream {
    char id[ID_CAP], user_id[ID_CAP], live_stream_id[ID_CAP];
    char live_playback_id[ID_CAP];
    char recording_id[ID_CAP], recording_playback_id[ID_CAP]; /* "": none */
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)];
    char *description; /* owned */
    enum stream_status status;
    enum stream_type type;
    enum recording_status recording;
    /* It grows, or is whole, or has at least a beginning: a full disk ends a recording early. */
    bool recording_playable;
    bool recording_closed; /* nothing is added to it any more, whatever else is still awaited */
    char recording_problem[160]; /* why it failed, in words; "" */
    char ended_reason[16];
    int64_t duration_s; /* -1: not known */
    int64_t started_at, ended_at, scheduled_at, created_at, updated_at;
    /* product/schedule.h; was_scheduled_at with cancelled_at only */
    int64_t was_scheduled_at, cancelled_at, schedule_number, schedule_changed_at;
    int64_t peak_viewers, total_viewers;
    int64_t direct_id, direct_seen_at; /* product/direct.h; 0: no offer */
    bool direct_answered;
    bool reusable; /* made through the media API: goes live again after whatever end */
    /* Mux is the provider (video/provider.h): who plays, plays there; "": not known yet. */
    bool remote;
    bool remote_playback; /* also when only its recording is there, which a browser uploaded */
    char remote_playback_id[REMOTE_ID_CAP], remote_recording[REMOTE_ID_CAP];
    char user_name[TEXT_CAP(LIMIT_NAME_CHARS)], user_image[USER_URL_CAP], user_handle[HANDLE_CAP];
    enum visibility visibility;
    bool has_password;                 /* for watching it, while it is PRIVATE */
    int64_t access_epoch, password_at; /* what was let in by other ones is in no more */
};

void stream_fini(struct stream *s);

/* What of the media domain the streams need; video/live.h behind it. */
struct stream_runtime {
    /* Ends a broadcast: the row is ENDED afterwards. E_CONFLICT: there is none. */
    enum err (*end)(void *self, struct db *db, const char *stream_id);
    /* Sends the publisher away. */
    void (*kick)(void *self, const char *stream_id, const char *reason);
    /* Ends the broadcast and removes recordings, files and rows. */
    enum err (*remove_media)(void *self, struct db *db, const char *stream_id);
    void *self;
};

/* What may be set. A bit of `has` says that the field is given. */
enum {
    STREAM_HAS_TITLE = 1,
    STREAM_HAS_DESCRIPTION = 2,
    STREAM_HAS_TYPE = 4,
    STREAM_HAS_SCHEDULE = 8,
    STREAM_HAS_VISIBILITY = 16,
    STREAM_HAS_PASSWORD = 32
};
struct stream_fields {
    unsigned has;
    struct span title, description;
    enum stream_type type;
    int64_t scheduled_at; /* 0: none, or no longer */
    enum visibility visibility;
    const char *password_hash; /* "": none, or no longer */
};

/* The title is needed. E_INVALID with the field, or "too_many_streams". */
enum err stream_add(struct db *db, const struct secret *secret, const char *user_id,
                    const struct stream_fields *f, struct stream *out,
                    struct problem *p) WARN_UNUSED;
/* E_NOTFOUND. The caller frees with stream_fini() after E_OK. */
enum err stream_get(struct db *db, const char *id, struct stream *out,
                    struct problem *p) WARN_UNUSED;
/* The same, by a public playback id: of the stream, or of one of its recordings. */
enum err stream_get_played(struct db *db, const char *playback_id, struct stream *out,
                           struct problem *p) WARN_UNUSED;
/* The same, for its owner: E_AUTH "forbidden" when it is somebody else's. */
enum err stream_get_own(struct db *db, const char *id, const char *user_id, struct stream *out,
                        struct problem *p) WARN_UNUSED;

/* Each for the owner only; E_NOTFOUND, E_AUTH. */
enum err stream_change(struct db *db, const char *id, const char *user_id,
                       const struct stream_fields *f, struct problem *p) WARN_UNUSED;
/* Ends it for good, also when it never was live; again is fine. */
enum err stream_end(struct db *db, const struct stream_runtime *rt, const char *id,
                    const char *user_id, struct problem *p) WARN_UNUSED;
enum err stream_reset_key(struct db *db, const struct secret *secret,
                          const struct stream_runtime *rt, const char *id, const char *user_id,
                          struct problem *p) WARN_UNUSED;
enum err stream_remove(struct db *db, const struct stream_runtime *rt, const char *id,
                       const char *user_id, struct problem *p) WARN_UNUSED;
/* Raises peak_viewers to n, never lowers it. */
enum err stream_note_peak(struct db *db, const char *id, int64_t n) WARN_UNUSED;

/* --- lists (stream_list.c) ------------------------------------------------------------------ */

/* Announced and not begun, the next first; what is late stays for SCHEDULE_LATE_US. */
#define STREAM_LIST_SCHEDULED 3

/* Newest first, by (status for the lobby,) start or creation. */
struct stream_list {
    const char *user_id; /* who asks; NULL: nobody known */
    bool mine;           /* only theirs, in every state */
    int status; /* an enum stream_status, STREAM_LIST_SCHEDULED, or -1: the lobby's LIVE, then ENDED
                 */
    const char *owner_id; /* only theirs, as others see them; NULL: everybody's */
    bool followed;        /* only of those whom user_id follows */
    const char *search;   /* words in title, name or handle; "" or NULL: any */
    unsigned limit;       /* 1..LIMIT_PAGE_ITEMS */
    const char *cursor;   /* of the page before; "" or NULL: the first page */
};

#define STREAM_CURSOR_CAP 96
/* Others' streams are listed when LIVE, and when ENDED with a recording. At most `limit` rows into
 * `out`, *n of them; `next` is "" on the last page. E_INVALID: a bad cursor. */
enum err stream_list(struct db *db, const struct stream_list *ask, struct stream *out, size_t *n,
                     char next[STREAM_CURSOR_CAP], struct problem *p) WARN_UNUSED;
