/* SPDX-License-Identifier: MIT */
/* api/audience.h - who is there now: for each stream that is live or looked at, its pages, its
 * viewers.
 *
 * Any thread; one short lock, taken when a page comes or goes and once a second, never for media.
 * An entry lives while its stream is live or has a reader. */
#pragma once
#include "api/api.h"
#include "product/stream.h"
#include "product/stream_viewers.h"

struct audience;

struct audience *audience_new(const struct api_config *cfg);
void audience_free(struct audience *a);

/* A reader of events has come, by this origin ("https://host"). Returns the place of the origin,
 * for which events are built; LIMIT_SSE_ORIGINS when there are too many different ones. */
unsigned audience_join(struct audience *a, const char *stream_id, const char *origin);
void audience_leave(struct audience *a, const char *stream_id);
/* Viewer pages, which not every reader is (the owner's dashboard): n is 1 or -1. `viewer` is what
 * the page says its browser is known by: the same one is counted once; "" is somebody else each
 * time. */
#define VIEWER_CAP 41
void audience_pages(struct audience *a, const char *stream_id, const char *viewer, int n);
/* A player, known by a hash that is the same next time. */
void audience_player(struct audience *a, const char *stream_id, uint64_t who);

struct audience_origins {
    unsigned n;
    char text[LIMIT_SSE_ORIGINS][300];
};
/* False: nobody reads this stream's events. */
bool audience_origins(struct audience *a, const char *stream_id, struct audience_origins *out);

/* The media domain says so; starts or ends counting. Returns a peak that has not been written yet
 * and, as the counting ends, will not be told by audience_tick() any more; else 0. */
unsigned audience_set_live(struct audience *a, const char *stream_id, bool live);
/* max(viewers with a page, HLS clients + WebRTC sessions) + RTMP players: each of them has a
 * player. */
unsigned audience_count(struct audience *a, const char *stream_id);

/* Viewer pages, also several of one viewer: each wants a picture of its own. */
unsigned audience_open(struct audience *a, const char *stream_id);

/* Once a second. `fn` is called, without the lock, for every stream whose count has changed
 * (`changed`), whose peak has grown and is due to be written (`peak` > 0), or to which viewers have
 * come, which it takes over (free()). */
struct audience_news {
    char id[ID_CAP];
    bool changed;
    unsigned count, open, peak;
    struct stream_viewer *came;
    size_t n_came;
};
typedef void audience_fn(void *ctx, const struct audience_news *n);
void audience_tick(struct audience *a, audience_fn *fn, void *ctx);
