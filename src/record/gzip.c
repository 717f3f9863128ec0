/* SPDX-License-Identifier: MIT */
#include "record/gzip.h"
#include "base/xalloc.h"
#include <zlib.h>

#define GZIP_LEVEL 1 /* playlists are made often and are repetitive: the rest gains little */

struct buf *gzip_new(struct span text)
{
    z_stream z = {0};
    CHECK(text.len < UINT32_MAX / 2);
    CHECK(deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    struct buf *b = buf_new(deflateBound(&z, text.len));
    z.next_in = (uint8_t *)(uintptr_t)text.p;
    z.avail_in = (unsigned)text.len;
    z.next_out = b->data;
    z.avail_out = (unsigned)b->len;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    struct buf *fit = buf_copy(span_of(b->data, z.total_out));
    deflateEnd(&z);
    buf_unref(b);
    return fit;
}
