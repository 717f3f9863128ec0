/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/xalloc.h"
#include "wire/worker_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood is written and is the same bytes again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct worker_msg m;
    for (;;) {
        uint8_t room[WORKER_HEAD_BYTES];
        const struct span before = rest;
        if (worker_msg_next(&rest, &m) != E_OK) return 0;
        struct wr w = wr_to(room, sizeof room);
        worker_msg_head(&m, &w);
        CHECK(!w.overflow && wr_used(&w) + m.data.len == before.len - rest.len);
        CHECK(memcmp(room, before.p, wr_used(&w)) == 0);
        CHECK(m.data.len == 0 || m.data.p == before.p + wr_used(&w));
    }
}
