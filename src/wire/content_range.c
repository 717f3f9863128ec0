/* SPDX-License-Identifier: MIT */
#include "wire/content_range.h"

/* E_LIMIT is for what is a number. */
static enum err number(struct span s, uint64_t *out)
{
    if (span_u64(s, CONTENT_RANGE_MAX, out)) return E_OK;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return E_PROTO;
    return s.len ? E_LIMIT : E_PROTO;
}

static enum err piece(struct span s, struct content_range *r)
{
    if (span_is(s, "*")) {
        r->asks = true;
        return E_OK;
    }
    const struct span first = span_cut(&s, '-');
    if (!s.p) return E_PROTO;
    enum err e = number(first, &r->first);
    if (e == E_OK) e = number(s, &r->last);
    if (e != E_OK) return e;
    return r->first <= r->last ? E_OK : E_PROTO;
}

enum err content_range_parse(struct span field, struct content_range *out)
{
    struct content_range r = {0};
    struct span rest = span_trim(field);
    const struct span unit = span_cut(&rest, ' ');
    if (!rest.p || !span_ieq(unit, SPAN_LIT("bytes"))) return E_PROTO;
    const struct span range = span_trim(span_cut(&rest, '/'));
    if (!rest.p) return E_PROTO;
    enum err e = piece(range, &r);
    if (e != E_OK) return e;
    rest = span_trim(rest);
    if (!span_is(rest, "*")) {
        e = number(rest, &r.total);
        if (e != E_OK) return e;
        r.has_total = true;
        if (!r.asks && r.last >= r.total) return E_PROTO;
    }
    *out = r;
    return E_OK;
}
