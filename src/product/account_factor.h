/* SPDX-License-Identifier: MIT */
/* product/account_factor.h - the second factor of an account: codes of an authenticator app
 * (base/totp.h), and ten for the day on which that is lost.
 *
 * The key is sealed in the database (product/seal.h), the recovery codes are there as keyed hashes
 * only. A code is taken once: one of a step that was taken, or of an earlier one, is wrong.
 * How often may be tried is the caller's to bound. Pool threads. */
#pragma once
#include "base/totp.h"
#include "product/account.h"
#include "product/seal.h"

#define FACTOR_KEY_CAP      BASE32_LEN(TOTP_KEY_LEN)
#define FACTOR_RECOVERY_CAP 12 /* "abcde-fghij" */

struct factor_codes {
    char text[LIMIT_RECOVERY_CODES][FACTOR_RECOVERY_CAP];
};

struct factor_state {
    bool on;
    int64_t since;
    int64_t recovery_left;
};
enum err factor_state(struct db *db, const char *user_id, struct factor_state *out) WARN_UNUSED;

/* A key for the app, shown now only; nothing asks for its codes before factor_confirm(). A second
 * one takes the place of one that was not confirmed. E_CONFLICT "totp_on": it is on. */
enum err factor_begin(struct db *db, const struct secret *s, const char *user_id,
                      char key[FACTOR_KEY_CAP], struct problem *p) WARN_UNUSED;
/* On from now on, with the codes for recovery. E_INVALID "wrong_code"; E_CONFLICT: nothing was
 * begun, or it is on. */
enum err factor_confirm(struct db *db, const struct secret *s, const char *user_id,
                        struct span code, struct factor_codes *out, struct problem *p) WARN_UNUSED;
/* Takes a code of the app or one for recovery. E_AUTH "wrong_code". An account without a second
 * factor takes anything: E_OK. */
enum err factor_take(struct db *db, const struct secret *s, const char *user_id, struct span code,
                     struct problem *p) WARN_UNUSED;
/* New codes for recovery; the old ones are good no more. E_CONFLICT: it is off. */
enum err factor_renew_recovery(struct db *db, const struct secret *s, const char *user_id,
                               struct factor_codes *out, struct problem *p) WARN_UNUSED;
/* Off; again is fine. */
enum err factor_end(struct db *db, const char *user_id) WARN_UNUSED;

/* "otpauth://totp/…" for the app, as all of them read it; issuer and account are escaped. */
#define FACTOR_URI_CAP 1400
void factor_uri(const char *issuer, const char *account, const char *key, char out[FACTOR_URI_CAP]);
