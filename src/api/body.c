/* SPDX-License-Identifier: MIT */
#include "api/body.h"
#include "base/limits.h"
#include <stdio.h>

unsigned body_depth(struct span json)
{
    unsigned depth = 0, deepest = 0;
    bool text = false;
    for (size_t i = 0; i < json.len; i++) {
        const uint8_t c = json.p[i];
        if (text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                text = false;
        } else if (c == '"') {
            text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > deepest) deepest = depth;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return deepest;
}

static bool refuse(struct call *c, enum err e, int status, const char *code, const char *text)
{
    problem_set(&c->problem, e, code, NULL, "%s", text);
    call_fail(c, e, status);
    return false;
}

/* The name may be the client's own: it is kept with the call, cut to a sane length. */
static bool refuse_field(struct call *c, const char *code, const char *name, const char *text)
{
    snprintf(c->field, sizeof c->field, "%s", name);
    for (char *p = c->field + strlen(c->field); p > c->field && (p[-1] & 0x80); p--) p[-1] = 0;
    problem_set(&c->problem, E_INVALID, code, c->field, "%s", text);
    call_fail(c, E_INVALID, 422);
    return false;
}

static bool is_json(struct span content_type)
{
    return span_ieq(span_trim(span_cut(&content_type, ';')), SPAN_LIT("application/json"));
}

static bool parse(struct call *c)
{
    if (!is_json(c->content_type))
        return refuse(c, E_UNSUPPORTED, 415, "unsupported_media_type",
                      "Send JSON, with Content-Type: application/json.");
    if (body_depth(c->body) > LIMIT_JSON_DEPTH)
        return refuse(c, E_LIMIT, 400, "invalid_json", "The JSON is nested too deep.");
    json_error_t at;
    c->in = json_loadb(c->body.len ? (const char *)c->body.p : "", c->body.len,
                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!c->in) {
        problem_set(&c->problem, E_PROTO, "invalid_json", NULL,
                    "Not valid JSON: line %d, column %d.", at.line, at.column);
        call_fail(c, E_PROTO, 400);
        return false;
    }
    if (!json_is_object(c->in))
        return refuse(c, E_INVALID, 422, "invalid_json", "The JSON must be an object.");
    return true;
}

static bool fits(const json_t *v, enum body_type t)
{
    switch (t) {
    case BODY_TEXT_OR_NULL:
        if (json_is_null(v)) return true;
        __attribute__((fallthrough));
    case BODY_TEXT:
        return json_is_string(v);
    case BODY_NUMBER:
        return json_is_integer(v);
    case BODY_BOOL:
        return json_is_boolean(v);
    case BODY_LIST:
        return json_is_array(v);
    }
    return false;
}

static const char *const TYPE_TEXT[] = {
    [BODY_TEXT] = "This must be a text.",
    [BODY_TEXT_OR_NULL] = "This must be a text, or null.",
    [BODY_NUMBER] = "This must be a whole number.",
    [BODY_BOOL] = "This must be true or false.",
    [BODY_LIST] = "This must be a list.",
};

bool body_read(struct call *c, struct body_field *fields, size_t n)
{
    /* Endpoints without fields of their own take an empty body. */
    if (c->body.len == 0 && !(c->ep->flags & CALL_BODY)) return true;
    if (!parse(c)) return false;
    const char *key;
    json_t *value;
    json_object_foreach(c->in, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(fields[i].name, key) != 0) i++;
        if (i == n) return refuse_field(c, "unknown_field", key, "There is no such field here.");
        if (!fits(value, fields[i].type))
            return refuse_field(c, "wrong_type", key, TYPE_TEXT[fields[i].type]);
        fields[i].value = value;
    }
    for (size_t i = 0; i < n; i++)
        if (fields[i].required && !fields[i].value)
            return refuse_field(c, "required", fields[i].name, "This is needed.");
    return true;
}
