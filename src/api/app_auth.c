/* SPDX-License-Identifier: MIT */
#include "api/app_auth.h"
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/app_admin.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "product/account_change.h"
#include "product/account_factor.h"
#include "product/account_mail.h"
#include "product/admin.h"
#include "product/audit.h"
#include "product/mail.h"
#include "product/oidc.h"
#include <stdio.h>

/* Guessing is slowed by account and address together, so that nobody can lock another out; by
 * account alone, more loosely, against guessing from many addresses; and by address, against trying
 * one password on many accounts. Attempts that succeed are not counted. */
static const struct throttle_rule LOGIN_PAIR = {"login-pair", 10, 60 * US_PER_SEC};
static const struct throttle_rule LOGIN_ACCOUNT = {"login-account", 60, 30 * US_PER_SEC};
static const struct throttle_rule LOGIN_ADDRESS = {"login-address", 100, 6 * US_PER_SEC};
static const struct throttle_rule REGISTER_ADDRESS = {"register", 100, 30 * US_PER_SEC};

enum err auth_begin_session(struct call *c, const struct user *u, struct problem *p)
{
    char token[SESSION_TOKEN_CAP];
    const struct session_from from = {c->user_agent, c->peer};
    enum err e = c->token.p ? session_end(c->db, c->token) : E_OK;
    if (e == E_OK) e = session_start_from(c->db, u->id, &from, token);
    if (e == E_AUTH && admin_may_sign_in(c->db, u->id, p) == E_OK)
        problem_set(p, e, "account_deleted", NULL, "This account is being deleted.");
    if (e != E_OK) return problem_of(p, e);
    call_cookie(c, token);
    return E_OK;
}

