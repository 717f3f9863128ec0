/* SPDX-License-Identifier: MIT */
/* product/problem.h - why a domain says no, for people and for programs.
 *
 * A domain function returns `enum err` and fills this when it is not E_OK. The API turns the pair
 * into a status and an error object; the command line prints the text. */
#pragma once
#include "base/err.h"
#include <stdint.h>

struct problem {
    const char *code;  /* "email_taken"; a literal */
    const char *field; /* "title", or NULL; a literal or valid as long as the input */
    int64_t retry_s;   /* when too often: seconds until it may work */
    char text[240];
};

/* Returns e, so that `return problem_set(...)` reads well. */
enum err problem_set(struct problem *p, enum err e, const char *code, const char *field,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* For a failure below us that the caller can do nothing about. Keeps what is already said. */
enum err problem_of(struct problem *p, enum err e);
