/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/chat/...: bans, moderators, and what was done. They are the streamer's and hold
 * in all their rooms; the stream of the path says whose, and where it is told. */
#include "api/api_priv.h"
#include "api/app_chat.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

static const struct throttle_rule BANS = {"chat-ban", 60, US_PER_SEC};
static const struct throttle_rule NAMES = {"chat-moderator", 30, 2 * US_PER_SEC};
/* It finds accounts by their address of e-mail: not for trying out many. */
static const struct throttle_rule SEARCHES = {"chat-people", 30, 3 * US_PER_SEC};

#define DEFAULT_PAGE 50

static json_t *person_json(const struct chat_person *u)
{
    if (!u->id[0]) return json_null();
    return json_pack("{s:s, s:s, s:o}", "id", u->id, "name", u->name, "image",
                     u->image[0] ? json_string(u->image) : json_null());
}

static void finish(struct call *c, enum err e, const char *what)
{
    if (e == E_NOTFOUND && !c->problem.code)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such %s.", what);
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
}

static bool owner_only(struct call *c, struct stream *s)
{
    if (!app_stream_find(c, s)) return false;
    if (!strcmp(s->user_id, c->user.id)) return true;
    call_fail(
        c,
        problem_set(&c->problem, E_AUTH, "forbidden", NULL, "Only the streamer names moderators."),
        0);
    stream_fini(s);
    return false;
}

/* --- bans ------------------------------------------------------------------------------------- */

static json_t *ban_json(const struct chat_ban *b)
{
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:o, s:b}", "id", b->id, "user", person_json(&b->user), "until",
        b->until == CHAT_FOR_GOOD ? json_null() : time_json(b->until), "reason", b->reason, "by",
        b->by_name, "createdAt", time_json(b->created_at), "address", b->addresses > 0);
}

static void bans(struct call *c)
{
    struct stream s;
    int64_t before = INT64_MAX;
    if (!chat_call_number(c, 0, "before", INT64_MAX, &before) || !chat_call_moderated(c, &s))
        return;
    size_t n = LIMIT_CHAT_PAGE;
    struct chat_ban *all = xcalloc(n, sizeof *all);
    const enum err e = chat_ban_list(c->db, s.user_id, before, all, &n);
    if (e == E_OK) {
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(rows, ban_json(&all[i]));
        json_t *next = n == LIMIT_CHAT_PAGE ? chat_id_json(all[n - 1].created_at) : json_null();
        call_json(c, 200, json_pack("{s:o, s:o}", "bans", rows, "nextBefore", next));
    } else {
        call_fail(c, e, 0);
    }
    free(all);
    stream_fini(&s);
}

enum { B_USER, B_SECONDS, B_ADDRESS, B_DELETE, B_REASON, B_COUNT };

static enum err read_ban(struct call *c, const struct body_field *f, struct chat_ban_ask *out,
                         char *user_id, char *reason)
{
    if (!span_cstr(body_text(&f[B_USER]), user_id, ID_CAP))
        return problem_set(&c->problem, E_NOTFOUND, "not_found", "userId",
                           "There is no such account.");
    const json_int_t seconds = f[B_SECONDS].value ? json_integer_value(f[B_SECONDS].value) : 0;
    if (seconds < 0 || seconds > LIMIT_CHAT_TIMEOUT_S)
        return problem_set(&c->problem, E_INVALID, "invalid", "seconds",
                           "This must be from 1 to %d, or 0 for good.", LIMIT_CHAT_TIMEOUT_S);
    out->seconds = seconds;
    out->address = json_is_true(f[B_ADDRESS].value);
    out->delete_recent = json_is_true(f[B_DELETE].value);
    out->user_id = user_id;
    out->reason = reason;
    reason[0] = 0;
    if (!f[B_REASON].value || !body_text(&f[B_REASON]).len) return E_OK;
    return text_check(body_text(&f[B_REASON]), TEXT_LINE, LIMIT_CHAT_REASON_CHARS, "reason", reason,
                      &c->problem);
}

static void add_ban(struct call *c, const struct stream *s, const struct body_field *f)
{
    char user_id[ID_CAP], id[ID_CAP], reason[TEXT_CAP(LIMIT_CHAT_REASON_CHARS)];
    struct chat_ban_ask ask = {.stream_id = s->id, .owner_id = s->user_id, .by = &c->user};
    struct chat_ban *made = NEW(struct chat_ban);
    enum err e = read_ban(c, f, &ask, user_id, reason);
    if (e == E_OK) e = chat_ban_add(c->api->chat, c->db, &ask, id, &c->problem);
    if (e == E_OK) e = chat_ban_get(c->db, s->user_id, id, made);
    if (e == E_OK)
        call_json(c, 201, ban_json(made));
    else
        call_fail(c, e, 0);
    free(made);
}

static void ban(struct call *c)
{
    struct stream s;
    struct body_field f[B_COUNT] = {[B_USER] = {"userId", BODY_TEXT, true, NULL},
                                    [B_SECONDS] = {"seconds", BODY_NUMBER, false, NULL},
                                    [B_ADDRESS] = {"address", BODY_BOOL, false, NULL},
                                    [B_DELETE] = {"deleteMessages", BODY_BOOL, false, NULL},
                                    [B_REASON] = {"reason", BODY_TEXT, false, NULL}};
    if (!chat_call_moderated(c, &s)) return;
    if (body_read(c, f, B_COUNT) && call_may(c, &BANS, c->user.id)) add_ban(c, &s, f);
    stream_fini(&s);
}

