/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/json_flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span v;
    if (json_flat_string(span_of(data, size), "encodingId", &v) == E_OK)
        CHECK(v.p > data && v.p + v.len < data + size && v.p[-1] == '"' && v.p[v.len] == '"');
    return 0;
}
