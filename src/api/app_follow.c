/* SPDX-License-Identifier: MIT */
/* /api/users/{handle}/follow and /api/me/follows: whom somebody follows. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/channel_json.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "product/channel.h"

static const struct throttle_rule CHANGES = {"follow", 60, 2 * US_PER_SEC};
#define DEFAULT_PAGE 50

json_t *follow_json(const struct follow_choice *choice, int64_t at)
{
    return json_pack("{s:b, s:b, s:o}", "mail", choice->by_mail, "push", choice->by_push, "since",
                     time_json(at));
}

/* What is not said is as it was, or else as most want it. */
static struct follow_choice chosen(struct call *c, const struct channel *ch,
                                   const struct body_field f[2])
{
    struct follow had = {.choice = {true, true}};
    if (follow_get(c->db, c->user.id, ch->id, &had) != E_OK)
        had.choice = (struct follow_choice){true, true};
    if (f[0].value) had.choice.by_mail = json_is_true(f[0].value);
    if (f[1].value) had.choice.by_push = json_is_true(f[1].value);
    return had.choice;
}

static void put(struct call *c)
{
    struct body_field f[] = {{"mail", BODY_BOOL, false, NULL}, {"push", BODY_BOOL, false, NULL}};
    struct channel *ch = NEW(struct channel);
    struct follow now;
    enum err e = channel_get(c->db, c->param[0], ch, &c->problem);
    if (e == E_OK && (!body_read(c, f, 2) || !call_may(c, &CHANGES, c->user.id))) {
        free(ch);
        return;
    }
    if (e == E_OK) e = follow_add(c->db, c->user.id, ch->id, chosen(c, ch, f), &c->problem);
    if (e == E_OK) e = follow_get(c->db, c->user.id, ch->id, &now);
    if (e == E_OK)
        call_json(c, 200, json_pack("{s:o}", "following", follow_json(&now.choice, now.at)));
    else
        call_fail(c, e, 0);
    free(ch);
}

static void drop(struct call *c)
{
    struct channel *ch = NEW(struct channel);
    enum err e = channel_get(c->db, c->param[0], ch, &c->problem);
    if (e == E_OK) e = follow_remove(c->db, c->user.id, ch->id);
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
    free(ch);
}

static bool page_number(struct call *c, unsigned at, uint64_t max, uint64_t *out)
{
    if (!c->has_query[at] && !c->bad_query[at]) return true;
    if (!c->bad_query[at] && span_u64(span_str(c->query[at]), max, out) && *out > 0) return true;
    call_fail(c,
              problem_set(&c->problem, E_INVALID, "invalid", c->ep->query[at],
                          "This is not a page of the list."),
              0);
    return false;
}

static json_t *followed_json(const struct followed *f)
{
    json_t *j = follow_json(&f->choice, f->at);
    json_object_set_new(j, "user", person_json(f->id, f->name, f->handle, f->image));
    return j;
}

/* The cursor is the time of the page's last, of which there is one. */
static void list(struct call *c)
{
    uint64_t before = INT64_MAX, limit = DEFAULT_PAGE;
    if (!page_number(c, 0, INT64_MAX, &before) || !page_number(c, 1, LIMIT_PAGE_ITEMS, &limit))
        return;
    size_t n = (size_t)limit;
    struct followed *f = xcalloc(n, sizeof *f);
    const enum err e = follow_list(c->db, c->user.id, (int64_t)before, f, &n);
    if (e == E_OK) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, followed_json(&f[i]));
        call_json(
            c, 200,
            json_pack("{s:o, s:o}", "follows", all, "nextCursor",
                      n == limit ? json_sprintf("%lld", (long long)f[n - 1].at) : json_null()));
    } else {
        call_fail(c, e, 0);
    }
    free(f);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_PUT, "/api/users/{}/follow", put, CALL_USER, {0}},
    {HTTP_DELETE, "/api/users/{}/follow", drop, CALL_USER, {0}},
    {HTTP_GET, "/api/me/follows", list, CALL_USER, {"cursor", "limit"}},
};
const struct endpoint_table app_follow = ENDPOINT_TABLE(ENDPOINTS);
