/* SPDX-License-Identifier: MIT */
#include "base/rsa.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

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

/* Reading a PEM costs OpenSSL many times what verifying does. The same text is always the same key,
 * so nothing kept here can be out of date. */
static struct {
    pthread_mutex_t lock;
    struct known {
        char *pem;
        EVP_PKEY *key;
        uint64_t used;
    } v[LIMIT_RSA_KEYS_KEPT];
    uint64_t turn;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static EVP_PKEY *find_kept(const char *pem)
{
    EVP_PKEY *key = NULL;
    pthread_mutex_lock(&kept.lock);
    for (unsigned i = 0; i < LIMIT_RSA_KEYS_KEPT && !key; i++) {
        struct known *k = &kept.v[i];
        if (!k->pem || strcmp(k->pem, pem) != 0) continue;
        key = k->key;
        EVP_PKEY_up_ref(key);
        k->used = ++kept.turn;
    }
    pthread_mutex_unlock(&kept.lock);
    return key;
}

/* In the place of the one that was not used for longest. */
static void keep(const char *pem, EVP_PKEY *key)
{
    pthread_mutex_lock(&kept.lock);
    struct known *k = &kept.v[0];
    for (unsigned i = 1; i < LIMIT_RSA_KEYS_KEPT; i++)
        if (kept.v[i].used < k->used) k = &kept.v[i];
    free(k->pem);
    EVP_PKEY_free(k->key);
    EVP_PKEY_up_ref(key);
    *k = (struct known){xstrdup(pem), key, ++kept.turn};
    pthread_mutex_unlock(&kept.lock);
}

/* A reference, or NULL: this is no public key for RSA. */
static EVP_PKEY *key_of(const char *pem)
{
    EVP_PKEY *key = find_kept(pem);
    if (key) return key;
    BIO *b = BIO_new_mem_buf(pem, -1);
    key = b ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    if (key) keep(pem, key);
    return key;
}

enum err rsa_verify_sha256(const char *public_pem, struct span input, struct span signature)
{
    EVP_PKEY *key = key_of(public_pem);
    const enum err e = key ? verify(key, input, signature) : E_INVALID;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return e;
}
