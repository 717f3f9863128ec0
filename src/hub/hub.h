/* SPDX-License-Identifier: MIT */
/* hub/hub.h - the live hub: channels by id, one publisher each, subscribers on every loop.
 *
 * A channel's frames flow: publisher (on any loop) -> home loop -> every loop with subscribers ->
 * subscribers. Frames and tracks are shared by reference. The registry's mutex is taken when
 * channels come and go and when somebody looks one up, never for media.
 *
 * What flows is a sequence of items: TRACKS (the complete set; first, and whenever it changes),
 * FRAME, and at last END. A newcomer gets the latest TRACKS, then the frames since the last video
 * key frame (GOP cache), then the live ones. */
#pragma once
#include "base/limits.h"
#include "hub/feed.h"
#include "media/frame.h"
#include "media/track.h"

struct hub;
struct channel;
struct publisher;

/* --- registry --- */

struct hub *hub_new(struct loop *const *loops, unsigned n_loops);
void hub_free(struct hub *h); /* after the loops have stopped */
struct loop *const *hub_loops(const struct hub *h, unsigned *n);

/* --- items --- */

enum hub_item_kind { HUB_TRACKS, HUB_FRAME, HUB_END };

/* Immutable. The first member makes it a feed message. */
struct hub_item {
    struct feed_msg msg;                /* msg.kind is an enum hub_item_kind */
    struct track *tracks[LIMIT_TRACKS]; /* HUB_TRACKS */
    unsigned n_tracks;
    struct frame *frame; /* HUB_FRAME */
    bool start;          /* HUB_FRAME: a newcomer may begin here */
};

/* --- channel --- */

#define CHANNEL_ID_CAP 64

/* Makes a channel and registers it; its home is the least busy loop. E_CONFLICT: the id is taken.
 * Any thread. One reference for the caller, one for the registry. */
enum err channel_open(struct hub *h, const char *id, struct channel **out) WARN_UNUSED;
/* A new reference, or NULL. Any thread. */
struct channel *hub_find(struct hub *h, struct span id);
struct channel *channel_ref(struct channel *c);
void channel_unref(struct channel *c);
const char *channel_id(const struct channel *c);
struct loop *channel_home(const struct channel *c);
struct feed *channel_feed(const struct channel *c); /* borrowed: attach subscribers to it */
/* Sends END, unregisters; the publisher, if any, is told to stop. Home loop. */
void channel_close(struct channel *c, const char *reason);

/* --- publishing --------------------------------------------------------------------------------
 */

struct publisher_ops {
    /* The channel took you: stamp frames from `base_us` on (the stream clock goes on where the last
     * publisher left it). On the publisher's loop. */
    void (*on_ready)(void *ctx, int64_t base_us);
    /* You are out: replaced, ended by the owner, key reset, time limit. `reason` is for people.
     * Call publisher_close(). Also when the channel already has a live publisher (E_CONFLICT). */
    void (*on_kick)(void *ctx, enum err why, const char *reason);
    /* Somebody needs a key frame of a layer. NULL: the source cannot make one when asked. */
    void (*on_want_key)(void *ctx, uint8_t layer);
};

/* On the publisher's loop (loop_current()); answers later by on_ready or on_kick. */
struct publisher *publisher_open(struct channel *c, const struct publisher_ops *ops, void *ctx);
/* The complete set of tracks, of each kind the best first: once before the first frame and whenever
 * one changes, comes or goes. Takes its own references. */
void publisher_tracks(struct publisher *p, struct track *const *tracks, unsigned n);
/* Takes over the reference. */
void publisher_frame(struct publisher *p, struct frame *f);
/* `clean`: the encoder said goodbye; otherwise the connection was lost. No callback afterwards. */
void publisher_close(struct publisher *p, bool clean);
/* Ends the current publisher with a reason, if there is one. Any thread. */
void channel_kick(struct channel *c, enum err why, const char *reason);
/* Sends the viewers of sessions away: whoever has noted another number than this one is to go, and
 * may ask again. Any thread. */
void channel_dismiss(struct channel *c);
unsigned channel_dismissals(const struct channel *c);

/* The channel's owner (the media domain) hears of these on the home loop. */
struct channel_watch {
    void (*on_publisher)(void *ctx, bool present, bool clean);
    void (*on_tracks)(void *ctx, struct track *const *tracks, unsigned n);
    void *ctx;
};
void channel_set_watch(struct channel *c, const struct channel_watch *w); /* before publishing */

/* Numbers for people and for the health page; any thread. */
struct channel_stats {
    bool publishing;
    int64_t video_bytes, audio_bytes; /* since the channel opened */
    int64_t video_frames, audio_frames, key_frames;
    int64_t last_frame_wall_us;
    int64_t last_key_interval_us; /* between the last two key frames */
    bool reordered;               /* pts != dts was seen: B-frames */
    unsigned subscribers;         /* readers of the frames feed, all loops */
};
void channel_get_stats(const struct channel *c, struct channel_stats *out);
/* The tracks now, one reference each for the caller; the count. Any thread. */
unsigned channel_get_tracks(const struct channel *c, struct track *out[LIMIT_TRACKS]);
