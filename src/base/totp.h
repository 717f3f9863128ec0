/* SPDX-License-Identifier: MIT */
/* base/totp.h - codes that change every half minute [RFC 6238], of HMAC-SHA-1 and six digits, as
 * every authenticator app makes them; and base32 [RFC 4648, 6], in which such an app is told the
 * key. Pure functions, any thread. */
#pragma once
#include "base/span.h"

#define TOTP_STEP_S  30
#define TOTP_DIGITS  6
#define TOTP_KEY_LEN 20 /* as long as the hash: RFC 4226, 4 */

/* The code of a step [RFC 4226, 5.3], of 6 to 8 digits with its leading zeros and a final zero. */
void totp_code(struct span key, uint64_t step, unsigned digits, char *out);
/* Which step `code` is of: the one that `now_s` is in, the one before or the one after, and later
 * than `last_step`. False: none of them. The time does not tell how much of it was right. */
bool totp_find(struct span key, struct span code, uint64_t now_s, uint64_t last_step,
               uint64_t *step);

/* Upper case, without padding; `out` has room for BASE32_LEN(len). */
#define BASE32_LEN(n) (((n)*8 + 4) / 5 + 1)
void base32_text(struct span in, char *out);
/* Either case; false: another character, or not exactly `len` bytes. */
bool base32_bytes(struct span text, uint8_t *out, size_t len);
