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
static enum err count(struct db *db, const char *address, int64_t most, bool *fits)
{
    struct db_rows *q =
        address ? db_query(db,
                           "SELECT count(*) FROM (SELECT 1 FROM mails WHERE to_address = ?1"
                           " LIMIT ?2)",
                           "si", address, most)
                : db_query(db, "SELECT count(*) FROM (SELECT 1 FROM mails LIMIT ?1)", "i", most);
    *fits = db_next(q) && db_int(q, 0) < most;
    return db_done(q);
}

bool mail_notices_fit(struct db *db)
{
    bool fits;
    return count(db, NULL, LIMIT_MAILS_WAITING / 2, &fits) == E_OK && fits;
}

static enum err room(struct db *db, const struct mail *m)
{
    bool fits;
    enum err e = count(db, m->to, LIMIT_MAILS_TO_ONE, &fits);
    if (e == E_OK && fits && !m->notice) e = count(db, NULL, LIMIT_MAILS_WAITING, &fits);
    return e != E_OK ? e : fits ? E_OK : E_LIMIT;
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
