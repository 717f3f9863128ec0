/* SPDX-License-Identifier: MIT */
/* base/xalloc.h - allocation of our own, fixed sizes: out of memory aborts.
 *
 * Sizes that a peer chooses are checked against base/limits.h first. */
#pragma once
#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const void *s, size_t n);

#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

/* Breaks an invariant of ours, in release builds too: prints where and aborts. */
#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))
_Noreturn void check_failed(const char *what, const char *file, int line);

/* Typed `void *`: a struct begins with `uint32_t magic`, and OBJ_CAST checks it. */
#define OBJ_CAST(type, MAGIC, p) ((type *)obj_check((p), (MAGIC), __FILE__, __LINE__))
void *obj_check(void *p, unsigned magic, const char *file, int line);
