/* SPDX-License-Identifier: MIT */
/* wire/http_method.h - the request methods that bspnode knows (RFC 9110 section 9, RFC 5789). */
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

const char *http_method_name(enum http_method m); /* "GET"; never NULL */
/* Exact, case-sensitive. False: another method. */
bool http_method_from(struct span token, enum http_method *out);
