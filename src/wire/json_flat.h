/* SPDX-License-Identifier: MIT */
/* wire/json_flat.h - a string out of a small JSON object, without a tree of it.
 *
 * Source: RFC 8259. For request bodies that have a few strings at the top; other values are
 * skipped, nested ones to JSON_FLAT_DEPTH. Pure; results are views into the text. */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define JSON_FLAT_DEPTH 8

/* The member's string, as it stands there. E_NOTFOUND: an object without it, or it is null.
 * E_PROTO: no JSON object, or the member is something else, or has an escape in it. */
enum err json_flat_string(struct span text, const char *key, struct span *out) WARN_UNUSED;
