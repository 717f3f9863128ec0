/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/chat: how the room is kept, and what the caller may do in it. */
#include "api/api_priv.h"
#include "api/app_chat.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

static const struct throttle_rule CHANGES = {"chat-settings", 60, US_PER_SEC};

/* --- who -------------------------------------------------------------------------------------- */

enum err chat_call_moderates(struct call *c, const struct stream *s, bool *may)
{
    enum chat_role role = CHAT_READER;
    *may = c->user.admin;
    const enum err e = c->user.admin ? E_OK : chat_role_get(c->db, s->user_id, c->user.id, &role);
    *may = *may || role != CHAT_READER;
    return e;
}

bool chat_call_moderated(struct call *c, struct stream *s)
{
    bool may;
    if (!app_stream_find(c, s)) return false;
    enum err e = chat_call_moderates(c, s, &may);
    if (e == E_OK && !may)
        e = problem_set(&c->problem, E_AUTH, "forbidden", NULL,
                        "Only who moderates this chat may do that.");
    if (e == E_OK) return true;
    call_fail(c, e, 0);
    stream_fini(s);
    return false;
}

/* --- looking ---------------------------------------------------------------------------------- */

static enum err me_json(struct call *c, const struct stream *s, const struct chat_room *room,
                        bool *moderates, json_t **out)
{
    struct chat_standing st;
    *moderates = false;
    *out = NULL;
    if (!c->has_user) {
        *out = json_null();
        return E_OK;
    }
    const int64_t now = clock_wall_us();
    const struct chat_writer who = chat_call_writer(c, s);
    const enum err e = chat_standing_get(c->db, room, &who, now, &st);
    if (e != E_OK) return e;
    *moderates = st.role != CHAT_READER || who.admin;
    json_t *role =
        st.role == CHAT_READER && who.admin ? json_string("admin") : chat_role_json(st.role);
    *out = json_pack("{s:o, s:b, s:o, s:o, s:o}", "role", role, "mayWrite", st.why == CHAT_MAY,
                     "why", CHAT_WHYS[st.why] ? json_string(CHAT_WHYS[st.why]) : json_null(),
                     "until", time_json(st.until), "seconds",
                     st.until ? json_integer(1 + (st.until - now) / US_PER_SEC) : json_null());
    return E_OK;
}

static enum err pinned_json(struct call *c, const struct chat_room *room, json_t **out)
{
    struct chat_message m;
    *out = NULL;
    const enum err e =
        room->pinned_id ? chat_get(c->db, room->stream_id, room->pinned_id, &m) : E_NOTFOUND;
    if (e == E_OK) *out = chat_message_json(&m);
    if (e == E_NOTFOUND) *out = json_null();
    return *out ? E_OK : e;
}

static json_t *words_json(const char *words)
{
    json_t *all = json_array();
    struct span rest = span_str(words);
    while (rest.len) {
        const struct span one = span_cut(&rest, '\n');
        json_array_append_new(all, json_stringn((const char *)one.p, one.len));
    }
    return all;
}

static void reply_room(struct call *c, const struct stream *s, const struct chat_room *room)
{
    bool moderates;
    json_t *me = NULL, *pinned = NULL;
    enum err e = me_json(c, s, room, &moderates, &me);
    if (e == E_OK) e = pinned_json(c, room, &pinned);
    if (e != E_OK) {
        json_decref(me);
        call_fail(c, e, 0);
        return;
    }
    json_t *j = json_pack("{s:o, s:o, s:o}", "settings", chat_settings_json(room), "pinned", pinned,
                          "me", me);
    if (moderates) json_object_set_new(j, "words", words_json(room->words));
    call_json(c, 200, j);
}

static void get(struct call *c)
{
    struct stream s;
    if (!app_stream_find(c, &s)) return;
    struct chat_room *room = NEW(struct chat_room);
    const enum err e = chat_room_get(c->db, s.id, room);
    if (e == E_OK)
        reply_room(c, &s, room);
    else
        call_fail(c, e, 0);
    free(room);
    stream_fini(&s);
}

/* --- changing --------------------------------------------------------------------------------- */

static enum err read_seconds(struct call *c, const struct body_field *f, int64_t max, int64_t *out)
{
    const json_int_t v = json_integer_value(f->value);
    if (v < 0 || v > max)
        return problem_set(&c->problem, E_INVALID, "invalid", f->name,
                           "This must be a number of seconds from 0 to %lld.", (long long)max);
    *out = v;
    return E_OK;
}

