/* SPDX-License-Identifier: MIT */
/* product/webhook.h - an account's webhooks: the endpoints, and what was sent to them.
 *
 * Events are written by video/outbox and sent by video/webhooks; here are the endpoints' rows and
 * the questions of their owner. Somebody else's endpoint is like none: E_NOTFOUND. Pool threads. */
#pragma once
#include "base/limits.h"
#include "base/secret.h"
#include "base/str.h"
#include "product/account.h"
#include "product/problem.h"
#include "store/store.h"

#define WEBHOOK_KEY_CAP 41 /* a signing secret and the final zero */

struct webhook {
    char id[ID_CAP];
    char address[LIMIT_URL_BYTES + 1];
    bool enabled;
    int64_t created_at;
};

/* What may be asked for, and is the operator's to allow. */
struct webhook_rules {
    const struct secret *secret;
    bool allow_private;
};

/* `key` gets the signing secret, which is shown here once. E_INVALID: the address cannot be asked,
 * or there are LIMIT_WEBHOOKS_PER_USER already; E_CONFLICT: this address has one. */
enum err webhook_add(struct db *db, const struct webhook_rules *rules, const char *user_id,
                     struct span address, bool enabled, struct webhook *out,
                     char key[WEBHOOK_KEY_CAP], struct problem *p) WARN_UNUSED;
enum err webhook_get(struct db *db, const char *user_id, const char *id, struct webhook *out,
                     struct problem *p) WARN_UNUSED;
/* Newest first; at most `limit` into `out`. */
enum err webhook_list(struct db *db, const char *user_id, int64_t limit, int64_t offset,
                      struct webhook *out, size_t *n, struct problem *p) WARN_UNUSED;
/* Deliveries that wait for it, counted to WEBHOOK_WAITING_MAX. */
#define WEBHOOK_WAITING_MAX 10001
enum err webhook_waiting(struct db *db, const char *id, int64_t *out,
                         struct problem *p) WARN_UNUSED;
/* NULL: left as it is. */
enum err webhook_change(struct db *db, const struct webhook_rules *rules, const char *user_id,
                        const char *id, const struct span *address, const bool *enabled,
                        struct webhook *out, struct problem *p) WARN_UNUSED;
/* From the next delivery on it signs; the old one is gone. */
enum err webhook_renew_key(struct db *db, const struct webhook_rules *rules, const char *user_id,
                           const char *id, char key[WEBHOOK_KEY_CAP],
                           struct problem *p) WARN_UNUSED;
/* What waits for it is gone too. */
enum err webhook_remove(struct db *db, const char *user_id, const char *id,
                        struct problem *p) WARN_UNUSED;

/* --- deliveries --- */

#define WEBHOOK_DELIVERY_CAP 96
#define WEBHOOK_CURSOR_CAP   128

struct webhook_delivery {
    char id[WEBHOOK_DELIVERY_CAP], event_id[ID_CAP], type[64];
    char object_type[16], object_id[ID_CAP], state[12]; /* "waiting", "delivered", "given_up" */
    int64_t attempts, created_at, next_at;              /* next_at 0: none */
    int64_t last_at, last_status, last_took_us;         /* of the last attempt; last_at 0: none */
};

struct webhook_list_ask {
    const char *webhook_id, *state; /* state NULL: all */
    const char *cursor;             /* of the page before, or "" */
    unsigned limit;                 /* to LIMIT_PAGE_ITEMS */
};
/* Newest first. `next` "": no more. */
enum err webhook_deliveries(struct db *db, const char *user_id, const struct webhook_list_ask *ask,
                            struct webhook_delivery *out, size_t *n, char next[WEBHOOK_CURSOR_CAP],
                            struct problem *p) WARN_UNUSED;
/* `body`: appends what is sent, as it was at the last attempt. */
enum err webhook_delivery_get(struct db *db, const char *user_id, const char *webhook_id,
                              const char *id, struct webhook_delivery *out, struct str *body,
                              struct problem *p) WARN_UNUSED;
/* One attempt after the other, the oldest first: db_next() on it; text, status, time, microseconds:
 * columns answer, status, at, took_us. The caller ends it with db_done(). */
struct db_rows *webhook_attempts(struct db *db, const char *delivery_id);
/* Once more, whatever came of it; for an hour. */
enum err webhook_send_again(struct db *db, const char *user_id, const char *webhook_id,
                            const char *id, struct problem *p) WARN_UNUSED;
