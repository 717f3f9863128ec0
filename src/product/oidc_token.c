/* SPDX-License-Identifier: MIT */
#include "product/oidc.h"
#include "wire/json_flat.h"

#define SKEW_S 60 /* clocks differ */

static bool claim_is(struct span claims, const char *key, const char *value)
{
    struct str s = {0};
    const bool same = json_flat_text(claims, key, &s) == E_OK && span_is(str_span(&s), value);
    str_fini(&s);
    return same;
}

/* One text, or a list of them; for others too only when we are the party it was made for. */
static bool audience_is(const struct jwt *t, const char *client_id)
{
    struct span list;
    const bool azp = !jwt_find(t, "azp") || claim_is(t->body, "azp", client_id);
    if (!azp) return false;
    if (claim_is(t->body, "aud", client_id)) return true;
    if (json_flat_list(t->body, "aud", &list) != E_OK || !json_flat_has(list, client_id))
        return false;
    return !memchr(list.p, ',', list.len) || jwt_find(t, "azp") != NULL;
}

enum err oidc_token_check(const struct jwt *t, const struct oidc_expect *x, const char **why)
{
    int64_t at;
    *why = NULL;
    if (!claim_is(t->body, "iss", x->issuer))
        *why = "the token is another issuer's";
    else if (!audience_is(t, x->client_id))
        *why = "the token is for another client";
    else if (!jwt_seconds(t, "exp", &at) || at + SKEW_S <= x->now_s)
        *why = "the token has expired";
    else if (!jwt_seconds(t, "iat", &at) || at - SKEW_S > x->now_s)
        *why = "the token is from the future";
    else if (!claim_is(t->body, "nonce", x->nonce))
        *why = "the token is of another sign-in (nonce)";
    return *why ? E_AUTH : E_OK;
}

static void take(struct span claims, const char *key, char *out, size_t cap)
{
    struct str s = {0};
    out[0] = 0;
    if (json_flat_text(claims, key, &s) == E_OK) (void)span_cstr(str_span(&s), out, cap);
    str_fini(&s);
}

enum err oidc_person_read(struct span claims, struct oidc_person *out)
{
    static const char *const NAMES[] = {"name", "preferred_username", "nickname"};
    *out = (struct oidc_person){0};
    take(claims, "sub", out->subject, sizeof out->subject);
    take(claims, "email", out->email, sizeof out->email);
    out->email_verified = out->email[0] && json_flat_is_true(claims, "email_verified");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && !out->name[0]; i++)
        take(claims, NAMES[i], out->name, sizeof out->name);
    return out->subject[0] ? E_OK : E_AUTH;
}
