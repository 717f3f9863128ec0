/* SPDX-License-Identifier: MIT */
#include "product/mail.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "wire/mail_message.h"
#include <stdio.h>

#define LASTS_US  (INT64_C(72) * 3600 * US_PER_SEC)
#define ID_LENGTH 22

/* Set once before the threads are there. */
static struct {
    char origin[300];
    void (*wake)(void *ctx);
    void *ctx;
} mail;

bool mail_on(const struct settings *s)
{
    return s->smtp_url[0] != 0;
}

void mail_origin_set(const char *origin)
{
    size_t n = strlen(origin);
    while (n && origin[n - 1] == '/') n--;
    snprintf(mail.origin, sizeof mail.origin, "%.*s", (int)n, origin);
}

const char *mail_origin(void)
{
    return mail.origin;
}

void mail_set_wake(void (*wake)(void *ctx), void *ctx)
{
    mail.wake = wake;
    mail.ctx = ctx;
}

/* Counting stops where the limit is. */
static enum err room(struct db *db, const struct mail *m)
{
    const int64_t most = m->notice ? LIMIT_MAILS_WAITING / 2 : LIMIT_MAILS_WAITING;
    int64_t all = 0, to_one = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT (SELECT count(*) FROM (SELECT 1 FROM mails LIMIT ?2)), (SELECT count(*)"
                 " FROM (SELECT 1 FROM mails WHERE to_address = ?1 LIMIT ?3))",
                 "sii", m->to, most, (int64_t)LIMIT_MAILS_TO_ONE);
    if (db_next(q)) {
        all = db_int(q, 0);
        to_one = db_int(q, 1);
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : all >= most || to_one >= LIMIT_MAILS_TO_ONE ? E_LIMIT : E_OK;
}

enum err mail_add(struct db *db, const struct mail *m)
{
    char id[ID_LENGTH + 1];
    const int64_t now = clock_wall_us();
    if (!mail_address_valid(span_str(m->to))) return E_INVALID;
    if (strlen(m->subject) > LIMIT_MAIL_SUBJECT_BYTES || strlen(m->text) > LIMIT_MAIL_TEXT_BYTES)
        return E_LIMIT;
    enum err e = room(db, m);
    if (e != E_OK) return e;
    rand_id(id, ID_LENGTH);
    e = db_exec(db,
                "INSERT INTO mails (id, urgency, user_id, to_name, to_address, subject, body,"
                " unsubscribe, next_at, expires_at, created_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9)",
                "sissssssii", id, (int64_t)m->notice, m->user_id, m->to_name ? m->to_name : "",
                m->to, m->subject, m->text, m->unsubscribe ? m->unsubscribe : "", now,
                now + (m->lasts_us ? m->lasts_us : LASTS_US));
    if (e == E_OK && mail.wake) mail.wake(mail.ctx);
    return e;
}
