/* SPDX-License-Identifier: MIT */
/*   00 number, 8 bytes      01 boolean, 1           02 string, 2 + n        03 object: members, end
 *   05 null                 06 undefined            07 reference, 2         08 ECMA array: 4,
 * members, end 09 end of object        0a strict array: 4, values                      0b date, 8 +
 * 2 0c long string, 4 + n   0d unsupported          0f XML, 4 + n           10 typed object: 2 + n,
 * members, end member: name (2 + n), value        end: 00 00 09
 *
 * The start of ffmpeg's connect: 02 00 07 "connect" 00 3f f0 00 00 00 00 00 00 03 00 03 "app" 02 …
 */
#include "wire/amf0.h"
#include "base/limits.h"
#include "base/rd.h"

enum { END = 0x09, LONG_STRING = 0x0c, UNSUPPORTED = 0x0d, XML = 0x0f, TYPED = 0x10 };

/* Reads the marker and what stands before the members; for a scalar that is all of it.
 * *n_members: of a strict array; -1 for what ends with an end marker; 0 for a scalar. */
static enum err read_head(struct rd *r, struct amf0_value *v, int64_t *n_members)
{
    const uint8_t marker = rd_u8(r);
    if (r->underflow) return E_MORE;
    *v = (struct amf0_value){.type = (enum amf0_type)marker};
    *n_members = 0;
    switch (marker) {
    case AMF0_NUMBER:
        v->number = rd_f64be(r);
        break;
    case AMF0_BOOLEAN:
        v->boolean = rd_u8(r) != 0;
        break;
    case AMF0_STRING:
        v->string = rd_span(r, rd_u16be(r));
        break;
    case TYPED:
        v->string = rd_span(r, rd_u16be(r));
        v->type = AMF0_OBJECT;
        *n_members = -1;
        break;
    case AMF0_OBJECT:
        *n_members = -1;
        break;
    case AMF0_ECMA_ARRAY:
        rd_skip(r, 4);
        *n_members = -1;
        break;
    case AMF0_STRICT_ARRAY:
        *n_members = rd_u32be(r);
        break;
    case AMF0_DATE:
        v->number = rd_f64be(r);
        rd_skip(r, 2);
        break;
    case AMF0_REFERENCE:
        rd_skip(r, 2);
        break;
    case AMF0_NULL:
    case AMF0_UNDEFINED:
        break;
    case UNSUPPORTED:
        v->type = AMF0_NULL;
        break;
    case LONG_STRING:
    case XML:
        v->string = rd_span(r, rd_u32be(r));
        v->type = AMF0_STRING;
        break;
    case END:
        return E_PROTO;
    default:
        return marker <= 0x11 ? E_UNSUPPORTED : E_PROTO;
    }
    return r->underflow ? E_MORE : E_OK;
}

/* Before a member of what ends with an end marker: the name, or the end. */
static enum err read_name(struct rd *r, struct span *name, bool *end)
{
    *name = rd_span(r, rd_u16be(r));
    *end = false;
    if (r->underflow) return E_MORE;
    if (name->len > 0) return E_OK;
    if (rd_left(r) == 0) return E_MORE;
    if (*r->p == END) {
        rd_skip(r, 1);
        *end = true;
    }
    return E_OK; /* a member without a name is odd, and allowed */
}

/* Moves past the members of a container whose head has been read. The stack is explicit: how deep
 * it goes is our limit, not the peer's. */
static enum err skip_members(struct rd *r, int64_t n_members)
{
    int64_t left[LIMIT_AMF_DEPTH];
    unsigned depth = 0;
    left[0] = n_members;
    for (unsigned nodes = 0;;) {
        bool end = left[depth] == 0;
        if (left[depth] < 0) {
            struct span name;
            const enum err e = read_name(r, &name, &end);
            if (e != E_OK) return e;
        }
        if (end) {
            if (depth == 0) return E_OK;
            depth--;
            continue;
        }
        if (left[depth] > 0) left[depth]--;
        struct amf0_value v;
        int64_t n;
        const enum err e = read_head(r, &v, &n);
        if (e != E_OK) return e;
        if (++nodes > LIMIT_AMF_NODES) return E_LIMIT;
        if (n == 0) continue;
        if (++depth == LIMIT_AMF_DEPTH) return E_LIMIT;
        left[depth] = n;
    }
}

