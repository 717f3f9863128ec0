/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "base/xalloc.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void hash_sha256(struct span in, uint8_t out[SHA256_LEN])
{
    CHECK(EVP_Digest(in.p ? (const void *)in.p : "", in.len, out, NULL, EVP_sha256(), NULL) == 1);
}

void hash_hmac_sha256(struct span key, struct span in, uint8_t out[SHA256_LEN])
{
    unsigned n = 0;
    CHECK(HMAC(EVP_sha256(), key.p ? (const void *)key.p : "", (int)key.len,
               in.p ? in.p : (const uint8_t *)"", in.len, out, &n) &&
          n == SHA256_LEN);
}

void hash_hmac_sha1(struct span key, struct span in, uint8_t out[SHA1_LEN])
{
    unsigned n = 0;
    CHECK(HMAC(EVP_sha1(), key.p ? (const void *)key.p : "", (int)key.len,
               in.p ? in.p : (const uint8_t *)"", in.len, out, &n) &&
          n == SHA1_LEN);
}

bool hash_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.p, b.p, a.len) == 0);
}

uint32_t hash_crc32(uint32_t crc, struct span in)
{
    crc = ~crc;
    for (size_t i = 0; i < in.len; i++) {
        crc ^= in.p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

void hash_hex(struct span in, char *out)
{
    static const char D[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) *out++ = D[in.p[i] >> 4], *out++ = D[in.p[i] & 15];
    *out = 0;
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool hash_unhex(struct span hex, uint8_t *out, size_t len)
{
    if (hex.len != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        const int hi = nibble(hex.p[2 * i]), lo = nibble(hex.p[2 * i + 1]);
        if (hi < 0 || lo < 0) return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

void hash_b64url(struct span in, char *out)
{
    static const char D[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t i = 0;
    for (; i + 2 < in.len; i += 3) {
        const uint32_t v = (uint32_t)in.p[i] << 16 | (uint32_t)in.p[i + 1] << 8 | in.p[i + 2];
        *out++ = D[v >> 18], *out++ = D[v >> 12 & 63], *out++ = D[v >> 6 & 63], *out++ = D[v & 63];
    }
    if (in.len - i == 1) {
        const uint32_t v = (uint32_t)in.p[i] << 16;
        *out++ = D[v >> 18], *out++ = D[v >> 12 & 63];
    } else if (in.len - i == 2) {
        const uint32_t v = (uint32_t)in.p[i] << 16 | (uint32_t)in.p[i + 1] << 8;
        *out++ = D[v >> 18], *out++ = D[v >> 12 & 63], *out++ = D[v >> 6 & 63];
    }
    *out = 0;
}
