/* SPDX-License-Identifier: MIT */
#include "base/web_push.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { KEY_LEN = 16, NONCE_LEN = 12, TAG_LEN = 16, RECORD_SIZE = 4096 };

/* HKDF (RFC 5869) for what is not longer than one hash. */
static void derive(struct span salt, struct span secret, struct span info, uint8_t *out, size_t len)
{
    uint8_t prk[SHA256_LEN], block[SHA256_LEN], in[160];
    CHECK(info.len < sizeof in && len <= sizeof block);
    hash_hmac_sha256(salt, secret, prk);
    memcpy(in, info.p, info.len);
    in[info.len] = 1;
    hash_hmac_sha256(span_of(prk, sizeof prk), span_of(in, info.len + 1), block);
    memcpy(out, block, len);
    OPENSSL_cleanse(prk, sizeof prk);
    OPENSSL_cleanse(block, sizeof block);
}

/* The final zero belongs to it. */
#define INFO(text) span_of(text, sizeof(text))

enum err web_push_keys_parse(struct span p256dh, struct span auth, struct web_push_keys *out)
{
    struct web_push_keys k;
    size_t n_key, n_auth;
    if (!hash_unb64(p256dh, k.p256dh, sizeof k.p256dh, &n_key) || n_key != sizeof k.p256dh ||
        !hash_unb64(auth, k.auth, sizeof k.auth, &n_auth) || n_auth != sizeof k.auth ||
        !p256_valid(span_of(k.p256dh, sizeof k.p256dh)))
        return E_INVALID;
    *out = k;
    return E_OK;
}

/* RFC 8291, 3.3 and 3.4: what both know, and nobody between. */
static enum err shared_key(const struct web_push_keys *to, const uint8_t priv[P256_PRIVATE_LEN],
                           const uint8_t pub[P256_PUBLIC_LEN], uint8_t out[SHA256_LEN])
{
    static const char LABEL[] = "WebPush: info"; /* and its zero */
    uint8_t secret[32], info[sizeof LABEL + 2 * P256_PUBLIC_LEN];
    const enum err e = p256_shared(priv, span_of(to->p256dh, sizeof to->p256dh), secret);
    if (e != E_OK) return e;
    memcpy(info, LABEL, sizeof LABEL);
    memcpy(info + sizeof LABEL, to->p256dh, P256_PUBLIC_LEN);
    memcpy(info + sizeof LABEL + P256_PUBLIC_LEN, pub, P256_PUBLIC_LEN);
    derive(span_of(to->auth, sizeof to->auth), span_of(secret, sizeof secret),
           span_of(info, sizeof info), out, SHA256_LEN);
    OPENSSL_cleanse(secret, sizeof secret);
    return E_OK;
}

static void put_record(struct span text, const uint8_t key[KEY_LEN], const uint8_t nonce[NONCE_LEN],
                       struct str *out)
{
    static const uint8_t LAST = 2; /* delimiter of the last record, RFC 8188, 2 */
    uint8_t sealed[WEB_PUSH_TEXT_MAX + 1 + TAG_LEN];
    int n = 0, more = 0, end = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    CHECK(c && EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
          (!text.len || EVP_EncryptUpdate(c, sealed, &n, text.p, (int)text.len) == 1) &&
          EVP_EncryptUpdate(c, sealed + n, &more, &LAST, 1) == 1 &&
          EVP_EncryptFinal_ex(c, sealed + n + more, &end) == 1 &&
          EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, sealed + n + more + end) == 1);
    EVP_CIPHER_CTX_free(c);
    str_add(out, span_of(sealed, (size_t)(n + more + end) + TAG_LEN));
}

enum err web_push_seal(const struct web_push_keys *to, struct span text, const uint8_t *sender_priv,
                       const uint8_t *salt, struct str *out)
{
    uint8_t priv[P256_PRIVATE_LEN], pub[P256_PUBLIC_LEN], own_salt[WEB_PUSH_SALT_LEN];
    uint8_t ikm[SHA256_LEN], key[KEY_LEN], nonce[NONCE_LEN];
    if (text.len > WEB_PUSH_TEXT_MAX) return E_LIMIT;
    p256_make(priv, pub);
    rand_bytes(own_salt, sizeof own_salt);
    if (salt) memcpy(own_salt, salt, sizeof own_salt);
    if (sender_priv) {
        memcpy(priv, sender_priv, sizeof priv);
        if (p256_public(priv, pub) != E_OK) return E_INVALID;
    }
    const enum err e = shared_key(to, priv, pub, ikm);
    OPENSSL_cleanse(priv, sizeof priv);
    if (e != E_OK) return e;
    const struct span s = span_of(own_salt, sizeof own_salt), secret = span_of(ikm, sizeof ikm);
    derive(s, secret, INFO("Content-Encoding: aes128gcm"), key, sizeof key);
    derive(s, secret, INFO("Content-Encoding: nonce"), nonce, sizeof nonce);
    str_add(out, s);
    str_be(out, RECORD_SIZE, 4);
    str_addc(out, (char)P256_PUBLIC_LEN);
    str_add(out, span_of(pub, sizeof pub));
    put_record(text, key, nonce, out);
    OPENSSL_cleanse(ikm, sizeof ikm);
    OPENSSL_cleanse(key, sizeof key);
    return E_OK;
}

/* --- VAPID ------------------------------------------------------------------------------------ */

/* Can stand in a JSON text as it is. */
static bool plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\') return false;
    return s.len > 0 && s.len < 400;
}

/* "https://push.example.org:8443" of an address there. */
static struct span origin_of(struct span url)
{
    const size_t scheme = span_starts(url, "https://") ? 8 : span_starts(url, "http://") ? 7 : 0;
    size_t n = scheme;
    while (n < url.len && !memchr("/?#", url.p[n], 3)) n++;
    return scheme && n > scheme ? span_head(url, n) : SPAN_NULL;
}

static void add_b64(struct str *out, struct span s)
{
    char text[HASH_B64_LEN(1024)];
    CHECK(s.len <= 1024);
    hash_b64url(s, text);
    str_adds(out, text);
}

enum err web_push_vapid(const uint8_t priv[P256_PRIVATE_LEN], struct span endpoint,
                        struct span subject, int64_t expires_at_s, struct str *out)
{
    static const char HEAD[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    uint8_t pub[P256_PUBLIC_LEN], signature[P256_SIGNATURE_LEN];
    struct str claims = {0}, token = {0};
    const struct span origin = origin_of(endpoint);
    if (!plain(origin) || !plain(subject) || p256_public(priv, pub) != E_OK) return E_INVALID;
    str_addf(&claims, "{\"aud\":\"%.*s\",\"exp\":%lld,\"sub\":\"%.*s\"}", (int)origin.len,
             (const char *)origin.p, (long long)expires_at_s, (int)subject.len,
             (const char *)subject.p);
    add_b64(&token, span_str(HEAD));
    str_addc(&token, '.');
    add_b64(&token, str_span(&claims));
    const enum err e = p256_sign(priv, str_span(&token), signature);
    if (e == E_OK) {
        str_adds(out, "vapid t=");
        str_add(out, str_span(&token));
        str_addc(out, '.');
        add_b64(out, span_of(signature, sizeof signature));
        str_adds(out, ", k=");
        add_b64(out, span_of(pub, sizeof pub));
    }
    str_fini(&claims);
    str_fini(&token);
    return e;
}
