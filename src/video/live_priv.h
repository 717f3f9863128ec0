/* SPDX-License-Identifier: MIT */
/* video/live_priv.h - between live.c (the registry), live_gate.c (the gate over it), broadcast.c
 * (one run, on its home loop) and live_db.c (the rows). */
#pragma once
#include "base/map.h"
#include "record/recording.h"
#include "video/live.h"
#include <pthread.h>

struct live {
    struct live_config cfg;
    pthread_mutex_t lock;   /* guards the maps and the `listed` marks; never held over a wait */
    struct map by_stream;   /* stream id -> broadcast that can be published to or watched */
    struct map by_playback; /* playback id, of the live stream and of the asset -> broadcast */
    struct map running;     /* asset id (or stream id without recording) -> broadcast, to its end */
    bool shutting_down;
};

/* What the database knows of a stream key. */
struct live_row {
    char stream_id[LIVE_ID_CAP], live_stream_id[LIVE_ID_CAP], user_id[LIVE_ID_CAP];
    char playback_id[LIVE_ID_CAP]; /* the oldest public one, or "" */
    char status[16], live_status[16], ended_reason[16];
    char asset_policies[32]; /* of the recording's playback ids: "public,signed"; may be "" */
    char protocol[16];
    bool reusable, suspended; /* suspended: its owner is */
    bool no_room;             /* its owner's quota is used up: it is not recorded */
    int64_t reconnect_window_us, max_duration_us; /* -1: the setting */
};

struct broadcast {
    _Atomic uint32_t refs;
    struct live *live;
    struct live_row row;
    char asset_id[LIVE_ID_CAP];          /* "": no recording; also the name of its folder */
    char asset_playback_id[LIVE_ID_CAP]; /* the public one, or "" */
    struct channel *channel;
    struct recording *recording; /* the home loop's; gone after on_closed */
    struct record_log *log;
    struct pool_queue *rows; /* its jobs on the database, in order */
    _Atomic bool away;
    _Atomic bool remove_media; /* the stream is being deleted */
    _Atomic bool is_private;   /* its ids are not known by themselves: the row says who may */
    /* The home loop's. */
    struct timer window, warning, limit;
    bool started, ending;
    enum live_end_reason reason;
    int64_t started_wall_us, ended_wall_us;
    /* For the pool, written before the job is handed over. */
    struct recording_info info;
    enum err disk_error;
    char disk_problem[160];
};

/* broadcast.c. Any thread; under the live's lock, so that nobody publishes before it is whole.
 * E_CONFLICT: the channel of the last run is still closing. */
enum err broadcast_new(struct live *l, const struct live_row *row,
                       struct broadcast **out) WARN_UNUSED;
struct broadcast *broadcast_ref(struct broadcast *b);
void broadcast_unref(struct broadcast *b);
/* Ends it, from any thread; twice is fine. */
void broadcast_end(struct broadcast *b, enum live_end_reason reason);

/* Stops its recording, from any thread; twice is fine. */
void broadcast_stop_recording(struct broadcast *b, const char *reason);

/* live.c. What is in one of the live's maps under this key, with a reference, or NULL. Any thread.
 */
struct broadcast *live_find(struct live *l, const struct map *m, const char *key);
/* The running broadcast of the stream, or a new one; *made tells which. A reference either way. */
enum err live_get_or_make(struct live *l, const struct live_row *row, struct broadcast **out,
                          bool *made) WARN_UNUSED;
/* A broadcast that is ending can be published to no more (unlist), and one that is written
 * to the database is forgotten altogether. */
void live_unlist(struct live *l, struct broadcast *b);
void live_forget(struct live *l, struct broadcast *b);

/* live_db.c, live_db_end.c, live_db_remove.c; pool threads. */
/* Commits after E_OK, else rolls back. */
enum err live_db_finish(struct db *db, enum err e) WARN_UNUSED;
/* Within a transaction: the asset has never been. */
enum err live_db_nothing_came(struct db *db, const char *asset_id) WARN_UNUSED;
enum err live_db_find_key(struct db *db, const char *key_hash, struct live_row *out) WARN_UNUSED;
/* An encoder may come: the asset's row, when there is a recording. */
enum err live_db_connected(struct db *db, const struct broadcast *b) WARN_UNUSED;
/* It went, within its window, and came back. */
enum err live_db_away(struct db *db, const struct broadcast *b) WARN_UNUSED;
enum err live_db_back(struct db *db, const struct broadcast *b) WARN_UNUSED;
enum err live_db_started(struct db *db, const struct broadcast *b) WARN_UNUSED;
enum err live_db_disk_failed(struct db *db, const struct broadcast *b) WARN_UNUSED;
/* The owner's end, at once; the recording is PROCESSING until live_db_closed(). */
enum err live_db_end_by_owner(struct db *db, const char *stream_id) WARN_UNUSED;
enum err live_db_closed(struct db *db, const struct broadcast *b) WARN_UNUSED;
/* As if the run had never been. */
enum err live_db_discard(struct db *db, const struct broadcast *b) WARN_UNUSED;
enum err live_db_recover(struct live *l, struct db *db, unsigned *n) WARN_UNUSED;
enum err live_db_remove_media(struct live *l, struct db *db, const char *stream_id) WARN_UNUSED;
enum err live_db_remove_asset(struct live *l, struct db *db, const char *asset_id) WARN_UNUSED;
struct live_playback {
    char kind[8], object_id[LIVE_ID_CAP], dir[LIVE_ID_CAP], stream_id[LIVE_ID_CAP], status[16];
    char user_id[LIVE_ID_CAP];
    bool is_signed;
    bool by_grant;        /* signed because the stream is private: a token of ours will do */
    int64_t access_epoch; /* of a private stream; 0 */
    int64_t duration_us, thumbnail_us; /* -1: none */
};
enum err live_db_is_private(struct db *db, const char *stream_id, bool *out) WARN_UNUSED;
enum err live_db_find_playback(struct db *db, const char *id,
                               struct live_playback *out) WARN_UNUSED;

/* live_file.c: the gate's questions about files and text tracks. */
void live_gate_text(void *self, const char *id, const char *track_id, gate_text_fn *answer,
                    void *ctx);
void live_gate_file(void *self, const char *id, const struct gate_viewer *who, const char *name,
                    gate_file_fn *answer, void *ctx);
void live_gate_master(void *self, const char *key, const char *name, gate_file_fn *answer,
                      void *ctx);
/* "DATA/recordings/NAME"; false when it does not fit. */
bool live_media_path(const struct live *l, const char *name, char *out, size_t cap);
const char *live_end_reason_name(enum live_end_reason r);
void live_changed(struct live *l, const char *stream_id);
