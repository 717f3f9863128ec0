/* SPDX-License-Identifier: MIT */
/* product/account.h - who has an account here.
 * Pool threads and the command line. What is slow on purpose (hashing) is done outside of
 * transactions. Limits: LIMIT_NAME_CHARS, LIMIT_EMAIL_BYTES, LIMIT_PASSWORD_*. */
#pragma once
#include "base/limits.h"
#include "product/handle.h"
#include "product/problem.h"
#include "product/text.h"
#include "store/store.h"

#define ID_CAP       48 /* as LIVE_ID_CAP: any id of ours with its final zero */
#define ID_CHARS     20 /* of a new id: 119 random bits */
#define USER_URL_CAP 512

struct user {
    char id[ID_CAP];
    char name[TEXT_CAP(LIMIT_NAME_CHARS)];
    char handle[HANDLE_CAP]; /* of /@handle */
    char email[LIMIT_EMAIL_BYTES + 1];
    char image[USER_URL_CAP]; /* "": none */
    bool admin;
    int64_t created_at; /* microseconds since 1970 */
};

struct account_new {
    struct span name, email, password;
    bool admin;
};

/* E_INVALID with the field; E_CONFLICT "email_taken". */
enum err account_add(struct db *db, const struct account_new *in, struct user *out,
                     struct problem *p) WARN_UNUSED;
/* Somebody whom an OpenID provider has signed in: an account without a password. In the caller's
 * transaction. Errors as above. */
struct account_outside {
    struct span name, email;
    bool email_verified;
};
enum err account_add_outside(struct db *db, const struct account_outside *in, struct user *out,
                             struct problem *p) WARN_UNUSED;
/* E_AUTH "invalid_credentials": the same answer, after the same time, for an unknown address and
 * for a wrong password. */
enum err account_check(struct db *db, struct span email, struct span password, struct user *out,
                       struct problem *p) WARN_UNUSED;
/* E_NOTFOUND. */
enum err account_get(struct db *db, const char *id, struct user *out) WARN_UNUSED;
