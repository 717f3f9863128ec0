/* SPDX-License-Identifier: MIT */
/* wire/http_types.h - the words of HTTP that every floor shares: the methods that bspnode knows
 * (RFC 9110 section 9, RFC 5789), header fields of a reply, reasons. */
#pragma once
#include "base/span.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT
};

struct http_header {
    const char *name;  /* lower case */
    const char *value; /* no control characters: CHECKed by the engines */
};

const char *http_method_name(enum http_method m); /* "GET"; never NULL */
/* Exact, case-sensitive. False: another method. */
bool http_method_from(struct span token, enum http_method *out);

const char *http_reason(int status); /* "Not Found"; "Status" when unknown */
/* 1xx, 204 and 304 have no body and no Content-Length (RFC 9110 6.4.1, 8.6). */
static inline bool http_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}
