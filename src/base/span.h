/* SPDX-License-Identifier: MIT */
/* base/span.h - pointer and length, borrowed; owns nothing.
 *
 * A span is valid for the duration of the call that passes it, unless a header says longer. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p;
    size_t len;
};

#define SPAN_NULL ((struct span){NULL, 0})
/* A span over a string literal or an array, without its final zero. */
#define SPAN_LIT(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})

static inline struct span span_of(const void *p, size_t len)
{
    return (struct span){(const uint8_t *)p, len};
}

static inline struct span span_str(const char *s)
{
    return (struct span){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
    return span_eq(a, span_str(s));
}

/* ASCII only. */
bool span_ieq(struct span a, struct span b);
bool span_starts(struct span a, const char *prefix);
bool span_ends(struct span a, const char *suffix);

/* The first n bytes removed; n is clamped to the length. */
static inline struct span span_skip(struct span s, size_t n)
{
    if (n > s.len) n = s.len;
    return (struct span){s.p ? s.p + n : NULL, s.len - n};
}

/* At most the first n bytes. */
static inline struct span span_head(struct span s, size_t n)
{
    return (struct span){s.p, s.len < n ? s.len : n};
}

/* Splits *s at the first `c`: returns what is before it, leaves in *s what is after it.
 * Without `c` returns the whole and leaves an empty span with p == NULL. */
struct span span_cut(struct span *s, char c);
/* Without ASCII space and tab at both ends. */
struct span span_trim(struct span s);
/* Decimal digits only, no sign, no space. False when empty, not digits, or above max. */
bool span_u64(struct span s, uint64_t max, uint64_t *out);
/* Copies with a final zero; false (and an empty string) when it does not fit or holds a zero. */
bool span_cstr(struct span s, char *out, size_t cap);
