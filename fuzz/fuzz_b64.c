/* SPDX-License-Identifier: MIT */
/* Base64 of credentials and keys: whatever is taken comes back the same by way of our own encoder.
 */
#include "base/hash.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[512], again[512];
    char text[HASH_B64_LEN(sizeof raw)];
    size_t n, m;
    if (!hash_unb64(span_of(data, size), raw, sizeof raw, &n)) {
        CHECK(n == 0);
        return 0;
    }
    CHECK(n <= size);
    hash_b64(span_of(raw, n), text);
    CHECK(hash_unb64(span_str(text), again, sizeof again, &m) && m == n && !memcmp(raw, again, n));
    hash_b64url(span_of(raw, n), text);
    CHECK(hash_unb64(span_str(text), again, sizeof again, &m) && m == n && !memcmp(raw, again, n));
    return 0;
}
