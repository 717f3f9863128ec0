/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/json_flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span v;
    if (json_flat_string(span_of(data, size), "encodingId", &v) == E_OK)
        CHECK(v.p > data && v.p + v.len < data + size && v.p[-1] == '"' && v.p[v.len] == '"');
    struct str text = {0};
    struct span list, object;
    if (json_flat_text(span_of(data, size), "passthrough", &text) == E_OK)
        CHECK(text.len <= size && (!text.len || !memchr(text.p, 0, text.len)));
    if (json_flat_list(span_of(data, size), "static_renditions", &list) == E_OK)
        while (json_flat_next(&list, &object) == E_OK) {
            CHECK(object.p > data && object.p + object.len < data + size && object.p[0] == '{');
            text.len = 0;
            CHECK(json_flat_text(object, "passthrough", &text) != E_OK || text.len <= object.len);
        }
    str_fini(&text);
    return 0;
}
