/* SPDX-License-Identifier: MIT */
#include "base/totp.h"
#include "base/hash.h"
#include <stdio.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void totp_code(struct span key, uint64_t step, unsigned digits, char *out)
{
    uint8_t counter[8], mac[SHA1_LEN];
    uint32_t modulus = 1;
    for (unsigned i = 0; i < sizeof counter; i++) counter[i] = (uint8_t)(step >> (56 - 8 * i));
    hash_hmac_sha1(key, span_of(counter, sizeof counter), mac);
    const unsigned at = mac[SHA1_LEN - 1] & 15u;
    const uint32_t cut = ((uint32_t)(mac[at] & 0x7f) << 24) | ((uint32_t)mac[at + 1] << 16) |
                         ((uint32_t)mac[at + 2] << 8) | mac[at + 3];
    for (unsigned i = 0; i < digits; i++) modulus *= 10;
    snprintf(out, digits + 1, "%0*u", (int)digits, cut % modulus);
}

bool totp_find(struct span key, struct span code, uint64_t now_s, uint64_t last_step,
               uint64_t *step)
{
    char each[TOTP_DIGITS + 1];
    const uint64_t now = now_s / TOTP_STEP_S;
    bool found = false;
    for (uint64_t s = now ? now - 1 : 0; s <= now + 1; s++) {
        totp_code(key, s, TOTP_DIGITS, each);
        if (!hash_equal(span_str(each), code) || s <= last_step) continue;
        *step = s;
        found = true;
    }
    return found;
}

void base32_text(struct span in, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < in.len; i++) {
        bits = (bits << 8) | in.p[i];
        for (have += 8; have >= 5; have -= 5) *out++ = ALPHABET[(bits >> (have - 5)) & 31];
    }
    if (have) *out++ = ALPHABET[(bits << (5 - have)) & 31];
    *out = 0;
}

bool base32_bytes(struct span text, uint8_t *out, size_t len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    if (text.len != BASE32_LEN(len) - 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        const int c = text.p[i] >= 'a' && text.p[i] <= 'z' ? text.p[i] - 32 : text.p[i];
        const char *at = c ? strchr(ALPHABET, c) : NULL;
        if (!at) return false;
        bits = (bits << 5) | (uint32_t)(at - ALPHABET);
        if ((have += 5) < 8) continue;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n == len;
}
