/* SPDX-License-Identifier: MIT */
/* The signature of a webhook that comes to us: what nobody signed is never taken. The first half of
 * the input is the header, the rest the body; now and then the right signature is put behind it. */
#include "base/buf.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "video/provider.h"
#include <stdio.h>

#define NOW INT64_C(1700000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char T[] = "1700000001";
    uint8_t mac[SHA256_LEN];
    struct str text = {0}, good = {0};
    const struct span secret = SPAN_LIT("secret");
    const struct span header = span_of(data, size / 2),
                      body = span_skip(span_of(data, size), size / 2);
    CHECK(!provider_signed(header, secret, body, NOW));
    str_addf(&text, "%s.", T);
    str_add(&text, body);
    hash_hmac_sha256(secret, str_span(&text), mac);
    str_addf(&good, "t=%s,v1=", T);
    for (size_t i = 0; i < sizeof mac; i++) str_addf(&good, "%02x", mac[i]);
    CHECK(provider_signed(str_span(&good), secret, body, NOW));
    /* What stands behind it does no harm; another time, or another secret, does. */
    str_addc(&good, ',');
    str_add(&good, header);
    CHECK(provider_signed(str_span(&good), secret, body, NOW));
    CHECK(!provider_signed(str_span(&good), SPAN_LIT("other"), body, NOW));
    CHECK(!provider_signed(str_span(&good), secret, body, NOW + 100000));
    str_fini(&text);
    str_fini(&good);
    return 0;
}
