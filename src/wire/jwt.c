/* SPDX-License-Identifier: MIT */
#include "wire/jwt.h"

/* --- base64url --------------------------------------------------------------------------------
 */

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static enum err decode(struct span in, uint8_t *out, size_t cap, size_t *len)
{
    uint32_t v = 0;
    size_t n = 0;
    if (in.len % 4 == 1) return E_PROTO;
    if (in.len / 4 * 3 + in.len % 4 * 3 / 4 > cap) return E_LIMIT;
    for (size_t i = 0; i < in.len; i++) {
        const int s = sextet(in.p[i]);
        if (s < 0) return E_PROTO;
        v = v << 6 | (uint32_t)s;
        if (i % 4) out[n++] = (uint8_t)(v >> (6 - i % 4 * 2));
    }
    /* Bits that belong to no byte: two spellings of one token would both be valid. */
    if (in.len % 4 == 2 && v & 15) return E_PROTO;
    if (in.len % 4 == 3 && v & 3) return E_PROTO;
    *len = n;
    return E_OK;
}

/* --- JSON -------------------------------------------------------------------------------------
 */

struct scan {
    const uint8_t *p, *end;
    enum err err;
};

static enum err fail(struct scan *s, enum err e)
{
    if (s->err == E_OK) s->err = e;
    return s->err;
}

static void space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, uint8_t c)
{
    space(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* After a backslash. */
static bool escape(struct scan *s)
{
    if (s->p == s->end) return false;
    const uint8_t c = *s->p++;
    if (c != 'u') return c && strchr("\"\\/bfnrt", c) != NULL;
    for (unsigned i = 0; i < 4; i++)
        if (s->p == s->end || !is_hex(*s->p++)) return false;
    return true;
}

/* What is between the quotes. */
static struct span string(struct scan *s, bool *escaped)
{
    *escaped = false;
    if (!take(s, '"')) {
        fail(s, E_PROTO);
        return SPAN_NULL;
    }
    const uint8_t *from = s->p;
    while (s->p < s->end && *s->p != '"') {
        const uint8_t c = *s->p++;
        if (c == '\\') {
            *escaped = true;
            if (!escape(s)) fail(s, E_PROTO);
        } else if (c < 0x20) {
            fail(s, E_PROTO);
        }
        if (s->err != E_OK) return SPAN_NULL;
    }
    if (s->p == s->end) {
        fail(s, E_PROTO);
        return SPAN_NULL;
    }
    return span_of(from, (size_t)(s->p++ - from));
}

static size_t digits(struct scan *s)
{
    size_t n = 0;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; n++) s->p++;
    return n;
}

static struct span number(struct scan *s)
{
    const uint8_t *from = s->p;
    if (s->p < s->end && *s->p == '-') s->p++;
    const uint8_t *first = s->p;
    const size_t n = digits(s);
    bool ok = n == 1 || (n > 1 && *first != '0');
    if (ok && s->p < s->end && *s->p == '.') {
        s->p++;
        ok = digits(s) > 0;
    }
    if (ok && s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) s->p++;
        ok = digits(s) > 0;
    }
    if (!ok) fail(s, E_PROTO);
    return span_of(from, (size_t)(s->p - from));
}

static bool word(struct scan *s, const char *text)
{
    if (!span_starts(span_of(s->p, (size_t)(s->end - s->p)), text)) return false;
    s->p += strlen(text);
    return true;
}

/* A text, a number or a word. */
static void scalar(struct scan *s, struct jwt_claim *c)
{
    space(s);
    const uint8_t *from = s->p;
    const uint8_t first = s->p < s->end ? *s->p : 0;
    c->escaped = false;
    if (first == '"') {
        c->kind = JWT_STRING;
        c->value = string(s, &c->escaped);
        return;
    }
    if (word(s, "true") || word(s, "false"))
        c->kind = JWT_BOOL;
    else if (word(s, "null"))
        c->kind = JWT_NULL;
    else {
        c->kind = JWT_NUMBER;
        (void)number(s);
    }
    c->value = span_of(from, (size_t)(s->p - from));
}

/* An object or a list, checked and not kept. `open` is one bit a level, set: an object. */
static void nested(struct scan *s)
{
    uint32_t open = 0;
    unsigned depth = 0;
    struct jwt_claim c;
    bool escaped;
    _Static_assert(LIMIT_JWT_DEPTH <= 32, "a bit each");
    do {
        const bool object = take(s, '{');
        if (object || take(s, '[')) {
            if (depth == LIMIT_JWT_DEPTH) {
                fail(s, E_LIMIT);
                return;
            }
            open = object ? open | 1u << depth : open & ~(1u << depth);
            depth++;
            if (!take(s, object ? '}' : ']')) {
                if (object && (string(s, &escaped), !take(s, ':'))) fail(s, E_PROTO);
                continue;
            }
            depth--;
        } else {
            scalar(s, &c);
        }
        while (depth && s->err == E_OK) { /* after a value */
            const bool in_object = open >> (depth - 1) & 1;
            if (take(s, ',')) {
                if (in_object && (string(s, &escaped), !take(s, ':'))) fail(s, E_PROTO);
                break;
            }
            if (!take(s, in_object ? '}' : ']')) {
                fail(s, E_PROTO);
                return;
            }
            depth--;
        }
    } while (depth && s->err == E_OK);
}

