/* SPDX-License-Identifier: MIT */
/* product/mailer.h - sends the mails that wait (product/mail.h), one after the other, on a thread
 * of its own.
 *
 * What somebody waits for goes first. A mail that the server puts off is tried LIMIT_MAIL_ATTEMPTS
 * times with growing gaps; while the server itself cannot be reached, or refuses us, no mail is
 * blamed for it: all wait, two seconds at first and five minutes at last. A start tries at once. */
#pragma once
#include "base/settings.h"
#include "store/store.h"

struct mailer;

/* E_INVALID: the settings do not make sense; `problem` says why. *out is NULL, and E_OK, when SMTP
 * is not set. */
enum err mailer_open(const struct settings *s, struct store *store, struct mailer **out,
                     char *problem, size_t cap) WARN_UNUSED;
void mailer_wake(void *mailer);     /* any thread */
void mailer_stop(struct mailer *m); /* NULL is fine. A message on its way is broken off. */
void mailer_free(struct mailer *m);

/* One mail now, without the queue, for `bspnode mail test`. E_OK: taken over. Otherwise `problem`
 * has words. */
enum err mailer_test(const struct settings *s, const char *to, char *problem,
                     size_t cap) WARN_UNUSED;
