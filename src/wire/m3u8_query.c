/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "wire/m3u8.h"

static enum err number(struct span value, uint64_t max, bool *has, uint64_t *out)
{
    if (*has || !span_u64(value, max, out)) return E_PROTO;
    *has = true;
    return E_OK;
}

enum err m3u8_directives_parse(struct span query, struct m3u8_directives *out)
{
    struct m3u8_directives d = {0};
    uint64_t part = 0;

    if (query.len > LIMIT_HLS_QUERY_BYTES) return E_LIMIT;
    while (query.len > 0) {
        struct span value = span_cut(&query, '&');
        const struct span name = span_cut(&value, '=');
        enum err e = E_OK;
        if (span_is(name, "_HLS_msn")) e = number(value, UINT64_MAX / 2, &d.has_msn, &d.msn);
        if (span_is(name, "_HLS_part")) e = number(value, UINT32_MAX / 2, &d.has_part, &part);
        if (e != E_OK) return e;
        if (span_is(name, "_HLS_skip")) d.skip = span_is(value, "YES") || span_is(value, "v2");
    }
    if (d.has_part && !d.has_msn) return E_INVALID;
    d.part = (uint32_t)part;
    *out = d;
    return E_OK;
}
