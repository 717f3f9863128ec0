/* SPDX-License-Identifier: MIT */
/* /api/me: one's own account, its address and password. */
#include "api/app_account.h"
#include "api/api_priv.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "product/account_change.h"
#include "product/account_factor.h"
#include "product/account_mail.h"
#include "product/mail.h"

/* Passwords and codes that are guessed by whoever sits before an open session; those that were
 * right are not counted. */
static const struct throttle_rule PROVE = {"prove", 10, 60 * US_PER_SEC};
static const struct throttle_rule CODE = {"second-factor", 10, 300 * US_PER_SEC};
/* Mails that somebody makes us send. */
static const struct throttle_rule MAILS = {"account-mail", 10, 600 * US_PER_SEC};

/* Who has no password shows that it is them by a session that has just begun. */
#define FRESH_US (600 * US_PER_SEC)

bool account_well(struct call *c, enum err e)
{
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

bool account_is_person(struct call *c)
{
    if (!c->token_row.id[0]) return true;
    return account_well(c, problem_set(&c->problem, E_AUTH, "session_needed", NULL,
                                       "Log in with e-mail and password for this."));
}

bool account_code_is_fine(struct call *c, const char *user_id, struct span code, int status)
{
    if (!call_may(c, &CODE, user_id)) return false;
    const enum err e = factor_take(c->db, c->api->cfg.secret, user_id, code, &c->problem);
    if (e == E_OK) {
        throttle_give_back(c->api->throttle, &CODE, user_id);
        return true;
    }
    call_fail(c, e, e == E_AUTH ? status : 0);
    return false;
}

static bool password_is_fine(struct call *c, struct span password)
{
    bool has = false;
    int64_t began = 0;
    if (!account_well(c, account_has_password(c->db, c->user.id, &has))) return false;
    if (has) return account_well(c, account_prove(c->db, c->user.id, password, &c->problem));
    if (!account_well(c, session_began(c->db, c->token, &began))) return false;
    if (began > clock_wall_us() - FRESH_US) return true;
    return account_well(c, problem_set(&c->problem, E_AUTH, "login_again", NULL,
                                       "Log out and in again, then this is possible for ten "
                                       "minutes."));
}

bool account_is_proven(struct call *c, struct span password, struct span code)
{
    struct factor_state st;
    if (!account_is_person(c) || !call_may(c, &PROVE, c->user.id) ||
        !password_is_fine(c, password) || !account_well(c, factor_state(c->db, c->user.id, &st)))
        return false;
    if (st.on && !code.len)
        return account_well(c, problem_set(&c->problem, E_INVALID, "totp_required", "code",
                                           "Enter the code of your authenticator app."));
    if (st.on && !account_code_is_fine(c, c->user.id, code, 422)) return false;
    throttle_give_back(c->api->throttle, &PROVE, c->user.id);
    return true;
}

/* --- what there is ---------------------------------------------------------------------------- */

static void reply_user(struct call *c)
{
    struct user u;
    if (account_well(c, account_get(c->db, c->user.id, &u)))
        call_json(c, 200, json_pack("{s:o}", "user", user_json(&u)));
}

static void show(struct call *c)
{
    char awaited[LIMIT_EMAIL_BYTES + 1];
    struct factor_state st;
    bool has_password = false, confirmed = false;
    if (!account_is_person(c) || !account_well(c, factor_state(c->db, c->user.id, &st)) ||
        !account_well(c, account_has_password(c->db, c->user.id, &has_password)) ||
        !account_well(c, account_is_confirmed(c->db, c->user.id, &confirmed)) ||
        !account_well(c, link_awaited(c->db, c->user.id, awaited)))
        return;
    json_t *totp = json_pack("{s:b, s:o, s:I}", "enabled", st.on, "since", time_json(st.since),
                             "recoveryCodesLeft", (json_int_t)st.recovery_left);
    call_json(c, 200,
              json_pack("{s:o, s:b, s:b, s:o, s:b, s:o}", "user", user_json(&c->user), "mail",
                        mail_on(c->api->cfg.settings), "emailConfirmed", confirmed, "pendingEmail",
                        awaited[0] ? json_string(awaited) : json_null(), "hasPassword",
                        has_password, "totp", totp));
}

static void rename_me(struct call *c)
{
    struct body_field f[] = {{"name", BODY_TEXT, true, NULL}};
    if (body_read(c, f, 1) &&
        account_well(c, account_rename(c->db, c->user.id, body_text(&f[0]), &c->problem)))
        reply_user(c);
}

/* --- the address ------------------------------------------------------------------------------ */

static void change_email(struct call *c)
{
    struct body_field f[] = {{"email", BODY_TEXT, true, NULL},
                             {"password", BODY_TEXT, false, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    const bool mails = mail_on(c->api->cfg.settings);
    if (!body_read(c, f, 3) || !account_is_proven(c, body_text(&f[1]), body_text(&f[2]))) return;
    if (!call_may(c, &MAILS, c->user.id)) return;
    if (!mails) {
        if (account_well(c, account_set_email(c->db, c->user.id, body_text(&f[0]), &c->problem)))
            reply_user(c);
        return;
    }
    if (account_well(c, account_ask_email(c->db, c->user.id, body_text(&f[0]), &c->problem)))
        call_json(c, 202, json_pack("{s:b}", "sent", 1));
}

static void forget_email(struct call *c)
{
    if (account_is_person(c) && body_read(c, NULL, 0) &&
        account_well(c, link_drop(c->db, c->user.id, LINK_CHANGE)))
        call_empty(c, 204);
}

static void ask_confirm(struct call *c)
{
    if (!account_is_person(c) || !body_read(c, NULL, 0)) return;
    if (!mail_on(c->api->cfg.settings)) {
        account_well(
            c, problem_set(&c->problem, E_CONFLICT, "no_mail", NULL, "This server sends no mail."));
        return;
    }
    if (call_may(c, &MAILS, c->user.id) &&
        account_well(c, account_ask_confirm(c->db, c->user.id, &c->problem)))
        call_empty(c, 204);
}

/* --- the password ----------------------------------------------------------------------------- */

static void change_password(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, false, NULL},
                             {"newPassword", BODY_TEXT, true, NULL},
                             {"code", BODY_TEXT, false, NULL}};
    if (!body_read(c, f, 3) || !account_is_proven(c, body_text(&f[0]), body_text(&f[2])) ||
        !account_well(c, account_set_password(c->db, c->user.id, body_text(&f[1]), c->token,
                                              "newPassword", &c->problem)))
        return;
    log_info("password_changed", "user=%s", c->user.id);
    if (mail_on(c->api->cfg.settings) &&
        account_tell(c->db, c->user.id, "Your password was changed",
                     "the password of your account was changed. Who was logged in elsewhere has to "
                     "log in again.") != E_OK)
        log_warn("mail", "user=%s is not told of the new password", c->user.id);
    call_empty(c, 204);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void sessions(struct call *c)
{
    struct session_row rows[LIMIT_SESSIONS_PER_USER];
    size_t n = LIMIT_SESSIONS_PER_USER;
    if (!account_is_person(c) ||
        !account_well(c, session_list(c->db, c->user.id, c->token, rows, &n)))
        return;
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct session_row *r = &rows[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "id", r->id,
                                             "userAgent", r->user_agent, "address", r->address,
                                             "createdAt", time_json(r->created_at), "lastUsedAt",
                                             time_json(r->used_at), "current", r->current));
    }
    call_json(c, 200, json_pack("{s:o}", "sessions", all));
}

