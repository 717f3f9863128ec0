/* SPDX-License-Identifier: MIT */
#include "wire/oidc_doc.h"
#include "base/hash.h"
#include "wire/json_flat.h"

/* A text of the document, with its escapes undone. E_NOTFOUND, E_PROTO, E_LIMIT; then "". */
static enum err text_of(struct span doc, const char *key, char *out, size_t cap)
{
    struct str s = {0};
    out[0] = 0;
    enum err e = json_flat_text(doc, key, &s);
    if (e == E_OK && !span_cstr(str_span(&s), out, cap)) e = E_LIMIT;
    str_fini(&s);
    return e;
}

enum err oidc_provider_read(struct span text, struct oidc_provider *out, const char **why)
{
    struct span list;
    *why = "Its discovery document is not one, or lacks an address that is needed.";
    if (text_of(text, "issuer", out->issuer, sizeof out->issuer) != E_OK ||
        text_of(text, "authorization_endpoint", out->authorize, sizeof out->authorize) != E_OK ||
        text_of(text, "token_endpoint", out->token, sizeof out->token) != E_OK ||
        text_of(text, "jwks_uri", out->keys, sizeof out->keys) != E_OK)
        return E_PROTO;
    const enum err e = text_of(text, "userinfo_endpoint", out->userinfo, sizeof out->userinfo);
    if (e != E_OK && e != E_NOTFOUND) return E_PROTO;
    /* Without a word about it, a header is what it takes (Discovery, 3). */
    out->secret_in_body =
        json_flat_list(text, "token_endpoint_auth_methods_supported", &list) == E_OK &&
        json_flat_has(list, "client_secret_post") && !json_flat_has(list, "client_secret_basic");
    out->says_issuer = json_flat_is_true(text, "authorization_response_iss_parameter_supported");
    return E_OK;
}

static bool number_of(struct span jwk, const char *key, uint8_t *out, size_t cap, size_t *len)
{
    struct span s;
    if (json_flat_string(jwk, key, &s) != E_OK || !hash_unb64(s, out, cap, len) || !*len)
        return false;
    size_t zeros = 0; /* some write one in front */
    while (zeros + 1 < *len && out[zeros] == 0 && *len > JWK_P256_BYTES) zeros++;
    memmove(out, out + zeros, *len - zeros);
    *len -= zeros;
    return true;
}

static bool says(struct span jwk, const char *key, const char *value)
{
    struct span s;
    return json_flat_string(jwk, key, &s) == E_OK && span_is(s, value);
}

static bool lacks(struct span jwk, const char *key)
{
    struct span s;
    return json_flat_string(jwk, key, &s) == E_NOTFOUND;
}

static bool read_key(struct span jwk, struct oidc_key *k)
{
    const enum err e = text_of(jwk, "kid", k->kid, sizeof k->kid);
    if ((e != E_OK && e != E_NOTFOUND) || (!lacks(jwk, "use") && !says(jwk, "use", "sig")))
        return false;
    if (says(jwk, "kty", "RSA") && (lacks(jwk, "alg") || says(jwk, "alg", "RS256"))) {
        k->kind = OIDC_RSA;
        return number_of(jwk, "n", k->a, sizeof k->a, &k->a_len) &&
               number_of(jwk, "e", k->b, sizeof k->b, &k->b_len);
    }
    if (says(jwk, "kty", "EC") && says(jwk, "crv", "P-256")) {
        k->kind = OIDC_P256;
        return number_of(jwk, "x", k->a, sizeof k->a, &k->a_len) &&
               number_of(jwk, "y", k->b, sizeof k->b, &k->b_len);
    }
    return false;
}

enum err oidc_keys_read(struct span text, struct oidc_keys *out)
{
    struct span list, jwk;
    out->n = 0;
    if (json_flat_list(text, "keys", &list) != E_OK) return E_PROTO;
    enum err e = E_OK;
    while (out->n < LIMIT_OIDC_KEYS && (e = json_flat_next(&list, &jwk)) == E_OK)
        if (read_key(jwk, &out->v[out->n])) out->n++;
    return e == E_PROTO ? E_PROTO : E_OK;
}
