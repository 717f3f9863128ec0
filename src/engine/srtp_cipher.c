/* SPDX-License-Identifier: MIT */
/* SHA-1 is used through its old face: the states after the key's blocks are kept and copied by
 * value, which costs a tenth of a fetched EVP_MAC a packet. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine/srtp_cipher.h"
#include "base/wr.h"
#include "base/xalloc.h"

#define GCM_TAG 16
#define MAC_TAG 10
#define BLOCK   64 /* of SHA-1 */

static bool is_gcm(enum srtpx_profile p)
{
    return p == SRTPX_AES_128_GCM || p == SRTPX_AES_256_GCM;
}

size_t srtpx_key_len(enum srtpx_profile p)
{
    return p == SRTPX_AES_256_GCM ? 32 : is_gcm(p) || p == SRTPX_AES_CM_SHA1_80 ? 16 : 0;
}

size_t srtpx_salt_len(enum srtpx_profile p)
{
    return is_gcm(p) ? 12 : 14;
}

/* RFC 3711, 4.3.1 and 4.3.3: AES in counter mode over zeros, the counter made of salt and label. */
static void derive(enum srtpx_profile p, const uint8_t *key, const uint8_t *salt, unsigned label,
                   uint8_t *out, int n)
{
    uint8_t iv[SRTP_IV_BYTES] = {0};
    int got = 0;
    memcpy(iv, salt, srtpx_salt_len(p));
    iv[7] ^= (uint8_t)label;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    memset(out, 0, (size_t)n);
    CHECK(c && EVP_EncryptInit_ex(c, srtpx_key_len(p) == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                                  NULL, key, iv) == 1);
    CHECK(EVP_EncryptUpdate(c, out, &got, out, n) == 1 && got == n);
    EVP_CIPHER_CTX_free(c);
}

static void mac_init(struct srtpx_cipher *c, const uint8_t key[20])
{
    uint8_t pad[BLOCK];
    for (int i = 0; i < BLOCK; i++) pad[i] = (i < 20 ? key[i] : 0) ^ 0x36;
    SHA1_Init(&c->inner);
    SHA1_Update(&c->inner, pad, BLOCK);
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    SHA1_Init(&c->outer);
    SHA1_Update(&c->outer, pad, BLOCK);
}

void srtpx_cipher_init(struct srtpx_cipher *c, enum srtpx_profile p, const uint8_t *key,
                       const uint8_t *salt, unsigned label)
{
    uint8_t k[SRTPX_KEY_MAX], mac[20];
    const size_t key_len = srtpx_key_len(p);
    CHECK(key_len > 0);
    *c = (struct srtpx_cipher){.gcm = is_gcm(p), .ctx = EVP_CIPHER_CTX_new()};
    derive(p, key, salt, label, k, (int)key_len);
    derive(p, key, salt, label + 2, c->salt, (int)srtpx_salt_len(p));
    if (!c->gcm) {
        derive(p, key, salt, label + 1, mac, sizeof mac);
        mac_init(c, mac);
    }
    const EVP_CIPHER *cipher = !c->gcm         ? EVP_aes_128_ctr()
                               : key_len == 16 ? EVP_aes_128_gcm()
                                               : EVP_aes_256_gcm();
    CHECK(c->ctx && EVP_CipherInit_ex(c->ctx, cipher, NULL, k, NULL, 1) == 1);
    c->sealing = true;
    OPENSSL_cleanse(k, sizeof k);
    OPENSSL_cleanse(mac, sizeof mac);
}

void srtpx_cipher_fini(struct srtpx_cipher *c)
{
    EVP_CIPHER_CTX_free(c->ctx);
    OPENSSL_cleanse(c, sizeof *c);
}

size_t srtpx_cipher_tag_len(const struct srtpx_cipher *c)
{
    return c->gcm ? GCM_TAG : MAC_TAG;
}

/* RFC 7714, 8.1 and 9.1:  00 00 SSRC(4) index(6)         xor salt(12)
 * RFC 3711, 4.1.1:        00 00 00 00 SSRC(4) index(6) 00 00  xor salt(14) */
void srtpx_cipher_iv(const struct srtpx_cipher *c, uint32_t ssrc, uint64_t index,
                     uint8_t iv[SRTP_IV_BYTES])
{
    const size_t salt = c->gcm ? 12 : 14;
    struct wr w = wr_to(iv, SRTP_IV_BYTES);
    wr_be(&w, 0, c->gcm ? 2 : 4);
    wr_u32be(&w, ssrc);
    wr_be(&w, index, 6);
    wr_be(&w, 0, c->gcm ? 4 : 2);
    for (size_t i = 0; i < salt; i++) iv[i] ^= c->salt[i];
}

/* The key schedule stays; -1 keeps the direction, which costs nothing then. */
static void set_iv(struct srtpx_cipher *c, const uint8_t *iv, bool sealing)
{
    const int dir = !c->gcm || sealing == c->sealing ? -1 : sealing;
    c->sealing = sealing;
    CHECK(EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, iv, dir) == 1);
}

static void through(struct srtpx_cipher *c, struct span aad, struct span in, uint8_t *out)
{
    int n = 0;
    if (c->gcm && aad.len) CHECK(EVP_CipherUpdate(c->ctx, NULL, &n, aad.p, (int)aad.len) == 1);
    if (in.len)
        CHECK(EVP_CipherUpdate(c->ctx, out, &n, in.p, (int)in.len) == 1 && n == (int)in.len);
}

void srtpx_cipher_seal(struct srtpx_cipher *c, const uint8_t *iv, struct span aad, struct span in,
                       uint8_t *out, uint8_t *tag)
{
    int n = 0;
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    set_iv(c, iv, true);
    through(c, aad, in, out);
    if (!c->gcm) return;
    CHECK(EVP_CipherFinal_ex(c->ctx, none, &n) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag) == 1);
}

bool srtpx_cipher_open(struct srtpx_cipher *c, const uint8_t *iv, struct span aad, uint8_t *p,
                       size_t n, const uint8_t *tag)
{
    int left = 0;
    uint8_t none[EVP_MAX_BLOCK_LENGTH], expect[GCM_TAG];
    set_iv(c, iv, false);
    if (c->gcm) {
        memcpy(expect, tag, sizeof expect);
        CHECK(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, expect) == 1);
    }
    through(c, aad, span_of(p, n), p);
    return !c->gcm || EVP_CipherFinal_ex(c->ctx, none, &left) == 1;
}

void srtpx_cipher_mac(const struct srtpx_cipher *c, struct span a, struct span b, uint8_t tag[10])
{
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA_CTX h = c->inner;
    SHA1_Update(&h, a.p, a.len);
    SHA1_Update(&h, b.p, b.len);
    SHA1_Final(digest, &h);
    h = c->outer;
    SHA1_Update(&h, digest, sizeof digest);
    SHA1_Final(digest, &h);
    memcpy(tag, digest, MAC_TAG);
}
