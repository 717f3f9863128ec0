/* SPDX-License-Identifier: MIT */
#include "product/problem.h"
#include <stdarg.h>
#include <stdio.h>

enum err problem_set(struct problem *p, enum err e, const char *code, const char *field,
                     const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *p = (struct problem){.code = code, .field = field};
    vsnprintf(p->text, sizeof p->text, fmt, ap);
    va_end(ap);
    return e;
}

enum err problem_of(struct problem *p, enum err e)
{
    if (e == E_OK || p->code) return e;
    if (e == E_NOTFOUND) return problem_set(p, e, "not_found", NULL, "There is no such thing.");
    if (e == E_FULL)
        return problem_set(p, e, "disk_full", NULL,
                           "The server's disk is full: nothing was saved.");
    return problem_set(p, e, "internal", NULL, "Something went wrong here; nothing was saved.");
}