enum err amf0_read(struct span *in, struct amf0_value *out)
{
    struct rd r = rd_from(*in);
    struct amf0_value v;
    int64_t n;
    enum err e = read_head(&r, &v, &n);
    if (e != E_OK) return e;
    if (n != 0) {
        const size_t from = rd_used(&r);
        e = skip_members(&r, n);
        if (e != E_OK) return e;
        v.body = span_of(in->p + from, rd_used(&r) - from - (n < 0 ? 3 : 0));
    }
    *in = span_skip(*in, rd_used(&r));
    *out = v;
    return E_OK;
}

bool amf0_next(const struct amf0_value *v, struct span *at, struct span *name,
               struct amf0_value *member)
{
    if (at->len == 0) return false;
    if (name) *name = SPAN_NULL;
    if (v->type != AMF0_STRICT_ARRAY) {
        struct rd r = rd_from(*at);
        const struct span n = rd_span(&r, rd_u16be(&r));
        if (r.underflow) return false;
        if (name) *name = n;
        *at = span_skip(*at, rd_used(&r));
    }
    return amf0_read(at, member) == E_OK;
}

bool amf0_get(const struct amf0_value *v, const char *name, struct amf0_value *member)
{
    if (v->type != AMF0_OBJECT && v->type != AMF0_ECMA_ARRAY) return false;
    struct amf0_value m;
    struct span at = v->body, key;
    while (amf0_next(v, &at, &key, &m)) {
        if (!span_is(key, name)) continue;
        *member = m;
        return true;
    }
    return false;
}

struct span amf0_get_string(const struct amf0_value *v, const char *name)
{
    struct amf0_value m;
    return amf0_get(v, name, &m) && m.type == AMF0_STRING ? m.string : SPAN_NULL;
}

double amf0_get_number(const struct amf0_value *v, const char *name, double fallback)
{
    struct amf0_value m;
    return amf0_get(v, name, &m) && m.type == AMF0_NUMBER ? m.number : fallback;
}

void amf0_put_number(struct wr *w, double n)
{
    wr_u8(w, AMF0_NUMBER);
    wr_f64be(w, n);
}

void amf0_put_boolean(struct wr *w, bool b)
{
    wr_u8(w, AMF0_BOOLEAN);
    wr_u8(w, b);
}

void amf0_put_string(struct wr *w, struct span s)
{
    if (s.len > UINT16_MAX) {
        wr_u8(w, LONG_STRING);
        wr_u32be(w, (uint32_t)s.len);
    } else {
        wr_u8(w, AMF0_STRING);
        wr_u16be(w, (uint16_t)s.len);
    }
    wr_str(w, s);
}

void amf0_put_null(struct wr *w)
{
    wr_u8(w, AMF0_NULL);
}

void amf0_object_begin(struct wr *w)
{
    wr_u8(w, AMF0_OBJECT);
}

void amf0_ecma_begin(struct wr *w, uint32_t count)
{
    wr_u8(w, AMF0_ECMA_ARRAY);
    wr_u32be(w, count);
}

void amf0_strict_begin(struct wr *w, uint32_t count)
{
    wr_u8(w, AMF0_STRICT_ARRAY);
    wr_u32be(w, count);
}

void amf0_key(struct wr *w, const char *name)
{
    const struct span s = span_str(name);
    wr_u16be(w, (uint16_t)s.len);
    wr_str(w, s);
}

void amf0_object_end(struct wr *w)
{
    wr_u24be(w, END);
}

void amf0_pair_string(struct wr *w, const char *name, const char *value)
{
    amf0_key(w, name);
    amf0_put_string(w, span_str(value));
}

void amf0_pair_number(struct wr *w, const char *name, double value)
{
    amf0_key(w, name);
    amf0_put_number(w, value);
}

void amf0_pair_boolean(struct wr *w, const char *name, bool value)
{
    amf0_key(w, name);
    amf0_put_boolean(w, value);
}
