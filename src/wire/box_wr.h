/* SPDX-License-Identifier: MIT */
/* wire/box_wr.h - boxes of the ISO base media file format, written into a str before their size is
 * known (ISO/IEC 14496-12, 4.2). For the writers of files and of segments. */
#pragma once
#include "base/str.h"
#include "base/wr.h"

/* The returned place is what box_close() needs. */
static inline size_t box_open(struct str *s, const char *type)
{
    const size_t at = s->len;
    str_be(s, 0, 4);
    str_add(s, span_of(type, 4));
    return at;
}

static inline size_t full_open(struct str *s, const char *type, uint8_t version, uint32_t flags)
{
    const size_t at = box_open(s, type);
    str_be(s, (uint32_t)version << 24 | flags, 4);
    return at;
}

static inline void box_close(struct str *s, size_t at)
{
    struct wr w = wr_to(s->p + at, 4);
    wr_u32be(&w, (uint32_t)(s->len - at));
}

static inline void box_zeros(struct str *s, unsigned n)
{
    for (; n > 0; n--) str_be(s, 0, 1);
}

/* No rotation, no scaling. */
static inline void box_matrix(struct str *s)
{
    static const uint32_t UNITY[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (int i = 0; i < 9; i++) str_be(s, UNITY[i], 4);
}
