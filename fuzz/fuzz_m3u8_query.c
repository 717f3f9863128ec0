/* SPDX-License-Identifier: MIT */
/* The delivery directives, and the decision that follows from them. */
#include "base/xalloc.h"
#include "engine/hls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct m3u8_directives d;
    struct hls_resource_id id;
    if (hls_resource_parse(span_of(data, size), &id) == E_OK) CHECK(id.msn <= INT64_MAX);
    if (m3u8_directives_parse(span_of(data, size), &d) != E_OK) return 0;
    CHECK(d.has_msn || !d.has_part);
    for (unsigned open = 0; open < 4; open++) {
        const struct hls_edge e = {.open_msn = 3,
                                   .open_parts = open,
                                   .last_parts = 3,
                                   .part_target_us = 334000,
                                   .target_s = 2};
        const enum hls_answer a = hls_decide(&e, &d);
        CHECK((a == HLS_REPLY) == hls_ready(&e, &d));
        if (a == HLS_WAIT) CHECK(d.msn <= e.open_msn + 2);
    }
    return 0;
}
