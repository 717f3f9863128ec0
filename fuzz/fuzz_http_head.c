/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/http_head.h"
#include "wire/http_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything a head names lies in the input, and every proper prefix is only "more". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head h, part;
    struct http_problem why = {0};
    const enum err e = http_head_parse(span_of(data, size), &h, &why);
    if (e != E_OK) {
        CHECK(e == E_MORE || (why.status >= 400 && why.why));
        return 0;
    }
    CHECK(h.size <= size && h.size <= LIMIT_HTTP_HEAD_BYTES);
    for (size_t i = 0; i < h.n_fields; i++) {
        const struct span n = http_slice_of(&h, h.fields[i].name);
        const struct span v = http_slice_of(&h, h.fields[i].value);
        CHECK(http_is_token(n) && http_is_value(v));
        CHECK(v.p + v.len <= data + h.size);
        struct span cookie;
        uint64_t a, b;
        if (http_cookie_get(v, "s", &cookie)) CHECK(cookie.p + cookie.len <= v.p + v.len);
        if (http_range_parse(v, 1000, &a, &b) == HTTP_RANGE_PART) CHECK(a <= b && b < 1000);
        (void)http_accepts_gzip(v);
        (void)http_etag_matches(v, SPAN_LIT("\"x\""));
    }
    CHECK(http_head_path(&h).len > 0 && http_is_host(http_head_host(&h)));
    const size_t cuts[] = {0, h.size / 2u, h.size - 1u};
    for (size_t i = 0; i < 3; i++)
        CHECK(http_head_parse(span_of(data, cuts[i]), &part, &why) == E_MORE);
    return 0;
}
