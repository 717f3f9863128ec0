/* SPDX-License-Identifier: MIT */
#include "base/p256.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

static EC_GROUP *curve(void)
{
    EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    CHECK(g);
    return g;
}

enum err p256_public(const uint8_t priv[P256_PRIVATE_LEN], uint8_t pub[P256_PUBLIC_LEN])
{
    EC_GROUP *g = curve();
    EC_POINT *p = EC_POINT_new(g);
    BIGNUM *d = BN_bin2bn(priv, P256_PRIVATE_LEN, NULL);
    CHECK(p && d);
    BN_set_flags(d, BN_FLG_CONSTTIME);
    const bool ok = !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(g)) < 0 &&
                    EC_POINT_mul(g, p, d, NULL, NULL, NULL) == 1 &&
                    EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, pub, P256_PUBLIC_LEN,
                                       NULL) == P256_PUBLIC_LEN;
    BN_clear_free(d);
    EC_POINT_free(p);
    EC_GROUP_free(g);
    ERR_clear_error();
    return ok ? E_OK : E_INVALID;
}

void p256_make(uint8_t priv[P256_PRIVATE_LEN], uint8_t pub[P256_PUBLIC_LEN])
{
    do rand_bytes(priv, P256_PRIVATE_LEN);
    while (p256_public(priv, pub) != E_OK);
}

bool p256_valid(struct span pub)
{
    if (pub.len != P256_PUBLIC_LEN || pub.p[0] != 4) return false;
    EC_GROUP *g = curve();
    EC_POINT *p = EC_POINT_new(g);
    CHECK(p);
    const bool ok = EC_POINT_oct2point(g, p, pub.p, pub.len, NULL) == 1 &&
                    EC_POINT_is_on_curve(g, p, NULL) == 1;
    EC_POINT_free(p);
    EC_GROUP_free(g);
    ERR_clear_error();
    return ok;
}

/* `priv` NULL: a public key. NULL: not a key. */
static EVP_PKEY *key_of(const uint8_t *priv, struct span pub)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    BIGNUM *d = priv ? BN_secure_new() : NULL;
    CHECK(c && b && (!priv || (d && BN_bin2bn(priv, P256_PRIVATE_LEN, d))));
    CHECK(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
          OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, pub.p, pub.len) == 1 &&
          (!d || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1));
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    CHECK(params);
    if (EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_clear_free(d);
    EVP_PKEY_CTX_free(c);
    return key;
}

static EVP_PKEY *own_key(const uint8_t priv[P256_PRIVATE_LEN])
{
    uint8_t pub[P256_PUBLIC_LEN];
    if (p256_public(priv, pub) != E_OK) return NULL;
    return key_of(priv, span_of(pub, sizeof pub));
}

enum err p256_shared(const uint8_t priv[P256_PRIVATE_LEN], struct span peer, uint8_t out[32])
{
    uint8_t x[32];
    size_t len = sizeof x;
    if (!p256_valid(peer)) return E_INVALID;
    EVP_PKEY *own = own_key(priv), *other = key_of(NULL, peer);
    EVP_PKEY_CTX *c = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    const bool ok = c && other && EVP_PKEY_derive_init(c) == 1 &&
                    EVP_PKEY_derive_set_peer(c, other) == 1 && EVP_PKEY_derive(c, x, &len) == 1 &&
                    len == sizeof x;
    if (ok) memcpy(out, x, sizeof x);
    OPENSSL_cleanse(x, sizeof x);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(own);
    EVP_PKEY_free(other);
    ERR_clear_error();
    return ok ? E_OK : E_INVALID;
}

/* OpenSSL's is DER. */
static bool plain_signature(const uint8_t *der, size_t len, uint8_t out[P256_SIGNATURE_LEN])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    const bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32;
    ECDSA_SIG_free(sig);
    return ok;
}

enum err p256_sign(const uint8_t priv[P256_PRIVATE_LEN], struct span input,
                   uint8_t out[P256_SIGNATURE_LEN])
{
    uint8_t der[80];
    size_t len = sizeof der;
    EVP_PKEY *key = own_key(priv);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const bool ok = key && c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestSign(c, der, &len, input.p, input.len) == 1 &&
                    plain_signature(der, len, out);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? E_OK : E_INVALID;
}
