/* SPDX-License-Identifier: MIT */
#include "base/rand.h"
#include "base/xalloc.h"
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

void rand_bytes(void *p, size_t n)
{
    uint8_t *b = p;
    while (n) {
        const ssize_t got = getrandom(b, n > 256 ? 256 : n, 0);
        if (got < 0 && errno == EINTR) continue;
        CHECK(got > 0);
        b += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    uint64_t v;
    rand_bytes(&v, sizeof v);
    return v;
}

void rand_id(char *out, size_t n)
{
    static const char SET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < n;) {
        uint8_t b[64];
        rand_bytes(b, sizeof b);
        for (size_t j = 0; j < sizeof b && i < n; j++)
            if (b[j] < 248) out[i++] = SET[b[j] % 62]; /* 248 = 4 * 62: no bias */
    }
    out[n] = 0;
}

void rand_uuid(char out[RAND_UUID_CAP])
{
    uint8_t b[16];
    rand_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, RAND_UUID_CAP,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