bool auth_start_session(struct call *c, const struct user *u)
{
    const enum err e = auth_begin_session(c, u, &c->problem);
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

static void start_session(struct call *c, const struct user *u, int status)
{
    if (auth_start_session(c, u)) call_json(c, status, json_pack("{s:o}", "user", user_json(u)));
}

/* A link by which the address is shown to be theirs; nothing waits for that. */
static void ask_confirm(struct call *c, const struct user *u)
{
    struct problem p = {0};
    if (mail_on(c->api->cfg.settings) && account_ask_confirm(c->db, u->id, &p) != E_OK)
        log_warn("mail", "user=%s is not asked to confirm the address: %s", u->id, p.text);
}

void app_register(struct call *c)
{
    struct body_field f[] = {{"name", BODY_TEXT, true, NULL},
                             {"email", BODY_TEXT, true, NULL},
                             {"password", BODY_TEXT, true, NULL},
                             {"invite", BODY_TEXT, false, NULL}};
    if (!body_read(c, f, 4) || !call_may(c, &REGISTER_ADDRESS, c->peer) ||
        !app_registration_admits(c, body_text(&f[3])))
        return;
    const struct account_new in = {body_text(&f[0]), body_text(&f[1]), body_text(&f[2]), false};
    struct user u;
    const enum err e = account_add(c->db, &in, &u, &c->problem);
    if (e != E_OK) {
        /* A slip of the pen is not an attempt; a taken address is, or they could be listed. */
        app_registration_failed(c, body_text(&f[3]));
        if (e == E_INVALID) throttle_give_back(c->api->throttle, &REGISTER_ADDRESS, c->peer);
        call_fail(c, e, 0);
        return;
    }
    log_info("register", "user=%s peer=%s", u.id, c->peer);
    ask_confirm(c, &u);
    start_session(c, &u, 201);
}

struct login_keys {
    char account[LIMIT_EMAIL_BYTES + 1];
    char pair[LIMIT_EMAIL_BYTES + THROTTLE_PEER_CAP + 2];
};

static void login_keys(const struct call *c, struct span email, struct login_keys *k)
{
    char typed[LIMIT_EMAIL_BYTES + 1];
    struct problem ignored;
    if (text_email(email, typed, k->account, &ignored) != E_OK)
        snprintf(k->account, sizeof k->account, "-");
    snprintf(k->pair, sizeof k->pair, "%s %s", k->account, c->peer);
}

/* The password was right. False: a code is needed too, and the reply is made. */
static bool second_factor(struct call *c, const struct user *u, struct span code)
{
    struct factor_state st;
    if (!account_well(c, factor_state(c->db, u->id, &st))) return false;
    if (!st.on) return true;
    if (!code.len) {
        problem_set(&c->problem, E_AUTH, "totp_required", "code",
                    "Enter the code of your authenticator app.");
        call_fail(c, E_AUTH, 401);
        return false;
    }
    if (account_code_is_fine(c, u->id, code, 401)) return true;
    metric_add(M_LOGINS_FAILED, 1);
    log_peer("login_failed", "peer=%s second factor", c->peer);
    return false;
}

void app_login(struct call *c)
{
    struct body_field f[] = {{"email", BODY_TEXT, true, NULL},
                             {"password", BODY_TEXT, true, NULL},
                             {"code", BODY_TEXT_OR_NULL, false, NULL}};
    if (!body_read(c, f, 3)) return;
    struct login_keys k;
    login_keys(c, body_text(&f[0]), &k);
    if (!call_may(c, &LOGIN_PAIR, k.pair) || !call_may(c, &LOGIN_ADDRESS, c->peer) ||
        !call_may(c, &LOGIN_ACCOUNT, k.account))
        return;
    struct user u;
    const enum err e = account_check(c->db, body_text(&f[0]), body_text(&f[1]), &u, &c->problem);
    if (e != E_OK) {
        if (e == E_AUTH) {
            metric_add(M_LOGINS_FAILED, 1);
            log_peer("login_failed", "peer=%s", c->peer);
        }
        call_fail(c, e, e == E_AUTH ? 401 : 0);
        return;
    }
    throttle_give_back(c->api->throttle, &LOGIN_PAIR, k.pair);
    throttle_give_back(c->api->throttle, &LOGIN_ADDRESS, c->peer);
    throttle_give_back(c->api->throttle, &LOGIN_ACCOUNT, k.account);
    if (!second_factor(c, &u, body_text(&f[2]))) return;
    if (u.admin && audit_add(c->db, u.id, "admin.login", "user", u.id, c->peer) != E_OK)
        log_warn("audit", "the login of user=%s was not noted", u.id);
    start_session(c, &u, 200);
}

void app_logout(struct call *c)
{
    if (!body_read(c, NULL, 0)) return;
    const enum err e = c->token.p ? session_end(c->db, c->token) : E_OK;
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    call_cookie(c, NULL);
    call_empty(c, 204);
}

void app_me(struct call *c)
{
    bool confirmed = true;
    if (mail_on(c->api->cfg.settings) &&
        !account_well(c, account_is_confirmed(c->db, c->user.id, &confirmed)))
        return;
    json_t *user = user_json(&c->user);
    if (!confirmed) json_object_set_new(user, "confirmEmail", json_true());
    call_json(c, 200, json_pack("{s:o}", "user", user));
}

/* The limits that a page keeps to: no secret, for everybody. */
void app_settings(struct call *c)
{
    const struct settings *s = c->api->cfg.settings;
    json_t *outside = oidc_is_on(c->api->oidc)
                          ? json_pack("{s:s}", "label", oidc_label(c->api->oidc))
                          : json_null();
    call_json(c, 200,
              json_pack("{s:o, s:s, s:I, s:I, s:I}", "signIn", outside, "registration",
                        REGISTRATION[app_registration(c)], "maxStreamDuration",
                        (json_int_t)s->max_stream_duration, "maxRecordingDuration",
                        (json_int_t)s->max_recording_duration, "maxUploadSize",
                        (json_int_t)s->max_upload_size));
}
