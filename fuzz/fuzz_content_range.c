/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/content_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted is a range within the whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content_range r;
    if (content_range_parse(span_of(data, size), &r) != E_OK) return 0;
    CHECK(r.first <= r.last && r.last <= CONTENT_RANGE_MAX);
    CHECK(!r.has_total || r.total <= CONTENT_RANGE_MAX);
    if (r.asks)
        CHECK(r.first == 0 && r.last == 0);
    else
        CHECK(!r.has_total || r.last < r.total);
    return 0;
}
