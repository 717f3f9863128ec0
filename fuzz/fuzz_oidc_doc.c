/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/oidc_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;
    struct oidc_provider *p = NEW(struct oidc_provider);
    struct oidc_keys *k = NEW(struct oidc_keys);
    if (oidc_provider_read(span_of(data, size), p, &why) == E_OK)
        CHECK(strlen(p->issuer) <= LIMIT_URL_BYTES && strlen(p->userinfo) <= LIMIT_URL_BYTES);
    if (oidc_keys_read(span_of(data, size), k) == E_OK) {
        CHECK(k->n <= LIMIT_OIDC_KEYS);
        for (unsigned i = 0; i < k->n; i++) {
            const struct oidc_key *v = &k->v[i];
            CHECK(v->a_len && v->a_len <= sizeof v->a && v->b_len && v->b_len <= sizeof v->b);
            /* No key crashes the verifier. */
            const struct span a = span_of(v->a, v->a_len), b = span_of(v->b, v->b_len);
            const struct span s = span_head(span_of(v->a, sizeof v->a), 64);
            if (v->kind == OIDC_RSA)
                CHECK(jwk_verify_rs256(a, b, a, a) != E_OK);
            else
                CHECK(jwk_verify_es256(a, b, a, s) != E_OK);
        }
    }
    free(k);
    free(p);
    return 0;
}
