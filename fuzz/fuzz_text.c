/* SPDX-License-Identifier: MIT */
/* What people write: titles, descriptions, addresses, times. What was taken once is taken again as
 * it is, fits where it was put, and holds no control character. */
#include "product/text.h"
#include "product/when.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHARS = 40 };

static void check_text(struct span in, enum text_kind kind)
{
    char once[TEXT_CAP(CHARS)], twice[TEXT_CAP(CHARS)];
    struct problem p;
    if (text_check(in, kind, CHARS, "f", once, &p) != E_OK) {
        if (!p.code || !p.text[0]) abort();
        return;
    }
    const size_t len = strlen(once);
    if (len >= sizeof once || (kind == TEXT_LINE && len == 0)) abort();
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = (uint8_t)once[i];
        if (c < 0x20 && !(kind == TEXT_LINES && (c == '\n' || c == '\t'))) abort();
    }
    if (text_check(span_str(once), kind, CHARS, "f", twice, &p) != E_OK) abort();
    if (strcmp(once, twice) != 0) abort();
}

static void check_email(struct span in)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1], again[LIMIT_EMAIL_BYTES + 1];
    struct problem p;
    if (text_email(in, typed, key, &p) != E_OK) return;
    if (!span_ieq(span_str(typed), span_str(key)) || strpbrk(key, " \r\n\t<>\"")) abort();
    if (text_email(span_str(key), typed, again, &p) != E_OK || strcmp(key, again) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size);
    int64_t us = -1;
    check_text(in, TEXT_LINE);
    check_text(in, TEXT_LINES);
    check_email(in);
    /* 10,000 years, and an offset of a day. */
    if (when_parse(in, &us) == E_OK &&
        (us < -INT64_C(86400000000) || us > INT64_C(253402400000000000)))
        abort();
    return 0;
}
