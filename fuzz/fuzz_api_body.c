/* SPDX-License-Identifier: MIT */
/* A JSON body against a table of fields: it is refused with a status and words, or every value has
 * the type that was asked for. */
#include "api/body.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(struct call *c)
{
    (void)c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct endpoint EP = {.pattern = "/fuzz", .work = nothing, .flags = CALL_BODY};
    struct call *c = NEW(struct call);
    struct body_field f[] = {{"title", BODY_TEXT, true, NULL},
                             {"description", BODY_TEXT_OR_NULL, false, NULL},
                             {"size", BODY_NUMBER, false, NULL},
                             {"mine", BODY_BOOL, false, NULL}};
    c->ep = &EP;
    c->content_type = SPAN_LIT("application/json; charset=utf-8");
    c->body = span_of(data, size);
    if (body_read(c, f, 4)) {
        CHECK(c->status == 0 && json_is_string(f[0].value));
        CHECK(!f[1].value || json_is_string(f[1].value) || json_is_null(f[1].value));
        CHECK(!f[2].value || json_is_integer(f[2].value));
        CHECK(!f[3].value || json_is_boolean(f[3].value));
        CHECK(!body_text(&f[0]).len || !memchr(body_text(&f[0]).p, 0, body_text(&f[0]).len));
    } else {
        CHECK((c->status == 400 || c->status == 422) && c->problem.code && c->problem.text[0]);
    }
    json_decref(c->in);
    free(c);
    return 0;
}
