/* SPDX-License-Identifier: MIT */
#include "wire/http_uri.h"

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Takes one character, decoded; -1: a bad escape. *escaped tells whether it was one. */
static int take(struct span *s, bool *escaped)
{
    const uint8_t c = s->p[0];
    *escaped = c == '%';
    *s = span_skip(*s, 1);
    if (!*escaped) return c;
    if (s->len < 2) return -1;
    const int hi = hex(s->p[0]), lo = hex(s->p[1]);
    *s = span_skip(*s, 2);
    return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

static bool is_dots(const char *seg, size_t n)
{
    return (n == 1 && seg[0] == '.') || (n == 2 && seg[0] == '.' && seg[1] == '.');
}

enum err http_uri_path(struct span raw, char *out, size_t cap, size_t *len)
{
    size_t n = 0, seg = 0;
    if (raw.len == 0 || raw.p[0] != '/') return E_INVALID;
    while (raw.len) {
        bool escaped;
        const int c = take(&raw, &escaped);
        if (c < 0x20 || c == 0x7f || c == '\\' || (c == '/' && escaped)) return E_INVALID;
        if (c == '/') {
            if (is_dots(out + seg, n - seg)) return E_INVALID;
            seg = n + 1;
        }
        if (n + 1 >= cap) return E_LIMIT;
        out[n++] = (char)c;
    }
    if (is_dots(out + seg, n - seg)) return E_INVALID;
    out[n] = 0;
    *len = n;
    return E_OK;
}

bool http_uri_query_next(struct span *query, struct span *name, struct span *value)
{
    while (query->len) {
        struct span item = span_cut(query, '&');
        if (item.len == 0) continue;
        *name = span_cut(&item, '=');
        *value = item;
        return true;
    }
    return false;
}

static int take_form(struct span *s)
{
    bool escaped;
    const int c = take(s, &escaped);
    return c == '+' && !escaped ? ' ' : c;
}

static bool name_is(struct span encoded, const char *name)
{
    while (encoded.len)
        if (*name == 0 || take_form(&encoded) != (uint8_t)*name++) return false;
    return *name == 0;
}

static enum err decode(struct span s, char *out, size_t cap)
{
    size_t n = 0;
    while (s.len) {
        const int c = take_form(&s);
        if (c <= 0) return E_PROTO;
        if (n + 1 >= cap) return E_LIMIT;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return E_OK;
}

enum err http_uri_query_get(struct span query, const char *name, char *out, size_t cap)
{
    struct span n, v;
    if (cap == 0) return E_LIMIT;
    out[0] = 0;
    while (http_uri_query_next(&query, &n, &v)) {
        if (!name_is(n, name)) continue;
        const enum err e = decode(v, out, cap);
        if (e != E_OK) out[0] = 0;
        return e;
    }
    return E_NOTFOUND;
}
