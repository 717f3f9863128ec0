/* SPDX-License-Identifier: MIT */
/* serve/hls/hls_service.h - HLS and low-latency HLS over HTTP: playlists, initialisation segments,
 * parts and segments, live, rewinding and recorded, by playback id. */
#pragma once
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
};

struct hls_service *hls_service_new(const struct hls_config *cfg);
/* To be mounted beside the API's; valid as long as the service. */
const struct http_route *hls_routes(const struct hls_service *s, size_t *n);
/* Distinct viewers (address and user agent) of a stream in the last seconds. Any thread. */
unsigned hls_viewers(struct hls_service *s, const char *stream_id);
/* Lets go of every log and answers blocked requests with 503. On each loop before it stops. */
void hls_service_drain_loop(struct hls_service *s);
/* After all loops have stopped. */
void hls_service_free(struct hls_service *s);
