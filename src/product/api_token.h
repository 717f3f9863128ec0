/* SPDX-License-Identifier: MIT */
/* product/api_token.h - what programs log in with: an id and a secret, which is kept as its hash
 * only and shown once. A token may do what its owner may. Pool threads and the command line. */
#pragma once
#include "base/rand.h"
#include "product/account.h"

#define API_TOKEN_SECRET_CHARS 64
#define API_TOKEN_SECRET_CAP   (API_TOKEN_SECRET_CHARS + 1)

struct api_token {
    char id[ID_CAP], user_id[ID_CAP];
    char name[TEXT_CAP(LIMIT_NAME_CHARS)];
    int64_t created_at;
    int64_t last_used_at; /* to the minute; 0: never */
};

/* `name` empty: one is given. E_INVALID with the field; "too_many_tokens". */
enum err api_token_add(struct db *db, const char *user_id, struct span name, struct api_token *out,
                       char secret[API_TOKEN_SECRET_CAP], struct problem *p) WARN_UNUSED;
/* Notes that it was used. E_AUTH: no such token, or another secret; the time does not tell which.
 */
enum err api_token_find(struct db *db, struct span id, struct span secret, struct api_token *out,
                        struct user *owner) WARN_UNUSED;
/* Oldest first, of one user, or with NULL of all. `out` is allocated: free() it. */
enum err api_token_list(struct db *db, const char *user_id, struct api_token **out,
                        size_t *n) WARN_UNUSED;
/* Of this user, or with NULL of whomever. E_NOTFOUND. */
enum err api_token_remove(struct db *db, const char *user_id, const char *id) WARN_UNUSED;
