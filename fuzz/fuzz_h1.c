/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "engine/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers every request at once; *seen is what happened, in words. */
static void run(struct span in, size_t step, struct str *seen)
{
    static struct http_head head;
    struct h1 h;
    struct h1_event ev;
    bool open = true;
    h1_init(&h, 0);
    while (open && in.len) {
        h1_feed(&h, span_head(in, step), 0);
        in = span_skip(in, step);
        while (open && h1_next(&h, &head, &ev)) {
            if (ev.kind == H1_BODY) {
                CHECK(ev.body.len > 0);
                str_add(seen, ev.body);
                continue;
            }
            str_addf(seen, "<%d %d>", (int)ev.kind, ev.kind == H1_ERROR ? ev.problem.status : 0);
            if (ev.kind == H1_REQUEST) continue;
            const struct http_reply r = {.status = ev.kind == H1_END ? 200 : ev.problem.status};
            h1_reply_head(&h, &r, seen);
            open = h1_reply_done(&h, 0);
            CHECK(open || ev.kind == H1_END || ev.problem.status >= 400);
        }
    }
    h1_fini(&h);
}

/* What a connection says does not depend on how its bytes arrive; only a refusal may come later
 * (a head that trickles in is not looked at for every byte). */
static void same(struct span in, size_t step)
{
    struct str a = {0}, b = {0};
    run(in, in.len, &a);
    run(in, step, &b);
    CHECK(b.len <= a.len && span_eq(str_span(&b), span_head(str_span(&a), b.len)));
    str_fini(&a);
    str_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size);
    if (size == 0) return 0;
    same(in, 7);
    if (size < 4096) same(in, 1);
    return 0;
}
