/* SPDX-License-Identifier: MIT */
#include "product/text.h"

bool text_take(struct span *s, uint32_t *out)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t b = s->p[0];
    const size_t n = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
    if (n == 0 || n > s->len) return false;
    uint32_t c = n == 1 ? b : b & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s->p[i] & 0xc0) != 0x80) return false;
        c = c << 6 | (s->p[i] & 0x3f);
    }
    if (c < LEAST[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    *s = span_skip(*s, n);
    *out = c;
    return true;
}

/* Controls, and what reorders or hides the text around it on other people's pages. */
static bool forbidden(uint32_t c, enum text_kind kind)
{
    if (kind == TEXT_LINES && (c == '\n' || c == '\t')) return false;
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == 0xa0 || (c >= 0x2000 && c <= 0x200b) ||
           c == 0x3000;
}

enum err text_check(struct span in, enum text_kind kind, size_t max_chars, const char *field,
                    char *out, struct problem *p)
{
    size_t len = 0, keep = 0, chars = 0, keep_chars = 0;
    while (in.len) {
        if (kind == TEXT_LINES && in.len > 1 && in.p[0] == '\r' && in.p[1] == '\n')
            in = span_skip(in, 1);
        const uint8_t *at = in.p;
        uint32_t c;
        if (!text_take(&in, &c))
            return problem_set(p, E_INVALID, "invalid", field, "This is not valid text (UTF-8).");
        if (forbidden(c, kind))
            return problem_set(p, E_INVALID, "invalid", field,
                               "Control characters are not allowed here.");
        if (is_space(c) && keep == 0) continue;
        /* Spaces beyond the limit may still be trimmed away. */
        if (++chars > max_chars) {
            if (is_space(c)) continue;
            return problem_set(p, E_INVALID, "too_long", field,
                               "At most %zu characters are allowed here.", max_chars);
        }
        memcpy(out + len, at, (size_t)(in.p - at));
        len += (size_t)(in.p - at);
        if (!is_space(c)) keep = len, keep_chars = chars;
    }
    out[keep] = 0;
    if (keep_chars == 0 && kind == TEXT_LINE)
        return problem_set(p, E_INVALID, "required", field, "This must not be empty.");
    return E_OK;
}

void text_cut(struct span in, char *out, size_t cap)
{
    size_t n = in.len < cap ? in.len : cap - 1;
    while (n < in.len && n > 0 && (in.p[n] & 0xc0) == 0x80) n--;
    memcpy(out, in.p, n);
    out[n] = 0;
}

static bool letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool local_part(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!letter_or_digit(s.p[i]) && !(s.p[i] && strchr(".!#$%&'*+/=?^_`{|}~-", s.p[i])))
            return false;
    return s.len >= 1 && s.len <= 64;
}

static bool domain(struct span s)
{
    if (s.len == 0) return false;
    while (s.p) {
        const struct span label = span_cut(&s, '.');
        if (label.len == 0 || label.len > 63) return false;
        if (label.p[0] == '-' || label.p[label.len - 1] == '-') return false;
        for (size_t i = 0; i < label.len; i++)
            if (!letter_or_digit(label.p[i]) && label.p[i] != '-') return false;
    }
    return true;
}

enum err text_email(struct span in, char *out, char *key, struct problem *p)
{
    struct span rest = span_trim(in);
    const struct span whole = rest;
    const struct span local = span_cut(&rest, '@');
    if (whole.len > LIMIT_EMAIL_BYTES || !rest.p || !local_part(local) || !domain(rest))
        return problem_set(p, E_INVALID, "invalid_email", "email",
                           "This is not an e-mail address such as name@example.org.");
    (void)span_cstr(whole, out, LIMIT_EMAIL_BYTES + 1);
    for (size_t i = 0; i <= whole.len; i++) {
        const char c = out[i];
        key[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return E_OK;
}

bool text_is_id(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++)
        if (n == 64 || !(letter_or_digit((uint8_t)s[n]) || s[n] == '-' || s[n] == '_'))
            return false;
    return n > 0;
}
