/* SPDX-License-Identifier: MIT */
/* client/smtp.h - hands one message to a mail server (RFC 5321; STARTTLS RFC 3207, or TLS at once
 * RFC 8314) [libcurl].
 *
 * One thread, which blocks. The connection is kept for the next message. The server is the
 * operator's, from the settings: net_guard is not asked. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include <stdatomic.h>

#define SMTP_WHY_CAP 200

enum smtp_tls { SMTP_TLS_REQUIRED, SMTP_TLS_OPTIONAL, SMTP_TLS_NONE };

/* Constant, and outlives the client. */
struct smtp_config {
    const char *url;             /* smtp://host[:port] or smtps://host[:port] */
    const char *user, *password; /* "": no log-in */
    const char *ca;              /* PEM file trusted in place of the system's; "": the system's */
    enum smtp_tls tls;           /* of smtp:// */
};

struct smtp;
struct smtp *smtp_new(const struct smtp_config *cfg);
void smtp_free(struct smtp *s); /* NULL is fine */

/* Why the settings cannot be used, in words; NULL: they can. */
const char *smtp_config_problem(const struct smtp_config *cfg);

struct smtp_result {
    bool about_mail; /* the server spoke about this message; else no message gets through now */
    int code;        /* its last answer; 0: none */
    char why[SMTP_WHY_CAP];
};

/* `from` and `to` are plain addresses (wire/mail_message.h). E_OK: the server has taken it over.
 * E_INVALID: it never will (5yz). E_CLOSED: `cancel` was set. E_AUTH: the log-in was refused.
 * Anything else: later. */
enum err smtp_send(struct smtp *s, const char *from, const char *to, struct span message,
                   _Atomic bool *cancel, struct smtp_result *out) WARN_UNUSED;
