/* SPDX-License-Identifier: MIT */
/* product/session.h - who is logged in: a random token in the browser's cookie, its hash here.
 * Pool threads. A session lasts 30 days from its last use; at most LIMIT_SESSIONS_PER_USER. */
#pragma once
#include "product/account.h"

#define SESSION_TOKEN_CAP 44 /* 256 bits, base64url */
#define SESSION_LIFE_US   (INT64_C(30) * 24 * 3600 * 1000000)

/* Where somebody logs in from, for the list of their sessions. */
struct session_from {
    struct span user_agent; /* as the browser says it; cut to LIMIT_USER_AGENT_BYTES */
    const char *address;    /* of the client, "" or NULL: not known */
};

/* `from` NULL: not known. E_AUTH: there is no such account, it is suspended (product/admin.h says
 * why), or it is being deleted. */
enum err session_start_from(struct db *db, const char *user_id, const struct session_from *from,
                            char token[SESSION_TOKEN_CAP]) WARN_UNUSED;
static inline WARN_UNUSED enum err session_start(struct db *db, const char *user_id,
                                                 char token[SESSION_TOKEN_CAP])
{
    return session_start_from(db, user_id, NULL, token);
}
/* Who it is. *renewed: its end was moved, so send the cookie again. E_AUTH: nobody. */
enum err session_find(struct db *db, struct span token, struct user *out,
                      bool *renewed) WARN_UNUSED;
enum err session_end(struct db *db, struct span token) WARN_UNUSED; /* unknown ones are fine */
/* All of this user's but the one of `keep` (SPAN_NULL: all). */
enum err session_end_others(struct db *db, const char *user_id, struct span keep) WARN_UNUSED;

/* --- for its owner's eyes --- */

#define SESSION_ID_CAP      21 /* the beginning of the token's hash, as hex: it opens nothing */
#define SESSION_ADDRESS_CAP 64
/* How much of an address is kept: the network, 203.0.113.0/24 or 2001:db8:1::/48. */
void session_address(const char *address, char out[SESSION_ADDRESS_CAP]);

struct session_row {
    char id[SESSION_ID_CAP];
    char user_agent[LIMIT_USER_AGENT_BYTES + 1]; /* printable ASCII */
    char address[SESSION_ADDRESS_CAP];
    int64_t created_at, used_at; /* used_at: to five minutes */
    bool current;                /* of the token that was asked with */
};
/* Last used first; at most *n, then their number. */
enum err session_list(struct db *db, const char *user_id, struct span token,
                      struct session_row *out, size_t *n) WARN_UNUSED;
/* E_NOTFOUND: no session of theirs. */
enum err session_end_id(struct db *db, const char *user_id, const char *id) WARN_UNUSED;
/* When the session began; 0: there is none. */
enum err session_began(struct db *db, struct span token, int64_t *at) WARN_UNUSED;

/* Removes what has expired; for a timer. */
enum err session_sweep(struct db *db) WARN_UNUSED;