static enum err read_mode(struct call *c, const struct body_field *f, enum chat_mode *out)
{
    const int at = stream_word(CHAT_MODES, body_text(f));
    if (at < 0)
        return problem_set(&c->problem, E_INVALID, "invalid", f->name,
                           "This must be open, followers or off.");
    *out = (enum chat_mode)at;
    return E_OK;
}

static enum err read_words(struct call *c, const struct body_field *f, char *words)
{
    size_t i;
    json_t *v;
    enum err e = E_OK;
    json_array_foreach(f->value, i, v)
    {
        if (!json_is_string(v))
            return problem_set(&c->problem, E_INVALID, "wrong_type", f->name,
                               "This must be a list of texts.");
        e = chat_words_add(words, span_of(json_string_value(v), json_string_length(v)),
                           &c->problem);
        if (e != E_OK) break;
    }
    return e;
}

/* `words` has room for CHAT_WORDS_CAP and is empty. */
static enum err read_fields(struct call *c, const struct body_field *f,
                            struct chat_room_fields *out, char *words)
{
    enum err e = E_OK;
    *out = (struct chat_room_fields){.words = words};
    for (unsigned i = 0; i < 4; i++)
        if (f[i].value) out->has |= 1u << i;
    if (f[0].value) e = read_mode(c, &f[0], &out->mode);
    if (e == E_OK && f[1].value) e = read_seconds(c, &f[1], LIMIT_CHAT_SLOW_S, &out->slow_s);
    if (e == E_OK && f[2].value) e = read_seconds(c, &f[2], LIMIT_CHAT_FOLLOW_S, &out->follow_s);
    if (e == E_OK && f[3].value) e = read_words(c, &f[3], words);
    return e;
}

static void change(struct call *c)
{
    struct stream s;
    struct chat_room_fields fields;
    struct body_field f[] = {{"mode", BODY_TEXT, false, NULL},
                             {"slowMode", BODY_NUMBER, false, NULL},
                             {"followAge", BODY_NUMBER, false, NULL},
                             {"words", BODY_LIST, false, NULL}};
    if (!chat_call_moderated(c, &s)) return;
    struct chat_room *room = NEW(struct chat_room);
    char *words = xcalloc(1, CHAT_WORDS_CAP);
    if (body_read(c, f, 4) && call_may(c, &CHANGES, c->user.id)) {
        enum err e = read_fields(c, f, &fields, words);
        if (e == E_OK) e = chat_room_change(c->api->chat, c->db, s.id, c->user.id, &fields, room);
        if (e == E_OK)
            reply_room(c, &s, room);
        else
            call_fail(c, e, 0);
    }
    free(words);
    free(room);
    stream_fini(&s);
}

/* --- the pin ---------------------------------------------------------------------------------- */

static void set_pin(struct call *c, const struct stream *s, int64_t id)
{
    enum err e = chat_pin(c->api->chat, c->db, s->id, id, c->user.id);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL,
                        id ? "There is no such message." : "No message is pinned.");
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
}

static void pin(struct call *c)
{
    struct stream s;
    uint64_t id;
    struct body_field f[] = {{"messageId", BODY_TEXT, true, NULL}};
    if (!chat_call_moderated(c, &s)) return;
    if (body_read(c, f, 1) && call_may(c, &CHANGES, c->user.id)) {
        if (span_u64(body_text(&f[0]), INT64_MAX, &id) && id)
            set_pin(c, &s, (int64_t)id);
        else
            call_fail(c,
                      problem_set(&c->problem, E_NOTFOUND, "not_found", "messageId",
                                  "There is no such message."),
                      0);
    }
    stream_fini(&s);
}

static void unpin(struct call *c)
{
    struct stream s;
    if (!chat_call_moderated(c, &s)) return;
    if (call_may(c, &CHANGES, c->user.id)) set_pin(c, &s, 0);
    stream_fini(&s);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/streams/{}/chat", get, CALL_USER_MAYBE, {0}},
    {HTTP_PATCH, "/api/streams/{}/chat", change, CALL_USER | CALL_BODY, {0}},
    {HTTP_PUT, "/api/streams/{}/chat/pinned", pin, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/chat/pinned", unpin, CALL_USER, {0}},
};
const struct endpoint_table app_chat_room = ENDPOINT_TABLE(ENDPOINTS);
