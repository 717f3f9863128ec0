/* SPDX-License-Identifier: MIT */
#include "product/when.h"
#include "base/clock.h"
#include <time.h>

/* Exactly n digits from the front. */
static bool number(struct span *s, size_t n, int *out)
{
    uint64_t v;
    if (s->len < n || !span_u64(span_head(*s, n), 9999, &v)) return false;
    *s = span_skip(*s, n);
    *out = (int)v;
    return true;
}

static bool literal(struct span *s, const char *any_of)
{
    if (s->len == 0 || s->p[0] == 0 || !strchr(any_of, s->p[0])) return false;
    *s = span_skip(*s, 1);
    return true;
}

static int64_t fraction_us(struct span *s)
{
    int64_t us = 0, unit = US_PER_SEC / 10;
    for (; s->len && s->p[0] >= '0' && s->p[0] <= '9'; *s = span_skip(*s, 1), unit /= 10)
        us += unit * (s->p[0] - '0');
    return us;
}

/* "Z", "+01:30". */
static bool offset_s(struct span *s, int *out)
{
    if (literal(s, "Zz")) {
        *out = 0;
        return true;
    }
    const int sign = s->len && s->p[0] == '-' ? -1 : 1;
    int h, m;
    if (!literal(s, "+-") || !number(s, 2, &h) || !literal(s, ":") || !number(s, 2, &m))
        return false;
    *out = sign * (h * 3600 + m * 60);
    return h < 24 && m < 60;
}

enum err when_parse(struct span s, int64_t *out_us)
{
    struct tm t = {0};
    int offset;
    if (s.len > 40 || !number(&s, 4, &t.tm_year) || !literal(&s, "-") ||
        !number(&s, 2, &t.tm_mon) || !literal(&s, "-") || !number(&s, 2, &t.tm_mday) ||
        !literal(&s, "Tt ") || !number(&s, 2, &t.tm_hour) || !literal(&s, ":") ||
        !number(&s, 2, &t.tm_min) || !literal(&s, ":") || !number(&s, 2, &t.tm_sec))
        return E_INVALID;
    const int64_t us = literal(&s, ".") ? fraction_us(&s) : 0;
    if (!offset_s(&s, &offset) || s.len) return E_INVALID;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    struct tm given = t;
    const time_t unix_s = timegm(&t);
    /* timegm() takes the 31st of February for the 3rd of March: not we. */
    if (given.tm_year < 70 || given.tm_mon != t.tm_mon || given.tm_mday != t.tm_mday ||
        given.tm_hour != t.tm_hour || given.tm_min != t.tm_min || given.tm_sec != t.tm_sec)
        return E_INVALID;
    *out_us = ((int64_t)unix_s - offset) * US_PER_SEC + us;
    return E_OK;
}
