/* SPDX-License-Identifier: MIT */
#include "product/page.h"
#include <stdio.h>

bool page_at_read(const char *cursor, struct page_at *out)
{
    uint64_t time;
    if (!cursor || !*cursor) {
        *out = (struct page_at){.time = INT64_MAX, .id = "~"};
        return true;
    }
    struct span rest = span_str(cursor);
    const struct span at = span_cut(&rest, '.');
    if (!span_u64(at, INT64_MAX, &time)) return false;
    out->time = (int64_t)time;
    return span_cstr(rest, out->id, sizeof out->id) && text_is_id(out->id);
}

void page_at_write(int64_t time, const char *id, char out[PAGE_CURSOR_CAP])
{
    snprintf(out, PAGE_CURSOR_CAP, "%lld.%s", (long long)time, id);
}
