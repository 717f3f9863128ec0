/* SPDX-License-Identifier: MIT */
#include "record/archive.h"
#include "base/xalloc.h"
#include <stdio.h>

struct archive *archive_new(void)
{
    struct archive *a = NEW(struct archive);
    atomic_init(&a->refs, 1);
    return a;
}

struct archive *archive_ref(struct archive *a)
{
    if (a) atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void archive_unref(struct archive *a)
{
    if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        struct archive_rendition *r = &a->r[i];
        for (const struct archive_init *it = r->inits, *older; it; it = older) {
            older = it->older;
            buf_unref(it->bytes);
            free((void *)(uintptr_t)it);
        }
        for (unsigned c = 0; c < ARCHIVE_CHUNKS; c++) free(r->chunks[c]);
        file_unref(r->file);
    }
    free(a);
}

int archive_add_rendition(struct archive *a, const char *name, enum media_kind kind)
{
    if (a->n_renditions >= LIMIT_RECORD_RENDITIONS) return -1;
    struct archive_rendition *r = &a->r[a->n_renditions];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->kind = kind;
    r->all_independent = true;
    return (int)a->n_renditions++;
}

int archive_find(const struct archive *a, struct span name)
{
    for (unsigned i = 0; i < a->n_renditions; i++)
        if (span_is(name, a->r[i].name)) return (int)i;
    return -1;
}

enum err archive_add_init(struct archive *a, unsigned rendition, const struct archive_init *init)
{
    struct archive_rendition *r = &a->r[rendition];
    unsigned n = 0;
    for (const struct archive_init *it = r->inits; it; it = it->older) {
        if (it->id == init->id) return E_CONFLICT;
        n++;
    }
    if (n >= LIMIT_RECORD_INITS) return E_LIMIT;
    struct archive_init *copy = NEW(struct archive_init);
    *copy = *init;
    copy->older = r->inits;
    copy->bytes = buf_ref(init->bytes);
    r->inits = copy;
    return E_OK;
}

const struct archive_init *archive_init_find(const struct archive_init *list, uint32_t id)
{
    while (list && list->id != id) list = list->older;
    return list;
}

/* Chunk c holds ARCHIVE_CHUNK_FIRST << c segments; it begins at ARCHIVE_CHUNK_FIRST * (2^c - 1). */
static unsigned place(uint64_t i, uint64_t *offset)
{
    const uint64_t n = i / ARCHIVE_CHUNK_FIRST + 1;
    const unsigned chunk = 63u - (unsigned)__builtin_clzll(n);
    *offset = i - ARCHIVE_CHUNK_FIRST * ((UINT64_C(1) << chunk) - 1);
    return chunk;
}

const struct archive_segment *archive_segment(const struct archive_rendition *r, uint64_t i)
{
    uint64_t offset;
    const unsigned chunk = place(i, &offset);
    return &r->chunks[chunk][offset];
}

enum err archive_add_segment(struct archive *a, unsigned rendition,
                             const struct archive_segment *seg)
{
    struct archive_rendition *r = &a->r[rendition];
    uint64_t offset;
    if (r->n >= LIMIT_RECORD_SEGMENTS) return E_LIMIT;
    const unsigned chunk = place(r->n, &offset);
    if (!r->chunks[chunk])
        r->chunks[chunk] = xcalloc((size_t)ARCHIVE_CHUNK_FIRST << chunk, sizeof *seg);
    r->chunks[chunk][offset] = *seg;
    if (r->n++ == 0) r->first_msn = seg->s.msn;
    r->bytes += seg->len;
    r->media_us += seg->s.dur_us;
    if (!seg->s.gap && !seg->s.independent) r->all_independent = false;
    /* A very short segment says nothing about the rate. */
    if (seg->s.dur_us >= 500000 || r->n == 1) {
        const uint64_t bps =
            seg->s.dur_us > 0 ? seg->len * UINT64_C(8000000) / (uint64_t)seg->s.dur_us : 0;
        if (bps > r->peak_bps) r->peak_bps = bps;
    }
    return E_OK;
}

void archive_cut(struct archive *a, unsigned rendition, uint64_t n)
{
    struct archive_rendition *r = &a->r[rendition];
    while (r->n > n) {
        const struct archive_segment *last = archive_segment(r, --r->n);
        r->bytes -= last->len;
        r->media_us -= last->s.dur_us;
    }
}
