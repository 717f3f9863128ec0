/* SPDX-License-Identifier: MIT */
/* Signing in with an OpenID provider: /api/auth/oidc/start and /callback, /api/me/identities.
 *
 * A browser asks `start` for the provider's address and goes there; the provider sends it back to
 * `callback`, which leads it on: signed in, or to a page that says what went wrong by the code in
 * ?problem=. Why, in detail, is in the log: the words of a provider are shown to nobody. */
#include "api/api_priv.h"
#include "api/app_admin.h"
#include "api/app_auth.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "product/oidc.h"
#include "product/sign_in.h"
#include "wire/http_uri.h"
#include <stdio.h>

#define CALLBACK "/api/auth/oidc/callback"

static const struct throttle_rule STARTS = {"sign-in", 200, 3 * US_PER_SEC};
static const struct throttle_rule ANSWERS = {"sign-in-answer", 200, 3 * US_PER_SEC};

struct oidc *api_oidc_new(struct api *a)
{
    const struct settings *s = a->cfg.settings;
    return oidc_new(&(struct oidc_settings){.issuer = s->oidc_issuer,
                                            .client_id = s->oidc_client_id,
                                            .client_secret = s->oidc_client_secret,
                                            .label = s->oidc_label,
                                            .allow_private = s->oidc_allow_private,
                                            .client = a->cfg.client,
                                            .secret = a->cfg.secret});
}

/* --- there ------------------------------------------------------------------------------------ */

/* A cookie of its own, only for our half of the way; Lax: the provider's page sends it back here.
 */
static void set_cookie(struct call *c, const char *browser)
{
    snprintf(c->cookie, sizeof c->cookie,
             "%s=%s; Path=/api/auth/oidc; Max-Age=%d; HttpOnly; SameSite=Lax%s",
             CALL_SIGN_IN_COOKIE, browser, LIMIT_OIDC_FLOW_S, c->secure ? "; Secure" : "");
}

static bool read_start(struct call *c, struct sign_in *in)
{
    struct body_field f[] = {{"next", BODY_TEXT, false, NULL}, {"connect", BODY_BOOL, false, NULL}};
    if (!body_read(c, f, 2)) return false;
    const struct span next = f[0].value ? body_text(&f[0]) : SPAN_LIT("/");
    if (!sign_in_next_is_ours(next) || !span_cstr(next, in->next, sizeof in->next)) {
        call_fail(c,
                  problem_set(&c->problem, E_INVALID, "invalid", "next",
                              "This must be a path on this server."),
                  0);
        return false;
    }
    if (!json_is_true(f[1].value)) return true;
    if (!c->has_user) {
        problem_set(&c->problem, E_AUTH, "unauthorized", NULL, "Log in first.");
        call_fail(c, E_AUTH, 401);
        return false;
    }
    snprintf(in->user_id, sizeof in->user_id, "%s", c->user.id);
    return true;
}

static bool is_on(struct call *c)
{
    if (oidc_is_on(c->api->oidc)) return true;
    call_fail(c,
              problem_set(&c->problem, E_NOTFOUND, "sign_in_off", NULL,
                          "This server has no OpenID provider."),
              0);
    return false;
}

static void start(struct call *c)
{
    struct sign_in in = {0};
    struct str url = {0};
    struct problem why = {0};
    char state[SIGN_IN_TOKEN_CAP], browser[SIGN_IN_TOKEN_CAP] = "";
    if (!is_on(c) || !read_start(c, &in) || !call_may(c, &STARTS, c->peer)) return;
    snprintf(in.redirect_uri, sizeof in.redirect_uri, "%s" CALLBACK, c->origin);
    (void)span_cstr(c->sign_in, browser, sizeof browser);
    enum err e = sign_in_begin(c->db, &in, state, browser);
    const struct oidc_flow f = {state, browser, in.redirect_uri};
    if (e == E_OK) e = oidc_address(c->api->oidc, &f, &url, &why);
    if (e == E_OK) {
        set_cookie(c, browser);
        call_json(c, 200, json_pack("{s:s}", "url", str_c(&url)));
    } else {
        log_warn("sign-in", "problem=%s: %s", why.code ? why.code : err_label(e), why.text);
        problem_set(&c->problem, e, "sign_in_unreachable", NULL,
                    "The sign-in provider cannot be reached now; try again later.");
        call_fail(c, e, 0);
    }
    str_fini(&url);
}

/* --- and back --------------------------------------------------------------------------------- */

struct answer {
    char code[LIMIT_OIDC_CODE_BYTES], state[SIGN_IN_TOKEN_CAP], issuer[LIMIT_URL_BYTES + 1];
    char error[64];
    bool has_issuer;
    struct sign_in flow;
};

static void lead_to_problem(struct call *c, const struct answer *a, const char *code)
{
    char path[128];
    const bool connects = a->flow.user_id[0];
    snprintf(path, sizeof path, "%s?problem=%s", connects ? "/account" : "/login", code);
    metric_add(M_LOGINS_FAILED, 1);
    call_lead(c, path);
}

