/* SPDX-License-Identifier: MIT */
/* Endpoints that fail or have something under way, what is sent to them, and what comes back. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/webhook_body.h"
#include "video/webhooks_priv.h"
#include <stdio.h>

enum { HURRY_AFTER = 4 }; /* failures in a row: only then was it the endpoint, not an event */

struct delivery;

struct endpoint {
    char id[WEBHOOK_ID_CAP];
    unsigned running;
    struct delivery *slots[LIMIT_WEBHOOK_RUNNING_EACH]; /* `running` of them are taken */
    int failures;                                       /* in a row */
    int64_t rests_until_us;                             /* clock_mono_us */
    int64_t failed_at; /* by the wall clock: what was started before then fails with it */
};

struct delivery {
    struct list node; /* in results */
    struct webhooks *w;
    struct delivery_row row;
    char webhook_id[WEBHOOK_ID_CAP];
    int64_t at;
    /* The answer. */
    enum err err;
    int status;
    int64_t took_us;
    struct str answer;
};

/* --- when ------------------------------------------------------------------------------------- */

int64_t webhooks_gap_us(int attempts)
{
    static const int32_t SECONDS[] = {1, 5, 15, 60, 180, 600, 1800, 3600, 7200};
    const int n = sizeof SECONDS / sizeof *SECONDS;
    if (attempts < 1) return 0;
    return (attempts <= n ? SECONDS[attempts - 1] : 14400) * US_PER_SEC;
}

/* The first failure may be the event's own. */
int64_t webhooks_rest_us(int failures)
{
    if (failures < 2) return 0;
    return failures > 7 ? 60 * US_PER_SEC : (INT64_C(1) << (failures - 2)) * US_PER_SEC;
}

/* Nine to eleven tenths: what failed together does not come back together. */
static int64_t jitter(int64_t us)
{
    return us - us / 10 + (int64_t)(rand_u64() % (uint64_t)(us / 5 + 1));
}

/* --- endpoints that have a state -------------------------------------------------------------- */

static struct endpoint *endpoint_get(struct webhooks *w, const char *id)
{
    struct endpoint *e = map_get(&w->endpoints, span_str(id));
    if (e) return e;
    e = NEW(struct endpoint);
    snprintf(e->id, sizeof e->id, "%s", id);
    map_put(&w->endpoints, span_str(id), e);
    return e;
}

static void endpoint_tidy(struct webhooks *w, struct endpoint *e)
{
    if (e->running || e->failures) return;
    map_del(&w->endpoints, span_str(e->id));
    free(e);
}

static void endpoint_hold(struct webhooks *w, struct endpoint *e, struct delivery *d)
{
    CHECK(e->running < LIMIT_WEBHOOK_RUNNING_EACH);
    e->slots[e->running++] = d;
    w->n_running++;
}

static void endpoint_drop(struct webhooks *w, struct endpoint *e, const struct delivery *d)
{
    unsigned i = 0;
    while (e->slots[i] != d) CHECK(++i < e->running);
    e->slots[i] = e->slots[--e->running];
    w->n_running--;
}

/* --- what has come back ----------------------------------------------------------------------- */

static void delivery_free(struct delivery *d)
{
    str_fini(&d->answer);
    free(d);
}

static void endpoint_answered(struct webhooks *w, struct endpoint *e, bool success, int64_t started,
                              int64_t now)
{
    if (!success) {
        if (started <= e->failed_at) return;
        e->failed_at = now;
        e->failures++;
        e->rests_until_us = clock_mono_us() + webhooks_rest_us(e->failures);
        return;
    }
    if (e->failures >= HURRY_AFTER && webhooks_db_hurry(w->db, e->id, now) != E_OK)
        log_warn("webhooks", "endpoint=%s: what waits goes at its own time", e->id);
    e->failures = 0;
    e->rests_until_us = 0;
}

static enum err record(struct webhooks *w, struct delivery *d, bool success, int64_t now)
{
    struct attempt a = {.delivery_id = d->row.id,
                        .success = success,
                        .status = d->status,
                        .answer = str_c(&d->answer),
                        .at = d->at,
                        .took_us = d->took_us};
    a.next_at = now + jitter(webhooks_gap_us(d->row.attempts + 1));
    if (a.next_at > d->row.give_up_at) a.next_at = -1;
    return webhooks_db_record(w->db, &a);
}

/* Without a record it is still due, and is sent again. */
static void settle(struct webhooks *w, struct delivery *d)
{
    struct endpoint *e = endpoint_get(w, d->webhook_id);
    const int64_t now = clock_wall_us();
    const bool success = d->status >= 200 && d->status < 300;
    endpoint_drop(w, e, d);
    if (d->err != E_CLOSED) { /* else we are stopping */
        metric_add(success ? M_WEBHOOKS_SENT : M_WEBHOOKS_FAILED, 1);
        const enum err rc = record(w, d, success, now);
        if (rc != E_OK) {
            log_error("webhooks", "delivery=%s cannot be written: %s", d->row.id, err_text(rc));
            e->rests_until_us = clock_mono_us() + WEBHOOKS_TROUBLE_US;
        } else {
            endpoint_answered(w, e, success, d->at, now);
        }
    }
    endpoint_tidy(w, e);
    delivery_free(d);
}

