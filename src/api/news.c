/* SPDX-License-Identifier: MIT */
/* What has happened, made into events for those who look.
 *
 *   something changed (any thread) -> event lane: reads the row, serialises once -> every loop:
 *   the stream's readers there get the same buffer (app_events.c)
 *
 * The lane runs one job at a time, so events are in order and the last one tells the last state. */
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/app_admin.h"
#include "api/event.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/account_link.h"
#include "product/admin.h"
#include "product/audit.h"
#include "product/chat.h"
#include "product/direct.h"
#include <stdio.h>

#define TICK_US          (1 * US_PER_SEC)
#define SWEEP_US         (3600 * US_PER_SEC)
#define SWEEP_UPLOADS_US (10 * US_PER_SEC)

/* --- events, made in the lane ---------------------------------------------------------------- */

static void set_text(struct event *e, unsigned at, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    CHECK(text);
    e->text[at] = event_text(e->id, e->kind, text);
    free(text);
    json_decref(json);
}

static void note_peak(struct api *a, const char *id, unsigned peak)
{
    if (stream_note_peak(api_db(a), id, peak) != E_OK)
        log_warn("peak_viewers", "stream=%s not written", id);
}

struct event *api_stream_event(struct api *a, const char *id, enum err *e)
{
    struct stream s;
    struct problem p = {0};
    struct audience_origins o;
    *e = stream_get(api_db(a), id, &s, &p);
    if (*e != E_OK) return NULL;
    const unsigned peak = audience_set_live(a->audience, id, s.status == STREAM_LIVE);
    if (peak > s.peak_viewers) {
        note_peak(a, id, peak);
        s.peak_viewers = peak;
    }
    struct event *ev = event_new(EVENT_STREAM, id);
    ev->live = s.status == STREAM_LIVE;
    if (s.visibility == VISIBILITY_PRIVATE) ev->access = s.access_epoch;
    audience_origins(a->audience, id, &o);
    if (ev->access) o.n = 0;
    for (unsigned i = 0; i < o.n; i++) set_text(ev, i, stream_json(a, &s, o.text[i]));
    set_text(ev, LIMIT_SSE_ORIGINS,
             json_pack("{s:s, s:s}", "id", s.id, "status", STREAM_STATUS[s.status]));
    stream_fini(&s);
    return ev;
}

static struct event *deleted_event(const char *id)
{
    struct event *ev = event_new(EVENT_STREAM, id);
    set_text(ev, LIMIT_SSE_ORIGINS, json_pack("{s:s, s:b}", "id", id, "deleted", 1));
    return ev;
}

/* --- what happened --------------------------------------------------------------------------- */

struct news {
    struct api *api;
    enum event_kind kind;
    char stream_id[ID_CAP];
    char code[32], text[200]; /* WARNING */
    bool changed;             /* VIEWERS */
    unsigned count, open, peak;
    struct stream_viewer *came;
    size_t n_came;
};

static void tell_stream(struct api *a, const char *id)
{
    struct audience_origins o;
    enum err e;
    api_lobby_changed(a);
    struct event *ev = api_stream_event(a, id, &e);
    if (e == E_NOTFOUND) {
        audience_set_live(a->audience, id, false);
        ev = deleted_event(id);
    }
    if (!ev) return;
    if (audience_origins(a->audience, id, &o))
        api_events_send(a, ev);
    else
        event_unref(ev);
}

static void tell_viewers(struct api *a, const struct news *n)
{
    if (n->peak) note_peak(a, n->stream_id, n->peak);
    if (n->n_came && stream_note_viewers(api_db(a), n->stream_id, n->came, n->n_came) != E_OK)
        log_warn("total_viewers", "stream=%s not written", n->stream_id);
    if (!n->changed) return;
    struct event *ev = event_new(EVENT_VIEWERS, n->stream_id);
    set_text(ev, LIMIT_SSE_ORIGINS,
             json_pack("{s:i, s:i}", "count", (int)n->count, "pages", (int)n->open));
    api_events_send(a, ev);
}

static void tell_warning(struct api *a, const struct news *n)
{
    struct event *ev = event_new(EVENT_WARNING, n->stream_id);
    set_text(ev, LIMIT_SSE_ORIGINS, json_pack("{s:s, s:s}", "code", n->code, "message", n->text));
    api_events_send(a, ev);
}

