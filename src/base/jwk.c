/* SPDX-License-Identifier: MIT */
#include "base/jwk.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *b)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !c || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(c);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(struct span n, struct span e)
{
    EVP_PKEY *key = NULL;
    if (n.len > JWK_RSA_MAX_BITS / 8 || e.len > 4 || !e.len || !(e.p[e.len - 1] & 1)) return NULL;
    BIGNUM *bn = BN_bin2bn(n.p, (int)n.len, NULL), *be = BN_bin2bn(e.p, (int)e.len, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (bn && be && b && BN_num_bits(bn) >= JWK_RSA_MIN_BITS && !BN_is_one(be) &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        key = key_from("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(be);
    BN_free(bn);
    return key;
}

static EVP_PKEY *ec_key(struct span x, struct span y)
{
    EVP_PKEY *key = NULL;
    uint8_t point[1 + 2 * JWK_P256_BYTES] = {4}; /* uncompressed */
    if (x.len != JWK_P256_BYTES || y.len != JWK_P256_BYTES) return NULL;
    memcpy(point + 1, x.p, x.len);
    memcpy(point + 1 + x.len, y.p, y.len);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        key = key_from("EC", b);
    OSSL_PARAM_BLD_free(b);
    return key;
}

static enum err verify(EVP_PKEY *key, struct span input, struct span signature)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const bool ok = c && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(c, signature.p, signature.len, input.p, input.len) == 1;
    EVP_MD_CTX_free(c);
    return ok ? E_OK : E_AUTH;
}

enum err jwk_verify_rs256(struct span n, struct span e, struct span input, struct span signature)
{
    EVP_PKEY *key = rsa_key(n, e);
    const enum err result = key ? verify(key, input, signature) : E_INVALID;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return result;
}

/* OpenSSL wants the pair as DER. */
static int to_der(struct span pair, uint8_t **der)
{
    int len = -1;
    ECDSA_SIG *s = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair.p, JWK_P256_BYTES, NULL);
    BIGNUM *t = BN_bin2bn(pair.p + JWK_P256_BYTES, JWK_P256_BYTES, NULL);
    if (s && r && t && ECDSA_SIG_set0(s, r, t) == 1) {
        r = t = NULL; /* the signature's now */
        len = i2d_ECDSA_SIG(s, der);
    }
    BN_free(r);
    BN_free(t);
    ECDSA_SIG_free(s);
    return len;
}

enum err jwk_verify_es256(struct span x, struct span y, struct span input, struct span signature)
{
    uint8_t *der = NULL;
    EVP_PKEY *key = ec_key(x, y);
    enum err result = key ? E_AUTH : E_INVALID;
    if (key && signature.len == 2 * JWK_P256_BYTES) {
        const int len = to_der(signature, &der);
        if (len > 0) result = verify(key, input, span_of(der, (size_t)len));
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return result;
}
