/* SPDX-License-Identifier: MIT */
#include "wire/framed.h"

/* Bytes [have, want) of the header or the frame; false: not all of them are there. */
static bool fill(struct framed *f, struct span *in, uint8_t *to, size_t want)
{
    const size_t missing = want - f->have;
    const struct span part = span_head(*in, missing);
    if (part.len) memcpy(to, part.p, part.len);
    *in = span_skip(*in, part.len);
    f->have += (uint16_t)part.len;
    return part.len == missing;
}

enum err framed_next(struct framed *f, struct span *in)
{
    for (;;) {
        if (f->have < FRAMED_HEAD && !fill(f, in, f->head + f->have, FRAMED_HEAD)) return E_MORE;
        const size_t len = (size_t)f->head[0] << 8 | f->head[1];
        if (len > sizeof f->bytes) return E_LIMIT;
        if (!fill(f, in, f->bytes + (f->have - FRAMED_HEAD), FRAMED_HEAD + len)) return E_MORE;
        f->have = 0;
        f->len = (uint16_t)len;
        if (len) return E_OK;
    }
}

bool framed_partial(const struct framed *f)
{
    return f->have > 0;
}
