/* SPDX-License-Identifier: MIT */
/* /api/webhooks: an account's endpoints, what was sent to them, and once more. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/webhook_json.h"
#include "base/log.h"
#include <ctype.h>
#include <stdio.h>

static bool id_is_fine(struct call *c)
{
    if (text_is_id(c->param[0])) return true;
    problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such webhook.");
    call_fail(c, E_NOTFOUND, 404);
    return false;
}

static bool well(struct call *c, enum err e)
{
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

/* NULL: the call has failed. */
static json_t *hook_json(struct call *c, const struct webhook *w)
{
    int64_t waiting = 0;
    if (!well(c, webhook_waiting(c->db, w->id, &waiting, &c->problem))) return NULL;
    return json_pack("{s:s, s:s, s:b, s:o, s:I}", "id", w->id, "address", w->address, "enabled",
                     w->enabled, "createdAt", webhook_time_json(w->created_at), "waiting",
                     (json_int_t)waiting);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static void create(struct call *c)
{
    const struct webhook_rules rules = webhook_rules(c->api);
    struct body_field f[] = {{"address", BODY_TEXT, true, NULL},
                             {"enabled", BODY_BOOL, false, NULL}};
    struct webhook w;
    char key[WEBHOOK_KEY_CAP];
    if (!body_read(c, f, 2) ||
        !well(c, webhook_add(c->db, &rules, c->user.id, body_text(&f[0]),
                             !f[1].value || json_is_true(f[1].value), &w, key, &c->problem)))
        return;
    log_info("webhook_created", "webhook=%s user=%s", w.id, c->user.id);
    json_t *j = hook_json(c, &w);
    if (!j) return;
    json_object_set_new(j, "signingSecret", json_string(key));
    call_json(c, 201, j);
}

static void list(struct call *c)
{
    struct webhook rows[LIMIT_WEBHOOKS_PER_USER];
    size_t n = 0;
    if (!well(c,
              webhook_list(c->db, c->user.id, LIMIT_WEBHOOKS_PER_USER, 0, rows, &n, &c->problem)))
        return;
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *j = hook_json(c, &rows[i]);
        if (!j) {
            json_decref(a);
            return;
        }
        json_array_append_new(a, j);
    }
    call_json(c, 200, json_pack("{s:o}", "webhooks", a));
}

static void get(struct call *c)
{
    struct webhook w;
    if (!id_is_fine(c) || !well(c, webhook_get(c->db, c->user.id, c->param[0], &w, &c->problem)))
        return;
    json_t *j = hook_json(c, &w);
    if (j) call_json(c, 200, j);
}

static void change(struct call *c)
{
    const struct webhook_rules rules = webhook_rules(c->api);
    struct body_field f[] = {{"address", BODY_TEXT, false, NULL},
                             {"enabled", BODY_BOOL, false, NULL}};
    struct webhook w;
    if (!id_is_fine(c) || !body_read(c, f, 2)) return;
    const struct span address = body_text(&f[0]);
    const bool enabled = json_is_true(f[1].value);
    if (!well(c,
              webhook_change(c->db, &rules, c->user.id, c->param[0], f[0].value ? &address : NULL,
                             f[1].value ? &enabled : NULL, &w, &c->problem)))
        return;
    webhooks_nudge(c->api->cfg.webhooks, c->param[0]);
    json_t *j = hook_json(c, &w);
    if (j) call_json(c, 200, j);
}

static void renew_secret(struct call *c)
{
    const struct webhook_rules rules = webhook_rules(c->api);
    char key[WEBHOOK_KEY_CAP];
    if (id_is_fine(c) && body_read(c, NULL, 0) &&
        well(c, webhook_renew_key(c->db, &rules, c->user.id, c->param[0], key, &c->problem)))
        call_json(c, 200, json_pack("{s:s}", "signingSecret", key));
}

static void drop(struct call *c)
{
    if (!id_is_fine(c) || !body_read(c, NULL, 0) ||
        !well(c, webhook_remove(c->db, c->user.id, c->param[0], &c->problem)))
        return;
    log_info("webhook_deleted", "webhook=%s user=%s", c->param[0], c->user.id);
    call_empty(c, 204);
}

/* --- deliveries ------------------------------------------------------------------------------- */

/* "given_up" -> "GIVEN_UP", as the product's other states. */
static json_t *state_json(const char *state)
{
    char word[sizeof(((struct webhook_delivery *)0)->state)];
    size_t i = 0;
    for (; state[i] && i < sizeof word - 1; i++) word[i] = (char)toupper((unsigned char)state[i]);
    word[i] = 0;
    return json_string(word);
}

static json_t *delivery_json(const struct webhook_delivery *d)
{
    json_t *j =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "id", d->id, "eventId", d->event_id,
                  "type", d->type, "objectType", d->object_type, "objectId", d->object_id, "state",
                  state_json(d->state), "attempts", (json_int_t)d->attempts);
    json_object_set_new(j, "createdAt", webhook_time_json(d->created_at));
    json_object_set_new(j, "nextAt", webhook_time_json(d->next_at));
    json_object_set_new(j, "lastAt", webhook_time_json(d->last_at));
    /* null: there was no answer. */
    json_object_set_new(j, "lastStatus",
                        d->last_status ? json_integer(d->last_status) : json_null());
    return j;
}

