/* SPDX-License-Identifier: MIT */
/* /api/admin: accounts. For administrators with a session: a token that leaked must not make
 * others administrators. */
#include "api/app_admin.h"
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/account_mail.h"
#include "product/audit.h"
#include "product/mail.h"

/* --- shared ---------------------------------------------------------------------------------- */

bool admin_well(struct call *c, enum err e)
{
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

bool admin_call(struct call *c)
{
    if (c->user.admin && !c->token_row.id[0]) return true;
    return admin_well(c, problem_set(&c->problem, E_AUTH, "not_admin", NULL,
                                     "This is for administrators who have logged in."));
}

bool admin_id(struct call *c, const char *what)
{
    if (text_is_id(c->param[0])) return true;
    return admin_well(
        c, problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such %s.", what));
}

static int query_index(const struct call *c, const char *name)
{
    for (int i = 0; i < CALL_QUERY_MAX && c->ep->query[i]; i++)
        if (strcmp(c->ep->query[i], name) == 0) return i;
    CHECK(!"a query parameter that the endpoint does not name");
    return 0;
}

const char *admin_query(const struct call *c, const char *name)
{
    return c->query[query_index(c, name)];
}

bool admin_page(struct call *c, const char **cursor, unsigned *limit)
{
    uint64_t n = 50;
    for (unsigned i = 0; i < CALL_QUERY_MAX && c->ep->query[i]; i++)
        if (c->bad_query[i])
            return admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", c->ep->query[i],
                                             "This is too long, or badly encoded."));
    const char *text = admin_query(c, "limit");
    *cursor = admin_query(c, "cursor");
    if (*text && (!span_u64(span_str(text), LIMIT_PAGE_ITEMS, &n) || n == 0))
        return admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", "limit",
                                         "This must be a number from 1 to %d.", LIMIT_PAGE_ITEMS));
    *limit = (unsigned)n;
    return true;
}

/* --- the list -------------------------------------------------------------------------------- */

static json_t *admin_user_json(struct call *c, const struct admin_user *a)
{
    struct tuning t = {0};
    if (tuning_get(c->db, c->api->cfg.settings, &t) != E_OK) t.storage_quota = 0;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:I}", "id", a->user.id,
        "name", a->user.name, "email", a->user.email, "role", a->user.admin ? "admin" : "user",
        "createdAt", time_json(a->user.created_at), "lastSeenAt", time_json(a->last_seen_at),
        "suspendedAt", time_json(a->suspended_at), "suspendedReason", a->suspended_reason,
        "streams", (json_int_t)a->streams, "live", (json_int_t)a->live, "bytes",
        (json_int_t)a->bytes, "ownQuota", a->quota < 0 ? json_null() : json_integer(a->quota),
        "quota", (json_int_t)(a->quota < 0 ? t.storage_quota : a->quota));
}

/* The index of the word in `words`, 0 for "". -1: the reply is made. */
static int word_of(struct call *c, const char *name, const char *const *words)
{
    const char *given = admin_query(c, name);
    for (int i = 0; words[i]; i++)
        if (!*given || strcmp(words[i], given) == 0) return i;
    admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", name, "There is no such choice."));
    return -1;
}

static json_t *cursor_json(const char *next)
{
    return *next ? json_string(next) : json_null();
}

static void users(struct call *c)
{
    static const char *const FILTERS[] = {"all", "suspended", "admins", "live", NULL};
    static const char *const SORTS[] = {"new", "storage", NULL};
    struct admin_ask ask = {0};
    char next[ADMIN_CURSOR_CAP];
    size_t n = 0;
    if (!admin_call(c) || !admin_page(c, &ask.cursor, &ask.limit)) return;
    const int filter = word_of(c, "filter", FILTERS);
    const int sort = filter < 0 ? -1 : word_of(c, "sort", SORTS);
    if (sort < 0) return;
    ask.search = admin_query(c, "search");
    ask.filter = (enum admin_filter)filter;
    ask.sort = (enum admin_sort)sort;
    struct admin_user *rows = xcalloc(ask.limit, sizeof *rows);
    enum err e = admin_users(c->db, &ask, rows, &n, next);
    if (e == E_INVALID)
        e = problem_set(&c->problem, e, "invalid", "cursor", "This is not a cursor of a page.");
    if (admin_well(c, e)) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(list, admin_user_json(c, &rows[i]));
        call_json(c, 200, json_pack("{s:o, s:o}", "users", list, "nextCursor", cursor_json(next)));
    }
    free(rows);
}

static void reply_user(struct call *c)
{
    struct admin_user a;
    enum err e = admin_user_get(c->db, c->param[0], &a);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such user.");
    if (admin_well(c, e)) call_json(c, 200, admin_user_json(c, &a));
}

