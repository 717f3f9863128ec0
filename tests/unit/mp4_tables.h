/* SPDX-License-Identifier: MIT */
/* tests/unit/mp4_tables.h - the boxes of a progressive MP4, to look into. */
#pragma once
#include "wire/fmp4_read.h"

static inline struct span mp4_nth(struct span in, const char *type, unsigned n)
{
    struct fmp4_box b;
    while (fmp4_box_next(&in, &b) == E_OK)
        if (!strcmp(b.type, type) && !n--) return b.body;
    return SPAN_NULL;
}

static inline struct span mp4_box(struct span in, const char *type)
{
    return mp4_nth(in, type, 0);
}

/* "mdia.minf.stbl" */
static inline struct span mp4_path(struct span in, const char *path)
{
    char type[5] = "";
    for (; *path && in.p; path += path[4] ? 5 : 4) {
        memcpy(type, path, 4);
        in = mp4_box(in, type);
    }
    return in;
}

static inline uint64_t mp4_be(struct span s, size_t at, unsigned n)
{
    uint64_t v = 0;
    assert_true(at + n <= s.len);
    for (unsigned i = 0; i < n; i++) v = v << 8 | s.p[at + i];
    return v;
}

static inline uint32_t mp4_u32(struct span s, size_t at)
{
    return (uint32_t)mp4_be(s, at, 4);
}

static inline uint64_t mp4_u64(struct span s, size_t at)
{
    return mp4_be(s, at, 8);
}

/* The body is these numbers and no more. */
static inline void mp4_check(struct span body, const uint32_t *want, size_t n)
{
    assert_int_equal(body.len, n * 4);
    for (size_t i = 0; i < n; i++)
        if (mp4_u32(body, i * 4) != want[i])
            fail_msg("number %zu: %u, not %u", i, mp4_u32(body, i * 4), want[i]);
}
