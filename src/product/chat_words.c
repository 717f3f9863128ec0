/* SPDX-License-Identifier: MIT */
#include "product/chat_words.h"
#include <locale.h>
#include <pthread.h>
#include <wctype.h>

/* --- letters ---------------------------------------------------------------------------------- */

static locale_t utf8;

static void open_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* (locale_t)0: the C library has none; then only ASCII is folded. For the process's life. */
static locale_t letters(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_locale);
    return utf8;
}

static bool in(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* Marks that stand on the letter before, and what has no width. */
static bool is_nothing(uint32_t c)
{
    return in(c, 0x0300, 0x036f) || in(c, 0x0483, 0x0489) || in(c, 0x1ab0, 0x1aff) ||
           in(c, 0x1dc0, 0x1dff) || in(c, 0x20d0, 0x20ff) || in(c, 0xfe00, 0xfe0f) ||
           in(c, 0xfe20, 0xfe2f) || in(c, 0x200b, 0x200f) || in(c, 0x2060, 0x2064) || c == 0xad ||
           c == 0x34f || c == 0x180e || c == 0xfeff;
}

static uint32_t fold(uint32_t c)
{
    if (in(c, 0xff01, 0xff5e)) c -= 0xfee0;
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c == 0x3c2) return 0x3c3; /* a final sigma */
    return letters() ? (uint32_t)towlower_l((wint_t)c, letters()) : c;
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80) return in(c, 'a', 'z') || in(c, '0', '9') || in(c, 'A', 'Z');
    return letters() && iswalnum_l((wint_t)c, letters());
}

/* --- words ------------------------------------------------------------------------------------ */

enum { STAR = '*' };

/* The next folded character of *s that is something; 0 at the end. */
static uint32_t next(struct span *s)
{
    uint32_t c;
    while (s->len) {
        if (!text_take(s, &c)) {
            s->len = 0;
            return 0;
        }
        if (!is_nothing(c)) return fold(c);
    }
    return 0;
}

/* A text folded, divided into words. What does not fit is left out: it is longer than a message. */
struct words {
    uint32_t c[LIMIT_CHAT_CHARS];
    struct word {
        uint16_t at, n;
    } word[LIMIT_CHAT_CHARS];
    size_t n;
};

static void divide(struct span s, bool stars, struct words *out)
{
    size_t n = 0;
    bool within = false;
    uint32_t c;
    out->n = 0;
    while ((c = next(&s)) && n < LIMIT_CHAT_CHARS) {
        const bool belongs = is_letter(c) || (stars && c == STAR);
        if (belongs && !within) out->word[out->n++] = (struct word){(uint16_t)n, 0};
        if (belongs) {
            out->c[n++] = c;
            out->word[out->n - 1].n++;
        }
        within = belongs;
    }
}

/* A star takes as little as it can, and one more whenever that turns out to be too little: only the
 * last one has to be remembered. */
static bool is_word(const uint32_t *pattern, size_t np, const uint32_t *w, size_t nw)
{
    size_t p = 0, i = 0, star = SIZE_MAX, from = 0;
    while (i < nw) {
        if (p < np && pattern[p] == STAR) {
            star = p++;
            from = i;
        } else if (p < np && pattern[p] == w[i]) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < np && pattern[p] == STAR) p++;
    return p == np;
}

static bool stands_at(const struct words *pattern, const struct words *text, size_t at)
{
    if (pattern->n == 0 || pattern->n > text->n - at) return false;
    for (size_t k = 0; k < pattern->n; k++) {
        const struct word p = pattern->word[k], w = text->word[at + k];
        if (!is_word(pattern->c + p.at, p.n, text->c + w.at, w.n)) return false;
    }
    return true;
}

bool chat_words_find(const char *words, const char *text)
{
    struct words said, pattern;
    struct span all = span_str(words);
    if (!all.len) return false;
    divide(span_str(text), false, &said);
    while (all.len) {
        divide(span_cut(&all, '\n'), true, &pattern);
        for (size_t at = 0; at < said.n; at++)
            if (stands_at(&pattern, &said, at)) return true;
    }
    return false;
}

/* --- the list --------------------------------------------------------------------------------- */

/* Only what stands for something: "***" would be in everything. */
static bool says_something(struct span pattern)
{
    struct words p;
    divide(pattern, true, &p);
    for (size_t k = 0; k < p.n; k++) {
        bool letter = false;
        for (size_t i = 0; i < p.word[k].n; i++) letter = letter || p.c[p.word[k].at + i] != STAR;
        if (!letter) return false;
    }
    return p.n > 0;
}

enum err chat_words_add(char *words, struct span pattern, struct problem *p)
{
    char one[TEXT_CAP(LIMIT_CHAT_WORD_CHARS)];
    const enum err e = text_check(pattern, TEXT_LINE, LIMIT_CHAT_WORD_CHARS, "words", one, p);
    if (e != E_OK) return e;
    if (!says_something(span_str(one)))
        return problem_set(
            p, E_INVALID, "invalid", "words",
            "Each needs a letter or a digit in each of its words, beside the stars.");
    struct span all = span_str(words);
    size_t n = 0;
    while (all.len) {
        if (span_eq(span_cut(&all, '\n'), span_str(one))) return E_OK;
        n++;
    }
    if (n == LIMIT_CHAT_WORDS)
        return problem_set(p, E_INVALID, "too_many", "words", "At most %d words can be listed.",
                           LIMIT_CHAT_WORDS);
    const size_t at = strlen(words), len = strlen(one);
    if (at) words[at] = '\n';
    memcpy(words + at + (at > 0), one, len + 1);
    return E_OK;
}
