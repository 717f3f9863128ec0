/* SPDX-License-Identifier: MIT */
/* video/grant.h - what lets somebody see a PRIVATE stream: a short text that says until when, and
 * is signed by this installation for one stream and one of its epochs.
 *
 * "bspw-UNTIL-EPOCH-SIGNATURE": seconds since 1970, the stream's number that is counted up when
 * whoever was let in shall be let in no more, and 16 bytes of HMAC-SHA-256 in base64url (RFC 4648,
 * 5). It says nothing of who it was made for. Of two kinds: one for media, short, in addresses
 * ("token="); one that remembers that the password was given, in a cookie. Any thread. */
#pragma once
#include "base/secret.h"
#include "base/span.h"

enum grant_kind { GRANT_WATCH, GRANT_ENTRY };

#define GRANT_CAP 80 /* with the final zero */

/* Before any other; again is fine. */
void grant_init(const struct secret *secret);
void grant_write(enum grant_kind kind, const char *stream_id, int64_t epoch, int64_t until_s,
                 char out[GRANT_CAP]);
/* It looks like one of these, whether it is good or not. */
bool grant_is(enum grant_kind kind, struct span text);
/* E_AUTH: not ours, or for another stream, or of another epoch. E_TIMEOUT: expired. */
enum err grant_check(enum grant_kind kind, struct span text, const char *stream_id, int64_t epoch,
                     int64_t now_s) WARN_UNUSED;
