/* SPDX-License-Identifier: MIT */
/* A record: type, version (2), epoch (2), number (6), length (2); then, with AES-GCM, the explicit
 * part of the nonce (8), ciphertext, tag (16). */
#include "engine/dtls_alert.h"
#include "base/rd.h"
#include "base/wr.h"
#include "base/xalloc.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define HEADER   13
#define EXPLICIT 8
#define TAG      16
#define ALERT    21
#define TEXT     2 /* level, description */
#define FATAL    2
#define RANDOM   32

/* RFC 5246, 6.3: client's key, server's key, client's IV, server's IV; no MAC keys with an AEAD. */
static void key_block(SSL *ssl, const EVP_MD *md, uint8_t *out, size_t n)
{
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH], client[RANDOM], server[RANDOM];
    char label[] = "key expansion";
    const size_t m = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    CHECK(SSL_get_client_random(ssl, client, RANDOM) == RANDOM);
    CHECK(SSL_get_server_random(ssl, server, RANDOM) == RANDOM);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                         (char *)(uintptr_t)EVP_MD_get0_name(md), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, m),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof label - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, server, RANDOM),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, client, RANDOM),
        OSSL_PARAM_construct_end()};
    CHECK(ctx && EVP_KDF_derive(ctx, out, n, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(master, sizeof master);
}

enum err dtls_alert_take(struct dtls_alert *a, SSL *ssl)
{
    uint8_t block[2 * (sizeof a->read_key + sizeof a->read_iv)];
    const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
    const int nid = c ? SSL_CIPHER_get_cipher_nid(c) : NID_undef;
    if (SSL_version(ssl) != DTLS1_2_VERSION) return E_UNSUPPORTED;
    if (nid != NID_aes_128_gcm && nid != NID_aes_256_gcm) return E_UNSUPPORTED;
    const size_t n = a->key_len = nid == NID_aes_128_gcm ? 16 : 32;
    key_block(ssl, SSL_CIPHER_get_handshake_digest(c), block, 2 * n + 8);
    memcpy(a->read_key, block, n);
    memcpy(a->write_key, block + n, n);
    memcpy(a->read_iv, block + 2 * n, 4);
    memcpy(a->write_iv, block + 2 * n + 4, 4);
    OPENSSL_cleanse(block, sizeof block);
    return E_OK;
}

/* `in` is TEXT bytes and, when opening, the tag behind them. */
static bool cipher(const struct dtls_alert *a, bool sealing, const uint8_t *header,
                   const uint8_t *explicit_nonce, const uint8_t *in, uint8_t *out)
{
    uint8_t nonce[12], aad[HEADER], tag[TAG], none[16];
    int n = 0;
    memcpy(nonce, sealing ? a->write_iv : a->read_iv, 4);
    memcpy(nonce + 4, explicit_nonce, EXPLICIT);
    memcpy(aad, header + 3, 8); /* epoch and number */
    memcpy(aad + 8, header, 3); /* type and version */
    aad[11] = 0;
    aad[12] = TEXT;
    const EVP_CIPHER *c = a->key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    CHECK(ctx && EVP_CipherInit_ex(ctx, c, NULL, sealing ? a->write_key : a->read_key, nonce,
                                   sealing) == 1);
    CHECK(EVP_CipherUpdate(ctx, NULL, &n, aad, sizeof aad) == 1);
    CHECK(EVP_CipherUpdate(ctx, out, &n, in, TEXT) == 1);
    if (!sealing) memcpy(tag, in + TEXT, TAG);
    if (!sealing) CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1);
    const bool good = EVP_CipherFinal_ex(ctx, none, &n) == 1;
    if (sealing) CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + TEXT) == 1);
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

enum err dtls_alert_read(const struct dtls_alert *a, struct span records)
{
    struct rd r = rd_from(records);
    while (rd_left(&r) >= HEADER) {
        const struct span header = rd_span(&r, HEADER);
        const uint8_t *h = header.p;
        const struct span body = rd_span(&r, (size_t)h[11] << 8 | h[12]);
        uint8_t text[TEXT];
        if (r.underflow) return E_OK;
        if (h[0] != ALERT || h[3] != 0 || h[4] != 1 || body.len != EXPLICIT + TEXT + TAG) continue;
        if (!cipher(a, false, h, body.p, body.p + EXPLICIT, text)) continue;
        if (text[0] == FATAL || text[1] == 0) return E_CLOSED;
    }
    return E_OK;
}

void dtls_alert_close(struct dtls_alert *a, uint8_t out[DTLS_ALERT_BYTES])
{
    static const uint8_t warning_close[TEXT] = {1, 0};
    struct wr w = wr_to(out, DTLS_ALERT_BYTES);
    wr_u8(&w, ALERT);
    wr_u16be(&w, 0xfefd);
    wr_u16be(&w, 1);
    wr_be(&w, a->next, 6);
    wr_u16be(&w, EXPLICIT + TEXT + TAG);
    wr_u16be(&w, 1); /* the explicit nonce is epoch and number, which no other record of this */
    wr_be(&w, a->next++, 6); /* key has: the library's begin at a random place */
    CHECK(cipher(a, true, out, out + HEADER, warning_close, out + HEADER + EXPLICIT));
}
