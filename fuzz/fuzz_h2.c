/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "engine/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_body(void *ctx, uint8_t *dst, size_t cap, size_t *n, bool *end)
{
    size_t *left = ctx;
    *n = *left < cap ? *left : cap;
    memset(dst, 'x', *n);
    *left -= *n;
    *end = *left == 0;
    return E_OK;
}

/* Every stream that is announced is closed exactly once, or lives until the end. */
static void serve(struct h2 *h, int *live, size_t *left)
{
    struct h2_event ev;
    struct span out;
    while (h2_next(h, &ev)) {
        if (ev.kind == H2_CLOSED) --*live;
        if (ev.kind != H2_REQUEST) continue;
        ++*live;
        *left = 70000;
        const struct http_reply r = {.status = ev.problem.status ? ev.problem.status : 200,
                                     .length = HTTP_LENGTH_UNKNOWN};
        const struct h2_source s = {read_body, left};
        h2_reply(h, ev.stream, &r, ev.problem.status ? NULL : &s);
    }
    while (h2_output(h, &out)) CHECK(out.len > 0);
    CHECK(*live >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct span in = span_of(data, size);
    struct h2 *h = h2_new(0);
    int live = 0;
    size_t left = 0;
    enum err e = h2_feed(h, SPAN_LIT(preface), 0);
    for (int64_t now = 0; e == E_OK && in.len; now += 1000) {
        e = h2_feed(h, span_head(in, 512), now);
        in = span_skip(in, 512);
        serve(h, &live, &left);
        (void)h2_deadline_us(h);
    }
    serve(h, &live, &left);
    h2_free(h);
    return 0;
}
