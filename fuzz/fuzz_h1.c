/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "engine/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers every request at once; what was seen, as one hash-like sum. */
static uint64_t run(struct span in, size_t step)
{
    static struct http_head head;
    struct h1 h;
    struct h1_event ev;
    struct str out = {0};
    uint64_t seen = 0;
    bool open = true;
    h1_init(&h, 0);
    while (open && in.len) {
        const struct span piece = span_head(in, step);
        in = span_skip(in, step);
        h1_feed(&h, piece, 0);
        while (open && h1_next(&h, &head, &ev)) {
            if (ev.kind != H1_BODY) seen = seen * 31 + (uint64_t)ev.kind + 1;
            for (size_t i = 0; i < ev.body.len; i++) seen = seen * 31 + ev.body.p[i];
            if (ev.kind == H1_BODY) CHECK(ev.body.len > 0);
            if (ev.kind == H1_REQUEST) continue;
            if (ev.kind == H1_BODY) continue;
            const struct http_reply r = {.status = ev.kind == H1_END ? 200 : ev.problem.status};
            h1_reply_head(&h, &r, &out);
            open = h1_reply_done(&h, 0);
            CHECK(open || ev.kind == H1_END || ev.problem.status >= 400);
        }
    }
    seen = seen * 31 + out.len;
    h1_fini(&h);
    str_fini(&out);
    return seen;
}

/* What a connection says does not depend on how its bytes arrive. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size);
    CHECK(run(in, size ? size : 1) == run(in, 7));
    if (size < 4096) CHECK(run(in, size ? size : 1) == run(in, 1));
    return 0;
}
