/* SPDX-License-Identifier: MIT */
/* api/api.h - everything that is asked over HTTP and is not media: the product's API with its
 * server-sent events, health and metrics, and the embedded pages, as a table of routes.
 *
 * A request's life: a route's handler on the loop notes what it needs (call.c), a job on the pool
 * does the work with the database straight through (app_*.c), and the loop replies. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "hub/hub.h"
#include "io/pool.h"
#include "serve/http/http.h"
#include "store/store.h"
#include "video/live.h"
#include "video/provider.h"
#include "video/uploads.h"
#include "video/webhooks.h"

struct api;

struct api_config {
    const struct settings *settings;
    const struct secret *secret;
    struct store *store;
    struct pool *pool;
    struct hub *hub; /* its loops are the API's too */
    struct live *live;
    struct webhooks *webhooks;
    struct uploads *uploads;
    struct http_client *client;     /* requests of our own */
    uint16_t rtmp_port, rtmps_port; /* as bound; rtmps_port 0: none */
    /* People watching a stream by a player: HLS (distinct clients), WebRTC and RTMP. Any thread.
     * May be NULL. */
    unsigned (*hls_viewers)(void *ctx, const char *stream_id);
    unsigned (*rtc_viewers)(void *ctx, const char *stream_id);
    unsigned (*rtmp_viewers)(void *ctx, const char *stream_id);
    /* What a player by HLS is known by; and its page was closed: it asks no more. Any thread. May
     * be NULL. */
    uint64_t (*viewer_who)(void *ctx, const char *stream_id, struct span address,
                           struct span program);
    void (*viewer_left)(void *ctx, const char *stream_id, uint64_t who);
    void *viewers_ctx;
};

/* Writes events to the outbox in the API's words. Before anything that writes some: recovery does.
 */
void api_outbox_init(const struct secret *secret, const struct settings *settings);

/* Before the loops run. */
struct api *api_new(const struct api_config *cfg);
/* For http_config; valid until api_free(). */
const struct http_route *api_routes(const struct api *a, size_t *n);
/* Functions for live_set_events(): they turn changes into server-sent events. */
struct live_events api_live_events(struct api *a);
/* What the provider needs of us: how Mux's JSON is read, and who is told. */
void api_provider_wire(struct api *a, struct provider_config *cfg);
/* A player who was not there, by a hash that lasts: counted once a stream. Any thread. */
void api_viewer_seen(struct api *a, const char *stream_id, uint64_t who);
void api_set_ready(struct api *a, bool ready); /* /readyz; any thread */
/* Ends what runs on a loop (timers, event streams). On each loop before it stops. */
void api_drain_loop(struct api *a);
/* The loops have stopped: requests that still bring bodies get no work on the pool any more. */
void api_loops_stopped(struct api *a);
/* No more work for the pool: before pool_free(). Again, or after every loop was drained, is fine.
 * Any thread. */
void api_stop(struct api *a);
/* After all loops and the pool have stopped. */
void api_free(struct api *a);

/* What has changed about a stream: its readers are told. Any thread. */
void api_stream_changed(struct api *a, const char *stream_id);
void api_stream_warning(struct api *a, const char *stream_id, const char *code, const char *text);

/* The subcommands that are not `serve`; argv begins after the subcommand. They print and return the
 * exit code. */
int api_cmd_user(int argc, char **argv, char **env);
int api_cmd_stream(int argc, char **argv, char **env);
int api_cmd_token(int argc, char **argv, char **env);
int api_cmd_mail(int argc, char **argv, char **env);
int api_cmd_doctor(int argc, char **argv, char **env);
