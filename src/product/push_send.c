/* SPDX-License-Identifier: MIT */
/* Push messages on their way, LIMIT_PUSH_RUNNING at a time (RFC 8030). */
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "client/http_client.h"
#include "product/mail.h"
#include "product/notice_priv.h"
#include "product/push.h"
#include "wire/mail_message.h"
#include <pthread.h>
#include <stdio.h>

#define VAPID_LIFE_S (12 * 3600)

struct push_sender {
    const struct notifier_config *cfg;
    struct db *db;
    void (*wake)(void *ctx);
    void *wake_ctx;
    uint8_t key[P256_PRIVATE_LEN];
    char subject[400]; /* of VAPID: whom a push service may write to */
    unsigned n_running;
    pthread_mutex_t lock;
    struct list answered; /* under lock */
};

struct push {
    struct list node; /* of answered */
    struct push_sender *sender;
    char id[ID_CAP], subscription_id[ID_CAP];
    int attempts;
    int64_t expires_at;
    enum err err;
    int status;
    int64_t retry_after_s;
};

struct push_row {
    struct push *push;
    char endpoint[LIMIT_PUSH_ENDPOINT_BYTES + 1], p256dh[128], auth[64], topic[ID_CAP];
    struct str payload;
};

/* --- answers ---------------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct http_answer *a) /* the client's thread */
{
    struct push *p = arg;
    struct push_sender *s = p->sender;
    p->err = a->err;
    p->status = a->status;
    p->retry_after_s = a->retry_after_s;
    pthread_mutex_lock(&s->lock);
    list_push_back(&s->answered, &p->node);
    pthread_mutex_unlock(&s->lock);
    s->wake(s->wake_ctx);
}

static enum err drop(struct push_sender *s, const struct push *p)
{
    return db_exec(s->db, "DELETE FROM pushes WHERE id = ?1", "s", p->id);
}

static enum err put_off(struct push_sender *s, const struct push *p)
{
    static const int GAPS_S[LIMIT_PUSH_ATTEMPTS - 1] = {1, 2, 10, 60, 600, 1800, 7200};
    int64_t gap = GAPS_S[p->attempts];
    if (p->retry_after_s > gap) gap = p->retry_after_s < 86400 ? p->retry_after_s : 86400;
    return db_exec(s->db, "UPDATE pushes SET attempts = attempts + 1, next_at = ?2 WHERE id = ?1",
                   "si", p->id, clock_wall_us() + gap * US_PER_SEC);
}

/* What cannot get better goes with its subscription: gone (404, 410; RFC 8030, 7.3), or an address
 * that we do not ask. */
static enum err settle(struct push_sender *s, const struct push *p)
{
    if (p->err == E_CLOSED) return E_OK;
    if (p->err == E_OK && p->status >= 200 && p->status < 300) {
        metric_add(M_PUSHES_SENT, 1);
        return drop(s, p);
    }
    if (p->err == E_AUTH || p->err == E_INVALID || p->status == 404 || p->status == 410) {
        metric_add(M_PUSHES_GONE, 1);
        log_info("push", "subscription=%s status=%d removed", p->subscription_id, p->status);
        return db_exec(s->db, "DELETE FROM push_subscriptions WHERE id = ?1", "s",
                       p->subscription_id);
    }
    const bool later = p->err != E_OK || p->status == 429 || p->status >= 500;
    if (later && p->attempts + 1 < LIMIT_PUSH_ATTEMPTS) {
        metric_add(M_PUSHES_LATER, 1);
        return put_off(s, p);
    }
    metric_add(M_PUSHES_REFUSED, 1);
    log_peer("push", "subscription=%s status=%d given up", p->subscription_id, p->status);
    return drop(s, p);
}

