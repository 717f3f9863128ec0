/* SPDX-License-Identifier: MIT */
/* wire/mail_message.h - a mail as its bytes: RFC 5322 with MIME (RFC 2045, 2047), plain text in
 * UTF-8, a way out for programs (RFC 2369, RFC 8058).
 *
 * Whatever a name, subject or text holds, it ends where it is put: control characters become
 * spaces, what is not plain ASCII is encoded, and an address that could hold anything else than one
 * address is refused. Pure; any thread. Limits: LIMIT_MAIL_*. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct mail_message {
    struct span from_name, from; /* name may be empty */
    struct span to_name, to;     /* likewise */
    struct span subject, text;   /* UTF-8; lines end with LF */
    struct span id;              /* Message-ID without "<", ">": letters, digits, ".-_@" */
    struct span unsubscribe;     /* an http address that takes a POST (RFC 8058); empty: none */
    int64_t date_us;             /* microseconds since 1970 */
};

/* Appends the message with CRLF line ends, none longer than 76 bytes except the addresses. Dots at
 * the beginning of lines are SMTP's matter, not done here. E_INVALID: an address, the id or the way
 * out cannot stand in a header. E_LIMIT: a part is longer than its limit. */
enum err mail_message_write(const struct mail_message *m, struct str *out) WARN_UNUSED;

/* One plain ASCII address "local@domain" without quotes, as can stand in an envelope. */
bool mail_address_valid(struct span s);
/* "Name <a@b>" or "a@b" into views of `s`; the name is without quotes. E_INVALID. */
enum err mail_mailbox_parse(struct span s, struct span *name, struct span *address) WARN_UNUSED;
