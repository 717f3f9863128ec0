/* SPDX-License-Identifier: MIT */
/* /api/admin/streams: what is live now, with an end to it; and the orders that this, suspensions
 * and the terminal leave for the server. */
#include "api/api_priv.h"
#include "api/app_admin.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "hub/ingest_stats.h"
#include "product/page.h"

/* --- orders ---------------------------------------------------------------------------------- */

static void told(void *ctx, const char *stream_id)
{
    api_stream_changed(ctx, stream_id);
}

void app_orders_now(struct api *a)
{
    pthread_mutex_lock(&a->orders_lock);
    admin_orders_run(api_db(a), &a->runtime, told, a);
    pthread_mutex_unlock(&a->orders_lock);
}

static void orders_work(void *arg)
{
    struct api *a = arg;
    atomic_store(&a->orders_queued, false);
    app_orders_now(a);
}

void app_orders_tick(struct api *a)
{
    if (!atomic_exchange(&a->orders_queued, true))
        pool_run(a->cfg.pool, orders_work, NULL, NULL, a);
}

/* --- live now -------------------------------------------------------------------------------- */

struct source {
    char protocol[16];
    int64_t bps;
};

static struct source source_of(struct api *a, const char *id)
{
    struct source s = {0};
    struct ingest_stats st = {0};
    struct channel *ch = hub_find(a->cfg.hub, span_str(id));
    if (!ch) return s;
    channel_get_ingest(ch, &st);
    channel_unref(ch);
    snprintf(s.protocol, sizeof s.protocol, "%s", st.source.protocol);
    if (st.video.is) s.bps += st.video.bps;
    if (st.audio.is) s.bps += st.audio.bps;
    return s;
}

static json_t *row_json(struct call *c, const struct stream *s)
{
    const struct source src = source_of(c->api, s->id);
    const char *source = src.protocol[0]             ? src.protocol
                         : s->remote                 ? "mux"
                         : s->type == STREAM_BROWSER ? "browser"
                                                     : "rtmp";
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:I, s:I, s:o, s:b}", "id", s->id, "title",
                     s->title, "user", "id", s->user_id, "name", s->user_name, "source", source,
                     "viewers", (json_int_t)audience_count(c->api->audience, s->id), "bitrate",
                     (json_int_t)src.bps, "startedAt", time_json(s->started_at), "connected",
                     (int)!live_is_away(c->api->cfg.live, s->id));
}

/* All of them, also those that the lobby does not show; newest first. */
static enum err live_ids(struct db *db, const struct page_at *at, unsigned limit,
                         char (*ids)[ID_CAP], int64_t *times, size_t *n)
{
    *n = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT id, coalesce(started_at, created_at) AS t FROM streams WHERE status ="
                 " 'LIVE' AND (coalesce(started_at, created_at) < ?1 OR (coalesce(started_at,"
                 " created_at) = ?1 AND id < ?2)) ORDER BY t DESC, id DESC LIMIT ?3",
                 "isi", at->time, at->id, (int64_t)limit);
    while (*n < limit && db_next(q)) {
        snprintf(ids[*n], ID_CAP, "%s", db_text(q, 0));
        times[(*n)++] = db_int(q, 1);
    }
    return db_done(q);
}

static void streams(struct call *c)
{
    const char *cursor;
    unsigned limit;
    struct page_at at;
    char ids[LIMIT_PAGE_ITEMS + 1][ID_CAP], next[PAGE_CURSOR_CAP] = "";
    int64_t times[LIMIT_PAGE_ITEMS + 1];
    size_t n;
    if (!admin_call(c) || !admin_page(c, &cursor, &limit)) return;
    if (!page_at_read(cursor, &at)) {
        admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", "cursor",
                                  "This is not a cursor of a page."));
        return;
    }
    if (!admin_well(c, live_ids(c->db, &at, limit + 1, ids, times, &n))) return;
    if (n > limit) page_at_write(times[limit - 1], ids[limit - 1], next);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < limit; i++) {
        struct stream s;
        struct problem gone = {0};
        if (stream_get(c->db, ids[i], &s, &gone) != E_OK) continue; /* deleted meanwhile */
        json_array_append_new(list, row_json(c, &s));
        stream_fini(&s);
    }
    call_json(c, 200,
              json_pack("{s:o, s:o}", "streams", list, "nextCursor",
                        *next ? json_string(next) : json_null()));
}

/* What was ordered is tried before the answer. */
static void finish(struct call *c, enum err e, const char *order, const char *what)
{
    char why[240] = "";
    if (!admin_well(c, e)) return;
    log_info("admin", "what=%s stream=%s by=%s", what, c->param[0], c->user.id);
    app_orders_now(c->api);
    e = admin_order_state(c->db, order, why, sizeof why);
    if (e == E_CLOSED) e = E_TIMEOUT; /* it stays ordered */
    if (e == E_OK && *why) e = problem_set(&c->problem, E_CONFLICT, "not_done", NULL, "%s", why);
    if (admin_well(c, e)) call_empty(c, 204);
}

static void end(struct call *c)
{
    struct body_field f[] = {{"reason", BODY_TEXT, false, NULL}};
    char order[ID_CAP], why[TEXT_CAP(LIMIT_NOTE_CHARS)];
    if (!admin_call(c) || !admin_id(c, "stream") || !body_read(c, f, 1)) return;
    enum err e =
        text_check(body_text(&f[0]), TEXT_LINES, LIMIT_NOTE_CHARS, "reason", why, &c->problem);
    if (e == E_OK) e = admin_end_stream(c->db, c->user.id, c->param[0], why, order, &c->problem);
    finish(c, e, order, "end");
}

static void drop(struct call *c)
{
    char order[ID_CAP];
    if (admin_call(c) && admin_id(c, "stream") && body_read(c, NULL, 0))
        finish(c, admin_delete_stream(c->db, c->user.id, c->param[0], order, &c->problem), order,
               "delete");
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/admin/streams", streams, CALL_USER, {"cursor", "limit"}},
    {HTTP_POST, "/api/admin/streams/{}/end", end, CALL_USER, {0}},
    {HTTP_DELETE, "/api/admin/streams/{}", drop, CALL_USER, {0}},
};
const struct endpoint_table app_admin_streams = ENDPOINT_TABLE(ENDPOINTS);
