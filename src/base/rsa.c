/* SPDX-License-Identifier: MIT */
#include "base/rsa.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define RSA_BITS 2048

static bool add_bio(BIO *b, struct str *out)
{
    char *p;
    const long n = BIO_get_mem_data(b, &p);
    if (n <= 0) return false;
    str_add(out, span_of(p, (size_t)n));
    return true;
}

enum err rsa_make(struct str *private_pem, struct str *public_pem)
{
    EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
    BIO *priv = BIO_new(BIO_s_secmem()), *pub = BIO_new(BIO_s_mem());
    const bool ok = key && priv && pub &&
                    PEM_write_bio_PKCS8PrivateKey(priv, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                    PEM_write_bio_PUBKEY(pub, key) == 1 && add_bio(priv, private_pem) &&
                    add_bio(pub, public_pem);
    BIO_free(priv);
    BIO_free(pub);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? E_OK : E_IO;
}

static enum err verify(EVP_PKEY *key, struct span input, struct span signature)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const bool ok = c && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(c, signature.p, signature.len, input.p, input.len) == 1;
    EVP_MD_CTX_free(c);
    return ok ? E_OK : E_AUTH;
}

enum err rsa_verify_sha256(const char *public_pem, struct span input, struct span signature)
{
    BIO *b = BIO_new_mem_buf(public_pem, -1);
    EVP_PKEY *key = b ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;
    enum err e = E_INVALID;
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA) e = verify(key, input, signature);
    EVP_PKEY_free(key);
    BIO_free(b);
    ERR_clear_error();
    return e;
}
