/* SPDX-License-Identifier: MIT */
/* /system/v1/webhooks: endpoints by API. Their deliveries are the product API's (app_webhooks.c).
 */
#include "api/api_priv.h"
#include "api/mux_call.h"
#include "api/webhook_json.h"

static json_t *hook_json(const struct webhook *w)
{
    return json_pack("{s:s, s:s, s:o, s:b}", "id", w->id, "address", w->address, "created_at",
                     webhook_time_json(w->created_at), "enabled", w->enabled);
}

static bool read_fields(struct call *c, bool creating, struct span *address, bool *has_address,
                        bool *enabled)
{
    const char *text = NULL;
    json_t *in = mux_body(c);
    if (!in || !mux_text(c, in, "address", LIMIT_URL_BYTES, &text) ||
        !mux_bool(c, in, "enabled", enabled))
        return false;
    *has_address = text != NULL;
    *address = span_str(text);
    if (creating && !text) return mux_invalid(c, "address", "This is needed.");
    if (!creating && !text && !mux_given(in, "enabled"))
        return mux_invalid(c, "address", "Give address or enabled, or both.");
    return true;
}

static void create(struct call *c)
{
    const struct webhook_rules rules = webhook_rules(c->api);
    struct webhook w;
    struct span address;
    bool enabled = true, given;
    char key[WEBHOOK_KEY_CAP];
    if (!read_fields(c, true, &address, &given, &enabled)) return;
    const enum err e =
        webhook_add(c->db, &rules, c->user.id, address, enabled, &w, key, &c->problem);
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    json_t *j = hook_json(&w);
    json_object_set_new(j, "signing_secret", json_string(key));
    mux_data(c, 201, j);
}

static void list(struct call *c)
{
    struct webhook rows[LIMIT_WEBHOOKS_PER_USER];
    struct mux_page page;
    size_t n = 0;
    if (!mux_page(c, &page)) return;
    if (page.limit > LIMIT_WEBHOOKS_PER_USER) page.limit = LIMIT_WEBHOOKS_PER_USER;
    const enum err e =
        webhook_list(c->db, c->user.id, page.limit, page.offset, rows, &n, &c->problem);
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, hook_json(&rows[i]));
    mux_list(c, a, NULL);
}

static void get(struct call *c)
{
    struct webhook w;
    const char *id = mux_id(c, 0, "webhook");
    if (!id) return;
    const enum err e = webhook_get(c->db, c->user.id, id, &w, &c->problem);
    if (e != E_OK)
        mux_fail(c, e);
    else
        mux_data(c, 200, hook_json(&w));
}

static void change(struct call *c)
{
    const struct webhook_rules rules = webhook_rules(c->api);
    struct webhook w;
    struct span address;
    bool enabled = true, has_address;
    const char *id = mux_id(c, 0, "webhook");
    if (!id || !read_fields(c, false, &address, &has_address, &enabled)) return;
    const bool has_enabled =
        !json_is_null(json_object_get(c->in, "enabled")) && mux_given(c->in, "enabled");
    const enum err e = webhook_change(c->db, &rules, c->user.id, id, has_address ? &address : NULL,
                                      has_enabled ? &enabled : NULL, &w, &c->problem);
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    webhooks_nudge(c->api->cfg.webhooks, id);
    mux_data(c, 200, hook_json(&w));
}

static void drop(struct call *c)
{
    const char *id = mux_id(c, 0, "webhook");
    if (!id) return;
    const enum err e = webhook_remove(c->db, c->user.id, id, &c->problem);
    if (e != E_OK)
        mux_fail(c, e);
    else
        mux_none(c);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/system/v1/webhooks", create, CALL_MUX, {0}},
    {HTTP_GET, "/system/v1/webhooks", list, CALL_MUX, {"page", "limit"}},
    {HTTP_GET, "/system/v1/webhooks/{}", get, CALL_MUX, {0}},
    {HTTP_PATCH, "/system/v1/webhooks/{}", change, CALL_MUX, {0}},
    {HTTP_DELETE, "/system/v1/webhooks/{}", drop, CALL_MUX, {0}},
};
const struct endpoint_table mux_webhooks = ENDPOINT_TABLE(ENDPOINTS);
