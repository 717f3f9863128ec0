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

/* The end of what was written. */
static char *base64(struct span in, const char alphabet[64], char *out)
{
    for (size_t i = 0; i < in.len; i += 3) {
        const size_t left = in.len - i;
        const uint32_t v = (uint32_t)in.p[i] << 16 | (left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0) |
                           (left > 2 ? in.p[i + 2] : 0u);
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        if (left > 1) *out++ = alphabet[v >> 6 & 63];
        if (left > 2) *out++ = alphabet[v & 63];
    }
    *out = 0;
    return out;
}

void hash_b64url(struct span in, char *out)
{
    base64(in, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", out);
}

void hash_b64(struct span in, char *out)
{
    char *end = base64(in, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", out);
    for (; (end - out) % 4; *end = 0) *end++ = '=';
}

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool hash_unb64(struct span text, uint8_t *out, size_t cap, size_t *len)
{
    size_t n = text.len, bytes = 0;
    uint32_t v = 0;
    *len = 0;
    while (n && text.len - n < 2 && text.p[n - 1] == '=') n--;
    if (n != text.len && text.len % 4 != 0) return false;
    if (n % 4 == 1 || n / 4 * 3 + n % 4 * 3 / 4 > cap) return false;
    for (size_t i = 0; i < n; i++) {
        const int s = sextet(text.p[i]);
        if (s < 0) return false;
        v = v << 6 | (uint32_t)s;
        if (i % 4) out[bytes++] = (uint8_t)(v >> (6 - i % 4 * 2));
    }
    *len = bytes;
    return true;
}
