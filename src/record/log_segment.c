/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "record/log_priv.h"

struct log_segment *log_segment_new(unsigned n_parts)
{
    struct log_segment *s = xcalloc(1, sizeof *s + n_parts * sizeof s->parts[0]);
    atomic_init(&s->refs, 1);
    s->n_parts = n_parts;
    return s;
}

struct log_segment *log_segment_ref(struct log_segment *s)
{
    if (s) atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void log_segment_unref(struct log_segment *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < s->n_parts; i++) buf_unref(s->parts[i].bytes);
    buf_unref(s->whole);
    free(s);
}

struct log_segment *log_segment_copy(const struct log_segment *seg, unsigned extra, bool slim)
{
    struct log_segment *c = log_segment_new(seg->n_parts + extra);
    c->s = seg->s;
    c->off = seg->off;
    c->len = seg->len;
    c->ticket = seg->ticket;
    c->whole = buf_ref(seg->whole);
    for (unsigned i = 0; i < seg->n_parts; i++) {
        c->parts[i] = seg->parts[i];
        c->parts[i].bytes = slim ? NULL : buf_ref(seg->parts[i].bytes);
    }
    return c;
}

struct buf *log_segment_bytes(const struct log_segment *seg)
{
    size_t at = 0;
    if (seg->whole) return buf_ref(seg->whole);
    for (unsigned i = 0; i < seg->n_parts; i++)
        if (!seg->parts[i].bytes) return NULL;
    struct buf *b = buf_new(seg->len);
    for (unsigned i = 0; i < seg->n_parts; i++) {
        const struct span s = buf_span(seg->parts[i].bytes);
        CHECK(s.len <= b->len - at);
        if (s.len) memcpy(b->data + at, s.p, s.len);
        at += s.len;
    }
    CHECK(at == b->len);
    return b;
}

const struct log_segment *log_find(const struct log_snapshot *s, uint64_t msn)
{
    if (s->open && s->open->s.msn == msn) return s->open;
    if (!s->n_segs || msn < s->segs[0]->s.msn || msn - s->segs[0]->s.msn >= s->n_segs) return NULL;
    return s->segs[msn - s->segs[0]->s.msn];
}
