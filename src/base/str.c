/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "base/xalloc.h"
#include <stdio.h>

void str_fini(struct str *s)
{
    free(s->p);
    *s = (struct str){0};
}

void str_reserve(struct str *s, size_t extra)
{
    const size_t need = s->len + extra;
    if (need <= s->cap) return;
    size_t cap = s->cap ? s->cap : 64;
    while (cap < need) cap *= 2;
    s->p = xrealloc(s->p, cap);
    s->cap = cap;
}

void str_add(struct str *s, struct span bytes)
{
    if (bytes.len == 0) return;
    str_reserve(s, bytes.len);
    memcpy(s->p + s->len, bytes.p, bytes.len);
    s->len += bytes.len;
}

void str_addc(struct str *s, char c)
{
    str_add(s, span_of(&c, 1));
}

void str_adds(struct str *s, const char *text)
{
    str_add(s, span_str(text));
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    CHECK(n >= 0);
    str_reserve(s, (size_t)n + 1);
    vsnprintf((char *)s->p + s->len, (size_t)n + 1, fmt, again);
    va_end(again);
    s->len += (size_t)n;
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(s, fmt, ap);
    va_end(ap);
}

void str_be(struct str *s, uint64_t v, unsigned n_bytes)
{
    str_reserve(s, n_bytes);
    for (unsigned i = 0; i < n_bytes; i++) s->p[s->len++] = (uint8_t)(v >> (8 * (n_bytes - 1 - i)));
}

void str_drop(struct str *s, size_t n)
{
    CHECK(n <= s->len);
    s->len -= n;
    if (s->len && n) memmove(s->p, s->p + n, s->len);
}

const char *str_c(struct str *s)
{
    str_reserve(s, 1);
    s->p[s->len] = 0;
    return (const char *)s->p;
}

struct buf *str_take_buf(struct str *s)
{
    struct buf *b = buf_copy(str_span(s));
    str_fini(s);
    return b;
}

char *str_take_c(struct str *s)
{
    str_c(s);
    char *p = (char *)s->p;
    *s = (struct str){0};
    return p;
}
