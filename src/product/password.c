/* SPDX-License-Identifier: MIT */
#include "product/password.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include <pthread.h>
#include <sodium.h>

enum { PASSES = 2, MEMORY_BYTES = 19456 * 1024 };

_Static_assert(PASSWORD_HASH_CAP == crypto_pwhash_STRBYTES, "libsodium's size");

/* What everybody tries first, of those that are long enough. In lower case. */
static const char *const COMMON[] = {
    "password",  "password1", "passw0rd",  "12345678",   "123456789", "1234567890", "87654321",
    "qwertyui",  "qwerty12",  "qwerty123", "qwertyuiop", "1q2w3e4r",  "1qaz2wsx",   "asdfghjk",
    "asdfghjkl", "iloveyou",  "sunshine",  "princess",   "football",  "baseball",   "superman",
    "starwars",  "trustno1",  "letmein1",  "welcome1",   "abcd1234",  "a1b2c3d4",   "12341234",
    "11223344",  "computer",  "whatever",  "michelle",   "jennifer",  "zaq12wsx",   "changeme",
};

static bool one_character(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (s.p[i] != s.p[0]) return false;
    return true;
}

const char *password_weakness(struct span password, const char *email, const char *name)
{
    if (password.len < LIMIT_PASSWORD_MIN) return "A password needs at least 8 characters.";
    if (password.len > LIMIT_PASSWORD_BYTES) return "This password is too long.";
    if (memchr(password.p, 0, password.len)) return "This password holds a zero character.";
    if (one_character(password)) return "This password is one character, repeated.";
    if (span_ieq(password, span_str(email)) || span_ieq(password, span_str(name)))
        return "Your name or your address is not a password.";
    for (size_t i = 0; i < sizeof COMMON / sizeof *COMMON; i++)
        if (span_ieq(password, span_str(COMMON[i])))
            return "This is one of the most used passwords; choose another.";
    return NULL;
}

enum err password_hash(struct span password, char out[PASSWORD_HASH_CAP])
{
    CHECK(sodium_init() >= 0);
    if (crypto_pwhash_str_alg(out, (const char *)password.p, password.len, PASSES, MEMORY_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return E_NOMEM;
    return E_OK;
}

/* A hash that nothing matches, made once: checking against it costs what a real one costs. */
static char nobody[PASSWORD_HASH_CAP];

static void nobody_make(void)
{
    uint8_t password[32];
    CHECK(sodium_init() >= 0);
    randombytes_buf(password, sizeof password);
    CHECK(password_hash(span_of(password, sizeof password), nobody) == E_OK);
}

bool password_matches(struct span password, const char *hash)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, nobody_make);
    metric_add(M_PASSWORD_CHECKS, 1);
    const bool ok =
        crypto_pwhash_str_verify(hash ? hash : nobody, (const char *)password.p, password.len) == 0;
    return ok && hash;
}

bool password_is_outdated(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSES, MEMORY_BYTES) != 0;
}
