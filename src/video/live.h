/* SPDX-License-Identifier: MIT */
/* video/live.h - live streams at run time: who may publish, going live, the reconnect window, the
 * time limit, the recording's life, and what a playback id leads to.
 *
 * A broadcast is one run of a live stream: one channel in the hub, one recording, one asset. It
 * begins with a publish that the gate allows, is LIVE from its first part on, outlives the encoder
 * by the reconnect window, and ends by its owner, by its encoder's absence, by the time limit or by
 * the server's own end. A stream that its owner or the limit has ended takes no publisher any more;
 * one whose encoder stayed away goes live again, with a new recording, when it comes back.
 *
 * Threads: each function says which. Rows are written on pool threads, broadcasts live on the home
 * loops of their channels. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "hub/hub.h"
#include "io/pool.h"
#include "serve/gate.h"
#include "store/store.h"

struct live;

#define LIVE_ID_CAP 48 /* ids of streams, assets, playback ids, with the final zero */

enum live_end_reason { LIVE_END_OWNER, LIVE_END_ENCODER, LIVE_END_LIMIT, LIVE_END_RESTART };

/* Told to the product. Any thread: pass it on, do not work here. */
struct live_events {
    /* The row of the stream has changed: status, recording, duration. */
    void (*on_stream_changed)(void *ctx, const char *stream_id);
    /* The encoder is away (true) within its reconnect window, or back (false). */
    void (*on_encoder_away)(void *ctx, const char *stream_id, bool away);
    /* In `seconds_left` the stream will be ended by --max-stream-duration. */
    void (*on_limit_near)(void *ctx, const char *stream_id, int seconds_left);
    void *ctx;
};

struct live_config {
    const struct settings *settings;
    const struct secret *secret;
    struct store *store;
    struct pool *pool;
    struct hub *hub;
    struct live_events events; /* functions may be NULL */
};

struct live *live_new(const struct live_config *cfg);
void live_set_events(struct live *l, const struct live_events *ev); /* before serving */
void live_free(struct live *l);                                     /* after the pool has stopped */

/* Finishes what a stop in the middle has left: streams that were LIVE become ENDED, their
 * recordings READY up to the last part written. Blocking, before serving. Returns their number in
 * *n. */
enum err live_recover(struct live *l, unsigned *n) WARN_UNUSED;

/* What serve/ asks. */
struct gate live_gate(struct live *l);

/* Ends the broadcast for good; the row is ENDED when this returns, the recording READY within a
 * second after. E_NOTFOUND: no such stream. E_CONFLICT: it was never live or has ended already.
 * Pool thread. */
enum err live_end(struct live *l, struct db *db, const char *stream_id) WARN_UNUSED;
/* Ends the broadcast, if there is one, as if its encoder had stayed away. Any thread. */
void live_stop(struct live *l, const char *stream_id);
/* The stream's key was changed or the stream disabled: whoever publishes is sent away. Any thread.
 */
void live_kick(struct live *l, const char *stream_id, const char *reason);
/* Ends the broadcast if there is one and removes the stream's recordings, rows and files; the row
 * of the stream itself is the caller's to delete. Pool thread, outside a transaction. */
enum err live_remove_media(struct live *l, struct db *db, const char *stream_id) WARN_UNUSED;
/* Removes one recording: rows, files, its place as the stream's own. E_CONFLICT: it is being
 * recorded. E_NOTFOUND. Pool thread, outside a transaction. */
enum err live_remove_asset(struct live *l, struct db *db, const char *asset_id) WARN_UNUSED;
/* Removes a recording that was for a test and is older than a day, if there is one: E_OK, and of
 * which stream ("": none); else E_NOTFOUND. Pool thread, outside a transaction. */
#define LIVE_TEST_KEPT_US (INT64_C(24) * 3600 * US_PER_SEC)
enum err live_remove_old_test(struct live *l, struct db *db,
                              char stream_id[LIVE_ID_CAP]) WARN_UNUSED;
/* Stops the running recording, which is kept as it is; the live stream goes on. `reason` is for its
 * owner, a literal or copied. Again is fine. Any thread. */
void live_stop_recording(struct live *l, const char *stream_id, const char *reason);
/* The row of a playback id has been removed: it leads nowhere from now on. Any thread. */
void live_forget_playback(struct live *l, const char *playback_id);
/* Who may see the stream has changed, in the database: viewers by WebRTC and RTMP, of a private
 * one, are sent away, and may ask again. Any thread. */
void live_access_changed(struct live *l, const char *stream_id, bool is_private);
/* The encoder is away within its reconnect window. Any thread. */
bool live_is_away(struct live *l, const char *stream_id);

/* Server's end: every broadcast is ended (LIVE_END_RESTART) and its recording closed; poll
 * live_running() until 0. Any thread. */
void live_shutdown(struct live *l);
unsigned live_running(struct live *l);
