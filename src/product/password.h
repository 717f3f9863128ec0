/* SPDX-License-Identifier: MIT */
/* product/password.h - argon2id by libsodium, 19 MiB and 2 passes (OWASP's parameters).
 * Slow on purpose: tens of milliseconds. Pool threads only, LIMIT_PASSWORD_LANES at once. */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define PASSWORD_HASH_CAP 128 /* "$argon2id$v=19$m=19456,t=2,p=1$..." */

/* Long enough, and not among the first that anybody would try. NULL: fine; else why not. */
const char *password_weakness(struct span password, const char *email, const char *name);
enum err password_hash(struct span password, char out[PASSWORD_HASH_CAP]) WARN_UNUSED;
/* `hash` NULL: no such user; takes the same time and says false. */
bool password_matches(struct span password, const char *hash);
/* The hash was made with other parameters than today's. */
bool password_is_outdated(const char *hash);
