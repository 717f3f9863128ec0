/* SPDX-License-Identifier: MIT */
/* POST /api/streams/{id}/report: what a viewer complains of. /api/admin/reports and
 * /api/admin/audit: what administrators read of it, and who did what. */
#include "api/api_priv.h"
#include "api/app_admin.h"
#include "api/app_streams.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "product/report.h"
#include "product/when.h"

static const struct throttle_rule BY_ACCOUNT = {"report", 10, 60 * US_PER_SEC};
static const struct throttle_rule BY_ADDRESS = {"report-address", 10, 120 * US_PER_SEC};

/* --- a viewer's ------------------------------------------------------------------------------ */

/* The message, when there is one; false: the reply is made. */
static bool find_message(struct call *c, const struct stream *s, const struct body_field *f,
                         struct chat_message *m)
{
    uint64_t id;
    enum err e = E_NOTFOUND;
    if (span_u64(body_text(f), INT64_MAX, &id)) e = chat_get(c->db, s->id, (int64_t)id, m);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", f->name, "There is no such message.");
    return admin_well(c, e);
}

static void add(struct call *c, const struct stream *s)
{
    struct body_field f[] = {{"reason", BODY_TEXT, true, NULL},
                             {"text", BODY_TEXT, false, NULL},
                             {"messageId", BODY_TEXT_OR_NULL, false, NULL}};
    struct chat_message m;
    if (!body_read(c, f, 3)) return;
    const bool message = f[2].value && !json_is_null(f[2].value);
    if (message && !find_message(c, s, &f[2], &m)) return;
    if (!call_may(c, &BY_ADDRESS, c->peer) ||
        (c->has_user && !call_may(c, &BY_ACCOUNT, c->user.id)))
        return;
    const enum err e = report_add(c->db, s, message ? &m : NULL, c->has_user ? c->user.id : NULL,
                                  body_text(&f[0]), body_text(&f[1]), &c->problem);
    if (!admin_well(c, e)) return;
    log_peer("report", "stream=%s user=%s peer=%s", s->id, c->has_user ? c->user.id : "-", c->peer);
    call_empty(c, 204);
}

static void report(struct call *c)
{
    struct stream s;
    enum err e = E_OK;
    if (!text_is_id(c->param[0]))
        e = problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
    if (e == E_OK) e = stream_get(c->db, c->param[0], &s, &c->problem);
    if (!admin_well(c, e)) return;
    if (call_may_watch(c, &s)) add(c, &s);
    stream_fini(&s);
}

/* --- an administrator's ---------------------------------------------------------------------- */

static json_t *report_json(const struct report *r)
{
    json_t *message = json_null();
    if (r->message_id)
        message = json_pack("{s:o, s:s, s:s}", "id", json_sprintf("%lld", (long long)r->message_id),
                            "by", r->message_by, "text", r->message_text);
    return json_pack(
        "{s:s, s:{s:s, s:s, s:b, s:{s:s, s:s}}, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "id",
        r->id, "stream", "id", r->stream_id, "title", r->stream_title, "live", (int)r->live, "user",
        "id", r->owner_id, "name", r->owner_name, "message", message, "reporter", r->reporter_name,
        "reason", r->reason, "text", r->content, "state", r->state, "note", r->note, "closedAt",
        time_json(r->closed_at), "closedBy", r->closed_by, "createdAt", time_json(r->created_at));
}

static enum err bad_cursor(struct call *c, enum err e)
{
    if (e != E_INVALID) return e;
    return problem_set(&c->problem, e, "invalid", "cursor", "This is not a cursor of a page.");
}

static void reports(struct call *c)
{
    const char *cursor;
    unsigned limit;
    size_t n;
    char next[REPORT_CURSOR_CAP];
    if (!admin_call(c) || !admin_page(c, &cursor, &limit)) return;
    struct report *rows = xcalloc(limit, sizeof *rows);
    if (admin_well(c, bad_cursor(c, report_list(c->db, admin_query(c, "state"), cursor, limit, rows,
                                                &n, next)))) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(list, report_json(&rows[i]));
        call_json(c, 200,
                  json_pack("{s:o, s:o}", "reports", list, "nextCursor",
                            *next ? json_string(next) : json_null()));
    }
    free(rows);
}

static void report_end(struct call *c)
{
    struct body_field f[] = {{"state", BODY_TEXT, true, NULL}, {"note", BODY_TEXT, false, NULL}};
    if (!admin_call(c) || !admin_id(c, "report") || !body_read(c, f, 2)) return;
    const bool resolved = span_is(body_text(&f[0]), "resolved");
    if (!resolved && !span_is(body_text(&f[0]), "dismissed")) {
        admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", "state",
                                  "This must be resolved or dismissed."));
        return;
    }
    if (admin_well(c, report_close(c->db, c->user.id, c->param[0], resolved, body_text(&f[1]),
                                   &c->problem)))
        call_empty(c, 204);
}

/* --- who did what ---------------------------------------------------------------------------- */

static json_t *line_json(const struct audit_line *l)
{
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:s}", "id", l->id, "at", time_json(l->at), "actor",
        l->actor_id[0] ? json_pack("{s:s, s:s}", "id", l->actor_id, "name", l->actor_name)
                       : json_null(),
        "action", l->action, "objectKind", l->object_kind, "objectId", l->object_id, "detail",
        l->detail);
}

/* A time of the query, 0 when it is not given. False: the reply is made. */
static bool read_time(struct call *c, const char *name, int64_t *out)
{
    const char *text = admin_query(c, name);
    *out = 0;
    if (!*text || when_parse(span_str(text), out) == E_OK) return true;
    return admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", name,
                                     "This must be a time such as 2026-01-31T20:00:00Z."));
}

static void audit(struct call *c)
{
    struct audit_ask ask = {0};
    size_t n;
    char next[AUDIT_CURSOR_CAP];
    if (!admin_call(c) || !admin_page(c, &ask.cursor, &ask.limit) ||
        !read_time(c, "from", &ask.from) || !read_time(c, "until", &ask.until))
        return;
    ask.actor = admin_query(c, "actor");
    ask.action = admin_query(c, "action");
    ask.object = admin_query(c, "object");
    struct audit_line *rows = xcalloc(ask.limit, sizeof *rows);
    if (admin_well(c, bad_cursor(c, audit_list(c->db, &ask, rows, &n, next)))) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(list, line_json(&rows[i]));
        call_json(c, 200,
                  json_pack("{s:o, s:o}", "lines", list, "nextCursor",
                            *next ? json_string(next) : json_null()));
    }
    free(rows);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/streams/{}/report", report, CALL_USER_MAYBE | CALL_BODY, {0}},
    {HTTP_GET, "/api/admin/reports", reports, CALL_USER, {"state", "cursor", "limit"}},
    {HTTP_POST, "/api/admin/reports/{}/close", report_end, CALL_USER | CALL_BODY, {0}},
    {HTTP_GET,
     "/api/admin/audit",
     audit,
     CALL_USER,
     {"actor", "action", "object", "from", "until", "cursor", "limit"}},
};
const struct endpoint_table app_reports = ENDPOINT_TABLE(ENDPOINTS);
