/* SPDX-License-Identifier: MIT */
/* product/session.h - who is logged in: a random token in the browser's cookie, its hash here.
 * Pool threads. A session lasts 30 days from its last use; at most LIMIT_SESSIONS_PER_USER. */
#pragma once
#include "product/account.h"

#define SESSION_TOKEN_CAP 44 /* 256 bits, base64url */
#define SESSION_LIFE_US   (INT64_C(30) * 24 * 3600 * 1000000)

/* E_AUTH: there is no such account, or it is suspended (product/admin.h says why). */
enum err session_start(struct db *db, const char *user_id,
                       char token[SESSION_TOKEN_CAP]) WARN_UNUSED;
/* Who it is. *renewed: its end was moved, so send the cookie again. E_AUTH: nobody. */
enum err session_find(struct db *db, struct span token, struct user *out,
                      bool *renewed) WARN_UNUSED;
enum err session_end(struct db *db, struct span token) WARN_UNUSED; /* unknown ones are fine */
/* Removes what has expired; for a timer. */
enum err session_sweep(struct db *db) WARN_UNUSED;
