/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/messages: the room of a stream. */
#include "api/app_chat.h"
#include "api/api_priv.h"
#include "api/body.h"
#include "api/event.h"
#include "api/program_time.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include <stdio.h>

static const struct throttle_rule BY_ACCOUNT = {"chat", 5, US_PER_SEC};
static const struct throttle_rule BY_ADDRESS = {"chat-address", 30, US_PER_SEC / 5};

#define DEFAULT_PAGE 50

/* --- events ---------------------------------------------------------------------------------- */

json_t *chat_id_json(int64_t id)
{
    return json_sprintf("%lld", (long long)id);
}

json_t *chat_role_json(enum chat_role role)
{
    return role == CHAT_OWNER       ? json_string("owner")
           : role == CHAT_MODERATOR ? json_string("moderator")
                                    : json_null();
}

json_t *chat_message_json(const struct chat_message *m)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:{s:s, s:s, s:o, s:o, s:o}}", "id", chat_id_json(m->id),
                     "content", m->content, "createdAt", time_json(m->created_at), "programTime",
                     time_json(m->program_at), "user", "id", m->user_id, "name", m->user_name,
                     "image", m->user_image[0] ? json_string(m->user_image) : json_null(), "handle",
                     m->user_handle[0] ? json_string(m->user_handle) : json_null(), "role",
                     chat_role_json(m->role));
}

json_t *chat_settings_json(const struct chat_room *room)
{
    return json_pack("{s:s, s:I, s:I, s:o}", "mode", CHAT_MODES[room->mode], "slowMode",
                     (json_int_t)room->slow_s, "followAge", (json_int_t)room->follow_s, "version",
                     chat_id_json(room->version));
}

/* One is told by its id alone, several by all of theirs. */
static json_t *gone_json(const struct chat_told *t)
{
    if (t->n_ids == 1) return json_pack("{s:o}", "id", chat_id_json(t->ids[0]));
    json_t *ids = json_array();
    for (size_t i = 0; i < t->n_ids; i++) json_array_append_new(ids, chat_id_json(t->ids[i]));
    return json_pack("{s:o}", "ids", ids);
}

static json_t *told_json(const struct chat_told *t)
{
    switch (t->kind) {
    case CHAT_TOLD_WRITTEN:
        return chat_message_json(t->m);
    case CHAT_TOLD_GONE:
        return gone_json(t);
    case CHAT_TOLD_SETTINGS:
        return chat_settings_json(t->room);
    case CHAT_TOLD_PINNED:
        return json_pack("{s:o, s:o}", "message", t->m ? chat_message_json(t->m) : json_null(),
                         "version", chat_id_json(t->id));
    case CHAT_TOLD_MEMBER:
        return json_pack("{s:s}", "userId", t->user_id);
    }
    return NULL;
}

