/* SPDX-License-Identifier: MIT */
#include "api/api_priv.h"
#include "api/event.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/avatar.h"
#include "product/chat.h"
#include "product/mail.h"
#include "product/oidc.h"
#include "product/reaction.h"
#include "product/visibility.h"

struct api *api_new(const struct api_config *cfg)
{
    struct api *a = NEW(struct api);
    a->cfg = *cfg;
    a->loops = hub_loops(cfg->hub, &a->n_loops);
    a->runtime = api_live_runtime(cfg->live);
    visibility_init(mail_on(cfg->settings));
    a->throttle = throttle_new();
    a->audience = audience_new(&a->cfg);
    pthread_mutex_init(&a->lane_lock, NULL);
    pthread_mutex_init(&a->order_lock, NULL);
    pthread_mutex_init(&a->orders_lock, NULL);
    a->chat = api_chat_new(a);
    a->reactions = reactions_new();
    for (unsigned i = 0; i < LIMIT_PASSWORD_LANES; i++)
        a->hash_lanes[i] = pool_queue_new(cfg->pool);
    for (unsigned i = 0; i < LIMIT_OIDC_LANES; i++) a->away_lanes[i] = pool_queue_new(cfg->pool);
    a->oidc = api_oidc_new(a);
    a->event_lane = pool_queue_new(cfg->pool);
    if (ingest_check_secret(api_db(a), cfg->secret) == E_AUTH)
        log_error("secret", "secret.key is not the one that this database's stream keys were made "
                            "with: restore it from a backup, or give every stream a new key");
    if (handle_give_all(api_db(a)) != E_OK)
        log_error("handles", "accounts from before there were any have none still");
    avatar_sweep(api_db(a), cfg->settings->data);
    api_pages_init(a);
    api_routes_make(a);
    api_events_init(a);
    api_lobby_init(a);
    return a;
}

void api_loops_stopped(struct api *a)
{
    atomic_store(&a->loops_stopped, true);
}

void api_stop(struct api *a)
{
    pthread_mutex_lock(&a->lane_lock);
    if (a->event_lane) pool_queue_close(a->event_lane);
    a->event_lane = NULL;
    for (unsigned i = 0; i < LIMIT_PASSWORD_LANES; i++) {
        if (a->hash_lanes[i]) pool_queue_close(a->hash_lanes[i]);
        a->hash_lanes[i] = NULL;
    }
    oidc_stop(a->oidc);
    for (unsigned i = 0; i < LIMIT_OIDC_LANES; i++) {
        if (a->away_lanes[i]) pool_queue_close(a->away_lanes[i]);
        a->away_lanes[i] = NULL;
    }
    pthread_mutex_unlock(&a->lane_lock);
}

bool api_lane_run(struct api *a, struct pool_queue *const *lane, loop_fn *work, struct loop *loop,
                  loop_fn *done, void *arg)
{
    pthread_mutex_lock(&a->lane_lock);
    const bool open = *lane != NULL;
    if (open) pool_queue_run(*lane, work, loop, done, arg);
    pthread_mutex_unlock(&a->lane_lock);
    return open;
}

void api_free(struct api *a)
{
    if (!a) return;
    api_events_fini(a);
    api_lobby_fini(a);
    audience_free(a->audience);
    throttle_free(a->throttle);
    chat_free(a->chat);
    reactions_free(a->reactions);
    oidc_free(a->oidc);
    pthread_mutex_destroy(&a->order_lock);
    pthread_mutex_destroy(&a->orders_lock);
    pthread_mutex_destroy(&a->lane_lock);
    free(a->routes);
    free(a->bound);
    free(a);
}

void api_set_ready(struct api *a, bool ready)
{
    atomic_store(&a->ready, ready);
}