enum { Q_STATE, Q_LIMIT, Q_CURSOR };

static bool read_question(struct call *c, struct webhook_list_ask *ask)
{
    static const char *const STATES[][2] = {
        {"WAITING", "waiting"}, {"DELIVERED", "delivered"}, {"GIVEN_UP", "given_up"}};
    uint64_t limit;
    unsigned bad = 0;
    const char *text = NULL;
    *ask = (struct webhook_list_ask){
        .webhook_id = c->param[0], .cursor = c->query[Q_CURSOR], .limit = 25};
    for (; bad <= Q_CURSOR && !c->bad_query[bad]; bad++) {
    }
    if (bad <= Q_CURSOR) text = "This is too long, or badly encoded.";
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(c->query[Q_STATE], STATES[i][0])) ask->state = STATES[i][1];
    if (!text && c->query[Q_STATE][0] && !ask->state)
        bad = Q_STATE, text = "This must be WAITING, DELIVERED or GIVEN_UP.";
    if (!text && c->query[Q_LIMIT][0]) {
        if (!span_u64(span_str(c->query[Q_LIMIT]), LIMIT_PAGE_ITEMS, &limit) || !limit)
            bad = Q_LIMIT, text = "This must be a number from 1 to 100.";
        else
            ask->limit = (unsigned)limit;
    }
    if (!text) return true;
    problem_set(&c->problem, E_INVALID, "invalid", c->ep->query[bad], "%s", text);
    call_fail(c, E_INVALID, 0);
    return false;
}

static void deliveries(struct call *c)
{
    struct webhook_list_ask ask;
    struct webhook_delivery rows[LIMIT_PAGE_ITEMS];
    char next[WEBHOOK_CURSOR_CAP] = "";
    size_t n = 0;
    if (!id_is_fine(c) || !read_question(c, &ask) ||
        !well(c, webhook_deliveries(c->db, c->user.id, &ask, rows, &n, next, &c->problem)))
        return;
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, delivery_json(&rows[i]));
    call_json(c, 200,
              json_pack("{s:o, s:o}", "deliveries", a, "nextCursor",
                        *next ? json_string(next) : json_null()));
}

static enum err attempts_json(struct db *db, const char *delivery_id, json_t *out)
{
    struct db_rows *q = webhook_attempts(db, delivery_id);
    while (db_next(q)) {
        const int64_t status = db_int(q, 1);
        json_array_append_new(
            out, json_pack("{s:o, s:o, s:s, s:I}", "at", webhook_time_json(db_int(q, 2)), "status",
                           status ? json_integer(status) : json_null(), "answer", db_text(q, 0),
                           "tookMs", (json_int_t)(db_int(q, 3) / US_PER_MS)));
    }
    return db_done(q);
}

static void delivery(struct call *c)
{
    struct webhook_delivery d;
    struct str body = {0};
    if (!id_is_fine(c)) return;
    json_t *attempts = json_array();
    enum err e =
        webhook_delivery_get(c->db, c->user.id, c->param[0], c->param[1], &d, &body, &c->problem);
    if (e == E_OK) e = attempts_json(c->db, d.id, attempts);
    if (well(c, e)) {
        json_t *j = delivery_json(&d);
        json_object_set_new(j, "request", json_string(str_c(&body)));
        json_object_set(j, "answers", attempts);
        call_json(c, 200, j);
    }
    json_decref(attempts);
    str_fini(&body);
}

static void send_again(struct call *c)
{
    struct webhook_delivery d;
    struct str body = {0};
    if (!id_is_fine(c) || !body_read(c, NULL, 0) ||
        !well(c, webhook_send_again(c->db, c->user.id, c->param[0], c->param[1], &c->problem)))
        return;
    webhooks_nudge(c->api->cfg.webhooks, c->param[0]);
    if (well(c, webhook_delivery_get(c->db, c->user.id, c->param[0], c->param[1], &d, &body,
                                     &c->problem)))
        call_json(c, 202, delivery_json(&d));
    str_fini(&body);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/webhooks", list, CALL_USER, {0}},
    {HTTP_POST, "/api/webhooks", create, CALL_USER | CALL_BODY, {0}},
    {HTTP_GET, "/api/webhooks/{}", get, CALL_USER, {0}},
    {HTTP_PATCH, "/api/webhooks/{}", change, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/webhooks/{}", drop, CALL_USER, {0}},
    {HTTP_POST, "/api/webhooks/{}/secret", renew_secret, CALL_USER, {0}},
    {HTTP_GET, "/api/webhooks/{}/deliveries", deliveries, CALL_USER, {"state", "limit", "cursor"}},
    {HTTP_GET, "/api/webhooks/{}/deliveries/{}", delivery, CALL_USER, {0}},
    {HTTP_POST, "/api/webhooks/{}/deliveries/{}/send", send_again, CALL_USER, {0}},
};
const struct endpoint_table app_webhooks = ENDPOINT_TABLE(ENDPOINTS);