static struct event *event_of(const struct chat_told *t)
{
    static const enum event_kind KINDS[] = {
        [CHAT_TOLD_WRITTEN] = EVENT_CHAT,           [CHAT_TOLD_GONE] = EVENT_CHAT_DELETED,
        [CHAT_TOLD_SETTINGS] = EVENT_CHAT_SETTINGS, [CHAT_TOLD_PINNED] = EVENT_CHAT_PINNED,
        [CHAT_TOLD_MEMBER] = EVENT_CHAT_MEMBER,
    };
    struct event *e = event_with(t->id, KINDS[t->kind], t->stream_id);
    json_t *j = told_json(t);
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

static void told(void *ctx, const struct chat_told *t)
{
    struct audience_origins o;
    struct api *a = ctx;
    if (audience_origins(a->audience, t->stream_id, &o)) api_events_send(a, event_of(t));
}

struct chat *api_chat_new(struct api *a)
{
    int64_t newest;
    if (chat_newest(api_db(a), &newest) == E_OK) event_begin_after(newest);
    return chat_new(&(struct chat_events){event_next_id, hold, told, a});
}

/* Messages that were deleted together are one event again. */
static struct event *missed_event(const struct chat_message *m, size_t n, size_t *used)
{
    int64_t ids[LIMIT_CHAT_RESUME];
    struct chat_told t = {
        .kind = CHAT_TOLD_WRITTEN, .id = m->id, .stream_id = m->stream_id, .m = m, .ids = ids};
    *used = 1;
    if (!m->deleted_event) return event_of(&t);
    t.kind = CHAT_TOLD_GONE;
    t.id = m->deleted_event;
    for (; t.n_ids < n && m[t.n_ids].deleted_event == t.id; t.n_ids++) ids[t.n_ids] = m[t.n_ids].id;
    *used = t.n_ids;
    return event_of(&t);
}

bool api_chat_missed(struct api *a, const char *stream_id, int64_t after,
                     struct event *out[LIMIT_CHAT_RESUME], size_t *n)
{
    size_t found = LIMIT_CHAT_RESUME, used;
    struct chat_message *m = xcalloc(found, sizeof *m);
    const enum err e = chat_since(api_db(a), stream_id, after, m, &found);
    *n = 0;
    for (size_t i = 0; i < found && e == E_OK; i += used)
        out[(*n)++] = missed_event(&m[i], found - i, &used);
    free(m);
    return e == E_OK;
}

/* --- the request ----------------------------------------------------------------------------- */

bool chat_call_number(struct call *c, unsigned at, const char *name, int64_t max, int64_t *out)
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
static void reply_list(struct call *c, const struct stream *s, int64_t before, int64_t limit)
{
    size_t n = (size_t)limit;
    struct chat_message *m = xcalloc(n, sizeof *m);
    const enum err e = chat_list(c->db, s->id, before, m, &n);
    if (e == E_OK) {
        json_t *all = json_array();
        for (size_t i = n; i-- > 0;) json_array_append_new(all, chat_message_json(&m[i]));
        json_t *next = n == (size_t)limit ? chat_id_json(m[n - 1].id) : json_null();
        call_json(c, 200, json_pack("{s:o, s:o}", "messages", all, "nextBefore", next));
    } else {
        call_fail(c, e, 0);
    }
    free(m);
}

static void list(struct call *c)
{
    int64_t before = INT64_MAX, limit = DEFAULT_PAGE;
    struct stream s;
    if (!chat_call_number(c, 0, "before", INT64_MAX, &before) ||
        !chat_call_number(c, 1, "limit", LIMIT_CHAT_PAGE, &limit) || !app_stream_find(c, &s))
        return;
    reply_list(c, &s, before, limit);
    stream_fini(&s);
}

/* Beside a player that knows what it plays, and no stream: a recording, a clip of one. */
static void list_played(struct call *c)
{
    int64_t before = INT64_MAX, limit = DEFAULT_PAGE;
    struct stream s;
    char id[ID_CAP];
    if (!chat_call_number(c, 0, "before", INT64_MAX, &before) ||
        !chat_call_number(c, 1, "limit", LIMIT_CHAT_PAGE, &limit))
        return;
    enum err e = text_is_id(c->param[0]) ? chat_played(c->db, c->param[0], id) : E_NOTFOUND;
    if (e == E_OK) e = stream_get(c->db, id, &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if (call_may_watch(c, &s)) reply_list(c, &s, before, limit);
    stream_fini(&s);
}

struct chat_writer chat_call_writer(struct call *c, const struct stream *s)
{
    struct chat_writer w = {.user_id = c->user.id, .admin = c->user.admin};
    chat_address(c->api->cfg.secret, s->user_id, c->peer, w.address);
    return w;
}

/* True when it may; the client is told how long to wait by Retry-After. */
static bool not_too_often(struct call *c, const struct throttle_rule *rule, const char *key,
                          const char *why)
{
    if (call_may(c, rule, key)) return true;
    snprintf(c->problem.text, sizeof c->problem.text, "%s", why);
    return false;
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
    if (!not_too_often(c, &BY_ACCOUNT, c->user.id, "You are writing too fast.") ||
        !not_too_often(c, &BY_ADDRESS, c->peer, "Too much is written from your network."))
        return;
    snprintf(m.stream_id, sizeof m.stream_id, "%s", s->id);
    snprintf(m.user_id, sizeof m.user_id, "%s", c->user.id);
    memcpy(m.user_name, c->user.name, sizeof m.user_name);
    memcpy(m.user_handle, c->user.handle, sizeof m.user_handle);
    memcpy(m.user_image, c->user.image, sizeof m.user_image);
    const struct chat_writer who = chat_call_writer(c, s);
    e = chat_add(c->api->chat, c->db, &m, &who, &c->problem);
    if (e == E_OK)
        call_json(c, 201, chat_message_json(&m));
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
    bool may = false;
    struct chat_message m;
    enum err e = E_NOTFOUND;
    if (span_u64(span_str(c->param[1]), INT64_MAX, &id))
        e = chat_get(c->db, s->id, (int64_t)id, &m);
    if (e == E_OK && strcmp(m.user_id, c->user.id) == 0)
        may = true;
    else if (e == E_OK)
        e = chat_call_moderates(c, s, &may);
    if (e == E_OK && !may)
        return problem_set(&c->problem, E_AUTH, "forbidden", NULL,
                           "Only its writer and who moderates this chat may delete a message.");
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
    {HTTP_GET, "/api/streams/{}/messages", list, CALL_USER_MAYBE, {"before", "limit"}},
    {HTTP_GET, "/api/playback/{}/messages", list_played, CALL_USER_MAYBE, {"before", "limit"}},
    {HTTP_POST, "/api/streams/{}/messages", post, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/messages/{}", drop, CALL_USER, {0}},
};
const struct endpoint_table app_chat = ENDPOINT_TABLE(ENDPOINTS);
