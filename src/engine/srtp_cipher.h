/* SPDX-License-Identifier: MIT */
/* engine/srtp_cipher.h - the two ciphers of SRTP behind one face: keys in, bytes through. What is
 * around them (indices, replay, layout of RTCP) is srtp.c's. [libcrypto] */
#pragma once
#include "engine/srtp.h"
#include <openssl/evp.h>
#include <openssl/sha.h>

#define SRTP_IV_BYTES 16

/* Session keys of RTP or of RTCP. */
struct srtpx_cipher {
    EVP_CIPHER_CTX *ctx;
    bool gcm, sealing;
    uint8_t salt[SRTPX_SALT_MAX];
    SHA_CTX inner, outer; /* HMAC-SHA1 with the key's blocks already hashed; not with GCM */
};

/* `label` is RFC 3711's, 4.3.1, of the encryption key: 0 for RTP, 3 for RTCP. */
void srtpx_cipher_init(struct srtpx_cipher *c, enum srtpx_profile p, const uint8_t *key,
                       const uint8_t *salt, unsigned label);
void srtpx_cipher_fini(struct srtpx_cipher *c);
size_t srtpx_cipher_tag_len(const struct srtpx_cipher *c);

/* `index` is of 48 bits for RTP, of 31 for RTCP. */
void srtpx_cipher_iv(const struct srtpx_cipher *c, uint32_t ssrc, uint64_t index,
                     uint8_t iv[SRTP_IV_BYTES]);
/* Encrypts `in` to `out` (may be the same) and writes the tag to `tag`. GCM authenticates aad and
 * ciphertext. CM authenticates nothing: see srtpx_cipher_mac(). */
void srtpx_cipher_seal(struct srtpx_cipher *c, const uint8_t *iv, struct span aad, struct span in,
                       uint8_t *out, uint8_t *tag);
/* Decrypts in place; false: the tag does not fit (GCM only; the bytes are then garbage). */
bool srtpx_cipher_open(struct srtpx_cipher *c, const uint8_t *iv, struct span aad, uint8_t *p,
                       size_t n, const uint8_t *tag);
/* HMAC-SHA1, the first ten bytes, over a and then b. */
void srtpx_cipher_mac(const struct srtpx_cipher *c, struct span a, struct span b, uint8_t tag[10]);
