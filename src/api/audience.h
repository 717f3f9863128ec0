/* SPDX-License-Identifier: MIT */
/* api/audience.h - who is there now: for each stream that is live or looked at, its pages, its
 * viewers.
 *
 * Any thread; one short lock, taken when a page comes or goes and once a second, never for media.
 * An entry lives while its stream is live or has a reader. */
#pragma once
#include "api/api.h"
#include "product/stream.h"

struct audience;

struct audience *audience_new(const struct api_config *cfg);
void audience_free(struct audience *a);

/* A reader of events has come, by this origin ("https://host"). Returns the place of the origin,
 * for which events are built; LIMIT_SSE_ORIGINS when there are too many different ones. */
unsigned audience_join(struct audience *a, const char *stream_id, const char *origin);
void audience_leave(struct audience *a, const char *stream_id);
/* Viewer pages, which not every reader is (the owner's dashboard): n is 1 or -1. */
void audience_pages(struct audience *a, const char *stream_id, int n);

struct audience_origins {
    unsigned n;
    char text[LIMIT_SSE_ORIGINS][300];
};
/* False: nobody reads this stream's events. */
bool audience_origins(struct audience *a, const char *stream_id, struct audience_origins *out);

/* The media domain says so; starts or ends counting. Returns a peak that has not been written yet
 * and, as the counting ends, will not be told by audience_tick() any more; else 0. */
unsigned audience_set_live(struct audience *a, const char *stream_id, bool live);
/* max(pages, HLS clients + WebRTC sessions) + RTMP players: each page has one player. */
unsigned audience_count(struct audience *a, const char *stream_id);

/* Once a second. `fn` is called, without the lock, for every stream whose count has changed
 * (`changed`) or whose peak has grown and is due to be written (`peak` > 0). */
typedef void audience_fn(void *ctx, const char *stream_id, bool changed, unsigned count,
                         unsigned peak);
void audience_tick(struct audience *a, audience_fn *fn, void *ctx);