void webhooks_settle_all(struct webhooks *w)
{
    for (;;) {
        struct delivery *d = NULL;
        pthread_mutex_lock(&w->lock);
        if (!list_empty(&w->results)) {
            d = CONTAINER_OF(w->results.next, struct delivery, node);
            list_remove(&d->node);
        }
        pthread_mutex_unlock(&w->lock);
        if (!d) return;
        settle(w, d);
    }
}

/* The client's thread. */
static void on_answer(void *arg, const struct http_answer *a)
{
    struct delivery *d = arg;
    struct webhooks *w = d->w;
    d->err = a->err;
    d->status = a->status;
    d->took_us = a->took_us;
    webhook_clean(a->err == E_OK ? a->body : span_str(a->why), &d->answer);
    pthread_mutex_lock(&w->lock);
    list_push_back(&w->results, &d->node);
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

/* --- starting --------------------------------------------------------------------------------- */

/* It, or another one of its object. */
static bool runs(const struct endpoint *e, const struct delivery_row *row)
{
    for (unsigned i = 0; i < e->running; i++) {
        const struct delivery_row *r = &e->slots[i]->row;
        if (!strcmp(r->id, row->id) || !strcmp(r->object_id, row->object_id)) return true;
    }
    return false;
}

static void fail_at_once(struct delivery *d, const char *why)
{
    struct http_answer a = {.err = E_INVALID};
    snprintf(a.why, sizeof a.why, "%s", why);
    on_answer(d, &a);
}

static void start(struct webhooks *w, const struct endpoint_row *to, struct endpoint *e,
                  const struct delivery_row *row)
{
    struct str body = {0};
    char signature[WEBHOOK_SIGNATURE_CAP], header[WEBHOOK_SIGNATURE_CAP + 16];
    if (webhook_body_write(w->db, row->id, row->attempts, &body) != E_OK) {
        str_fini(&body); /* it has gone meanwhile, or the database does not answer */
        return;
    }
    struct delivery *d = NEW(struct delivery);
    d->w = w;
    d->row = *row;
    d->at = clock_wall_us();
    snprintf(d->webhook_id, sizeof d->webhook_id, "%s", to->id);
    endpoint_hold(w, e, d);
    if (!to->secret[0]) {
        fail_at_once(d, "the signing secret cannot be read: was secret.key replaced?");
    } else {
        webhook_sign(span_str(to->secret), d->at / US_PER_SEC, str_span(&body), signature);
        snprintf(header, sizeof header, "Mux-Signature: %s", signature);
        http_client_start(w->cfg.client,
                          &(struct http_want){.url = to->address,
                                              .post = true,
                                              .body = str_span(&body),
                                              .headers = {"Content-Type: application/json", header},
                                              .allow_private = w->cfg.allow_private,
                                              .connect_ms = LIMIT_WEBHOOK_CONNECT_MS,
                                              .total_ms = LIMIT_WEBHOOK_MS,
                                              .max_bytes = LIMIT_WEBHOOK_ANSWER_BYTES,
                                              .cut = true},
                          on_answer, d);
    }
    str_fini(&body);
}

/* An endpoint that fails gets one at a time. */
static unsigned room(const struct webhooks *w, const struct endpoint *e)
{
    const unsigned each = e->failures ? 1 : LIMIT_WEBHOOK_RUNNING_EACH;
    const unsigned all = LIMIT_WEBHOOK_RUNNING - w->n_running;
    const unsigned own = e->running < each ? each - e->running : 0;
    return own < all ? own : all;
}

static int64_t serve(struct webhooks *w, const struct endpoint_row *to, struct endpoint *e,
                     int64_t now)
{
    struct delivery_row due[2 * LIMIT_WEBHOOK_RUNNING_EACH];
    const int64_t rest = e->rests_until_us - clock_mono_us();
    size_t n = 0;
    int64_t next;
    if (rest > 0) return now + rest;
    unsigned left = room(w, e);
    if (to->next_at > now) return to->next_at;
    if (!left) return INT64_MAX;
    if (webhooks_db_due(w->db, to->id, now, due, e->running + left, &n) != E_OK)
        return now + WEBHOOKS_TROUBLE_US;
    for (size_t i = 0; i < n && left; i++) {
        if (runs(e, &due[i])) continue;
        start(w, to, e, &due[i]);
        left--;
    }
    if (webhooks_db_next(w->db, to->id, now, &next) != E_OK) return now + WEBHOOKS_TROUBLE_US;
    return next;
}

int64_t webhooks_serve(struct webhooks *w, const struct endpoint_row *to, int64_t now)
{
    struct endpoint *e = endpoint_get(w, to->id);
    const int64_t next = serve(w, to, e, now);
    endpoint_tidy(w, e);
    return next;
}

void webhooks_rest_no_more(struct webhooks *w, const char *webhook_id)
{
    struct endpoint *e = map_get(&w->endpoints, span_str(webhook_id));
    if (e) e->rests_until_us = 0;
}

void webhooks_send_fini(struct webhooks *w)
{
    size_t pos = 0;
    void *v;
    LIST_EACH(it, &w->results) delivery_free(CONTAINER_OF(it, struct delivery, node));
    while (map_next(&w->endpoints, &pos, NULL, &v)) free(v);
    map_fini(&w->endpoints);
}