static void user(struct call *c)
{
    if (admin_call(c) && admin_id(c, "user")) reply_user(c);
}

/* --- changes --------------------------------------------------------------------------------- */

static void changed(struct call *c, enum err e, const char *what)
{
    if (!admin_well(c, e)) return;
    log_info("admin", "what=%s user=%s by=%s", what, c->param[0], c->user.id);
    app_orders_now(c->api);
    reply_user(c);
}

static void suspend(struct call *c)
{
    struct body_field f[] = {{"reason", BODY_TEXT, false, NULL}};
    if (admin_call(c) && admin_id(c, "user") && body_read(c, f, 1))
        changed(c, admin_suspend(c->db, c->user.id, c->param[0], body_text(&f[0]), &c->problem),
                "suspend");
}

static void unsuspend(struct call *c)
{
    if (admin_call(c) && admin_id(c, "user") && body_read(c, NULL, 0))
        changed(c, admin_unsuspend(c->db, c->user.id, c->param[0], &c->problem), "unsuspend");
}

static void role(struct call *c)
{
    struct body_field f[] = {{"role", BODY_TEXT, true, NULL}};
    if (!admin_call(c) || !admin_id(c, "user") || !body_read(c, f, 1)) return;
    const bool admin = span_is(body_text(&f[0]), "admin");
    if (!admin && !span_is(body_text(&f[0]), "user")) {
        admin_well(c, problem_set(&c->problem, E_INVALID, "invalid", "role",
                                  "This must be admin or user."));
        return;
    }
    changed(c, admin_set_role(c->db, c->user.id, c->param[0], admin, &c->problem), "role");
}

static void quota(struct call *c)
{
    struct body_field f[] = {{"bytes", BODY_NUMBER, false, NULL}};
    if (!admin_call(c) || !admin_id(c, "user") || !body_read(c, f, 1)) return;
    const int64_t bytes = f[0].value ? json_integer_value(f[0].value) : -1;
    changed(c, admin_set_quota(c->db, c->user.id, c->param[0], bytes, &c->problem), "quota");
}

/* By mail its owner gets a link to choose one. */
static void mail_link(struct call *c)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    struct user u;
    enum err e = account_get(c->db, c->param[0], &u);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such user.");
    if (e == E_OK) e = text_email(span_str(u.email), typed, key, &c->problem);
    if (e == E_OK) e = account_ask_reset(c->db, key);
    if (e == E_OK)
        e = audit_add(c->db, c->user.id, "user.password", "user", u.id, "a link by mail");
    if (admin_well(c, e)) call_json(c, 200, json_pack("{s:b}", "mailed", 1));
}

/* Without mail the password is shown once, to the administrator, who tells its owner. */
static void password(struct call *c)
{
    char fresh[ADMIN_PASSWORD_CAP];
    if (!admin_call(c) || !admin_id(c, "user") || !body_read(c, NULL, 0)) return;
    if (mail_on(c->api->cfg.settings)) {
        mail_link(c);
        return;
    }
    admin_new_password(fresh);
    if (admin_well(
            c, admin_set_password(c->db, c->user.id, c->param[0], span_str(fresh), &c->problem))) {
        log_info("admin", "what=password user=%s by=%s", c->param[0], c->user.id);
        call_json(c, 200, json_pack("{s:s}", "password", fresh));
    }
    explicit_bzero(fresh, sizeof fresh);
}

static void drop(struct call *c)
{
    if (!admin_call(c) || !admin_id(c, "user") || !body_read(c, NULL, 0) ||
        !admin_well(c, admin_delete_user(c->db, c->user.id, c->param[0], &c->problem)))
        return;
    log_info("admin", "what=delete user=%s by=%s", c->param[0], c->user.id);
    pool_run(c->api->cfg.pool, api_account_sweep, NULL, NULL, c->api);
    call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET,
     "/api/admin/users",
     users,
     CALL_USER,
     {"search", "filter", "sort", "cursor", "limit"}},
    {HTTP_GET, "/api/admin/users/{}", user, CALL_USER, {0}},
    {HTTP_POST, "/api/admin/users/{}/suspend", suspend, CALL_USER, {0}},
    {HTTP_POST, "/api/admin/users/{}/unsuspend", unsuspend, CALL_USER, {0}},
    {HTTP_POST, "/api/admin/users/{}/role", role, CALL_USER | CALL_BODY, {0}},
    {HTTP_POST, "/api/admin/users/{}/quota", quota, CALL_USER, {0}},
    {HTTP_DELETE, "/api/admin/users/{}", drop, CALL_USER, {0}},
    {HTTP_POST, "/api/admin/users/{}/password", password, CALL_USER | CALL_HASH, {0}},
};
const struct endpoint_table app_admin = ENDPOINT_TABLE(ENDPOINTS);
