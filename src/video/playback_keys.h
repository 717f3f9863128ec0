/* SPDX-License-Identifier: MIT */
/* video/playback_keys.h - the rows behind signed playback: signing keys, of which we keep the
 * public half only, and rules about pages and programs (admit.h holds to both). Pool threads;
 * making a key takes a tenth of a second. All functions know the rows of one user only. */
#pragma once
#include "base/str.h"
#include "store/store.h"
#include "video/live.h"

struct signing_key {
    char id[LIVE_ID_CAP];
    int64_t created_at;
};

/* Appends the private half as PEM; it is nowhere else. E_LIMIT: LIMIT_SIGNING_KEYS. */
enum err signing_key_create(struct db *db, const char *user, struct signing_key *out,
                            struct str *private_pem) WARN_UNUSED;
enum err signing_key_get(struct db *db, const char *user, const char *id,
                         struct signing_key *out) WARN_UNUSED;
/* Newest first; *n is `max` before and the number after. */
enum err signing_key_list(struct db *db, const char *user, int64_t limit, int64_t offset,
                          struct signing_key *out, unsigned *n) WARN_UNUSED;
enum err signing_key_delete(struct db *db, const char *user, const char *id) WARN_UNUSED;

struct restriction {
    char id[LIVE_ID_CAP];
    int64_t created_at, updated_at;
    char *domains; /* owned, with a space between; NULL is "" */
    bool allow_no_referrer, allow_no_user_agent, allow_high_risk_user_agent;
};

void restriction_fini(struct restriction *r);
/* Fills in id and times. */
enum err restriction_create(struct db *db, const char *user, struct restriction *r) WARN_UNUSED;
enum err restriction_get(struct db *db, const char *user, const char *id,
                         struct restriction *out) WARN_UNUSED;
/* Writes all of it, and the time of the change. */
enum err restriction_update(struct db *db, const char *user, struct restriction *r) WARN_UNUSED;
enum err restriction_list(struct db *db, const char *user, int64_t limit, int64_t offset,
                          struct restriction *out, unsigned *n) WARN_UNUSED;
enum err restriction_delete(struct db *db, const char *user, const char *id) WARN_UNUSED;
