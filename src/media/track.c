/* SPDX-License-Identifier: MIT */
#include "media/track.h"
#include "base/xalloc.h"

struct track *track_new(uint8_t id, enum codec codec)
{
    struct track *t = NEW(struct track);
    atomic_init(&t->refs, 1);
    t->id = id;
    t->codec = codec;
    t->kind = codec_kind(codec);
    t->timescale = 90000;
    return t;
}

struct track *track_ref(struct track *t)
{
    if (t) atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void track_unref(struct track *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1) return;
    buf_unref(t->config);
    free(t);
}

struct track *track_copy(const struct track *t)
{
    struct track *n = track_new(t->id, t->codec);
    n->config = buf_ref(t->config);
    n->timescale = t->timescale;
    memcpy(n->codecs, t->codecs, sizeof n->codecs);
    n->width = t->width;
    n->height = t->height;
    n->fps_milli = t->fps_milli;
    n->may_reorder = t->may_reorder;
    n->sample_rate = t->sample_rate;
    n->channels = t->channels;
    n->samples_per_frame = t->samples_per_frame;
    return n;
}

bool track_same(const struct track *a, const struct track *b)
{
    return a && b && a->codec == b->codec && a->id == b->id &&
           span_eq(buf_span(a->config), buf_span(b->config));
}
