/* SPDX-License-Identifier: MIT */
/* api/api.h - the product's API, the pages and the operator's paths, as a table of routes. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "hub/hub.h"
#include "io/pool.h"
#include "serve/http/http.h"
#include "store/store.h"
#include "video/live.h"

struct api;

struct api_config {
    const struct settings *settings;
    const struct secret *secret;
    struct store *store;
    struct pool *pool;
    struct hub *hub;
    struct live *live;
    uint16_t rtmp_port, rtmps_port; /* as bound; rtmps_port 0: none */
    /* People watching a stream by a player: HLS (distinct clients) and RTMP. Any thread. */
    unsigned (*hls_viewers)(void *ctx, const char *stream_id);
    unsigned (*rtmp_viewers)(void *ctx, const char *stream_id);
    void *viewers_ctx;
};

/* Before the loops run. */
struct api *api_new(const struct api_config *cfg);
const struct http_route *api_routes(const struct api *a, size_t *n);
/* Functions for live_set_events(): they turn changes into server-sent events. */
struct live_events api_live_events(struct api *a);
void api_set_ready(struct api *a, bool ready); /* /readyz; any thread */
/* Ends what runs on a loop (timers, event streams). On each loop before it stops. */
void api_drain_loop(struct api *a);
/* After all loops and the pool have stopped. */
void api_free(struct api *a);

/* The subcommands that are not `serve`; argv begins after the subcommand. They print and return the
 * exit code. */
int api_cmd_user(int argc, char **argv, char **env);
int api_cmd_doctor(int argc, char **argv, char **env);
