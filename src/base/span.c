/* SPDX-License-Identifier: MIT */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool span_ieq(struct span a, struct span b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

bool span_starts(struct span a, const char *prefix)
{
    const size_t n = strlen(prefix);
    return a.len >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

bool span_ends(struct span a, const char *suffix)
{
    const size_t n = strlen(suffix);
    return a.len >= n && (n == 0 || memcmp(a.p + a.len - n, suffix, n) == 0);
}

struct span span_cut(struct span *s, char c)
{
    const uint8_t *hit = s->len ? memchr(s->p, c, s->len) : NULL;
    struct span before = *s;
    if (!hit) {
        *s = SPAN_NULL;
        return before;
    }
    before.len = (size_t)(hit - s->p);
    *s = span_skip(*s, before.len + 1);
    return before;
}

struct span span_trim(struct span s)
{
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t')) s = span_skip(s, 1);
    while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t')) s.len--;
    return s;
}

bool span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (s.len == 0) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        const uint64_t d = s.p[i] - '0';
        if (v > (UINT64_MAX - d) / 10) return false;
        v = v * 10 + d;
    }
    if (v > max) return false;
    *out = v;
    return true;
}

bool span_cstr(struct span s, char *out, size_t cap)
{
    if (cap) out[0] = 0;
    if (s.len >= cap || (s.len && memchr(s.p, 0, s.len))) return false;
    if (s.len) memcpy(out, s.p, s.len);
    out[s.len] = 0;
    return true;
}
