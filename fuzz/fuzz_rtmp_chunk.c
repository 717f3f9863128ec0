/* SPDX-License-Identifier: MIT */
/* A chunk header that is read writes back as a header that reads the same, and every proper prefix
 * of it wants more. */
#include "base/xalloc.h"
#include "wire/rtmp_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtmp_chunk_hdr h, again;
    if (rtmp_chunk_hdr_parse(span_of(data, size), &h) != E_OK) return 0;
    CHECK(h.size <= size && h.size <= RTMP_CHUNK_HDR_MAX);
    CHECK(h.csid >= RTMP_CSID_MIN && h.csid <= RTMP_CSID_MAX);
    for (size_t n = 0; n < h.size; n++) {
        CHECK(rtmp_chunk_hdr_parse(span_of(data, n), &again) == E_MORE);
    }
    uint8_t b[RTMP_CHUNK_HDR_MAX];
    struct wr w = wr_to(b, sizeof b);
    rtmp_chunk_hdr_write(&w, &h);
    CHECK(!w.overflow && rtmp_chunk_hdr_parse(wr_span(&w), &again) == E_OK);
    CHECK(again.fmt == h.fmt && again.csid == h.csid && again.ts_ms == h.ts_ms);
    CHECK(again.msg_len == h.msg_len && again.msg_type == h.msg_type);
    CHECK(again.msg_stream == h.msg_stream);
    return 0;
}
