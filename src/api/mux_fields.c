/* SPDX-License-Identifier: MIT */
/* JSON bodies of the Mux-compatible API: nested, and fields that are not known are left alone, so
 * that a newer client works with an older server. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/mux_call.h"
#include <stdio.h>

json_t *mux_body(struct call *c)
{
    json_error_t at;
    json_decref(c->in);
    c->in = NULL;
    if (span_trim(c->body).len == 0) return c->in = json_object();
    if (body_depth(c->body) > LIMIT_JSON_DEPTH) {
        mux_error(c, 400, MUX_INVALID, "The JSON is nested too deep.");
        return NULL;
    }
    c->in = json_loadb((const char *)c->body.p, c->body.len,
                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!c->in)
        mux_error(c, 400, MUX_INVALID, "Not valid JSON: line %d, column %d.", at.line, at.column);
    else if (!json_is_object(c->in))
        mux_error(c, 400, MUX_INVALID, "The body must be a JSON object.");
    return json_is_object(c->in) ? c->in : NULL;
}

bool mux_invalid(struct call *c, const char *name, const char *text)
{
    mux_error(c, 400, MUX_INVALID, "%s: %s", name, text);
    return false;
}

bool mux_given(const json_t *in, const char *name)
{
    return json_object_get(in, name) != NULL;
}

/* NULL: absent. */
static json_t *get(json_t *in, const char *name)
{
    json_t *v = json_object_get(in, name);
    return json_is_null(v) ? NULL : v;
}

static size_t chars(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

bool mux_text(struct call *c, json_t *in, const char *name, size_t max_chars, const char **out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    if (!json_is_string(v)) return mux_invalid(c, name, "This must be a text.");
    if (chars(json_string_value(v), json_string_length(v)) > max_chars) {
        mux_error(c, 400, MUX_INVALID, "%s: At most %zu characters are allowed here.", name,
                  max_chars);
        return false;
    }
    *out = json_string_value(v);
    return true;
}

bool mux_number(struct call *c, json_t *in, const char *name, double min, double max, double *out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    const double n = json_number_value(v);
    if (!json_is_number(v) || !(n >= min && n <= max)) {
        mux_error(c, 400, MUX_INVALID, "%s: This must be a number from %g to %g.", name, min, max);
        return false;
    }
    *out = n;
    return true;
}

bool mux_int(struct call *c, json_t *in, const char *name, int64_t min, int64_t max, int64_t *out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
        mux_error(c, 400, MUX_INVALID, "%s: This must be a whole number from %lld to %lld.", name,
                  (long long)min, (long long)max);
        return false;
    }
    *out = json_integer_value(v);
    return true;
}

bool mux_bool(struct call *c, json_t *in, const char *name, bool *out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    if (!json_is_boolean(v)) return mux_invalid(c, name, "This must be true or false.");
    *out = json_is_true(v);
    return true;
}

bool mux_word(struct call *c, json_t *in, const char *name, const char *const *words, int *out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) != 0) continue;
        *out = i;
        return true;
    }
    char all[200] = "";
    for (int i = 0; words[i]; i++) {
        const size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", words[i]);
    }
    mux_error(c, 400, MUX_INVALID, "%s: This must be one of: %s.", name, all);
    return false;
}

bool mux_object(struct call *c, json_t *in, const char *name, json_t **out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    if (!json_is_object(v)) return mux_invalid(c, name, "This must be an object.");
    *out = v;
    return true;
}

bool mux_array(struct call *c, json_t *in, const char *name, size_t max, json_t **out)
{
    json_t *v = get(in, name);
    if (!v) return true;
    if (!json_is_array(v)) return mux_invalid(c, name, "This must be a list.");
    if (json_array_size(v) > max) {
        mux_error(c, 400, MUX_INVALID, "%s: At most %zu items are allowed here.", name, max);
        return false;
    }
    *out = v;
    return true;
}
