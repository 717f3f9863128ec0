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
        const uint8_t *from = s->p;
        skip_nested(s);
        *out = span_of(from, (size_t)(s->p - from));
        return OTHER;
    }
    *out = word(s);
    return span_is(*out, "null") ? NOTHING : OTHER;
}

/* The last member of that name. */
static enum err find(struct span text, const char *key, enum value *kind, struct span *out)
{
    struct scan s = {text.p, text.p + text.len, false};
    *kind = NOTHING;
    *out = SPAN_NULL;
    if (!take(&s, '{')) return E_PROTO;
    if (!take(&s, '}')) {
        do {
            struct span v = SPAN_NULL;
            const struct span name = string(&s);
            if (s.bad || !take(&s, ':')) return E_PROTO;
            const enum value k = value(&s, &v);
            if (s.bad) return E_PROTO;
            if (!span_is(name, key)) continue;
            *kind = k;
            *out = v;
        } while (take(&s, ','));
        if (!take(&s, '}')) return E_PROTO;
    }
    skip_space(&s);
    return s.p == s.end ? E_OK : E_PROTO;
}

enum err json_flat_string(struct span text, const char *key, struct span *out)
{
    enum value kind;
    struct span got;
    const enum err e = find(text, key, &kind, &got);
    if (e != E_OK || kind == OTHER) return E_PROTO;
    if (kind == NOTHING) return E_NOTFOUND;
    if (got.len && memchr(got.p, '\\', got.len)) return E_PROTO;
    *out = got;
    return E_OK;
}

/* --- with escapes --- */

static bool hex4(struct span s, uint32_t *out)
{
    *out = 0;
    if (s.len < 4) return false;
    for (int i = 0; i < 4; i++) {
        const uint8_t c = s.p[i];
        const int d = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
        if (d < 0) return false;
        *out = *out << 4 | (uint32_t)d;
    }
    return true;
}

static void add_utf8(struct str *s, uint32_t c)
{
    if (c < 0x80) {
        str_be(s, c, 1);
    } else if (c < 0x800) {
        str_be(s, (0xc0 | c >> 6) << 8 | (0x80 | (c & 0x3f)), 2);
    } else if (c < 0x10000) {
        str_be(s, (0xe0 | c >> 12) << 16 | (0x80 | (c >> 6 & 0x3f)) << 8 | (0x80 | (c & 0x3f)), 3);
    } else {
        str_be(s, 0xf0 | c >> 18, 1);
        str_be(s,
               (0x80 | (c >> 12 & 0x3f)) << 16 | (0x80 | (c >> 6 & 0x3f)) << 8 |
                   (0x80 | (c & 0x3f)),
               3);
    }
}

/* What follows "\u", with the other half of a pair. */
static bool unescape_code(struct span *rest, struct str *out)
{
    uint32_t c, low;
    if (!hex4(*rest, &c) || c == 0) return false;
    *rest = span_skip(*rest, 4);
    if (c >= 0xd800 && c < 0xe000) {
        if (c >= 0xdc00 || rest->len < 6 || rest->p[0] != '\\' || rest->p[1] != 'u' ||
            !hex4(span_skip(*rest, 2), &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        *rest = span_skip(*rest, 6);
    }
    add_utf8(out, c);
    return true;
}

static bool unescape(struct span rest, struct str *out)
{
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    while (rest.len) {
        const uint8_t c = rest.p[0];
        rest = span_skip(rest, 1);
        if (c != '\\') {
            str_addc(out, (char)c);
            continue;
        }
        if (!rest.len) return false;
        const uint8_t kind = rest.p[0];
        rest = span_skip(rest, 1);
        const char *at = kind ? strchr(FROM, kind) : NULL;
        if (at)
            str_addc(out, TO[at - FROM]);
        else if (kind != 'u' || !unescape_code(&rest, out))
            return false;
    }
    return true;
}

enum err json_flat_text(struct span text, const char *key, struct str *out)
{
    enum value kind;
    struct span got;
    const size_t before = out->len;
    const enum err e = find(text, key, &kind, &got);
    if (e != E_OK || kind == OTHER) return E_PROTO;
    if (kind == NOTHING) return E_NOTFOUND;
    if (unescape(got, out)) return E_OK;
    out->len = before;
    return E_PROTO;
}

bool json_flat_is_true(struct span text, const char *key)
{
    enum value kind;
    struct span got;
    return find(text, key, &kind, &got) == E_OK && kind != NOTHING && span_is(got, "true");
}

/* --- lists --- */

bool json_flat_has(struct span list, const char *text)
{
    struct scan s = {list.p, list.p + list.len, false};
    struct str plain = {0};
    bool found = false;
    do {
        struct span v = SPAN_NULL;
        skip_space(&s);
        if (s.p == s.end) break;
        const enum value kind = value(&s, &v);
        if (s.bad) break;
        plain.len = 0;
        if (kind == STRING && unescape(v, &plain)) found = span_is(str_span(&plain), text);
    } while (!found && take(&s, ','));
    str_fini(&plain);
    return found;
}

enum err json_flat_list(struct span text, const char *key, struct span *out)
{
    enum value kind;
    struct span got;
    const enum err e = find(text, key, &kind, &got);
    if (e != E_OK) return E_PROTO;
    if (kind == NOTHING) return E_NOTFOUND;
    if (kind != OTHER || got.len < 2 || got.p[0] != '[') return E_PROTO;
    *out = span_head(span_skip(got, 1), got.len - 2);
    return E_OK;
}

enum err json_flat_next(struct span *list, struct span *object)
{
    struct scan s = {list->p, list->p + list->len, false};
    (void)take(&s, ',');
    skip_space(&s);
    if (s.p == s.end) return E_NOTFOUND;
    const uint8_t *from = s.p;
    if (*from != '{') return E_PROTO;
    skip_nested(&s);
    if (s.bad) return E_PROTO;
    *object = span_of(from, (size_t)(s.p - from));
    *list = span_of(s.p, (size_t)(s.end - s.p));
    return E_OK;
}
