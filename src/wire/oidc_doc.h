/* SPDX-License-Identifier: MIT */
/* wire/oidc_doc.h - what an OpenID provider publishes: where it is asked, and its public keys.
 *
 * Sources: OpenID Connect Discovery 1.0, section 3; RFC 7517 (JWK Set), RFC 7518 section 6; RFC
 * 9207 section 3. Pure. Nothing is believed here: addresses are checked by who asks them, keys by
 * base/jwk.h. Limits: LIMIT_URL_BYTES, LIMIT_OIDC_KEYS, LIMIT_OIDC_KID_BYTES, JWK_RSA_MAX_BITS. */
#pragma once
#include "base/err.h"
#include "base/jwk.h"
#include "base/limits.h"
#include "base/span.h"

struct oidc_provider {
    char issuer[LIMIT_URL_BYTES + 1];
    char authorize[LIMIT_URL_BYTES + 1], token[LIMIT_URL_BYTES + 1], keys[LIMIT_URL_BYTES + 1];
    char userinfo[LIMIT_URL_BYTES + 1]; /* "": none */
    bool secret_in_body;                /* it takes the client's secret in no header */
    bool says_issuer;                   /* its answers carry `iss` */
};

/* E_PROTO: no such document, or without what is needed; `why` is a sentence. */
enum err oidc_provider_read(struct span text, struct oidc_provider *out,
                            const char **why) WARN_UNUSED;

enum oidc_key_kind { OIDC_RSA, OIDC_P256 };

struct oidc_key {
    enum oidc_key_kind kind;
    char kid[LIMIT_OIDC_KID_BYTES + 1];                       /* "": none */
    uint8_t a[JWK_RSA_MAX_BITS / 8], b[JWK_RSA_MAX_BITS / 8]; /* n and e, or x and y */
    size_t a_len, b_len;
};

struct oidc_keys {
    unsigned n;
    struct oidc_key v[LIMIT_OIDC_KEYS];
};

/* Those of the two kinds that are for signatures; others are passed over. E_PROTO: no list of keys.
 */
enum err oidc_keys_read(struct span text, struct oidc_keys *out) WARN_UNUSED;
