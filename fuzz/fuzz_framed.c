/* SPDX-License-Identifier: MIT */
/* The same frames come out however the stream is cut, and nothing is kept beyond one. */
#include "base/str.h"
#include "base/xalloc.h"
#include "wire/framed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_all(const uint8_t *data, size_t size, size_t step, struct str *out)
{
    struct framed f = {0};
    enum err e = E_MORE;
    for (size_t at = 0; at < size && e == E_MORE; at += step) {
        struct span in = span_head(span_of(data + at, size - at), step);
        while ((e = framed_next(&f, &in)) == E_OK) {
            CHECK(f.len > 0 && f.len <= LIMIT_UDP_BYTES && !framed_partial(&f));
            str_add(out, span_of(f.bytes, f.len));
            str_addc(out, '|');
        }
        CHECK(e == E_LIMIT || in.len == 0);
    }
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str whole = {0};
    const enum err e = read_all(data, size, size ? size : 1, &whole);
    for (size_t step = 1; step < 8; step += 3) {
        struct str cut = {0};
        CHECK(read_all(data, size, step, &cut) == e);
        CHECK(span_eq(str_span(&whole), str_span(&cut)));
        str_fini(&cut);
    }
    str_fini(&whole);
    return 0;
}
