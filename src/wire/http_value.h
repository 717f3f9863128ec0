/* SPDX-License-Identifier: MIT */
/* wire/http_value.h - values of single header fields: cookies (RFC 6265 section 4.2), ranges and
 * validators (RFC 9110 sections 13 and 14), Accept-Encoding (12.5.3). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"

/* The value of a cookie in one Cookie field; false: not in there. Quotes are kept. */
bool http_cookie_get(struct span field, const char *name, struct span *value);

enum http_range {
    HTTP_RANGE_WHOLE, /* absent, several ranges, another unit or malformed: answer 200 */
    HTTP_RANGE_PART,  /* answer 206 with bytes first to last, both included */
    HTTP_RANGE_BAD,   /* answer 416 */
};
/* `size` is of the whole. `first` and `last` are set with HTTP_RANGE_PART only. */
enum http_range http_range_parse(struct span field, uint64_t size, uint64_t *first, uint64_t *last);

/* Whether gzip may be sent: named, or "*", with a weight above 0. An absent field: no. */
bool http_accepts_gzip(struct span accept_encoding);

/* If-None-Match: weak comparison with `etag` (quotes included); "*" matches anything. */
bool http_etag_matches(struct span field, struct span etag);
