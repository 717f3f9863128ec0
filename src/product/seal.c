/* SPDX-License-Identifier: MIT */
/*  offset  size
 *  0       1     1: this layout
 *  1       24    nonce
 *  25      n+16  ciphertext and tag; the row's id is authenticated with it */
#include "product/seal.h"
#include "base/xalloc.h"
#include <sodium.h>

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEAD = 1 + NONCE
};
_Static_assert(SEAL_CAP == HEAD + SEAL_TEXT_MAX + TAG, "sizes in seal.h");

void seal_text(const struct secret *s, const char *row_id, const char *text, struct sealed *out)
{
    uint8_t key[SECRET_LEN];
    const size_t len = strlen(text);
    CHECK(sodium_init() >= 0 && len <= SEAL_TEXT_MAX);
    secret_derive(s, "stream-key-seal", key);
    out->bytes[0] = 1;
    randombytes_buf(out->bytes + 1, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out->bytes + HEAD, NULL, (const uint8_t *)text, len,
                                               (const uint8_t *)row_id, strlen(row_id), NULL,
                                               out->bytes + 1, key);
    sodium_memzero(key, sizeof key);
    out->len = HEAD + len + TAG;
}

enum err seal_open(const struct secret *s, const char *row_id, struct span sealed, char *out,
                   size_t cap)
{
    uint8_t key[SECRET_LEN], text[SEAL_TEXT_MAX];
    if (sealed.len < HEAD + TAG || sealed.len > SEAL_CAP || sealed.p[0] != 1) return E_AUTH;
    CHECK(sodium_init() >= 0);
    secret_derive(s, "stream-key-seal", key);
    unsigned long long len = 0;
    const int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
        text, &len, NULL, sealed.p + HEAD, sealed.len - HEAD, (const uint8_t *)row_id,
        strlen(row_id), sealed.p + 1, key);
    sodium_memzero(key, sizeof key);
    return !bad && span_cstr(span_of(text, (size_t)len), out, cap) ? E_OK : E_AUTH;
}
