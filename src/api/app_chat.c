/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/messages: the room of a stream. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "api/body.h"
#include "api/event.h"
#include "api/program_time.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/chat.h"
#include <stdio.h>

static const struct throttle_rule BY_ACCOUNT = {"chat", 5, US_PER_SEC};
static const struct throttle_rule BY_ADDRESS = {"chat-address", 30, US_PER_SEC / 5};

#define DEFAULT_PAGE 50

static json_t *message_id_json(int64_t id)
{
    return json_sprintf("%lld", (long long)id);
}

static json_t *message_json(const struct chat_message *m)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:{s:s, s:s, s:o}}", "id", message_id_json(m->id),
                     "content", m->content, "createdAt", time_json(m->created_at), "programTime",
                     time_json(m->program_at), "user", "id", m->user_id, "name", m->user_name,
                     "image", m->user_image[0] ? json_string(m->user_image) : json_null());
}

/* --- events ---------------------------------------------------------------------------------- */

struct event *api_chat_event(const struct chat_message *m)
{
    const bool gone = m->deleted_event != 0;
    struct event *e = event_with(gone ? m->deleted_event : m->id,
                                 gone ? EVENT_CHAT_DELETED : EVENT_CHAT, m->stream_id);
    json_t *j = gone ? json_pack("{s:o}", "id", message_id_json(m->id)) : message_json(m);
    char *text = json_dumps(j, JSON_COMPACT);
    CHECK(text);
    e->text[LIMIT_SSE_ORIGINS] = event_text(e->id, e->kind, text);
    free(text);
    json_decref(j);
    return e;
}

static void hold(void *ctx, bool on)
{
    api_events_order(ctx, on);
}

static void told(void *ctx, const struct chat_message *m)
{
    struct audience_origins o;
    struct api *a = ctx;
    if (audience_origins(a->audience, m->stream_id, &o)) api_events_send(a, api_chat_event(m));
}

struct chat *api_chat_new(struct api *a)
{
    int64_t newest;
    if (chat_newest(api_db(a), &newest) == E_OK) event_begin_after(newest);
    return chat_new(&(struct chat_events){event_next_id, hold, told, a});
}

/* --- the request ----------------------------------------------------------------------------- */

static bool read_number(struct call *c, unsigned at, const char *name, int64_t max, int64_t *out)
{
    uint64_t v;
    if (!c->has_query[at] && !c->bad_query[at]) return true;
    if (!c->bad_query[at] && span_u64(span_str(c->query[at]), (uint64_t)max, &v) && v > 0) {
        *out = (int64_t)v;
        return true;
    }
    call_fail(c,
              problem_set(&c->problem, E_INVALID, "invalid", name,
                          "This must be a number from 1 to %lld.", (long long)max),
              0);
    return false;
}

/* Oldest first, as they are read; the page before it is asked for with its first id. */
static void list(struct call *c)
{
    int64_t before = INT64_MAX, limit = DEFAULT_PAGE;
    struct stream s;
    if (!read_number(c, 0, "before", INT64_MAX, &before) ||
        !read_number(c, 1, "limit", LIMIT_CHAT_PAGE, &limit) || !app_stream_find(c, &s))
        return;
    size_t n = (size_t)limit;
    struct chat_message *m = xcalloc(n, sizeof *m);
    const enum err e = chat_list(c->db, s.id, before, m, &n);
    if (e == E_OK) {
        json_t *all = json_array();
        for (size_t i = n; i-- > 0;) json_array_append_new(all, message_json(&m[i]));
        json_t *next = n == (size_t)limit ? message_id_json(m[n - 1].id) : json_null();
        call_json(c, 200, json_pack("{s:o, s:o}", "messages", all, "nextBefore", next));
    } else {
        call_fail(c, e, 0);
    }
    free(m);
    stream_fini(&s);
}

static void add(struct call *c, const struct stream *s)
{
    struct body_field f[] = {{"content", BODY_TEXT, true, NULL},
                             {"programTime", BODY_TEXT_OR_NULL, false, NULL}};
    struct chat_message m = {0};
    if (!body_read(c, f, 2) || !program_time_read(c, &f[1], s, &m.program_at)) return;
    enum err e = text_check(body_text(&f[0]), TEXT_LINE, LIMIT_CHAT_CHARS, "content", m.content,
                            &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if (!call_may(c, &BY_ACCOUNT, c->user.id) || !call_may(c, &BY_ADDRESS, c->peer)) return;
    snprintf(m.stream_id, sizeof m.stream_id, "%s", s->id);
    snprintf(m.user_id, sizeof m.user_id, "%s", c->user.id);
    memcpy(m.user_name, c->user.name, sizeof m.user_name);
    memcpy(m.user_image, c->user.image, sizeof m.user_image);
    e = chat_add(c->api->chat, c->db, &m);
    if (e == E_OK)
        call_json(c, 201, message_json(&m));
    else
        call_fail(c, e, 0);
}

static void post(struct call *c)
{
    struct stream s;
    if (!app_stream_find(c, &s)) return;
    if (s.status == STREAM_ENDED)
        call_fail(c,
                  problem_set(&c->problem, E_CONFLICT, "chat_closed", NULL,
                              "The stream has ended; its chat can be read, not written."),
                  0);
    else
        add(c, &s);
    stream_fini(&s);
}

static enum err remove_message(struct call *c, const struct stream *s)
{
    uint64_t id;
    struct chat_message m;
    enum err e = E_NOTFOUND;
    if (span_u64(span_str(c->param[1]), INT64_MAX, &id))
        e = chat_get(c->db, s->id, (int64_t)id, &m);
    if (e == E_OK && strcmp(m.user_id, c->user.id) != 0 && strcmp(s->user_id, c->user.id) != 0)
        return problem_set(&c->problem, E_AUTH, "forbidden", NULL,
                           "Only its writer and the stream's owner may delete a message.");
    if (e == E_OK) e = chat_delete(c->api->chat, c->db, &m, c->user.id);
    if (e == E_NOTFOUND)
        return problem_set(&c->problem, e, "not_found", NULL, "There is no such message.");
    return e;
}

static void drop(struct call *c)
{
    struct stream s;
    if (!app_stream_find(c, &s)) return;
    const enum err e = remove_message(c, &s);
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
    stream_fini(&s);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/streams/{}/messages", list, 0, {"before", "limit"}},
    {HTTP_POST, "/api/streams/{}/messages", post, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/messages/{}", drop, CALL_USER, {0}},
};
const struct endpoint_table app_chat = ENDPOINT_TABLE(ENDPOINTS);
