/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/media_sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never both, and never more than the first bytes decide. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct media_sniff m = media_sniff(span_of(data, size));
    CHECK(!m.container || !m.looks_like);
    const struct media_sniff again = media_sniff(span_head(span_of(data, size), MEDIA_SNIFF_BYTES));
    CHECK(m.container == again.container && m.looks_like == again.looks_like);
    return 0;
}
