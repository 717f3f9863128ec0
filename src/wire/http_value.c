/* SPDX-License-Identifier: MIT */
#include "wire/http_value.h"

bool http_cookie_get(struct span field, const char *name, struct span *value)
{
    while (field.len) {
        struct span pair = span_trim(span_cut(&field, ';'));
        const struct span n = span_cut(&pair, '=');
        if (!pair.p || !span_is(n, name)) continue;
        *value = pair;
        return true;
    }
    return false;
}

enum http_range http_range_parse(struct span field, uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t a, b;
    if (!span_ieq(span_head(field, 6), SPAN_LIT("bytes="))) return HTTP_RANGE_WHOLE;
    struct span to = span_trim(span_skip(field, 6));
    if (to.len && memchr(to.p, ',', to.len)) return HTTP_RANGE_WHOLE;
    const struct span from = span_cut(&to, '-');
    if (!to.p) return HTTP_RANGE_WHOLE;
    if (from.len == 0) { /* the last b bytes */
        if (!span_u64(to, UINT64_MAX, &b)) return HTTP_RANGE_WHOLE;
        if (b == 0 || size == 0) return HTTP_RANGE_BAD;
        a = b < size ? size - b : 0;
        b = size - 1;
    } else {
        if (!span_u64(from, UINT64_MAX, &a)) return HTTP_RANGE_WHOLE;
        if (to.len == 0)
            b = UINT64_MAX;
        else if (!span_u64(to, UINT64_MAX, &b) || b < a)
            return HTTP_RANGE_WHOLE;
        if (a >= size) return HTTP_RANGE_BAD;
        if (b >= size) b = size - 1;
    }
    *first = a;
    *last = b;
    return HTTP_RANGE_PART;
}

/* "gzip ; q=0.5": the weight is zero only when every digit of it is. */
static bool weight_is_zero(struct span params)
{
    while (params.p) {
        struct span p = span_trim(span_cut(&params, ';'));
        const struct span key = span_trim(span_cut(&p, '='));
        if (!p.p || !span_ieq(key, SPAN_LIT("q"))) continue;
        p = span_trim(p);
        for (size_t i = 0; i < p.len; i++)
            if (p.p[i] != '0' && p.p[i] != '.') return false;
        return true;
    }
    return false;
}

bool http_accepts_gzip(struct span field)
{
    bool star = false;
    while (field.len) {
        struct span params = span_cut(&field, ',');
        const struct span coding = span_trim(span_cut(&params, ';'));
        if (span_ieq(coding, SPAN_LIT("gzip")) || span_ieq(coding, SPAN_LIT("x-gzip")))
            return !weight_is_zero(params);
        if (span_is(coding, "*")) star = !weight_is_zero(params);
    }
    return star;
}

static struct span strong_part(struct span tag)
{
    return span_starts(tag, "W/") ? span_skip(tag, 2) : tag;
}

bool http_etag_matches(struct span field, struct span etag)
{
    if (span_is(span_trim(field), "*")) return true;
    while (field.len) {
        const struct span tag = strong_part(span_trim(span_cut(&field, ',')));
        if (tag.len && span_eq(tag, strong_part(etag))) return true;
    }
    return false;
}
