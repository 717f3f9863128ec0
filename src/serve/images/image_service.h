/* SPDX-License-Identifier: MIT */
/* serve/images/image_service.h - pictures of streams and recordings over HTTP, with the names and
 * parameters of Mux's image host:
 *
 *   /ID/thumbnail.jpg .jpeg .png .webp       /ID/animated.gif .webp
 *   /ID/storyboard.jpg .png .webp .vtt .json
 *
 * Made when they are asked for, by bspnode-worker in its `image` mode. A recording's are kept on
 * disk (DATA/cache/images); a running stream's some seconds in memory. Who asks for what is being
 * made waits for the same. Replies have CORS for everybody; errors are JSON.
 *
 * Threads: handlers on their loops; all work is in the hands of the first loop, what blocks is the
 * pool's. Limits: LIMIT_IMAGE_*; the setting image-cache-size. */
#pragma once
#include "base/settings.h"
#include "io/pool.h"
#include "serve/gate.h"
#include "serve/http/http.h"

struct image_service;

struct image_config {
    struct loop *const *loops;
    unsigned n_loops;
    struct pool *pool;
    const struct gate *gate; /* must outlive the service */
    const struct settings *settings;
};

struct image_service *image_service_new(const struct image_config *cfg);
/* Valid as long as the service. */
const struct http_route *image_routes(const struct image_service *s, size_t *n);
/* Everybody who waits gets 503; workers are ended. On the first loop, before it stops. */
void image_service_drain(struct image_service *s);
/* After all loops, and the pool, have stopped. */
void image_service_free(struct image_service *s);
