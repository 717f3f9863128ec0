/* SPDX-License-Identifier: MIT */
/* product/oidc.h - signing in with an OpenID provider: what is asked of it, and what of its answers
 * is believed.
 *
 * Sources: OpenID Connect Core 1.0 (3.1, the authorization code flow), Discovery 1.0, RFC 7636
 * (PKCE, S256), RFC 9207 (issuer in the answer). ADR 35.
 *
 * What binds a sign-in to one browser is two random texts: `state`, which goes through the
 * provider, and `browser`, which is in a cookie. Nonce and PKCE verifier follow from both and the
 * installation's secret, so that neither is kept anywhere.
 *
 * Threads: any; oidc_address() and oidc_redeem() ask the provider and wait, up to LIMIT_OIDC_MS a
 * request: for pool threads, in lanes of their own. What the provider publishes is kept for an
 * hour; keys are asked for again when a token names one that is not known. */
#pragma once
#include "base/limits.h"
#include "base/secret.h"
#include "base/str.h"
#include "product/problem.h"
#include "wire/jwt.h"

struct oidc;
struct http_client;

struct oidc_settings {
    const char *issuer, *client_id, *client_secret; /* issuer "": nobody signs in this way */
    const char *label;                              /* of the button */
    bool allow_private; /* http, and addresses that are not public: for a provider next door */
    struct http_client *client;
    const struct secret *secret;
};

/* Whom the provider has signed in. */
struct oidc_person {
    char subject[LIMIT_OIDC_SUBJECT_BYTES + 1];
    char email[LIMIT_EMAIL_BYTES + 1]; /* "": not told */
    bool email_verified;
    char name[4 * LIMIT_NAME_CHARS + 1]; /* "": not told; not checked */
};

/* One sign-in on its way. */
struct oidc_flow {
    const char *state, *browser, *redirect_uri;
};

/* The strings must outlive it. */
struct oidc *oidc_new(const struct oidc_settings *s);
void oidc_free(struct oidc *o);
/* Who waits for the provider stops waiting. Any thread. */
void oidc_stop(struct oidc *o);

bool oidc_is_on(const struct oidc *o);
const char *oidc_label(const struct oidc *o);
const char *oidc_issuer(const struct oidc *o);

/* Appends where the browser is to go. Problems: "sign_in_unreachable". */
enum err oidc_address(struct oidc *o, const struct oidc_flow *f, struct str *out,
                      struct problem *p) WARN_UNUSED;
/* From the code that the browser came back with to the person. `issuer`: what came with it, p NULL:
 * none. Problems: "sign_in_unreachable", "sign_in_failed"; their texts are for the log. */
enum err oidc_redeem(struct oidc *o, const struct oidc_flow *f, const char *code,
                     struct span issuer, struct oidc_person *out, struct problem *p) WARN_UNUSED;

/* oidc_token.c: what an ID token must say (Core, 3.1.3.7), after its signature was verified. Pure.
 * E_AUTH, and *why in words. */
struct oidc_expect {
    const char *issuer, *client_id, *nonce;
    int64_t now_s;
};
enum err oidc_token_check(const struct jwt *t, const struct oidc_expect *x,
                          const char **why) WARN_UNUSED;
/* Who it is, by the claims of a token or of the userinfo endpoint. E_AUTH: nobody. */
enum err oidc_person_read(struct span claims, struct oidc_person *out) WARN_UNUSED;
