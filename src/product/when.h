/* SPDX-License-Identifier: MIT */
/* product/when.h - times as people's programs write them. */
#pragma once
#include "base/err.h"
#include "base/span.h"

/* RFC 3339: "2026-01-02T03:04:05Z", with a fraction or an offset if wished, into microseconds
 * since 1970. Years 1970 to 9999. E_INVALID. */
enum err when_parse(struct span s, int64_t *out_us) WARN_UNUSED;
