/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/picture_sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picture_head h;
    if (picture_sniff(span_of(data, size), &h) == E_OK)
        CHECK(h.width && h.height && h.kind <= PICTURE_WEBP);
    return 0;
}
