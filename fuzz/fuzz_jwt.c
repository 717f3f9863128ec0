/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(struct span s, const uint8_t *p, size_t len)
{
    return !s.p || (s.p >= p && s.p + s.len <= p + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwt *t = NEW(struct jwt);
    int64_t at;
    if (jwt_parse(span_of(data, size), t) == E_OK) {
        CHECK(within(t->input, data, size) && within(t->kid, t->head, sizeof t->head));
        CHECK(t->n_claims <= LIMIT_JWT_CLAIMS);
        for (unsigned i = 0; i < t->n_claims; i++)
            CHECK(within(t->claims[i].value, t->payload, sizeof t->payload));
        if (jwt_seconds(t, "exp", &at)) CHECK(at >= 0);
    }
    free(t);
    return 0;
}
