/* SPDX-License-Identifier: MIT */
/* wire/bits.h - reads bits, most significant first, with sticky underflow; rd for bitstreams.
 *
 * With `rbsp` set it leaves out the emulation prevention bytes of H.264 and H.265 (the 3 in
 * 0 0 3) as it goes, so a NAL unit needs no copy. A read past the end yields 0 and sets
 * `underflow`; the parser checks once, at the end, and bounds its loops by limits of its own. */
#pragma once
#include "base/span.h"

struct bits {
    const uint8_t *p, *end;
    uint8_t cur;
    unsigned left;  /* unread bits of cur */
    unsigned zeros; /* zero bytes seen in a row */
    bool rbsp, underflow;
};

static inline struct bits bits_from(struct span s, bool rbsp)
{
    return (struct bits){.p = s.p, .end = s.len ? s.p + s.len : s.p, .rbsp = rbsp};
}

static inline bool bits_byte(struct bits *b)
{
    if (b->p == b->end) goto none;
    if (b->rbsp && b->zeros >= 2 && *b->p == 3) {
        b->zeros = 0;
        if (++b->p == b->end) goto none;
    }
    b->cur = *b->p++;
    b->zeros = b->cur ? 0 : b->zeros + 1;
    b->left = 8;
    return true;
none:
    b->underflow = true;
    return false;
}

/* n up to 64. */
static inline uint64_t bits_u(struct bits *b, unsigned n)
{
    uint64_t v = 0;
    while (n > 0) {
        if (b->left == 0 && !bits_byte(b)) return 0;
        const unsigned take = n < b->left ? n : b->left;
        b->left -= take;
        v = v << take | (uint64_t)((b->cur >> b->left) & ((1u << take) - 1));
        n -= take;
    }
    return v;
}

static inline bool bits_flag(struct bits *b)
{
    return bits_u(b, 1) != 0;
}

static inline void bits_skip(struct bits *b, unsigned n)
{
    for (; n > 32; n -= 32) (void)bits_u(b, 32);
    (void)bits_u(b, n);
}

/* Exp-Golomb, unsigned, at most 32 bits (H.264 9.1); longer is underflow. */
static inline uint32_t bits_ue(struct bits *b)
{
    unsigned zeros = 0;
    while (!bits_flag(b)) {
        if (b->underflow || ++zeros > 31) {
            b->underflow = true;
            return 0;
        }
    }
    return (uint32_t)((UINT64_C(1) << zeros) - 1 + bits_u(b, zeros));
}

/* Exp-Golomb, signed. */
static inline int32_t bits_se(struct bits *b)
{
    const uint32_t k = bits_ue(b);
    return k & 1 ? (int32_t)(k / 2 + 1) : -(int32_t)(k / 2);
}
