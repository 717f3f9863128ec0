/* SPDX-License-Identifier: MIT */
/* video/webhooks_priv.h - between webhooks.c (who is asked when) and webhooks_db.c (the rows). */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "video/webhooks.h"

#define WEBHOOK_ID_CAP     48
#define WEBHOOK_SECRET_CAP 129
#define DELIVERY_ID_CAP    96
#define EVENTS_KEPT_US     (INT64_C(30) * 24 * 3600 * 1000000)
#define ORDER_ATTEMPTS     3 /* after so many failures the next of the same object goes ahead */

/* An endpoint with something waiting, as its row has it. */
struct endpoint_row {
    char id[WEBHOOK_ID_CAP];
    char *address;
    char secret[WEBHOOK_SECRET_CAP]; /* "": cannot be opened */
    int64_t next_at;                 /* the first of what waits */
};

struct delivery_row {
    char id[DELIVERY_ID_CAP], object_id[WEBHOOK_ID_CAP];
    int attempts;
    int64_t give_up_at;
};

/* What came of an attempt. */
struct attempt {
    const char *delivery_id;
    bool success;
    int status; /* of HTTP; 0: no answer */
    const char *answer;
    int64_t at, took_us;
    int64_t next_at; /* without success; -1: given up */
};

/* All on the webhooks' thread. */
enum err webhooks_db_endpoints(const struct webhooks_config *cfg, struct db *db,
                               struct endpoint_row **out, size_t *n) WARN_UNUSED;
/* The oldest that are due and need not wait for an earlier one of their object; at most cap. */
enum err webhooks_db_due(struct db *db, const char *webhook_id, int64_t now,
                         struct delivery_row *out, size_t cap, size_t *n) WARN_UNUSED;
/* The first of an endpoint that is due after `now`; INT64_MAX: none. */
enum err webhooks_db_next(struct db *db, const char *webhook_id, int64_t now,
                          int64_t *out) WARN_UNUSED;
enum err webhooks_db_record(struct db *db, const struct attempt *a) WARN_UNUSED;
/* The endpoint answers again: what waits for it waits no longer. */
enum err webhooks_db_hurry(struct db *db, const char *webhook_id, int64_t now) WARN_UNUSED;
/* Gives up what has waited too long; removes what is older than EVENTS_KEPT_US, in portions. */
enum err webhooks_db_sweep(struct db *db, int64_t now) WARN_UNUSED;