static void unban(struct call *c)
{
    struct stream s;
    if (!chat_call_moderated(c, &s)) return;
    finish(c, chat_ban_remove(c->api->chat, c->db, s.id, s.user_id, c->param[1], c->user.id),
           "ban");
    stream_fini(&s);
}

/* --- moderators ------------------------------------------------------------------------------- */

static void reply_people(struct call *c, enum err e, const char *name,
                         const struct chat_person *all, size_t n)
{
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(rows, person_json(&all[i]));
    call_json(c, 200, json_pack("{s:o}", name, rows));
}

static void moderators(struct call *c)
{
    struct stream s;
    size_t n = LIMIT_CHAT_MODERATORS;
    if (!chat_call_moderated(c, &s)) return;
    struct chat_person *all = xcalloc(n, sizeof *all);
    const enum err e = chat_moderator_list(c->db, s.user_id, all, &n);
    reply_people(c, e, "moderators", all, n);
    free(all);
    stream_fini(&s);
}

static void name_moderator(struct call *c)
{
    struct stream s;
    char id[ID_CAP];
    struct body_field f[] = {{"userId", BODY_TEXT, true, NULL}};
    if (!owner_only(c, &s)) return;
    if (body_read(c, f, 1) && call_may(c, &NAMES, c->user.id)) {
        enum err e = span_cstr(body_text(&f[0]), id, sizeof id) ? E_OK : E_NOTFOUND;
        if (e == E_OK)
            e = chat_moderator_add(c->api->chat, c->db, s.id, s.user_id, id, &c->problem);
        finish(c, e, "account");
    }
    stream_fini(&s);
}

static void dismiss_moderator(struct call *c)
{
    struct stream s;
    if (!owner_only(c, &s)) return;
    finish(c, chat_moderator_remove(c->api->chat, c->db, s.id, s.user_id, c->param[1]),
           "moderator");
    stream_fini(&s);
}

static void people(struct call *c)
{
    struct stream s;
    struct chat_person all[LIMIT_CHAT_PEOPLE];
    size_t n = LIMIT_CHAT_PEOPLE;
    char text[TEXT_CAP(LIMIT_NAME_CHARS)];
    if (!owner_only(c, &s)) return;
    stream_fini(&s);
    if (!call_may(c, &SEARCHES, c->user.id)) return;
    enum err e = c->bad_query[0] ? E_INVALID : E_OK;
    if (e == E_OK)
        e = text_check(span_str(c->query[0]), TEXT_LINE, LIMIT_NAME_CHARS, "q", text, &c->problem);
    else
        problem_set(&c->problem, e, "invalid", "q", "This is too long.");
    if (e == E_OK) e = chat_people_find(c->db, text, all, &n);
    reply_people(c, e, "people", all, n);
}

/* --- the log ---------------------------------------------------------------------------------- */

static json_t *line_json(const struct chat_log_line *l)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s}", "id", chat_id_json(l->id), "at",
                     time_json(l->at), "streamId", l->stream_id, "action", l->action, "by",
                     person_json(&l->by), "user", person_json(&l->user), "content",
                     l->content[0] ? json_string(l->content) : json_null(), "detail", l->detail);
}

static void show_log(struct call *c)
{
    struct stream s;
    int64_t before = INT64_MAX, limit = DEFAULT_PAGE;
    if (!chat_call_number(c, 0, "before", INT64_MAX, &before) ||
        !chat_call_number(c, 1, "limit", LIMIT_CHAT_PAGE, &limit) || !chat_call_moderated(c, &s))
        return;
    size_t n = (size_t)limit;
    struct chat_log_line *all = xcalloc(n, sizeof *all);
    const enum err e = chat_log_list(c->db, s.user_id, before, all, &n);
    if (e == E_OK) {
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(rows, line_json(&all[i]));
        json_t *next = n == (size_t)limit ? chat_id_json(all[n - 1].id) : json_null();
        call_json(c, 200, json_pack("{s:o, s:o}", "log", rows, "nextBefore", next));
    } else {
        call_fail(c, e, 0);
    }
    free(all);
    stream_fini(&s);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/streams/{}/chat/bans", bans, CALL_USER, {"before"}},
    {HTTP_POST, "/api/streams/{}/chat/bans", ban, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/chat/bans/{}", unban, CALL_USER, {0}},
    {HTTP_GET, "/api/streams/{}/chat/moderators", moderators, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/chat/moderators", name_moderator, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/chat/moderators/{}", dismiss_moderator, CALL_USER, {0}},
    {HTTP_GET, "/api/streams/{}/chat/people", people, CALL_USER, {"q"}},
    {HTTP_GET, "/api/streams/{}/chat/log", show_log, CALL_USER, {"before", "limit"}},
};
const struct endpoint_table app_chat_people = ENDPOINT_TABLE(ENDPOINTS);
