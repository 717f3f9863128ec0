/* SPDX-License-Identifier: MIT */
#include "api/app_streams.h"
#include "api/api_priv.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "product/visibility.h"
#include "product/when.h"

static const struct throttle_rule CREATE = {"create-stream", 120, 5 * US_PER_SEC};

static bool id_is_fine(struct call *c)
{
    if (text_is_id(c->param[0])) return true;
    problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
    call_fail(c, E_NOTFOUND, 404);
    return false;
}

/* The stream as its owner sees it, read again after a change. */
static void reply_own(struct call *c, const char *id, int status)
{
    struct stream s;
    const enum err e = stream_get(c->db, id, &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    call_json(c, status, stream_json_own(c->api, c->db, &s, c->origin));
    stream_fini(&s);
}

/* --- fields ---------------------------------------------------------------------------------- */

enum { F_TITLE, F_DESCRIPTION, F_TYPE, F_SCHEDULE, F_VISIBILITY, F_PASSWORD, F_COUNT };

static enum err type_field(const struct body_field *f, struct stream_fields *out, struct problem *p)
{
    const int type = stream_word(STREAM_TYPE, body_text(f));
    if (type < 0)
        return problem_set(p, E_INVALID, "invalid", f->name, "This must be RTMP or BROWSER.");
    out->type = (enum stream_type)type;
    out->has |= STREAM_HAS_TYPE;
    return E_OK;
}

static enum err schedule_field(const struct body_field *f, struct stream_fields *out,
                               struct problem *p)
{
    out->has |= STREAM_HAS_SCHEDULE;
    if (json_is_null(f->value)) return E_OK;
    if (when_parse(body_text(f), &out->scheduled_at) == E_OK && out->scheduled_at > 0) return E_OK;
    return problem_set(p, E_INVALID, "invalid", f->name,
                       "This must be a time such as 2026-01-31T20:00:00Z.");
}

static enum err visibility_field(const struct body_field *f, struct stream_fields *out,
                                 struct problem *p)
{
    const int word = stream_word(VISIBILITY, body_text(f));
    if (word < 0)
        return problem_set(p, E_INVALID, "invalid", f->name,
                           "This must be PUBLIC, UNLISTED or PRIVATE.");
    out->visibility = (enum visibility)word;
    out->has |= STREAM_HAS_VISIBILITY;
    return E_OK;
}

/* Hashing is slow, and not in a lane here: so not often. */
static const struct throttle_rule SET_PASSWORD = {"stream-password", 20, 5 * US_PER_SEC};

/* False: the reply is made. */
static bool password_field(struct call *c, const struct body_field *f, struct stream_fields *out,
                           char hash[WATCH_HASH_CAP])
{
    const struct span password = body_text(f);
    if (password.len && !call_may(c, &SET_PASSWORD, c->user.id)) return false;
    const enum err e = visibility_hash(password, hash, &c->problem);
    if (e != E_OK) call_fail(c, e, 0);
    out->password_hash = hash;
    out->has |= STREAM_HAS_PASSWORD;
    return e == E_OK;
}

/* `hash`: room for the password's. */
static bool read_fields(struct call *c, bool creating, struct stream_fields *out,
                        char hash[WATCH_HASH_CAP])
{
    struct body_field f[F_COUNT] = {
        [F_TITLE] = {"title", BODY_TEXT, creating, NULL},
        [F_DESCRIPTION] = {"description", BODY_TEXT_OR_NULL, false, NULL},
        [F_TYPE] = {"streamType", BODY_TEXT, false, NULL},
        [F_SCHEDULE] = {"scheduledAt", BODY_TEXT_OR_NULL, false, NULL},
        [F_VISIBILITY] = {"visibility", BODY_TEXT, false, NULL},
        [F_PASSWORD] = {"password", BODY_TEXT_OR_NULL, false, NULL},
    };
    if (!body_read(c, f, F_COUNT)) return false;
    *out = (struct stream_fields){.title = body_text(&f[F_TITLE]),
                                  .description = body_text(&f[F_DESCRIPTION])};
    if (f[F_TITLE].value) out->has |= STREAM_HAS_TITLE;
    if (f[F_DESCRIPTION].value) out->has |= STREAM_HAS_DESCRIPTION;
    enum err e = f[F_TYPE].value ? type_field(&f[F_TYPE], out, &c->problem) : E_OK;
    if (e == E_OK && f[F_SCHEDULE].value) e = schedule_field(&f[F_SCHEDULE], out, &c->problem);
    if (e == E_OK && f[F_VISIBILITY].value)
        e = visibility_field(&f[F_VISIBILITY], out, &c->problem);
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK && (!f[F_PASSWORD].value || password_field(c, &f[F_PASSWORD], out, hash));
}

/* --- endpoints ------------------------------------------------------------------------------- */

void app_stream_create(struct call *c)
{
    struct stream_fields f;
    struct stream s;
    char hash[WATCH_HASH_CAP];
    if (!read_fields(c, true, &f, hash) || !call_may(c, &CREATE, c->user.id)) return;
    const enum err e = stream_add(c->db, c->api->cfg.secret, c->user.id, &f, &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if (s.remote) provider_wait_key(c->db, s.live_stream_id);
    log_info("stream_created", "stream=%s user=%s type=%s", s.id, c->user.id, STREAM_TYPE[s.type]);
    if (s.scheduled_at) api_lobby_changed(c->api);
    if (s.remote)
        reply_own(c, s.id, 201); /* with what Mux has answered meanwhile */
    else
        call_json(c, 201, stream_json_own(c->api, c->db, &s, c->origin));
    stream_fini(&s);
}

enum {
    Q_STATUS,
    Q_MINE,
    Q_LIMIT,
    Q_CURSOR,
    Q_SEARCH,
    Q_OWNER,
    Q_FOLLOWING,
    Q_COUNT
}; /* in the order of routes.c */

static enum err bad_query(struct call *c, unsigned i, const char *text)
{
    return problem_set(&c->problem, E_INVALID, "invalid", c->ep->query[i], "%s", text);
}

static bool yes_or_no(const char *text, bool *out)
{
    *out = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
    return *out || !*text || strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
}

static enum err list_question(struct call *c, struct stream_list *ask)
{
    *ask = (struct stream_list){.status = -1, .limit = 20, .cursor = c->query[Q_CURSOR]};
    ask->user_id = c->has_user ? c->user.id : NULL;
    for (unsigned i = 0; i < Q_COUNT; i++)
        if (c->bad_query[i]) return bad_query(c, i, "This is too long, or badly encoded.");
    if (c->query[Q_STATUS][0]) {
        ask->status = stream_word(STREAM_STATUS, span_str(c->query[Q_STATUS]));
        if (strcmp(c->query[Q_STATUS], "SCHEDULED") == 0) ask->status = STREAM_LIST_SCHEDULED;
        if (ask->status < 0)
            return bad_query(c, Q_STATUS, "This must be CREATED, SCHEDULED, LIVE or ENDED.");
    }
    if (!yes_or_no(c->query[Q_MINE], &ask->mine))
        return bad_query(c, Q_MINE, "This must be true or false.");
    if (!yes_or_no(c->query[Q_FOLLOWING], &ask->followed))
        return bad_query(c, Q_FOLLOWING, "This must be true or false.");
    ask->search = c->query[Q_SEARCH];
    if (strlen(ask->search) > LIMIT_SEARCH_BYTES)
        return bad_query(c, Q_SEARCH, "This is too long to search for.");
    if (c->query[Q_OWNER][0]) ask->owner_id = c->query[Q_OWNER];
    if (ask->mine && ask->status == STREAM_LIST_SCHEDULED)
        return bad_query(c, Q_STATUS, "Of your own streams ask for CREATED.");
    uint64_t limit;
    if (c->query[Q_LIMIT][0]) {
        if (!span_u64(span_str(c->query[Q_LIMIT]), LIMIT_PAGE_ITEMS, &limit) || limit == 0)
            return bad_query(c, Q_LIMIT, "This must be a number from 1 to 100.");
        ask->limit = (unsigned)limit;
    }
    return E_OK;
}

void app_stream_list(struct call *c)
{
    struct stream_list ask;
    struct stream rows[LIMIT_PAGE_ITEMS];
    size_t n = 0;
    char next[STREAM_CURSOR_CAP] = "";
    enum err e = list_question(c, &ask);
    if (e == E_OK) e = stream_list(c->db, &ask, rows, &n, next, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, e == E_AUTH ? 401 : 0);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, ask.mine ? stream_json_mine(c->api, c->db, &rows[i], c->origin)
                                             : stream_json(c->api, &rows[i], c->origin));
        stream_fini(&rows[i]);
    }
    call_json(c, 200,
              json_pack("{s:o, s:o}", "streams", list, "nextCursor",
                        *next ? json_string(next) : json_null()));
}

