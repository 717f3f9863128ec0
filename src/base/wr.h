/* SPDX-License-Identifier: MIT */
/* base/wr.h - writes numbers into a fixed buffer, with sticky overflow; the mirror of rd.
 *
 * A write past the end writes nothing and sets `overflow`. `wr` never allocates; for output of
 * unknown size see base/str.h. */
#pragma once
#include "base/span.h"

struct wr {
    uint8_t *start, *p, *end;
    bool overflow;
};

static inline struct wr wr_to(void *p, size_t cap)
{
    return (struct wr){(uint8_t *)p, (uint8_t *)p, (uint8_t *)p + cap, false};
}

static inline size_t wr_used(const struct wr *w)
{
    return (size_t)(w->p - w->start);
}

static inline struct span wr_span(const struct wr *w)
{
    return (struct span){w->start, wr_used(w)};
}

static inline void wr_bytes(struct wr *w, const void *p, size_t n)
{
    if ((size_t)(w->end - w->p) < n) {
        w->overflow = true;
        return;
    }
    if (n) memcpy(w->p, p, n);
    w->p += n;
}

static inline void wr_be(struct wr *w, uint64_t v, unsigned n)
{
    uint8_t b[8];
    for (unsigned i = 0; i < n; i++) b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    wr_bytes(w, b, n);
}

static inline void wr_le(struct wr *w, uint64_t v, unsigned n)
{
    uint8_t b[8];
    for (unsigned i = 0; i < n; i++) b[i] = (uint8_t)(v >> (8 * i));
    wr_bytes(w, b, n);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    wr_bytes(w, &v, 1);
}
static inline void wr_u16be(struct wr *w, uint16_t v)
{
    wr_be(w, v, 2);
}
static inline void wr_u24be(struct wr *w, uint32_t v)
{
    wr_be(w, v, 3);
}
static inline void wr_u32be(struct wr *w, uint32_t v)
{
    wr_be(w, v, 4);
}
static inline void wr_u64be(struct wr *w, uint64_t v)
{
    wr_be(w, v, 8);
}
static inline void wr_u32le(struct wr *w, uint32_t v)
{
    wr_le(w, v, 4);
}
static inline void wr_str(struct wr *w, struct span s)
{
    wr_bytes(w, s.p, s.len);
}
static inline void wr_f64be(struct wr *w, double d)
{
    uint64_t v;
    memcpy(&v, &d, sizeof v);
    wr_u64be(w, v);
}