static void tell(void *arg) /* event lane */
{
    struct news *n = arg;
    api_events_order(n->api, true);
    switch (n->kind) {
    case EVENT_STREAM:
        tell_stream(n->api, n->stream_id);
        break;
    case EVENT_VIEWERS:
        tell_viewers(n->api, n);
        break;
    case EVENT_WARNING:
        tell_warning(n->api, n);
        break;
    default:
        break;
    }
    api_events_order(n->api, false);
    free(n->came);
    free(n);
}

static struct news *news_new(struct api *a, enum event_kind kind, const char *stream_id)
{
    struct news *n = NEW(struct news);
    *n = (struct news){.api = a, .kind = kind};
    snprintf(n->stream_id, sizeof n->stream_id, "%s", stream_id);
    return n;
}

/* Takes the news over. When the program is ending nobody is left to be told. */
static void news_send(struct news *n)
{
    if (!api_lane_run(n->api, &n->api->event_lane, tell, NULL, NULL, n)) {
        free(n->came);
        free(n);
    }
}

void api_stream_changed(struct api *a, const char *stream_id)
{
    news_send(news_new(a, EVENT_STREAM, stream_id));
}

void api_stream_warning(struct api *a, const char *stream_id, const char *code, const char *text)
{
    struct news *n = news_new(a, EVENT_WARNING, stream_id);
    snprintf(n->code, sizeof n->code, "%s", code);
    snprintf(n->text, sizeof n->text, "%s", text);
    news_send(n);
}

/* --- once a second --------------------------------------------------------------------------- */

static void on_audience(void *ctx, const struct audience_news *now)
{
    struct api *a = ctx;
    struct news *n = news_new(a, EVENT_VIEWERS, now->id);
    n->changed = now->changed;
    n->count = now->count;
    n->open = now->open;
    n->peak = now->peak;
    n->came = now->came;
    n->n_came = now->n_came;
    news_send(n);
}

void api_viewer_seen(struct api *a, const char *stream_id, uint64_t who)
{
    audience_player(a->audience, stream_id, who);
}

static void sweep(void *arg)
{
    if (session_sweep(api_db(arg)) != E_OK) log_warn("sessions", "expired ones stay for now");
    if (admin_orders_sweep(api_db(arg)) != E_OK) log_warn("orders", "old ones stay for now");
    if (audit_sweep(api_db(arg)) != E_OK) log_warn("audit", "old lines stay for now");
    if (stream_viewers_sweep(api_db(arg)) != E_OK) log_warn("viewers", "old ones stay for now");
    if (chat_sweep(api_db(arg)) != E_OK) log_warn("chat", "old lines and addresses stay for now");
    if (link_sweep(api_db(arg)) != E_OK) log_warn("links", "expired ones stay for now");
    if (direct_sweep(api_db(arg)) != E_OK) log_warn("direct", "old offers stay for now");
}

static void sweep_uploads(void *arg)
{
    struct api *a = arg;
    uploads_sweep(a->cfg.uploads, api_db(a));
}

static void sweep_tests(void *arg)
{
    struct api *a = arg;
    char stream[LIVE_ID_CAP];
    enum err e;
    while ((e = live_remove_old_test(a->cfg.live, api_db(a), stream)) == E_OK)
        if (stream[0]) api_stream_changed(a, stream);
    if (e != E_NOTFOUND) log_warn("test-sweep", "error=%s", err_label(e));
}

static void tick(struct timer *t, void *ctx)
{
    struct api *a = ctx;
    const int64_t now_us = loop_now_us(a->loops[0]);
    audience_tick(a->audience, on_audience, a);
    app_orders_tick(a);
    app_quota_tick(a);
    if (now_us - a->swept_us > SWEEP_US) {
        a->swept_us = now_us;
        pool_run(a->cfg.pool, sweep, NULL, NULL, a);
    }
    if (now_us - a->uploads_swept_us > SWEEP_UPLOADS_US) {
        a->uploads_swept_us = now_us;
        pool_run(a->cfg.pool, sweep_uploads, NULL, NULL, a);
        pool_run(a->cfg.pool, sweep_tests, NULL, NULL, a);
        pool_run(a->cfg.pool, api_account_sweep, NULL, NULL, a);
    }
    timer_at(t, now_us + TICK_US);
}

static void start_tick(void *arg) /* loops[0] */
{
    struct api *a = arg;
    timer_init(&a->tick, a->loops[0], tick, a);
    timer_at(&a->tick, loop_now_us(a->loops[0]) + TICK_US);
}

void api_news_start(struct api *a)
{
    loop_post(a->loops[0], start_tick, a);
    api_reactions_start(a);
}

void api_news_stop(struct api *a)
{
    timer_stop(&a->tick);
    api_reactions_stop(a);
}
