/* SPDX-License-Identifier: MIT */
/* /api/me/totp: the second factor. */
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "product/account_factor.h"
#include "product/account_mail.h"
#include "product/audit.h"
#include "product/mail.h"
#include <stdio.h>

/* Guesses at the first code are of no use to anybody, and cost little. */
static const struct throttle_rule SET_UP = {"totp-set-up", 20, 30 * US_PER_SEC};

/* For people, after it is done: nothing is undone when it cannot be told. */
static void note(struct call *c, const char *action, const char *what)
{
    enum err e = audit_add(c->db, c->user.id, action, "user", c->user.id, NULL);
    if (e == E_OK && mail_on(c->api->cfg.settings))
        e = account_tell(c->db, c->user.id, "The second factor of your account", what);
    if (e != E_OK) log_warn("account", "user=%s %s is not told", c->user.id, action);
}

/* What the app shows beside the code: the host by which people know this server. */
static void issuer(const struct call *c, char out[128])
{
    const char *from = c->api->cfg.settings->public_url;
    if (!*from) from = c->origin;
    const char *host = strstr(from, "://");
    host = host ? host + 3 : from;
    snprintf(out, 128, "%.*s", (int)strcspn(host, ":/"), host);
    if (!out[0]) snprintf(out, 128, "bspnode");
}

static void begin(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, false, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    char key[FACTOR_KEY_CAP], uri[FACTOR_URI_CAP], from[128];
    if (!body_read(c, f, 2) || !account_is_proven(c, body_text(&f[0]), body_text(&f[1])) ||
        !account_well(c, factor_begin(c->db, c->api->cfg.secret, c->user.id, key, &c->problem)))
        return;
    issuer(c, from);
    factor_uri(from, c->user.email, key, uri);
    call_json(c, 201, json_pack("{s:s, s:s}", "secret", key, "uri", uri));
    explicit_bzero(key, sizeof key);
    explicit_bzero(uri, sizeof uri);
}

static void reply_codes(struct call *c, struct factor_codes *codes)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < LIMIT_RECOVERY_CODES; i++)
        json_array_append_new(all, json_string(codes->text[i]));
    explicit_bzero(codes, sizeof *codes);
    call_json(c, 200, json_pack("{s:o}", "recoveryCodes", all));
}

static void confirm(struct call *c)
{
    struct body_field f[] = {{"code", BODY_TEXT, true, NULL}};
    struct factor_codes codes;
    if (!account_is_person(c) || !body_read(c, f, 1) || !call_may(c, &SET_UP, c->user.id) ||
        !account_well(c, factor_confirm(c->db, c->api->cfg.secret, c->user.id,
                                        span_trim(body_text(&f[0])), &codes, &c->problem)))
        return;
    note(c, "user.totp-on", "a second factor was turned on: who logs in needs a code of an app.");
    reply_codes(c, &codes);
}

static void renew(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, false, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    struct factor_codes codes;
    if (!body_read(c, f, 2) || !account_is_proven(c, body_text(&f[0]), body_text(&f[1])) ||
        !account_well(
            c, factor_renew_recovery(c->db, c->api->cfg.secret, c->user.id, &codes, &c->problem)))
        return;
    note(c, "user.recovery-codes", "new recovery codes were made; the old ones are good no more.");
    reply_codes(c, &codes);
}

static void end(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, false, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    if (!body_read(c, f, 2) || !account_is_proven(c, body_text(&f[0]), body_text(&f[1])) ||
        !account_well(c, factor_end(c->db, c->user.id)))
        return;
    note(c, "user.totp-off", "the second factor was turned off: a password is enough to log in.");
    call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/me/totp", begin, CALL_USER | CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/me/totp/confirm", confirm, CALL_USER | CALL_BODY, {0}},
    {HTTP_POST, "/api/me/totp/recovery-codes", renew, CALL_USER | CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/me/totp/off", end, CALL_USER | CALL_BODY | CALL_HASH, {0}},
};
const struct endpoint_table app_account_factor = ENDPOINT_TABLE(ENDPOINTS);
