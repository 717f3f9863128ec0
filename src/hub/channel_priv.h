/* SPDX-License-Identifier: MIT */
/* hub/channel_priv.h - between the registry, the channel and its publishers. */
#pragma once
#include "hub/ingest_stats.h"

struct channel *channel_new(struct hub *h, const char *id, struct loop *home);
void hub_forget(struct hub *h, struct channel *c);
struct hub_item *hub_item_new(enum hub_item_kind kind, size_t weight);

/* On the home loop, called by publisher.c. */
/* The candidate becomes the publisher, or gets a reason. */
enum err channel_admit(struct channel *c, struct publisher *p, int64_t *base_us,
                       const char **reason);
void channel_on_tracks(struct channel *c, struct publisher *p, struct hub_item *item);
void channel_on_frame(struct channel *c, struct publisher *p, struct frame *f);
void channel_on_leave(struct channel *c, struct publisher *p, bool clean);

/* Takes it over. */
void channel_on_ingest(struct channel *c, struct publisher *p, struct ingest_stats *s);
void channel_on_lane(struct channel *c, struct publisher *p, struct feed_msg *m);

enum feed_keep lane_keep(const struct feed_msg *m);
/* Sets `fresh`; *key_ts is the timestamp of the last key frame, -1 before the first. */
void lane_burst_mark(struct lane_burst *b, int64_t *key_ts);
struct lane_description *lane_description_new(void); /* without tracks */

/* From the home loop to the publisher's. */
void publisher_want_key(struct publisher *p, uint8_t layer);
void publisher_kick(struct publisher *p, enum err why, const char *reason);
struct publisher *publisher_ref(struct publisher *p);
void publisher_unref(struct publisher *p);
/* For its meter, on its loop. */
void publisher_burst_seen(struct publisher *p, const struct lane_burst *b);
void publisher_tracks_seen(struct publisher *p, const struct lane_track tracks[2]);
struct channel *publisher_channel(const struct publisher *p);