bool app_stream_find(struct call *c, struct stream *s)
{
    enum err e = E_OK;
    if (!text_is_id(c->param[0]))
        e = problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
    if (e == E_OK) e = stream_get(c->db, c->param[0], s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return false;
    }
    if (call_may_watch(c, s)) return true;
    stream_fini(s);
    return false;
}

typedef enum err find_stream(struct db *db, const char *id, struct stream *out, struct problem *p);

/* The stream that `find` finds; with its key for the owner, when the endpoint asked who it is. */
static void reply_found(struct call *c, find_stream *find)
{
    struct stream s;
    if (!id_is_fine(c)) return;
    const enum err e = find(c->db, c->param[0], &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    const bool own = c->has_user && strcmp(s.user_id, c->user.id) == 0;
    if (own)
        call_json(c, 200, stream_json_own(c->api, c->db, &s, c->origin));
    else if (call_may_watch(c, &s))
        call_json(c, 200, stream_json_watch(c->api, &s, c->origin));
    stream_fini(&s);
}

void app_stream_get(struct call *c)
{
    reply_found(c, stream_get);
}

/* For players on other people's pages. */
void app_stream_played(struct call *c)
{
    reply_found(c, stream_get_played);
}

/* After a change by the owner: everybody who looks is told, and the owner gets the stream. */
static void finish(struct call *c, enum err e)
{
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    api_stream_changed(c->api, c->param[0]);
    reply_own(c, c->param[0], 200);
}

void app_stream_change(struct call *c)
{
    struct stream_fields f;
    char hash[WATCH_HASH_CAP];
    if (!id_is_fine(c) || !read_fields(c, false, &f, hash)) return;
    const enum err e = stream_change(c->db, c->param[0], c->user.id, &f, &c->problem);
    if (e == E_OK && (f.has & (STREAM_HAS_VISIBILITY | STREAM_HAS_PASSWORD)))
        app_access_changed(c, c->param[0]);
    finish(c, e);
}

void app_stream_end(struct call *c)
{
    if (!id_is_fine(c) || !body_read(c, NULL, 0)) return;
    finish(c, stream_end(c->db, &c->api->runtime, c->param[0], c->user.id, &c->problem));
}

void app_stream_reset_key(struct call *c)
{
    if (!id_is_fine(c) || !body_read(c, NULL, 0)) return;
    finish(c, stream_reset_key(c->db, c->api->cfg.secret, &c->api->runtime, c->param[0], c->user.id,
                               &c->problem));
}

void app_stream_delete(struct call *c)
{
    if (!id_is_fine(c) || !body_read(c, NULL, 0)) return;
    const enum err e = stream_remove(c->db, &c->api->runtime, c->param[0], c->user.id, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    log_info("stream_deleted", "stream=%s user=%s", c->param[0], c->user.id);
    api_stream_changed(c->api, c->param[0]);
    call_empty(c, 204);
}
