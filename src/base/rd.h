/* SPDX-License-Identifier: MIT */
/* base/rd.h - reads numbers from a span, with sticky underflow.
 *
 * A read past the end yields 0 (or an empty span) and sets `underflow`; the parser follows the
 * order of the specification and checks once, at the end. */
#pragma once
#include "base/span.h"

struct rd {
    const uint8_t *start, *p, *end;
    bool underflow;
};

static inline struct rd rd_from(struct span s)
{
    static const uint8_t none[1];
    const uint8_t *p = s.p ? s.p : none;
    return (struct rd){p, p, p + (s.p ? s.len : 0), false};
}

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->p);
}

static inline size_t rd_used(const struct rd *r)
{
    return (size_t)(r->p - r->start);
}

/* n bytes as a view into the input, or an empty span and underflow. */
static inline struct span rd_span(struct rd *r, size_t n)
{
    if (rd_left(r) < n) {
        r->underflow = true;
        r->p = r->end;
        return SPAN_NULL;
    }
    const struct span s = {r->p, n};
    r->p += n;
    return s;
}

static inline void rd_skip(struct rd *r, size_t n)
{
    (void)rd_span(r, n);
}

static inline struct span rd_rest(struct rd *r)
{
    return rd_span(r, rd_left(r));
}

static inline uint64_t rd_be(struct rd *r, unsigned n)
{
    const struct span s = rd_span(r, n);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) v = v << 8 | s.p[i];
    return v;
}

static inline uint64_t rd_le(struct rd *r, unsigned n)
{
    const struct span s = rd_span(r, n);
    uint64_t v = 0;
    for (size_t i = s.len; i-- > 0;) v = v << 8 | s.p[i];
    return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_be(r, 1);
}
static inline uint16_t rd_u16be(struct rd *r)
{
    return (uint16_t)rd_be(r, 2);
}
static inline uint32_t rd_u24be(struct rd *r)
{
    return (uint32_t)rd_be(r, 3);
}
static inline uint32_t rd_u32be(struct rd *r)
{
    return (uint32_t)rd_be(r, 4);
}
static inline uint64_t rd_u64be(struct rd *r)
{
    return rd_be(r, 8);
}
static inline uint16_t rd_u16le(struct rd *r)
{
    return (uint16_t)rd_le(r, 2);
}
static inline uint32_t rd_u32le(struct rd *r)
{
    return (uint32_t)rd_le(r, 4);
}

/* Big-endian IEEE 754 double. */
static inline double rd_f64be(struct rd *r)
{
    const uint64_t v = rd_u64be(r);
    double d;
    memcpy(&d, &v, sizeof d);
    return d;
}
