/* SPDX-License-Identifier: MIT */
/* wire/http_uri.h - paths and queries of request targets (RFC 3986 sections 2.1 and 3.3, 3.4;
 * queries as HTML forms write them: '+' is a space). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"

/* Decodes a path that begins with '/' into out; *len bytes and a final zero. Refused (E_INVALID):
 * a percent sign without two hex digits; an encoded slash (two readers could split the path in two
 * ways) or zero; control characters; backslashes; the segments "." and "..".
 * E_LIMIT: does not fit in cap. */
enum err http_uri_path(struct span raw, char *out, size_t cap, size_t *len) WARN_UNUSED;

/* The next `name=value` of a query, both still encoded; empty ones are skipped. False: no more. */
bool http_uri_query_next(struct span *query, struct span *name, struct span *value);
/* Decodes the first parameter of that name into out with a final zero. E_NOTFOUND; E_LIMIT: does
 * not fit in cap; E_PROTO: bad escape, or a zero byte. `out` is "" unless E_OK. */
enum err http_uri_query_get(struct span query, const char *name, char *out, size_t cap) WARN_UNUSED;
