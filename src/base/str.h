/* SPDX-License-Identifier: MIT */
/* base/str.h - a growable byte string, for building text and bytes of unknown size.
 *
 * Embedded by value: `struct str s = {0}` is an empty one; str_fini() frees it. Not shared. */
#pragma once
#include "base/buf.h"
#include "base/span.h"
#include <stdarg.h>

struct str {
    uint8_t *p; /* not zero-terminated; see str_c() */
    size_t len, cap;
};

void str_fini(struct str *s); /* leaves an empty one */
void str_reserve(struct str *s, size_t extra);
void str_add(struct str *s, struct span bytes);
void str_addc(struct str *s, char c);
void str_adds(struct str *s, const char *text);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void str_be(struct str *s, uint64_t v, unsigned n_bytes);
void str_drop(struct str *s, size_t n); /* removes the first n bytes */
/* Zero-terminated view, valid until the next change. */
const char *str_c(struct str *s);
/* The contents as a buf; the string is empty afterwards. */
struct buf *str_take_buf(struct str *s);
/* The contents as a malloc'd C string; the string is empty afterwards. */
char *str_take_c(struct str *s);

static inline struct span str_span(const struct str *s)
{
    return (struct span){s->p, s->len};
}
