/* SPDX-License-Identifier: MIT */
/* base/p256.h - the curve P-256 (FIPS 186-5): keys, a shared secret (ECDH), signatures (ES256 of
 * RFC 7518). A private key is its number, a public one its uncompressed point. Any thread.
 * [libcrypto] */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define P256_PRIVATE_LEN   32
#define P256_PUBLIC_LEN    65
#define P256_SIGNATURE_LEN 64

/* A new key. */
void p256_make(uint8_t priv[P256_PRIVATE_LEN], uint8_t pub[P256_PUBLIC_LEN]);
/* The public half. E_INVALID: the number is zero or above the curve's order. */
enum err p256_public(const uint8_t priv[P256_PRIVATE_LEN],
                     uint8_t pub[P256_PUBLIC_LEN]) WARN_UNUSED;
/* A point on the curve, uncompressed, not the one at infinity: what a stranger sends is looked at
 * before it is used. */
bool p256_valid(struct span pub);
/* The shared secret, the x coordinate. E_INVALID: `peer` is not a point of the curve. */
enum err p256_shared(const uint8_t priv[P256_PRIVATE_LEN], struct span peer,
                     uint8_t out[32]) WARN_UNUSED;
/* ECDSA with SHA-256, r and s behind each other. E_INVALID: a bad key. */
enum err p256_sign(const uint8_t priv[P256_PRIVATE_LEN], struct span input,
                   uint8_t out[P256_SIGNATURE_LEN]) WARN_UNUSED;
