/* SPDX-License-Identifier: MIT */
/* wire/amf0.h - AMF0 values, read in place and written (Action Message Format 0, December 2007).
 *
 * Reading allocates nothing: a value is a view into the input, and the members of an object or an
 * array are walked in its `body`. amf0_read() has checked everything inside a value it returns, to
 * LIMIT_AMF_DEPTH levels and LIMIT_AMF_NODES values, so walking it cannot fail. */
#pragma once
#include "base/err.h"
#include "base/wr.h"

enum amf0_type {
    AMF0_NUMBER = 0x00,
    AMF0_BOOLEAN = 0x01,
    AMF0_STRING = 0x02, /* long strings and XML too */
    AMF0_OBJECT = 0x03, /* typed objects too */
    AMF0_NULL = 0x05,   /* "unsupported" too */
    AMF0_UNDEFINED = 0x06,
    AMF0_REFERENCE = 0x07,
    AMF0_ECMA_ARRAY = 0x08, /* walked like an object; its count is not to be trusted */
    AMF0_STRICT_ARRAY = 0x0a,
    AMF0_DATE = 0x0b, /* milliseconds since 1970, in `number` */
};

struct amf0_value {
    enum amf0_type type;
    bool boolean;
    double number;
    struct span string;
    struct span body; /* of an object or array: its members */
};

/* Reads one whole value from the front of *in and moves *in past it. On failure neither is
 * changed: E_MORE (a valid beginning), E_PROTO, E_LIMIT (too deep, too many values),
 * E_UNSUPPORTED (AMF3 inside, movie clips, record sets). */
enum err amf0_read(struct span *in, struct amf0_value *out) WARN_UNUSED;

/* The next member of an object or array; start with `struct span at = v.body`. False at the end.
 * `name` is empty for strict arrays; NULL is fine. */
bool amf0_next(const struct amf0_value *v, struct span *at, struct span *name,
               struct amf0_value *member);

/* The member of that name; false when `v` has none or is not an object or ECMA array. */
bool amf0_get(const struct amf0_value *v, const char *name, struct amf0_value *member);
/* The same, for the two kinds most asked for; the fallback when missing or of another type. */
struct span amf0_get_string(const struct amf0_value *v, const char *name);
double amf0_get_number(const struct amf0_value *v, const char *name, double fallback);

/* Writing: each appends to `w`. Strings longer than 65535 bytes become long strings. */
void amf0_put_number(struct wr *w, double n);
void amf0_put_boolean(struct wr *w, bool b);
void amf0_put_string(struct wr *w, struct span s);
void amf0_put_null(struct wr *w);
void amf0_object_begin(struct wr *w);
void amf0_ecma_begin(struct wr *w, uint32_t count);
void amf0_strict_begin(struct wr *w, uint32_t count); /* then `count` values, and no end */
void amf0_key(struct wr *w, const char *name);        /* at most 65535 bytes */
void amf0_object_end(struct wr *w);
/* A key and its value. */
void amf0_pair_string(struct wr *w, const char *name, const char *value);
void amf0_pair_number(struct wr *w, const char *name, double value);
void amf0_pair_boolean(struct wr *w, const char *name, bool value);