static enum err keep(struct jwt_claim *list, unsigned *n, const struct jwt_claim *c)
{
    for (unsigned i = 0; i < *n; i++)
        if (span_eq(list[i].name, c->name)) return E_PROTO;
    if (*n == LIMIT_JWT_CLAIMS) return E_LIMIT;
    list[(*n)++] = *c;
    return E_OK;
}

/* The members of the one object that `text` is. */
static enum err object(struct span text, struct jwt_claim *list, unsigned *n)
{
    struct scan s = {text.p, text.p + text.len, E_OK};
    *n = 0;
    if (!take(&s, '{')) return E_PROTO;
    if (!take(&s, '}')) {
        do {
            struct jwt_claim c = {0};
            c.name = string(&s, &c.escaped);
            if (s.err != E_OK || c.escaped || !take(&s, ':')) return fail(&s, E_PROTO);
            space(&s);
            const bool deep = s.p < s.end && (*s.p == '{' || *s.p == '[');
            if (deep) {
                c.kind = JWT_NULL; /* nobody reads it; the name is taken */
                nested(&s);
            } else {
                scalar(&s, &c);
            }
            if (s.err == E_OK) fail(&s, keep(list, n, &c));
            if (s.err != E_OK) return s.err;
        } while (take(&s, ','));
        if (!take(&s, '}')) return E_PROTO;
    }
    space(&s);
    return s.p == s.end ? E_OK : E_PROTO;
}

/* --- the token --------------------------------------------------------------------------------
 */

static enum err read_head(struct jwt *t, struct span text)
{
    unsigned n = 0;
    bool has_alg = false;
    t->alg = JWT_OTHER;
    t->kid = SPAN_NULL;
    const enum err e = object(text, t->claims, &n);
    for (unsigned i = 0; i < n && e == E_OK; i++) {
        const struct jwt_claim *c = &t->claims[i];
        const bool plain = c->kind == JWT_STRING && !c->escaped;
        if (span_is(c->name, "alg") && plain) {
            has_alg = true;
            if (span_is(c->value, "RS256")) t->alg = JWT_RS256;
            if (span_is(c->value, "ES256")) t->alg = JWT_ES256;
        } else if (span_is(c->name, "kid") && plain) {
            t->kid = c->value;
        } else if (span_is(c->name, "crit")) {
            return E_UNSUPPORTED; /* RFC 7515, 4.1.11: what is not understood is refused */
        }
    }
    return e == E_OK && !has_alg ? E_PROTO : e;
}

enum err jwt_parse(struct span text, struct jwt *out)
{
    struct span rest = text;
    size_t head_len = 0, payload_len = 0;
    if (text.len > LIMIT_JWT_BYTES) return E_LIMIT;
    const struct span head = span_cut(&rest, '.');
    const struct span payload = span_cut(&rest, '.');
    if (!rest.p || !head.len || !payload.len || memchr(rest.p, '.', rest.len)) return E_PROTO;
    out->input = span_of(text.p, head.len + 1 + payload.len);
    enum err e = decode(head, out->head, sizeof out->head, &head_len);
    if (e == E_OK) e = decode(payload, out->payload, sizeof out->payload, &payload_len);
    if (e == E_OK) e = decode(rest, out->signature, sizeof out->signature, &out->signature_len);
    if (e == E_OK) e = read_head(out, span_of(out->head, head_len));
    out->body = span_of(out->payload, payload_len);
    if (e == E_OK) e = object(out->body, out->claims, &out->n_claims);
    return e;
}

const struct jwt_claim *jwt_find(const struct jwt *t, const char *name)
{
    for (unsigned i = 0; i < t->n_claims; i++)
        if (span_is(t->claims[i].name, name)) return &t->claims[i];
    return NULL;
}

bool jwt_text(const struct jwt *t, const char *name, struct span *out)
{
    const struct jwt_claim *c = jwt_find(t, name);
    if (!c || c->kind != JWT_STRING || c->escaped) return false;
    *out = c->value;
    return true;
}

bool jwt_seconds(const struct jwt *t, const char *name, int64_t *out)
{
    const struct jwt_claim *c = jwt_find(t, name);
    uint64_t n;
    if (!c || c->kind != JWT_NUMBER) return false;
    struct span frac = c->value;
    const struct span whole = span_cut(&frac, '.');
    if (!span_u64(whole, INT64_MAX / 1000000, &n)) return false; /* no exponents either */
    if (frac.p && !span_u64(frac, UINT64_MAX, &(uint64_t){0})) return false;
    *out = (int64_t)n;
    return true;
}
