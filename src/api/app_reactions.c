/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/reactions: hearts and the like, in the programme's time. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "api/body.h"
#include "api/event.h"
#include "api/program_time.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/reaction.h"
#include <stdio.h>

static const struct throttle_rule BY_ACCOUNT = {"reaction", 10, US_PER_SEC / 3};
static const struct throttle_rule BY_ADDRESS = {"reaction-address", 60, US_PER_SEC / 10};

#define WRITE_US (500 * US_PER_MS)

/* --- written and told together --------------------------------------------------------------- */

static void told(void *ctx, const struct reaction *r)
{
    struct api *a = ctx;
    struct audience_origins o;
    if (!audience_origins(a->audience, r->stream_id, &o)) return;
    struct event *e = event_new(EVENT_REACTION, r->stream_id);
    json_t *j = json_pack("{s:s, s:I, s:o}", "kind", REACTION_NAMES[r->kind], "count",
                          (json_int_t)r->n, "programTime", time_json(r->at_s * US_PER_SEC));
    char *text = json_dumps(j, JSON_COMPACT);
    CHECK(text);
    e->text[LIMIT_SSE_ORIGINS] = event_text(e->id, e->kind, text);
    free(text);
    json_decref(j);
    api_events_send(a, e);
}

static void write_waiting(void *arg) /* event lane */
{
    struct api *a = arg;
    api_events_order(a, true);
    const enum err e = reactions_write(a->reactions, api_db(a), told, a);
    api_events_order(a, false);
    if (e != E_OK) log_warn("reactions", "not written yet error=%s", err_label(e));
}

static void due(struct timer *t, void *ctx)
{
    struct api *a = ctx;
    if (reactions_any(a->reactions))
        (void)api_lane_run(a, &a->event_lane, write_waiting, NULL, NULL, a);
    timer_at(t, loop_now_us(a->loops[0]) + WRITE_US);
}

static void start(void *arg) /* loops[0] */
{
    struct api *a = arg;
    timer_init(&a->reactions_due, a->loops[0], due, a);
    timer_at(&a->reactions_due, loop_now_us(a->loops[0]) + WRITE_US);
}

void api_reactions_start(struct api *a)
{
    loop_post(a->loops[0], start, a);
}

void api_reactions_stop(struct api *a)
{
    timer_stop(&a->reactions_due);
}

/* --- the requests ---------------------------------------------------------------------------- */

static enum err read_kind(struct call *c, const struct body_field *kind,
                          const struct body_field *count, struct reaction *out)
{
    out->kind = reaction_kind_of(body_text(kind));
    if (out->kind == REACTION_KINDS)
        return problem_set(&c->problem, E_INVALID, "invalid", kind->name,
                           "This must be heart, laugh, wow, clap or fire.");
    const json_int_t n = count->value ? json_integer_value(count->value) : 1;
    if (n < 1 || n > LIMIT_REACTIONS_AT_ONCE)
        return problem_set(&c->problem, E_INVALID, "invalid", count->name,
                           "This must be a whole number from 1 to %d.", LIMIT_REACTIONS_AT_ONCE);
    out->n = (unsigned)n;
    return E_OK;
}

static void add(struct call *c, const struct stream *s)
{
    struct body_field f[] = {{"kind", BODY_TEXT, true, NULL},
                             {"count", BODY_NUMBER, false, NULL},
                             {"programTime", BODY_TEXT_OR_NULL, false, NULL}};
    struct reaction one = {0};
    int64_t at_us;
    if (!body_read(c, f, 3) || !program_time_read(c, &f[2], s, &at_us)) return;
    const enum err e = read_kind(c, &f[0], &f[1], &one);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if ((c->has_user && !call_may(c, &BY_ACCOUNT, c->user.id)) ||
        !call_may(c, &BY_ADDRESS, c->peer))
        return;
    snprintf(one.stream_id, sizeof one.stream_id, "%s", s->id);
    one.at_s = at_us / US_PER_SEC;
    if (reactions_add(c->api->reactions, &one))
        call_empty(c, 202);
    else
        call_fail(c,
                  problem_set(&c->problem, E_LIMIT, "too_many_requests", NULL,
                              "There is too much going on; try again in a moment."),
                  429);
}

static void post(struct call *c)
{
    struct stream s;
    if (!app_stream_find(c, &s)) return;
    if (s.status == STREAM_ENDED)
        call_fail(c,
                  problem_set(&c->problem, E_CONFLICT, "stream_ended", NULL,
                              "The stream has ended; its reactions can be seen, not added to."),
                  0);
    else
        add(c, &s);
    stream_fini(&s);
}

/* [second of the programme, kind, how many]: short, as there may be one for each second. */
static json_t *timeline_json(const struct reaction *r, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("[I, s, I]", (json_int_t)r[i].at_s,
                                             REACTION_NAMES[r[i].kind], (json_int_t)r[i].n));
    return all;
}

static void list(struct call *c)
{
    uint64_t totals[REACTION_KINDS], after = 0;
    struct stream s;
    if (c->bad_query[0] ||
        (c->has_query[0] && !span_u64(span_str(c->query[0]), INT64_MAX / US_PER_SEC, &after))) {
        call_fail(c,
                  problem_set(&c->problem, E_INVALID, "invalid", "after",
                              "This must be a second since 1970."),
                  0);
        return;
    }
    if (!app_stream_find(c, &s)) return;
    size_t n = LIMIT_REACTIONS_PAGE;
    struct reaction *r = xcalloc(n, sizeof *r);
    enum err e = reaction_totals(c->db, s.id, totals);
    if (e == E_OK) e = reaction_list(c->db, s.id, (int64_t)after, r, &n);
    if (e == E_OK) {
        json_t *sums = json_object();
        for (unsigned k = 0; k < REACTION_KINDS; k++)
            json_object_set_new(sums, REACTION_NAMES[k], json_integer((json_int_t)totals[k]));
        /* Less than a page is the end; a second is never parted. */
        const bool more = n + REACTION_KINDS > LIMIT_REACTIONS_PAGE;
        call_json(c, 200,
                  json_pack("{s:o, s:o, s:o}", "totals", sums, "timeline", timeline_json(r, n),
                            "nextAfter", more ? json_integer(r[n - 1].at_s) : json_null()));
    } else {
        call_fail(c, e, 0);
    }
    free(r);
    stream_fini(&s);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/streams/{}/reactions", list, CALL_USER_MAYBE, {"after"}},
    {HTTP_POST, "/api/streams/{}/reactions", post, CALL_USER_MAYBE | CALL_BODY, {0}},
};
const struct endpoint_table app_reactions = ENDPOINT_TABLE(ENDPOINTS);
