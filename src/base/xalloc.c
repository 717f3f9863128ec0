/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

_Noreturn void check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "bspnode: check failed: %s (%s:%d)\n", what, file, line);
    abort();
}

void *obj_check(void *p, unsigned magic, const char *file, int line)
{
    uint32_t m = 0;
    if (p) memcpy(&m, p, sizeof m);
    if (m != magic) check_failed("object has the wrong type", file, line);
    return p;
}

static void *must(void *p)
{
    if (!p) check_failed("memory", __FILE__, __LINE__);
    return p;
}

void *xmalloc(size_t n)
{
    return must(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return must(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n)
{
    return must(realloc(p, n ? n : 1));
}

char *xstrndup(const void *s, size_t n)
{
    char *p = xmalloc(n + 1);
    if (n) memcpy(p, s, n);
    p[n] = 0;
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}
