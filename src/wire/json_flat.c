/* SPDX-License-Identifier: MIT */
#include "wire/json_flat.h"
#include <string.h>

struct scan {
    const uint8_t *p, *end;
    bool bad;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, uint8_t c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static struct span string(struct scan *s)
{
    if (!take(s, '"')) {
        s->bad = true;
        return SPAN_NULL;
    }
    const uint8_t *from = s->p;
    while (s->p < s->end && *s->p != '"') {
        if (*s->p < 0x20) break;
        s->p += *s->p == '\\' && s->end - s->p > 1 ? 2 : 1;
    }
    if (s->p >= s->end || *s->p != '"') {
        s->bad = true;
        return SPAN_NULL;
    }
    return span_of(from, (size_t)(s->p++ - from));
}

/* A number or a word: its spelling is not looked at. */
static struct span word(struct scan *s)
{
    const uint8_t *from = s->p;
    while (s->p < s->end &&
           (*s->p == '-' || *s->p == '+' || *s->p == '.' || (*s->p >= '0' && *s->p <= '9') ||
            (*s->p >= 'a' && *s->p <= 'z') || *s->p == 'E'))
        s->p++;
    if (s->p == from) s->bad = true;
    return span_of(from, (size_t)(s->p - from));
}

/* Brackets are counted and not matched by kind: nobody reads what is in them. */
static void skip_nested(struct scan *s)
{
    unsigned depth = 0;
    do {
        skip_space(s);
        if (s->p == s->end) {
            s->bad = true;
        } else if (*s->p == '"') {
            (void)string(s);
        } else {
            if (*s->p == '{' || *s->p == '[') depth++;
            if (*s->p == '}' || *s->p == ']') depth--;
            s->p++;
        }
    } while (!s->bad && depth > 0 && depth <= JSON_FLAT_DEPTH);
    if (depth > 0) s->bad = true;
}

enum value { STRING, NOTHING, OTHER };

static enum value value(struct scan *s, struct span *out)
{
    skip_space(s);
    if (s->p < s->end && *s->p == '"') {
        *out = string(s);
        return STRING;
    }
    if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
        skip_nested(s);
        return OTHER;
    }
    return span_is(word(s), "null") ? NOTHING : OTHER;
}

enum err json_flat_string(struct span text, const char *key, struct span *out)
{
    struct scan s = {text.p, text.p + text.len, false};
    struct span got = SPAN_NULL;
    enum value kind = NOTHING;
    if (!take(&s, '{')) return E_PROTO;
    if (!take(&s, '}')) {
        do {
            struct span v = SPAN_NULL;
            const struct span name = string(&s);
            if (s.bad || !take(&s, ':')) return E_PROTO;
            const enum value k = value(&s, &v);
            if (s.bad) return E_PROTO;
            if (!span_is(name, key)) continue;
            kind = k;
            got = v;
        } while (take(&s, ','));
        if (!take(&s, '}')) return E_PROTO;
    }
    skip_space(&s);
    if (s.p != s.end || kind == OTHER) return E_PROTO;
    if (kind == NOTHING) return E_NOTFOUND;
    if (got.len && memchr(got.p, '\\', got.len)) return E_PROTO;
    *out = got;
    return E_OK;
}
