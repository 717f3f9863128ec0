/* SPDX-License-Identifier: MIT */
/* What amf0_read() accepts can be walked to its end, and every proper prefix of it wants more. */
#include "base/limits.h"
#include "base/xalloc.h"
#include "wire/amf0.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct amf0_value *v, unsigned depth)
{
    CHECK(depth <= LIMIT_AMF_DEPTH);
    struct span at = v->body, name;
    struct amf0_value m;
    while (amf0_next(v, &at, &name, &m)) walk(&m, depth + 1);
    CHECK(at.len == 0); /* nothing in it could not be read */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct amf0_value v;
    for (;;) {
        const struct span from = in;
        if (amf0_read(&in, &v) != E_OK) return 0;
        const size_t used = from.len - in.len;
        CHECK(used > 0);
        walk(&v, 0);
        for (size_t n = 0; n < used && used < 512; n++) {
            struct span cut = span_head(from, n);
            struct amf0_value w;
            CHECK(amf0_read(&cut, &w) == E_MORE && cut.len == n);
        }
    }
}