static void settle_all(struct push_sender *s)
{
    for (;;) {
        struct push *p = NULL;
        pthread_mutex_lock(&s->lock);
        if (!list_empty(&s->answered)) {
            p = CONTAINER_OF(s->answered.next, struct push, node);
            list_remove(&p->node);
        }
        pthread_mutex_unlock(&s->lock);
        if (!p) return;
        s->n_running--;
        if (settle(s, p) != E_OK) log_warn("push", "an answer could not be written down");
        free(p);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

static void start(struct push_sender *s, struct push_row *r)
{
    struct web_push_keys keys;
    struct str body = {0}, auth = {0};
    char ttl[48], topic[ID_CAP + 16];
    const int64_t now = clock_wall_us();
    const long long left = (long long)((r->push->expires_at - now) / US_PER_SEC);
    str_adds(&auth, "Authorization: ");
    snprintf(ttl, sizeof ttl, "TTL: %lld", left > 0 ? left : 0);
    snprintf(topic, sizeof topic, "Topic: %.32s", r->topic);
    s->n_running++;
    if (web_push_keys_parse(span_str(r->p256dh), span_str(r->auth), &keys) != E_OK ||
        web_push_seal(&keys, str_span(&r->payload), NULL, NULL, &body) != E_OK ||
        web_push_vapid(s->key, span_str(r->endpoint), span_str(s->subject),
                       now / US_PER_SEC + VAPID_LIFE_S, &auth) != E_OK) {
        on_answer(r->push, &(struct http_answer){.err = E_INVALID});
    } else {
        http_client_start(s->cfg->client,
                          &(struct http_want){.url = r->endpoint,
                                              .post = true,
                                              .body = str_span(&body),
                                              .headers = {str_c(&auth), ttl, topic, "Urgency: high",
                                                          "Content-Encoding: aes128gcm",
                                                          "Content-Type: application/octet-stream"},
                                              .allow_private = s->cfg->settings->push_allow_private,
                                              .connect_ms = LIMIT_PUSH_CONNECT_MS,
                                              .total_ms = LIMIT_PUSH_MS,
                                              .max_bytes = LIMIT_PUSH_ANSWER_BYTES,
                                              .cut = true},
                          on_answer, r->push);
    }
    str_fini(&body);
    str_fini(&auth);
}

/* The row says that it is on its way by its next time: nobody else looks, and after a kill it is
 * sent again. */
static enum err take(struct push_sender *s, struct push_row *r)
{
    const int64_t now = clock_wall_us();
    struct db_rows *q = db_query(
        s->db,
        "SELECT p.id, p.subscription_id, p.attempts, p.expires_at, p.payload, p.topic, s.endpoint,"
        " s.p256dh, s.auth FROM pushes p JOIN push_subscriptions s ON s.id = p.subscription_id"
        " WHERE p.next_at <= ?1 ORDER BY p.next_at LIMIT 1",
        "i", now);
    if (db_next(q)) {
        struct push *p = r->push = NEW(struct push);
        p->sender = s;
        snprintf(p->id, sizeof p->id, "%s", db_text(q, 0));
        snprintf(p->subscription_id, sizeof p->subscription_id, "%s", db_text(q, 1));
        p->attempts = (int)db_int(q, 2);
        p->expires_at = db_int(q, 3);
        str_adds(&r->payload, db_text(q, 4));
        snprintf(r->topic, sizeof r->topic, "%s", db_text(q, 5));
        snprintf(r->endpoint, sizeof r->endpoint, "%s", db_text(q, 6));
        snprintf(r->p256dh, sizeof r->p256dh, "%s", db_text(q, 7));
        snprintf(r->auth, sizeof r->auth, "%s", db_text(q, 8));
    }
    enum err e = db_done(q);
    if (e == E_OK && !r->push) return E_NOTFOUND;
    if (e == E_OK)
        e = db_exec(s->db, "UPDATE pushes SET next_at = ?2 WHERE id = ?1", "si", r->push->id,
                    now + 2 * LIMIT_PUSH_MS * US_PER_MS);
    return e;
}

void push_sender_run(struct push_sender *s)
{
    settle_all(s);
    if (db_exec(s->db, "DELETE FROM pushes WHERE expires_at <= ?1", "i", clock_wall_us()) != E_OK)
        log_warn("push", "old messages could not be removed");
    while (s->n_running < LIMIT_PUSH_RUNNING) {
        struct push_row r = {.push = NULL};
        const enum err e = take(s, &r);
        if (e == E_OK)
            start(s, &r);
        else
            free(r.push);
        str_fini(&r.payload);
        if (e != E_OK) return;
    }
}

/* --- the outside ------------------------------------------------------------------------------ */

static void find_subject(struct push_sender *s)
{
    struct span name, address;
    const char *from = s->cfg->settings->smtp_from;
    if (from[0] && mail_mailbox_parse(span_str(from), &name, &address) == E_OK)
        snprintf(s->subject, sizeof s->subject, "mailto:%.*s", (int)address.len,
                 (const char *)address.p);
    else if (span_starts(span_str(mail_origin()), "https://"))
        snprintf(s->subject, sizeof s->subject, "%s", mail_origin());
    else
        snprintf(s->subject, sizeof s->subject, "mailto:nobody@localhost");
}

struct push_sender *push_sender_new(const struct notifier_config *cfg, struct db *db,
                                    void (*wake)(void *ctx), void *ctx)
{
    uint8_t pub[P256_PUBLIC_LEN];
    struct push_sender *s = NEW(struct push_sender);
    s->cfg = cfg;
    s->db = db;
    s->wake = wake;
    s->wake_ctx = ctx;
    push_key(cfg->secret, s->key, pub);
    find_subject(s);
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->answered);
    /* What ran when the program ended has nobody waiting for its answer. */
    if (db_exec(db, "UPDATE pushes SET next_at = ?1 WHERE next_at > ?1", "i", clock_wall_us()))
        log_warn("push", "what waits could not be looked at");
    return s;
}

void push_sender_free(struct push_sender *s)
{
    LIST_EACH(it, &s->answered) free(CONTAINER_OF(it, struct push, node));
    pthread_mutex_destroy(&s->lock);
    free(s);
}
