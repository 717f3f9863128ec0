/* SPDX-License-Identifier: MIT */
/* /api/auth/forgot, reset and confirm: what is done with a mail at hand, and without a session. */
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/body.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/account_mail.h"
#include "product/mail.h"
#include <stdio.h>

/* By account whether there is one or not, so that the limit does not tell. */
static const struct throttle_rule FORGOT_ACCOUNT = {"forgot", 3, 900 * US_PER_SEC};
static const struct throttle_rule FORGOT_ADDRESS = {"forgot-address", 20, 60 * US_PER_SEC};
/* A token is not guessed; this bounds what is hashed for who tries. */
static const struct throttle_rule LINKS = {"mail-link", 60, 10 * US_PER_SEC};

struct forgot {
    struct api *api;
    char key[LIMIT_EMAIL_BYTES + 1];
};

static void forgot_work(void *arg) /* pool */
{
    struct forgot *f = arg;
    const enum err e = account_ask_reset(api_db(f->api), f->key);
    if (e != E_OK) log_warn("forgot", "no mail is sent: %s", err_text(e));
    free(f);
}

/* The answer is the same, and made before anybody looks whether there is such an account: so it
 * takes the same time. */
static void forgot(struct call *c)
{
    struct body_field b[] = {{"email", BODY_TEXT, true, NULL}};
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    if (!body_read(c, b, 1)) return;
    if (!mail_on(c->api->cfg.settings)) {
        account_well(c, problem_set(&c->problem, E_CONFLICT, "no_mail", NULL,
                                    "This server sends no mail; ask its administrator for a new "
                                    "password."));
        return;
    }
    if (!account_well(c, text_email(body_text(&b[0]), typed, key, &c->problem)) ||
        !call_may(c, &FORGOT_ADDRESS, c->peer) || !call_may(c, &FORGOT_ACCOUNT, key))
        return;
    struct forgot *f = NEW(struct forgot);
    f->api = c->api;
    snprintf(f->key, sizeof f->key, "%s", key);
    pool_run(c->api->cfg.pool, forgot_work, NULL, NULL, f);
    call_json(c, 202, json_pack("{s:b}", "sent", 1));
}

static void reset(struct call *c)
{
    struct body_field b[] = {{"token", BODY_TEXT, true, NULL}, {"password", BODY_TEXT, true, NULL}};
    if (!body_read(c, b, 2) || !call_may(c, &LINKS, c->peer) ||
        !account_well(c, account_reset(c->db, body_text(&b[0]), body_text(&b[1]), &c->problem)))
        return;
    log_info("password_reset", "peer=%s", c->peer);
    call_cookie(c, NULL);
    call_empty(c, 204);
}

static void confirm(struct call *c)
{
    struct body_field b[] = {{"token", BODY_TEXT, true, NULL}};
    struct account_link l;
    if (body_read(c, b, 1) && call_may(c, &LINKS, c->peer) &&
        account_well(c, account_confirm(c->db, body_text(&b[0]), &l, &c->problem)))
        call_json(c, 200, json_pack("{s:s}", "email", l.email));
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/auth/forgot", forgot, CALL_BODY, {0}},
    {HTTP_POST, "/api/auth/reset", reset, CALL_BODY | CALL_HASH, {0}},
    {HTTP_POST, "/api/auth/confirm", confirm, CALL_BODY, {0}},
};
const struct endpoint_table app_account_mail = ENDPOINT_TABLE(ENDPOINTS);
