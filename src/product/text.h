/* SPDX-License-Identifier: MIT */
/* product/text.h - what people may write: lengths in characters, no control characters.
 * Pure functions, any thread. Markup is not looked at: texts are data everywhere, and escaped
 * where they are shown. */
#pragma once
#include "base/limits.h"
#include "base/span.h"
#include "product/problem.h"

/* Room for so many characters of UTF-8 and the final zero. */
#define TEXT_CAP(chars) (4 * (chars) + 1)

enum text_kind {
    TEXT_LINE,  /* one line, not empty: titles, names */
    TEXT_LINES, /* line feeds and tabs too, may be empty: descriptions */
};

/* One code point from the front of *s, which is not empty; false when it is not UTF-8 (RFC 3629).
 */
bool text_take(struct span *s, uint32_t *out);

/* Trims, checks and copies. `out` has room for TEXT_CAP(max_chars). E_INVALID with a problem that
 * names the field. CR LF becomes LF. */
enum err text_check(struct span in, enum text_kind kind, size_t max_chars, const char *field,
                    char *out, struct problem *p) WARN_UNUSED;

/* The address as typed into `out` (LIMIT_EMAIL_BYTES + 1) and its comparable form, in lower case,
 * into `key`. The rule is the HTML standard's for <input type=email>. */
enum err text_email(struct span in, char *out, char *key, struct problem *p) WARN_UNUSED;

/* As much of valid UTF-8 as fits, cut between characters. */
void text_cut(struct span in, char *out, size_t cap);

/* Ids are letters, digits, '-' and '_', 1 to 64 of them. Anything else is nobody's. */
bool text_is_id(const char *s);
