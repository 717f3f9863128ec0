/* SPDX-License-Identifier: MIT */
#include "wire/nal.h"
#include "base/limits.h"

enum err nal_next(struct span *rest, unsigned size, struct span *nal)
{
    while (rest->len > 0) {
        if (rest->len < size) return E_PROTO;
        size_t n = 0;
        for (unsigned i = 0; i < size; i++) n = n << 8 | rest->p[i];
        const struct span body = span_skip(*rest, size);
        if (n > body.len) return E_PROTO;
        *rest = span_skip(body, n);
        if (n == 0) continue;
        *nal = span_head(body, n);
        return E_OK;
    }
    return E_NOTFOUND;
}

/* Index of the next 0 0 1, or the length. */
static size_t start_code(struct span s, size_t from)
{
    for (size_t i = from; i + 3 <= s.len; i++) {
        if (s.p[i + 2] > 1)
            i += 2; /* neither 0 nor 1: no start code covers it */
        else if (s.p[i] == 0 && s.p[i + 1] == 0 && s.p[i + 2] == 1)
            return i;
    }
    return s.len;
}

enum err nal_next_annexb(struct span *rest, struct span *nal)
{
    for (;;) {
        const size_t at = start_code(*rest, 0);
        if (at == rest->len) return E_NOTFOUND;
        const struct span body = span_skip(*rest, at + 3);
        size_t n = start_code(body, 0);
        *rest = span_skip(body, n);
        while (n > 0 && body.p[n - 1] == 0) n--;
        if (n == 0) continue;
        *nal = span_head(body, n);
        return E_OK;
    }
}

static enum err widen(struct span in, unsigned size, bool annexb, struct wr *w)
{
    struct span nal = SPAN_NULL;
    enum err e;
    unsigned count = 0;
    while ((e = annexb ? nal_next_annexb(&in, &nal) : nal_next(&in, size, &nal)) == E_OK) {
        if (++count > LIMIT_NALS_PER_FRAME) return E_LIMIT;
        wr_u32be(w, (uint32_t)nal.len);
        wr_str(w, nal);
    }
    if (e != E_NOTFOUND) return e;
    return w->overflow ? E_LIMIT : E_OK;
}

enum err nal_widen(struct span in, unsigned size, struct wr *w)
{
    return widen(in, size, false, w);
}

enum err nal_from_annexb(struct span in, struct wr *w)
{
    return widen(in, 0, true, w);
}
