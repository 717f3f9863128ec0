/* SPDX-License-Identifier: MIT */
/* base/jwk.h - signatures of others' tokens, verified with public keys as they are published: as
 * numbers (RFC 7518, 6.2.1 and 6.3.1), big-endian. Any thread, nothing is kept. [libcrypto]
 *
 * E_AUTH: not this key's signature of `input`. E_INVALID: no key that is believed: RSA of
 * JWK_RSA_MIN_BITS to JWK_RSA_MAX_BITS with an odd exponent of at most four bytes, or a point on
 * P-256. */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define JWK_RSA_MIN_BITS 2048
#define JWK_RSA_MAX_BITS 8192
#define JWK_P256_BYTES   32

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3). */
enum err jwk_verify_rs256(struct span n, struct span e, struct span input,
                          struct span signature) WARN_UNUSED;
/* ECDSA with P-256 and SHA-256; the signature is R and S, 32 bytes each (RFC 7518, 3.4). */
enum err jwk_verify_es256(struct span x, struct span y, struct span input,
                          struct span signature) WARN_UNUSED;
