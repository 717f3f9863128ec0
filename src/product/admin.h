/* SPDX-License-Identifier: MIT */
/* product/admin.h - what administrators do to accounts and streams, from the pages and from the
 * terminal (actor NULL). Each change has its line in the audit log, in the same transaction. Who
 * may call them is the caller's to check. Pool threads and the command line.
 *
 * What only the running server can do (ending a broadcast) is wished by a row of admin_orders in
 * the transaction of the change; the server carries it out within a second. */
#pragma once
#include "product/account.h"
#include "product/stream.h"

struct admin_user {
    struct user user;
    int64_t suspended_at, last_seen_at; /* 0: not, never */
    char suspended_reason[TEXT_CAP(LIMIT_NOTE_CHARS)];
    int64_t streams, live;
    int64_t bytes, quota; /* quota: -1 the setting, 0 none */
};

enum admin_sort { ADMIN_BY_CREATION, ADMIN_BY_BYTES };
enum admin_filter { ADMIN_ALL, ADMIN_SUSPENDED, ADMIN_ADMINS, ADMIN_LIVE };
struct admin_ask {
    const char *search; /* in names and addresses; "" or NULL: all */
    enum admin_sort sort;
    enum admin_filter filter;
    const char *cursor;
    unsigned limit; /* 1..LIMIT_PAGE_ITEMS */
};
#define ADMIN_CURSOR_CAP 80
/* E_INVALID: a bad cursor. */
enum err admin_users(struct db *db, const struct admin_ask *ask, struct admin_user *out, size_t *n,
                     char next[ADMIN_CURSOR_CAP]) WARN_UNUSED;
enum err admin_user_get(struct db *db, const char *id, struct admin_user *out) WARN_UNUSED;
/* By id or by e-mail address, for the terminal. E_NOTFOUND with words. */
enum err admin_user_find(struct db *db, const char *who, struct admin_user *out,
                         struct problem *p) WARN_UNUSED;

/* E_OK: the account is not suspended. E_AUTH "suspended" with words; E_NOTFOUND. */
enum err admin_may_sign_in(struct db *db, const char *user_id, struct problem *p) WARN_UNUSED;

/* Sessions and tokens go, waiting uploads are cancelled, live streams end. E_CONFLICT: oneself, or
 * the last administrator. E_NOTFOUND. */
enum err admin_suspend(struct db *db, const char *actor_id, const char *user_id, struct span reason,
                       struct problem *p) WARN_UNUSED;
enum err admin_unsuspend(struct db *db, const char *actor_id, const char *user_id,
                         struct problem *p) WARN_UNUSED;
/* E_CONFLICT "last_admin": there would be none left. */
enum err admin_set_role(struct db *db, const char *actor_id, const char *user_id, bool admin,
                        struct problem *p) WARN_UNUSED;
/* -1: the setting; 0: no limit. */
enum err admin_set_quota(struct db *db, const char *actor_id, const char *user_id, int64_t bytes,
                         struct problem *p) WARN_UNUSED;
/* All sessions end. Slow on purpose (it hashes). */
enum err admin_set_password(struct db *db, const char *actor_id, const char *user_id,
                            struct span password, struct problem *p) WARN_UNUSED;
/* A password for somebody to begin with: letters and digits that are told apart. */
#define ADMIN_PASSWORD_CAP 17
void admin_new_password(char out[ADMIN_PASSWORD_CAP]);
/* With all it has: what takes time is the server's to do (product/account_close.h). E_CONFLICT,
 * E_NOTFOUND. */
enum err admin_delete_user(struct db *db, const char *actor_id, const char *user_id,
                           struct problem *p) WARN_UNUSED;

/* --- streams and what the server is wished to do (admin_order.c) --- */

/* E_CONFLICT: it is not live. E_NOTFOUND. `id` may be NULL. */
enum err admin_end_stream(struct db *db, const char *actor_id, const char *stream_id,
                          const char *reason, char id[ID_CAP], struct problem *p) WARN_UNUSED;
enum err admin_delete_stream(struct db *db, const char *actor_id, const char *stream_id,
                             char id[ID_CAP], struct problem *p) WARN_UNUSED;
/* Within a transaction: all live streams of a user. */
enum err admin_order_end_all(struct db *db, const char *user_id) WARN_UNUSED;
/* Carries out what waits, oldest first; `told` is called for each stream that was changed. One
 * thread at a time. */
void admin_orders_run(struct db *db, const struct stream_runtime *rt,
                      void (*told)(void *ctx, const char *stream_id), void *ctx);
/* E_OK: done, and `problem` says why in vain, or "". E_CLOSED: it waits still. E_NOTFOUND. */
enum err admin_order_state(struct db *db, const char *id, char *problem, size_t cap) WARN_UNUSED;
enum err admin_orders_sweep(struct db *db) WARN_UNUSED; /* old ones; for a timer */

/* --- numbers --- */
struct admin_totals {
    int64_t users, suspended, streams, live, assets_bytes, uploads_bytes, reports_open;
};
enum err admin_totals(struct db *db, struct admin_totals *out) WARN_UNUSED;
