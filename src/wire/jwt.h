/* SPDX-License-Identifier: MIT */
/* wire/jwt.h - a signed token in its compact form, taken apart: what was signed, the signature, and
 * the claims.
 *
 * Sources: RFC 7519 (JWT), RFC 7515 sections 3.1 and 7.1 (compact JWS), RFC 8259 (JSON). Strict:
 * base64url without padding and without stray bits, one JSON object each, no name twice. Nothing
 * here is believed: who uses a claim verifies the signature first (base/rsa.h, base/jwk.h) and
 * insists on the algorithm.
 *
 * Pure, any thread. Spans point into the struct, which must stay where it is. Limits:
 * LIMIT_JWT_BYTES, LIMIT_JWT_CLAIMS, LIMIT_JWT_DEPTH, LIMIT_JWT_SIGNATURE. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

/* "none", HS256 and all others are JWT_OTHER */
enum jwt_alg { JWT_OTHER, JWT_RS256, JWT_ES256 };
enum jwt_kind { JWT_STRING, JWT_NUMBER, JWT_BOOL, JWT_NULL };

/* A member of the payload that is no object and no list. A string is as it stands there, with its
 * escapes: see `escaped`. */
struct jwt_claim {
    struct span name, value;
    enum jwt_kind kind;
    bool escaped;
};

struct jwt {
    enum jwt_alg alg;
    struct span input; /* what was signed; a view into the token's text */
    uint8_t signature[LIMIT_JWT_SIGNATURE];
    size_t signature_len;
    struct span kid;  /* of the header; p NULL: none there */
    struct span body; /* the payload's JSON, for what is not a plain claim (json_flat.h) */
    unsigned n_claims;
    struct jwt_claim claims[LIMIT_JWT_CLAIMS];
    uint8_t head[LIMIT_JWT_BYTES], payload[LIMIT_JWT_BYTES];
};

/* E_PROTO: no such token. E_LIMIT: too long, too deep, too many claims. */
enum err jwt_parse(struct span text, struct jwt *out) WARN_UNUSED;
/* The claim of that name; NULL: none. */
const struct jwt_claim *jwt_find(const struct jwt *t, const char *name);
/* A text without escapes. False: none such. */
bool jwt_text(const struct jwt *t, const char *name, struct span *out);
/* A NumericDate: seconds, of which fractions are dropped. False: none such. */
bool jwt_seconds(const struct jwt *t, const char *name, int64_t *out);
