/* SPDX-License-Identifier: MIT */
/* serve/hls/hls_service.h - HLS over HTTP: playlists, segments and parts of running streams and of
 * recordings, for everybody who has a playback id.
 *
 *   /ID.m3u8                      multivariant playlist
 *   /ID/RUN/v0.m3u8               media playlist: of a live stream's id the sliding window, of a
 *                                 recording's id everything from the start (EVENT)
 *   /ID/RUN/v0-vod.m3u8           of a finished recording (VOD)
 *   /ID/RUN/v0/12.m4s  12.3.m4s   a segment, a part of it
 *   /ID/RUN/v0/init-1.mp4         an initialisation segment
 *   /ID/highest.mp4  /ID/audio.m4a  a recording as one file, with ranges; ?download=NAME
 *
 * A signed playback id needs a token at the first of these (?token=JWT, asked of the gate); it
 * names the others with a signature of its own in RUN, which is checked without a database
 * (engine/hls_view.h).
 *
 * RUN names the broadcast, so that what is below it never changes and may be cached for long.
 * Everything in a path is looked up, nothing of it becomes part of a file name. Replies have CORS
 * for everybody; errors are JSON. Blocking requests wait in a list of their loop, which has one
 * timer.
 *
 * Threads: hls_service_new() before the server runs; handlers on their loops; the rest as said.
 * Memory: an entry for each id in use on a loop; LIMIT_HLS_WAITERS waiting requests a loop. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "io/pool.h"
#include "serve/gate.h"
#include "serve/http/http.h"

struct hls_service;

struct hls_config {
    struct loop *const *loops;
    unsigned n_loops;
    struct pool *pool;
    const struct gate *gate; /* must outlive the service */
    const struct settings *settings;
    const struct secret *secret; /* of which the key for signed paths is derived; NULL: random */
};

struct hls_service *hls_service_new(const struct hls_config *cfg);
/* To be mounted beside the API's; valid as long as the service. */
const struct http_route *hls_routes(const struct hls_service *s, size_t *n);
/* New requests get 503. Who waits for a running stream gets the end of its playlist, which the
 * caller ends now too; everybody else who waits gets 503. On each loop, some time before it stops.
 */
void hls_service_drain_loop(struct hls_service *s);
/* After all loops, and the pool, have stopped. */
void hls_service_free(struct hls_service *s);

/* Distinct viewers (address and program) seen in the last HLS_VIEWER_US. Any thread. */
#define HLS_VIEWER_US (15 * INT64_C(1000000))
unsigned hls_viewers(struct hls_service *s, const char *stream_id);
/* What a viewer is known by: the same over a restart. Any thread. */
uint64_t hls_viewer_who(const struct hls_service *s, const char *stream_id, struct span address,
                        struct span program);
/* This one is gone, or watches by other means (`elsewhere`) from now on; when it asks again it is
 * counted again. Any thread. */
void hls_viewer_left(struct hls_service *s, const char *stream_id, uint64_t who, bool elsewhere);
/* Called for a viewer who was not there, also those who came elsewhere. Any thread. Before the
 * loops run. */
typedef void hls_new_viewer_fn(void *ctx, const char *stream_id, uint64_t who);
void hls_on_new_viewer(struct hls_service *s, hls_new_viewer_fn *fn, void *ctx);
