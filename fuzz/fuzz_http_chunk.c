/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "base/xalloc.h"
#include "wire/http_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err run(struct span in, size_t step, struct str *out, size_t *used)
{
    struct http_chunk c = {0};
    enum err e = E_MORE;
    *used = 0;
    while (e == E_MORE && *used < in.len) {
        struct span piece = span_head(span_skip(in, *used), step), d;
        const size_t had = piece.len;
        while ((e = http_chunk_next(&c, &piece, &d)) == E_OK && !c.done) str_add(out, d);
        *used += had - piece.len;
    }
    return e;
}

/* The outcome does not depend on how the bytes arrive, and data never exceeds the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str a = {0}, b = {0};
    size_t used_a, used_b;
    const enum err whole = run(span_of(data, size), size, &a, &used_a);
    const enum err bytes = run(span_of(data, size), 1, &b, &used_b);
    CHECK(whole == bytes && used_a == used_b && span_eq(str_span(&a), str_span(&b)));
    CHECK(a.len <= size);
    str_fini(&a);
    str_fini(&b);
    return 0;
}
