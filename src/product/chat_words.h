/* SPDX-License-Identifier: MIT */
/* product/chat_words.h - words that a room does not take.
 *
 * A pattern is one or more words, divided by spaces, that follow each other in a message. It stands
 * for whole words: "ass" is not in "class". A '*' stands for any run of letters and digits, also
 * none: "ass*" is in "asses". Compared is what is left when both are folded: lower case (simple
 * case folding of the C library's C.UTF-8), full-width letters as plain ones, without marks that
 * are piled on a letter and without characters of no width. Letters that look alike stay different,
 * and so do "n" and "ñ": "ano" is not in "año".
 *
 * Pure functions over texts of other people, no allocation; any thread.
 * Limits: LIMIT_CHAT_WORDS patterns of LIMIT_CHAT_WORD_CHARS. */
#pragma once
#include "product/problem.h"
#include "product/text.h"

/* All patterns, one a line. */
#define CHAT_WORDS_CAP (LIMIT_CHAT_WORDS * (TEXT_CAP(LIMIT_CHAT_WORD_CHARS) + 1) + 1)

/* Adds one to `words`, a zero-ended list of CHAT_WORDS_CAP bytes, unless it is there. E_INVALID
 * with a problem of the field "words": too long, too many, nothing but stars and punctuation. */
enum err chat_words_add(char *words, struct span pattern, struct problem *p) WARN_UNUSED;
/* True: one of them is in the text. Both UTF-8; what is not is nowhere. */
bool chat_words_find(const char *words, const char *text);
