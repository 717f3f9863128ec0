/* SPDX-License-Identifier: MIT */
/* POST /api/me/delete: the account and all it has. */
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/body.h"
#include "api/event.h"
#include "base/log.h"
#include "product/account_close.h"
#include <stdatomic.h>

static void room_changed(void *ctx, const char *stream_id)
{
    struct api *a = ctx;
    struct audience_origins o;
    if (!audience_origins(a->audience, stream_id, &o)) return;
    api_events_order(a, true);
    struct event *e = event_new(EVENT_CHAT_RESET, stream_id);
    e->text[LIMIT_SSE_ORIGINS] = event_text(e->id, e->kind, "{}");
    api_events_send(a, e);
    api_events_order(a, false);
}

static void stream_gone(void *ctx, const char *stream_id)
{
    api_stream_changed(ctx, stream_id);
}

void api_account_sweep(void *api) /* pool */
{
    struct api *a = api;
    const struct account_closing c = {&a->runtime,
                                      a->cfg.live,
                                      a->cfg.uploads,
                                      a->cfg.settings->data,
                                      room_changed,
                                      stream_gone,
                                      a};
    /* One at a time: who comes meanwhile is seen by the one that runs, or by the next. */
    if (atomic_exchange(&a->closing, true)) return;
    while (atomic_load(&a->ready)) {
        const enum err e = account_close_step(api_db(a), &c);
        if (e == E_NOTFOUND) break;
        if (e != E_OK) {
            log_warn("account_delete", "later: %s", err_text(e));
            break;
        }
    }
    atomic_store(&a->closing, false);
}

static enum err closed(struct call *c)
{
    const enum err e = account_close(c->db, c->user.id, c->user.id);
    if (e != E_LIMIT) return e;
    return problem_set(&c->problem, E_CONFLICT, "last_admin", NULL, "%s", ACCOUNT_LAST_ADMIN);
}

static void close_me(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, false, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    if (!body_read(c, f, 2) || !account_is_proven(c, body_text(&f[0]), body_text(&f[1])) ||
        !account_well(c, closed(c)))
        return;
    log_info("account_deleting", "user=%s", c->user.id);
    pool_run(c->api->cfg.pool, api_account_sweep, NULL, NULL, c->api);
    call_cookie(c, NULL);
    call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/me/delete", close_me, CALL_USER | CALL_BODY | CALL_HASH, {0}},
};
const struct endpoint_table app_account_close = ENDPOINT_TABLE(ENDPOINTS);
