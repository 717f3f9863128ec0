/* SPDX-License-Identifier: MIT */
/* base/hash.h - SHA-256, HMAC with SHA-256 and SHA-1, constant-time comparison, hex, base64 and
 * CRC-32. Any thread. The hashes are OpenSSL's [libcrypto]. */
#pragma once
#include "base/span.h"

#define SHA256_LEN 32
#define SHA1_LEN   20

void hash_sha256(struct span in, uint8_t out[SHA256_LEN]);
void hash_hmac_sha256(struct span key, struct span in, uint8_t out[SHA256_LEN]);
void hash_hmac_sha1(struct span key, struct span in, uint8_t out[SHA1_LEN]); /* STUN has no other */
bool hash_equal(struct span a, struct span b);     /* time depends on the lengths only */
uint32_t hash_crc32(uint32_t crc, struct span in); /* start with 0; the polynomial of zlib */

void hash_hex(struct span in, char *out); /* 2 * len + 1 bytes */
/* False when odd, not hex, or not exactly `len` bytes. */
bool hash_unhex(struct span hex, uint8_t *out, size_t len);
/* RFC 4648 section 5, without padding. `out` has room for HASH_B64_LEN(len). */
#define HASH_B64_LEN(n) (((n) + 2) / 3 * 4 + 1)
void hash_b64url(struct span in, char *out);
/* Section 4, the common alphabet, with padding. */
void hash_b64(struct span in, char *out);
/* Either alphabet, with or without padding. False, and *len 0: another character, padding that does
 * not fit, a length that nothing encodes to, or more than `cap` bytes. */
bool hash_unb64(struct span text, uint8_t *out, size_t cap, size_t *len);
