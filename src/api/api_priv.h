/* SPDX-License-Identifier: MIT */
/* api/api_priv.h - what the files of api/ share. */
#pragma once
#include "api/api.h"
#include "api/audience.h"
#include "api/call.h"
#include "product/stream.h"
#include "product/throttle.h"
#include <pthread.h>

struct ev_loop; /* app_events.c: one loop's readers */

struct api {
    struct api_config cfg;
    struct loop *const *loops; /* the hub's */
    unsigned n_loops;
    struct stream_runtime runtime;        /* cfg.live, for the product */
    char csp_page[4200], csp_embed[4200]; /* four lists of media, one of uploads */
    _Atomic bool ready;
    struct throttle *throttle;
    struct audience *audience;

    struct http_route *routes;
    struct bound *bound; /* routes.c: an endpoint with its api */
    size_t n_routes;

    /* Password hashing: a few lanes, so that a flood of logins takes neither memory nor the pool's
     * threads. */
    struct pool_queue *hash_lanes[LIMIT_PASSWORD_LANES]; /* as event_lane */
    _Atomic unsigned hash_next, hash_waiting;

    /* The same for what waits for other servers: a dead one holds up nobody else. */
    struct pool_queue *away_lanes[LIMIT_OIDC_LANES];
    _Atomic unsigned away_next, away_waiting;
    struct oidc *oidc;
    _Atomic unsigned avatars; /* on their way: app_avatar.c */

    /* Events are built one after the other, so that they are in order. */
    struct pool_queue *event_lane; /* NULL once stopped; under lane_lock */
    pthread_mutex_t lane_lock;
    pthread_mutex_t order_lock; /* api_events_order() */
    struct chat *chat;
    struct reactions *reactions;
    struct timer reactions_due; /* on loops[0] */
    struct ev_loop *ev_loops;   /* n_loops of them */
    struct lobby_loop *lobby;   /* app_lobby.c: n_loops of them */
    _Atomic unsigned drained;
    _Atomic bool loops_stopped;
    pthread_mutex_t orders_lock; /* one thread carries out admin_orders at a time */
    _Atomic bool orders_queued, quota_queued;
    unsigned quota_ticks; /* of the tick */
    struct timer tick;    /* on loops[0] */
    int64_t swept_us, uploads_swept_us;
    _Atomic bool closing; /* app_account_close.c: it runs */
};

static inline struct db *api_db(struct api *a)
{
    return db_open_thread(a->cfg.store);
}

/* Runs a job in a lane; false, and nothing done, when the program is ending. Any thread. */
bool api_lane_run(struct api *a, struct pool_queue *const *lane, loop_fn *work, struct loop *loop,
                  loop_fn *done, void *arg);

/* app_events.c */
void api_events_init(struct api *a);
void api_events_fini(struct api *a);
void api_events_handler(struct http_request *r, void *ctx);
/* app_lobby.c: told whenever a list of streams may look otherwise than before. Any thread. */
void api_lobby_init(struct api *a);
void api_lobby_fini(struct api *a);
void api_lobby_changed(struct api *a);
void api_lobby_drain(struct api *a); /* each loop */
void api_lobby_handler(struct http_request *r, void *ctx);
/* ops.c, pages.c: plain handlers; ctx is the api. */
void api_healthz(struct http_request *r, void *ctx);
void api_readyz(struct http_request *r, void *ctx);
void api_metrics(struct http_request *r, void *ctx);
void api_pages(struct http_request *r, void *ctx);
void api_pages_init(struct api *a);
/* live_runtime.c */
struct stream_runtime api_live_runtime(struct live *live);
/* app_sign_in.c */
struct oidc *api_oidc_new(struct api *a);
/* routes.c */
void api_routes_make(struct api *a);
