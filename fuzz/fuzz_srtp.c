/* SPDX-License-Identifier: MIT */
/* First byte: profile; the rest is a datagram that nobody sealed, and the text of one that we do.
 */
#include "base/xalloc.h"
#include "engine/srtp.h"
#include "wire/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct srtpx *fresh(unsigned i)
{
    static const enum srtpx_profile P[] = {SRTPX_AES_CM_SHA1_80, SRTPX_AES_128_GCM,
                                           SRTPX_AES_256_GCM};
    static const uint8_t key[SRTPX_KEY_MAX + SRTPX_SALT_MAX] = {1, 2, 3};
    return srtpx_new(P[i % 3], key, key + 32);
}

static void round_trip(unsigned i, struct span in)
{
    struct rtp p;
    struct srtpx *a = fresh(i), *b = fresh(i);
    uint8_t *out = xmalloc(in.len + SRTPX_GROW);
    size_t n = 0;
    if (rtp_parse(in, &p) == E_OK) {
        srtpx_seal_rtp(a, span_head(in, p.header_len), p.payload, 0, out, &n);
        CHECK(srtpx_open_rtp(b, out, &n) == E_OK && span_eq(span_of(out, n), in));
    }
    if (in.len >= 8) {
        memcpy(out, in.p, n = in.len);
        srtpx_seal_rtcp(a, out, &n);
        CHECK(srtpx_open_rtcp(b, out, &n) == E_OK && span_eq(span_of(out, n), in));
    }
    free(out);
    srtpx_free(a);
    srtpx_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint8_t *copy = xmalloc(size);
    struct srtpx *s = fresh(data[0]);
    size_t n = size - 1;
    memcpy(copy, data + 1, n);
    CHECK(srtpx_open_rtp(s, copy, &n) != E_OK);
    memcpy(copy, data + 1, n = size - 1);
    CHECK(srtpx_open_rtcp(s, copy, &n) != E_OK);
    srtpx_free(s);
    free(copy);
    round_trip(data[0], span_of(data + 1, size - 1));
    return 0;
}
