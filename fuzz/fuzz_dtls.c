/* SPDX-License-Identifier: MIT */
/* Datagrams, each behind its length in two bytes, to a server that waits for a handshake. */
#include "base/rd.h"
#include "base/xalloc.h"
#include "engine/dtls.h"
#include "engine/dtls_alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_ctx *ctx;
    static const uint8_t digest[32] = {1};
    struct rd r = rd_from(span_of(data, size));
    struct dtls_keys keys;
    struct span out;
    if (!ctx) ctx = dtls_ctx_new();
    struct dtls *d = dtls_new(ctx, SPAN_LIT("sha-256"), span_of(digest, sizeof digest));
    enum err e = E_OK;
    while (e == E_OK && rd_left(&r) > 0) {
        const size_t n = rd_u16be(&r);
        e = dtls_feed(d, rd_span(&r, n < rd_left(&r) ? n : rd_left(&r)));
        while (dtls_output(d, &out)) CHECK(out.len > 0 && out.len <= 2 * DTLS_MTU);
    }
    CHECK(!dtls_get_keys(d, &keys));
    const struct dtls_alert settled = {.key_len = size & 1 ? 16 : 32}; /* after a handshake */
    CHECK(dtls_alert_read(&settled, span_of(data, size)) == E_OK || size >= DTLS_ALERT_BYTES);
    dtls_free(d);
    return 0;
}
