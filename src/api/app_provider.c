/* SPDX-License-Identifier: MIT */
/* Mux's webhooks, when Mux is the provider: what is signed and new names an object to look at, and
 * nothing of what it says about it is believed. */
#include "api/api_priv.h"
#include "api/body.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "video/provider.h"

/* An event's id and its object. False: not one of Mux's. */
static bool read_event(const json_t *j, const char **id, const char **kind, const char **object)
{
    const json_t *of = json_object_get(j, "object");
    *id = json_string_value(json_object_get(j, "id"));
    *kind = json_string_value(json_object_get(of, "type"));
    *object = json_string_value(json_object_get(of, "id"));
    return *id && *kind && *object && strlen(*id) <= 64 && strlen(*object) < REMOTE_ID_CAP &&
           **object &&
           !(*object)[strspn(*object, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-")];
}

static bool is_signed(struct call *c)
{
    const char *secret = c->api->cfg.settings->mux_webhook_secret;
    if (!provider_is_mux() || !secret[0]) {
        problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is nothing here.");
        call_fail(c, E_NOTFOUND, 404);
        return false;
    }
    if (provider_signed(c->mux_signature, span_str(secret), c->body, clock_wall_us() / US_PER_SEC))
        return true;
    log_warn("provider", "a webhook with a bad signature, or an old one, from %s", c->peer);
    problem_set(&c->problem, E_AUTH, "bad_signature", NULL,
                "Mux-Signature does not sign this body, or is older than five minutes.");
    call_fail(c, E_AUTH, 401);
    return false;
}

static void take_webhook(struct call *c)
{
    const char *id, *kind, *object;
    if (!is_signed(c)) return;
    if (body_depth(c->body) <= LIMIT_JSON_DEPTH)
        c->in = json_loadb((const char *)c->body.p, c->body.len, 0, NULL);
    if (!read_event(c->in, &id, &kind, &object)) {
        problem_set(&c->problem, E_PROTO, "invalid", NULL, "This is no event.");
        call_fail(c, E_PROTO, 400);
        return;
    }
    const enum err e = provider_hint(c->db, id, kind, object);
    if (e != E_OK)
        call_fail(c, e, 500);
    else
        call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/mux/webhook", take_webhook, 0, {0}, NULL, LIMIT_PROVIDER_BODY_BYTES},
};
const struct endpoint_table app_provider_table = ENDPOINT_TABLE(ENDPOINTS);
