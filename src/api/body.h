/* SPDX-License-Identifier: MIT */
/* api/body.h - JSON bodies against a table of fields: what is unknown, of the wrong type or missing
 * is a 422 that names the field; what is no JSON is a 400. Pool threads. */
#pragma once
#include "api/call.h"

enum body_type { BODY_TEXT, BODY_TEXT_OR_NULL, BODY_NUMBER, BODY_BOOL, BODY_LIST };

struct body_field {
    const char *name;
    enum body_type type;
    bool required;
    json_t *value; /* out: borrowed from the body; NULL: not given. JSON null is json_null() */
};

/* False: the reply is made. */
bool body_read(struct call *c, struct body_field *fields, size_t n);
static inline struct span body_text(const struct body_field *f)
{
    return json_is_string(f->value)
               ? span_of(json_string_value(f->value), json_string_length(f->value))
               : SPAN_NULL;
}
/* Nesting of objects and arrays, without building anything; a bound before the parser's recursion.
 */
unsigned body_depth(struct span json);