static void end_session(struct call *c)
{
    if (!account_is_person(c) || !body_read(c, NULL, 0)) return;
    enum err e = session_end_id(c->db, c->user.id, c->param[0]);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such session.");
    if (!account_well(c, e)) return;
    log_info("session_ended", "user=%s", c->user.id);
    call_empty(c, 204);
}

static void end_others(struct call *c)
{
    if (account_is_person(c) && body_read(c, NULL, 0) &&
        account_well(c, session_end_others(c->db, c->user.id, c->token)))
        call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/me/account", show, CALL_USER, {0}},
    {HTTP_PATCH, "/api/me", rename_me, CALL_USER | CALL_BODY, {0}},
    {HTTP_POST, "/api/me/email", change_email, CALL_USER | CALL_BODY | CALL_HASH, {0}},
    {HTTP_DELETE, "/api/me/email", forget_email, CALL_USER, {0}},
    {HTTP_POST, "/api/me/email/confirmation", ask_confirm, CALL_USER, {0}},
    {HTTP_POST, "/api/me/password", change_password, CALL_USER | CALL_BODY | CALL_HASH, {0}},
    {HTTP_GET, "/api/me/sessions", sessions, CALL_USER, {0}},
    {HTTP_DELETE, "/api/me/sessions", end_others, CALL_USER, {0}},
    {HTTP_DELETE, "/api/me/sessions/{}", end_session, CALL_USER, {0}},
};
const struct endpoint_table app_account = ENDPOINT_TABLE(ENDPOINTS);
