/* SPDX-License-Identifier: MIT */
/* product/sign_in.h - accounts and the identities that an OpenID provider knows them by.
 *
 * A sign-in that was begun is a row, found by the hash of its `state` and taken once. An identity
 * is a provider's (issuer, subject), never an e-mail address: an address only says that there is an
 * account already, and then its owner signs in and connects the two (ADR 35). Pool threads. */
#pragma once
#include "product/account.h"
#include "product/oidc.h"

#define SIGN_IN_TOKEN_CAP 44 /* 256 bits, base64url */

struct sign_in {
    char user_id[ID_CAP]; /* who connects; "": somebody signs in */
    char next[LIMIT_NEXT_BYTES + 1];
    char redirect_uri[LIMIT_URL_BYTES + 1];
};

/* A path of ours that a browser may be led to: "/dashboard", never "//elsewhere" or "/\elsewhere".
 * Pure. */
bool sign_in_next_is_ours(struct span path);

/* Makes `state`. `browser` is the cookie's text: kept when it is one of ours, else made. */
enum err sign_in_begin(struct db *db, const struct sign_in *in, char state[SIGN_IN_TOKEN_CAP],
                       char browser[SIGN_IN_TOKEN_CAP]) WARN_UNUSED;
/* Once. E_AUTH: not begun, over, taken already, or begun by another browser. */
enum err sign_in_take(struct db *db, struct span state, struct span browser,
                      struct sign_in *out) WARN_UNUSED;

/* The account of this person, made when there is none and `open`. Problems: "sign_in_no_email",
 * "sign_in_account_exists", "registration_closed". */
enum err sign_in_person(struct db *db, const char *issuer, const struct oidc_person *who, bool open,
                        struct user *out, struct problem *p) WARN_UNUSED;

/* Connects an identity to the account of somebody who is signed in. Connected already is fine.
 * Problems: "sign_in_taken" (another account's), "too_many". */
enum err sign_in_connect(struct db *db, const char *issuer, const struct oidc_person *who,
                         const char *user_id, struct problem *p) WARN_UNUSED;

struct identity {
    char id[ID_CAP];
    char issuer[LIMIT_URL_BYTES + 1];
    char email[LIMIT_EMAIL_BYTES + 1]; /* as the provider last said; "": not told */
    int64_t created_at, used_at;
};
/* At most LIMIT_IDENTITIES; *n: how many. */
enum err sign_in_list(struct db *db, const char *user_id, struct identity *out,
                      size_t *n) WARN_UNUSED;
/* E_NOTFOUND; E_CONFLICT "last_sign_in": without a password it is the only way in. */
enum err sign_in_disconnect(struct db *db, const char *user_id, const char *id,
                            struct problem *p) WARN_UNUSED;
