/* SPDX-License-Identifier: MIT */
/* product/mail.h - mail to people: a row in the transaction of the change that it tells of, sent
 * afterwards by product/mailer.h, again and again until the mail server has taken it or it is too
 * late. A mail may arrive twice (with one Message-ID) when the server is killed at the wrong
 * moment; it is never lost.
 *
 *   if (mail_on(settings)) e = mail_add(db, &(struct mail){.to = u.email, .to_name = u.name,
 *       .user_id = u.id, .subject = "Confirm your address", .text = text});
 *
 * Threads: pool threads and the command line, within the caller's transaction or without one.
 * Limits: LIMIT_MAIL_*, LIMIT_MAILS_*. Names, subjects and texts may hold whatever people wrote: no
 * header can be made with them (wire/mail_message.h). */
#pragma once
#include "base/settings.h"
#include "store/store.h"

struct mail {
    const char *to;          /* an address as text_email() takes it */
    const char *to_name;     /* NULL: none */
    const char *user_id;     /* the mail goes with the account; NULL: it goes out without one too */
    const char *subject;     /* one line */
    const char *text;        /* lines end with LF */
    const char *unsubscribe; /* an address that takes the POST of RFC 8058, or NULL */
    bool notice;             /* nobody waits for it: after those that somebody waits for */
    int64_t lasts_us;        /* not sent later than this from now; 0: three days */
};

/* False: SMTP is not set, and nothing that needs mail should be offered. Any thread. */
bool mail_on(const struct settings *s);

/* E_INVALID: no mail can go to such an address. E_LIMIT: too many wait, at all or for this address.
 * The caller asks mail_on() first: what is added without SMTP waits, and expires. */
enum err mail_add(struct db *db, const struct mail *m) WARN_UNUSED;

/* Whether there is room for notices: whoever writes many looks before each hundred, and waits. */
bool mail_notices_fit(struct db *db);

/* Where the pages are, "https://live.example.org", for links in what is sent without a request at
 * hand, and in mails that are links to somebody's account: a request's Host header is its
 * client's to choose. Set once, before the loops run; "" before. Any thread. */
void mail_origin_set(const char *origin);
const char *mail_origin(void);

/* Called after rows were written, maybe before their commit; any thread. Set once, before the loops
 * run. */
void mail_set_wake(void (*wake)(void *ctx), void *ctx);
