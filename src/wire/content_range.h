/* SPDX-License-Identifier: MIT */
/* wire/content_range.h - the Content-Range of a request that brings a piece of a file (RFC 9110
 * sections 14.4 and 14.5, with the `*` total of resumable uploads). Pure.
 *
 * "bytes 0-524287/1300000" is a piece, and the size of the whole. A star in the place of the size:
 * not known yet. A star in the place of the piece: none is brought, how far are you? */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define CONTENT_RANGE_MAX ((uint64_t)1 << 62) /* offsets and sizes; sums do not overflow */

struct content_range {
    bool asks;            /* no piece: a question */
    bool has_total;       /* the size is known */
    uint64_t first, last; /* both included; 0 when it asks */
    uint64_t total;       /* with has_total: above `last` */
};

/* E_PROTO: malformed, another unit, a piece that ends before it begins or after the whole.
 * E_LIMIT: a number above CONTENT_RANGE_MAX. */
enum err content_range_parse(struct span field, struct content_range *out) WARN_UNUSED;
