/* SPDX-License-Identifier: MIT */
/* video/webhooks_priv.h - between webhooks.c (the thread), webhooks_send.c (who is asked, and what
 * comes of it) and webhooks_db.c (the rows). */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "video/webhooks.h"
#include <pthread.h>

#define WEBHOOK_ID_CAP     48
#define WEBHOOK_SECRET_CAP 129
#define DELIVERY_ID_CAP    96
#define EVENTS_KEPT_US     (INT64_C(30) * 24 * 3600 * 1000000)
#define ORDER_ATTEMPTS     3 /* after so many failures the next of the same object goes ahead */

#define WEBHOOKS_TROUBLE_US 1000000 /* pause when the database does not answer */

struct webhooks {
    struct webhooks_config cfg;
    pthread_t thread;
    bool joined;
    struct db *db;        /* the thread's */
    struct map endpoints; /* the thread's: id -> struct endpoint; those that fail, or have something
                             running */
    unsigned n_running;
    int64_t next_sweep_us;

    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool ending, woken;
    struct list results; /* deliveries that have come back */
    struct list nudged;
};

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

/* webhooks_send.c; the webhooks' thread. */
/* Writes down what has come back. */
void webhooks_settle_all(struct webhooks *w);
/* Starts what is due for this endpoint, as much as may run. Returns when it is worth looking again,
 * by the wall clock; INT64_MAX: when something of it has come back. */
int64_t webhooks_serve(struct webhooks *w, const struct endpoint_row *to, int64_t now);
/* Whatever it did before. */
void webhooks_rest_no_more(struct webhooks *w, const char *webhook_id);
void webhooks_send_fini(struct webhooks *w); /* the thread has ended */

/* webhooks_db.c; all on the webhooks' thread. */
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
