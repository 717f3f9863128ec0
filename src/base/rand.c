/* SPDX-License-Identifier: MIT */
#include "base/rand.h"
#include "base/xalloc.h"
#include <errno.h>
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
