/* SPDX-License-Identifier: MIT */
/* wire/json_flat.h - strings out of a small JSON object, without a tree of it.
 *
 * Source: RFC 8259. For request bodies that have a few strings at the top, and for JSON that we
 * have written ourselves; other values are skipped, nested ones to JSON_FLAT_DEPTH. Pure; results
 * are views into the text. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

#define JSON_FLAT_DEPTH 8

/* The member's string, as it stands there. E_NOTFOUND: an object without it, or it is null.
 * E_PROTO: no JSON object, or the member is something else, or has an escape in it. */
enum err json_flat_string(struct span text, const char *key, struct span *out) WARN_UNUSED;
/* The same with its escapes undone, appended to `out`. E_PROTO also for "\\u0000" and half a pair.
 */
enum err json_flat_text(struct span text, const char *key, struct str *out) WARN_UNUSED;
/* The member is true, or the text "true": providers write both. */
bool json_flat_is_true(struct span text, const char *key);
/* What is between the brackets of the member, for: */
enum err json_flat_list(struct span text, const char *key, struct span *out) WARN_UNUSED;
/* Takes the next {object} off a list of objects. E_NOTFOUND: the end. E_PROTO: something else. */
enum err json_flat_next(struct span *list, struct span *object) WARN_UNUSED;
/* One of the list's elements is this text. */
bool json_flat_has(struct span list, const char *text);
