/* SPDX-License-Identifier: MIT */
/* video/admit.h - signed playback: whether a token, a referrer and a user agent may have what a
 * playback id leads to.
 *
 * A token is a JWT (RS256) by one of the signing keys of the id's owner, whose key id stands in its
 * header or its payload; "sub" is the playback id, "aud" what it is for, "exp" is needed. A claim
 * "playback_restriction_id" names a rule about pages and programs that must hold as well.
 * Pool threads. */
#pragma once
#include "serve/gate.h"
#include "video/live_priv.h"

/* E_OK: *pass has the claims. E_AUTH: no; *reason is a constant sentence. */
enum err admit_check(struct db *db, const char *id, const struct live_playback *p,
                     const struct gate_viewer *who, struct gate_pass *pass,
                     const char **reason) WARN_UNUSED;

/* For whoever serves other things of a playback id on a pool thread: looks it up, and checks.
 * E_NOTFOUND: no such id. */
enum err admit(struct db *db, const char *id, const struct gate_viewer *who,
               struct live_playback *p, struct gate_pass *pass, const char **reason) WARN_UNUSED;

/* What a token says by itself: whose key has signed it, about what ("sub"), what for ("aud"). */
struct admit_statement {
    char user[LIVE_ID_CAP], subject[LIVE_ID_CAP], use[24];
};
/* E_AUTH: not signed by anybody here, or expired; *reason is a constant sentence. */
enum err admit_read(struct db *db, const char *token, struct admit_statement *out,
                    const char **reason) WARN_UNUSED;

/* The rule's words, without the database: `domains` with a space between. */
bool admit_referrer(const char *domains, bool allow_none, const char *referrer);
bool admit_agent(bool allow_none, bool allow_high_risk, const char *agent);