/* False: the reply is made. */
static bool read_answer(struct call *c, struct answer *a)
{
    const struct span q = c->raw_query;
    char browser[SIGN_IN_TOKEN_CAP] = "";
    const enum err code = http_uri_query_get(q, "code", a->code, sizeof a->code);
    a->has_issuer = http_uri_query_get(q, "iss", a->issuer, sizeof a->issuer) == E_OK;
    const bool refused = http_uri_query_get(q, "error", a->error, sizeof a->error) != E_NOTFOUND;
    if (http_uri_query_get(q, "state", a->state, sizeof a->state) != E_OK ||
        !span_cstr(c->sign_in, browser, sizeof browser) ||
        sign_in_take(c->db, span_str(a->state), span_str(browser), &a->flow) != E_OK) {
        log_peer("sign_in_refused", "peer=%s why=\"not begun by this browser, or over\"", c->peer);
        lead_to_problem(c, a, "sign_in_over");
        return false;
    }
    if (code == E_OK && a->code[0] && !refused) return true;
    lead_to_problem(c, a,
                    strcmp(a->error, "access_denied") ? "sign_in_failed" : "sign_in_cancelled");
    return false;
}

static enum err enter(struct call *c, const struct answer *a, const struct oidc_person *who,
                      struct problem *p)
{
    struct user u;
    const char *issuer = oidc_issuer(c->api->oidc);
    if (a->flow.user_id[0]) {
        /* Who went there is who came back. */
        if (!c->has_user || strcmp(c->user.id, a->flow.user_id) != 0)
            return problem_set(p, E_AUTH, "sign_in_over", NULL, "another session");
        return sign_in_connect(c->db, issuer, who, c->user.id, p);
    }
    const bool open = app_registration(c) == REGISTRATION_OPEN;
    const enum err e = sign_in_person(c->db, issuer, who, open, &u, p);
    if (e != E_OK) return e;
    log_info("sign_in", "user=%s peer=%s", u.id, c->peer);
    /* Without our second factor: how its people show who they are is the provider's. */
    return auth_begin_session(c, &u, p);
}

static void callback(struct call *c)
{
    struct answer *a = NEW(struct answer);
    struct oidc_person who;
    struct problem p = {0};
    if (is_on(c) && call_may(c, &ANSWERS, c->peer) && read_answer(c, a)) {
        char browser[SIGN_IN_TOKEN_CAP] = "";
        (void)span_cstr(c->sign_in, browser, sizeof browser);
        const struct oidc_flow f = {a->state, browser, a->flow.redirect_uri};
        enum err e = oidc_redeem(c->api->oidc, &f, a->code,
                                 a->has_issuer ? span_str(a->issuer) : SPAN_NULL, &who, &p);
        if (e == E_OK) e = enter(c, a, &who, &p);
        if (e == E_OK) {
            call_lead(c, a->flow.next);
        } else {
            log_peer("sign_in_refused", "peer=%s problem=%s why=\"%s\"", c->peer,
                     p.code ? p.code : err_label(e), p.text);
            lead_to_problem(c, a, p.code ? p.code : "sign_in_failed");
        }
    }
    free(a);
}

/* --- identities ------------------------------------------------------------------------------- */

static void list(struct call *c)
{
    struct identity *i = xcalloc(LIMIT_IDENTITIES, sizeof *i);
    size_t n = 0;
    const enum err e = sign_in_list(c->db, c->user.id, i, &n);
    if (e == E_OK) {
        json_t *all = json_array();
        for (size_t k = 0; k < n; k++)
            json_array_append_new(
                all, json_pack("{s:s, s:s, s:o, s:o, s:o}", "id", i[k].id, "issuer", i[k].issuer,
                               "email", i[k].email[0] ? json_string(i[k].email) : json_null(),
                               "createdAt", time_json(i[k].created_at), "usedAt",
                               time_json(i[k].used_at)));
        call_json(c, 200, json_pack("{s:o}", "identities", all));
    } else {
        call_fail(c, e, 0);
    }
    free(i);
}

static void disconnect(struct call *c)
{
    const enum err e = sign_in_disconnect(c->db, c->user.id, c->param[0], &c->problem);
    if (e == E_OK)
        call_empty(c, 204);
    else
        call_fail(c, e, 0);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/auth/oidc/start", start, CALL_USER_MAYBE | CALL_BODY | CALL_AWAY, {0}},
    {HTTP_GET, CALLBACK, callback, CALL_USER_MAYBE | CALL_AWAY, {0}},
    {HTTP_GET, "/api/me/identities", list, CALL_USER, {0}},
    {HTTP_DELETE, "/api/me/identities/{}", disconnect, CALL_USER, {0}},
};
const struct endpoint_table app_sign_in = ENDPOINT_TABLE(ENDPOINTS);
