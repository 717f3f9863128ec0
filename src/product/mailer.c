/* SPDX-License-Identifier: MIT */
#include "product/mailer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "client/smtp.h"
#include "product/mail.h"
#include "wire/mail_message.h"
#include <pthread.h>
#include <stdio.h>

enum {
    LOOK_AGAIN_US = 150000, /* after a wake: the rows may not have been committed yet */
    IDLE_US = 2000000,
    REST_FIRST_US = 2000000,
    REST_LAST_US = 300000000,
    SWEEP_US = 30000000,
};

struct mailer {
    struct smtp_config smtp;
    struct store *store;
    struct db *db;
    char from[LIMIT_EMAIL_BYTES + 1], from_name[LIMIT_MAIL_NAME_BYTES + 1];
    struct smtp *line;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken; /* under lock */
    _Atomic bool ending;
    int64_t rest_us, rests_until_us, next_sweep_us; /* clock_mono_us; the thread's */
};

struct row {
    char id[32], to[LIMIT_EMAIL_BYTES + 1];
    struct str to_name, subject, text, unsubscribe;
    int attempts;
    int64_t created_at;
};

static void row_fini(struct row *r)
{
    str_fini(&r->to_name);
    str_fini(&r->subject);
    str_fini(&r->text);
    str_fini(&r->unsubscribe);
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum err next_due(struct mailer *m, struct row *r)
{
    struct db_rows *q =
        db_query(m->db,
                 "SELECT id, to_address, to_name, subject, body, unsubscribe, attempts, created_at"
                 " FROM mails WHERE next_at <= ?1 AND expires_at > ?1"
                 " ORDER BY urgency, next_at LIMIT 1",
                 "i", clock_wall_us());
    const bool found = db_next(q);
    if (found) {
        snprintf(r->id, sizeof r->id, "%s", db_text(q, 0));
        snprintf(r->to, sizeof r->to, "%s", db_text(q, 1));
        str_adds(&r->to_name, db_text(q, 2));
        str_adds(&r->subject, db_text(q, 3));
        str_adds(&r->text, db_text(q, 4));
        str_adds(&r->unsubscribe, db_text(q, 5));
        r->attempts = (int)db_int(q, 6);
        r->created_at = db_int(q, 7);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err drop(struct mailer *m, const struct row *r)
{
    return db_exec(m->db, "DELETE FROM mails WHERE id = ?1", "s", r->id);
}

static enum err put_off(struct mailer *m, const struct row *r)
{
    static const int GAPS_S[LIMIT_MAIL_ATTEMPTS - 1] = {2,    15,    60,    300,   900,
                                                        3600, 10800, 21600, 43200, 86400};
    const int64_t gap = GAPS_S[r->attempts] * US_PER_SEC;
    return db_exec(m->db, "UPDATE mails SET attempts = attempts + 1, next_at = ?2 WHERE id = ?1",
                   "si", r->id, clock_wall_us() + gap);
}

static void sweep(struct mailer *m)
{
    const int64_t now = clock_mono_us();
    if (now < m->next_sweep_us) return;
    m->next_sweep_us = now + SWEEP_US;
    if (db_exec(m->db, "DELETE FROM mails WHERE expires_at <= ?1", "i", clock_wall_us()) != E_OK)
        log_warn("mail", "old mails could not be removed");
    else if (db_changes(m->db)) {
        metric_add(M_MAILS_EXPIRED, db_changes(m->db));
        log_warn("mail", "mails=%lld not sent in time", (long long)db_changes(m->db));
    }
}

/* --- one mail --------------------------------------------------------------------------------- */

static enum err compose(const struct mailer *m, const struct row *r, struct str *out)
{
    char id[LIMIT_EMAIL_BYTES + 1];
    const char *at = strchr(m->from, '@');
    snprintf(id, sizeof id, "%s%s", r->id, at ? at : "");
    return mail_message_write(&(struct mail_message){.from_name = span_str(m->from_name),
                                                     .from = span_str(m->from),
                                                     .to_name = str_span(&r->to_name),
                                                     .to = span_str(r->to),
                                                     .subject = str_span(&r->subject),
                                                     .text = str_span(&r->text),
                                                     .id = span_str(id),
                                                     .unsubscribe = str_span(&r->unsubscribe),
                                                     .date_us = r->created_at},
                              out);
}

static void rest(struct mailer *m, const struct smtp_result *res)
{
    m->rest_us = !m->rest_us ? REST_FIRST_US : 2 * m->rest_us;
    if (m->rest_us > REST_LAST_US) m->rest_us = REST_LAST_US;
    m->rests_until_us = clock_mono_us() + m->rest_us;
    log_warn("mail", "server=%s seconds=%lld: no mail goes out: %s", m->smtp.url,
             (long long)(m->rest_us / US_PER_SEC), res->why);
}

/* Nobody's address in the log. */
static enum err settle(struct mailer *m, const struct row *r, enum err sent,
                       const struct smtp_result *res)
{
    if (sent == E_CLOSED) return E_OK;
    if (sent == E_OK) {
        m->rest_us = 0;
        metric_add(M_MAILS_SENT, 1);
        log_info("mail", "id=%s sent", r->id);
        return drop(m, r);
    }
    if (sent != E_INVALID && !res->about_mail) {
        metric_add(M_MAILS_LATER, 1);
        rest(m, res);
        return E_OK;
    }
    if (sent == E_INVALID || r->attempts + 1 >= LIMIT_MAIL_ATTEMPTS) {
        metric_add(M_MAILS_REFUSED, 1);
        log_warn("mail", "id=%s code=%d refused: given up", r->id, res->code);
        return drop(m, r);
    }
    metric_add(M_MAILS_LATER, 1);
    log_info("mail", "id=%s code=%d attempt=%d put off", r->id, res->code, r->attempts + 1);
    return put_off(m, r);
}

/* E_NOTFOUND: nothing is due. */
static enum err send_one(struct mailer *m)
{
    struct row r = {.attempts = 0};
    struct smtp_result res = {.about_mail = true};
    struct str message = {0};
    enum err e = next_due(m, &r);
    if (e == E_OK) {
        enum err sent = compose(m, &r, &message);
        if (sent == E_OK)
            sent = smtp_send(m->line, m->from, r.to, str_span(&message), &m->ending, &res);
        else
            sent = E_INVALID;
        e = settle(m, &r, sent, &res);
    }
    str_fini(&message);
    row_fini(&r);
    return e;
}

/* --- the thread ------------------------------------------------------------------------------- */

static void wait_until(struct mailer *m, int64_t when, bool wakeable)
{
    const struct timespec t = {.tv_sec = when / US_PER_SEC, .tv_nsec = when % US_PER_SEC * 1000};
    pthread_mutex_lock(&m->lock);
    while (!m->ending && !(m->woken && wakeable))
        if (pthread_cond_timedwait(&m->cond, &m->lock, &t) != 0) break;
    if (wakeable) m->woken = false;
    pthread_mutex_unlock(&m->lock);
}

static void *mailer_run(void *arg)
{
    struct mailer *m = arg;
    m->db = db_open_thread(m->store);
    m->line = smtp_new(&m->smtp);
    if (db_exec(m->db, "UPDATE mails SET next_at = ?1 WHERE next_at > ?1", "i", clock_wall_us()))
        log_warn("mail", "what waits could not be looked at");
    while (!m->ending) {
        sweep(m);
        enum err e = E_OK;
        while (e == E_OK && !m->ending && clock_mono_us() >= m->rests_until_us) e = send_one(m);
        if (e != E_OK && e != E_NOTFOUND) m->rests_until_us = clock_mono_us() + REST_FIRST_US;
        wait_until(m, clock_mono_us() + IDLE_US, true);
        wait_until(m, clock_mono_us() + LOOK_AGAIN_US, false);
        if (clock_mono_us() < m->rests_until_us) wait_until(m, m->rests_until_us, false);
    }
    smtp_free(m->line);
    return NULL;
}

/* --- the outside ------------------------------------------------------------------------------ */

static enum err configure(struct mailer *m, const struct settings *s, char *problem, size_t cap)
{
    struct span name, address;
    m->smtp = (struct smtp_config){.url = s->smtp_url,
                                   .user = s->smtp_user,
                                   .password = s->smtp_password,
                                   .ca = s->smtp_ca,
                                   .tls = !strcmp(s->smtp_tls, "none")       ? SMTP_TLS_NONE
                                          : !strcmp(s->smtp_tls, "optional") ? SMTP_TLS_OPTIONAL
                                                                             : SMTP_TLS_REQUIRED};
    const char *why = smtp_config_problem(&m->smtp);
    if (!why && mail_mailbox_parse(span_str(s->smtp_from), &name, &address) != E_OK)
        why = "smtp-from must be an address, or \"Name <address>\"";
    if (why) {
        snprintf(problem, cap, "%s", why);
        return E_INVALID;
    }
    (void)span_cstr(name, m->from_name, sizeof m->from_name);
    (void)span_cstr(address, m->from, sizeof m->from);
    return E_OK;
}

enum err mailer_open(const struct settings *s, struct store *store, struct mailer **out,
                     char *problem, size_t cap)
{
    pthread_condattr_t mono;
    if (!mail_on(s)) return E_OK;
    struct mailer *m = NEW(struct mailer);
    const enum err e = configure(m, s, problem, cap);
    if (e != E_OK) {
        free(m);
        return e;
    }
    m->store = store;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&m->cond, &mono);
    pthread_condattr_destroy(&mono);
    CHECK(pthread_create(&m->thread, NULL, mailer_run, m) == 0);
    m->started = true;
    *out = m;
    return E_OK;
}

void mailer_wake(void *mailer)
{
    struct mailer *m = mailer;
    pthread_mutex_lock(&m->lock);
    m->woken = true;
    pthread_cond_signal(&m->cond);
    pthread_mutex_unlock(&m->lock);
}

void mailer_stop(struct mailer *m)
{
    if (!m || !m->started) return;
    pthread_mutex_lock(&m->lock);
    m->ending = true;
    pthread_cond_signal(&m->cond);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    m->started = false;
}

void mailer_free(struct mailer *m)
{
    if (!m) return;
    mailer_stop(m);
    pthread_cond_destroy(&m->cond);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

enum err mailer_test(const struct settings *s, const char *to, char *problem, size_t cap)
{
    struct mailer m = {.store = NULL};
    struct row r = {.created_at = clock_wall_us()};
    struct smtp_result res;
    struct str message = {0};
    enum err e = configure(&m, s, problem, cap);
    if (e != E_OK) return e;
    rand_id(r.id, sizeof r.id - 1);
    snprintf(r.to, sizeof r.to, "%s", to);
    str_adds(&r.subject, "Mail from bspnode works");
    str_adds(&r.text, "This is the test that was asked for with `bspnode mail test`.\n");
    e = compose(&m, &r, &message);
    if (e != E_OK) {
        snprintf(problem, cap, "\"%s\" is not an address that mail can go to", to);
    } else {
        m.line = smtp_new(&m.smtp);
        e = smtp_send(m.line, m.from, r.to, str_span(&message), NULL, &res);
        smtp_free(m.line);
        if (e != E_OK) snprintf(problem, cap, "%s did not take it: %s", s->smtp_url, res.why);
    }
    str_fini(&message);
    row_fini(&r);
    return e;
}
