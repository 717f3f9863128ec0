/* SPDX-License-Identifier: MIT */
/* From the lines of an index to an archive. A line that contradicts the ones before it ends the
 * reading, as a broken one does. */
#include "base/xalloc.h"
#include "record/index.h"

struct load {
    struct index_state st;
    uint64_t size[LIMIT_RECORD_RENDITIONS]; /* of the data files */
    index_size_fn *size_fn;
    void *ctx;
};

/* The bytes follow on the last ones, and are there. */
static bool bytes_follow(const struct load *l, const struct index_entry *e)
{
    const struct index_rendition *r = &l->st.r[e->rendition];
    return e->off == r->data_bytes && e->len <= l->size[e->rendition] &&
           e->off <= l->size[e->rendition] - e->len;
}

static enum err on_rendition(struct load *l, const struct index_entry *e)
{
    struct archive *a = l->st.archive;
    const bool name_ok = (e->name[0] == 'v' || e->name[0] == 'a') && strlen(e->name) == 2 &&
                         e->name[1] >= '0' && e->name[1] <= '9';
    if (e->rendition != a->n_renditions || !name_ok || archive_find(a, span_str(e->name)) >= 0)
        return E_PROTO;
    if (archive_add_rendition(a, e->name, e->name[0] == 'v' ? MEDIA_VIDEO : MEDIA_AUDIO) < 0)
        return E_LIMIT;
    l->st.r[e->rendition].dsn = e->s.dsn;
    l->size[e->rendition] = l->size_fn(l->ctx, e->name);
    return E_OK;
}

static enum err on_init(struct load *l, const struct index_entry *e)
{
    struct index_rendition *r = &l->st.r[e->rendition];
    if (r->open_parts || !bytes_follow(l, e)) return E_PROTO;
    const enum err err = archive_add_init(l->st.archive, e->rendition, &e->init);
    if (err == E_OK) r->data_bytes += e->len;
    return err;
}

static bool msn_follows(const struct load *l, const struct index_entry *e)
{
    const struct archive_rendition *ar = &l->st.archive->r[e->rendition];
    const struct index_rendition *r = &l->st.r[e->rendition];
    return (ar->n == 0 && r->open_parts == 0) || e->s.msn == r->next_msn;
}

static enum err on_part(struct load *l, const struct index_entry *e)
{
    struct index_rendition *r = &l->st.r[e->rendition];
    struct archive_segment *o = &r->open;
    const struct archive_rendition *ar = &l->st.archive->r[e->rendition];
    if (e->part != r->open_parts || !bytes_follow(l, e) || !msn_follows(l, e)) return E_PROTO;
    if (!archive_init_find(ar->inits, e->s.init_id) || e->s.gap) return E_PROTO;
    if (e->len > UINT32_MAX - (r->open_parts ? o->len : 0)) return E_LIMIT;
    if (r->open_parts == 0) {
        *o = (struct archive_segment){.s = e->s, .off = e->off};
        o->s.dur_us = 0;
        o->s.dsn = r->dsn + e->s.discontinuity;
        r->next_msn = e->s.msn;
    }
    o->s.dur_us += e->s.dur_us;
    o->len += e->len;
    r->open_parts++;
    r->data_bytes += e->len;
    return E_OK;
}

static enum err add_segment(struct index_state *st, unsigned rendition,
                            const struct archive_segment *seg)
{
    struct index_rendition *r = &st->r[rendition];
    const enum err err = archive_add_segment(st->archive, rendition, seg);
    if (err != E_OK) return err;
    r->dsn = seg->s.dsn;
    r->next_msn = seg->s.msn + 1;
    r->open_parts = 0;
    return E_OK;
}

static enum err on_segment(struct load *l, const struct index_entry *e)
{
    struct index_rendition *r = &l->st.r[e->rendition];
    struct archive_segment seg = {.s = e->s, .off = e->off, .len = e->len};
    seg.s.dsn = r->dsn + e->s.discontinuity;
    if (!msn_follows(l, e)) return E_PROTO;
    if (e->s.gap) {
        if (r->open_parts || e->len) return E_PROTO;
    } else if (!r->open_parts || e->off != r->open.off || e->len != r->open.len ||
               e->s.discontinuity != r->open.s.discontinuity) {
        return E_PROTO;
    }
    return add_segment(&l->st, e->rendition, &seg);
}

static enum err on_entry(struct load *l, const struct index_entry *e, bool first)
{
    struct archive *a = l->st.archive;
    if (first != (e->kind == INDEX_HEAD)) return E_PROTO;
    if (a->ended) return E_PROTO; /* nothing follows the end */
    if (e->kind > INDEX_RENDITION && e->kind < INDEX_END && e->rendition >= a->n_renditions)
        return E_PROTO;
    switch (e->kind) {
    case INDEX_HEAD:
        memcpy(a->run, e->name, sizeof a->run);
        a->started_wall_us = e->wall_us;
        a->target_s = e->target_s;
        return E_OK;
    case INDEX_RENDITION:
        return on_rendition(l, e);
    case INDEX_INIT:
        return on_init(l, e);
    case INDEX_PART:
        return on_part(l, e);
    case INDEX_SEGMENT:
        return on_segment(l, e);
    case INDEX_END:
        a->ended = true;
        a->ended_wall_us = e->wall_us;
        return E_OK;
    }
    return E_PROTO;
}

enum err index_load(struct span text, index_size_fn *size, void *ctx, struct index_state *out)
{
    struct load *l = NEW(struct load);
    const struct span whole = text;
    enum err err = text.len > LIMIT_RECORD_INDEX_BYTES ? E_LIMIT : E_OK;
    bool first = true;
    l->size_fn = size;
    l->ctx = ctx;
    l->st.archive = archive_new();
    while (err == E_OK && text.len > 0) {
        struct index_entry e;
        const struct span line = span_cut(&text, '\n');
        if (!text.p) break; /* without its line feed: torn */
        err = index_parse(line, &e);
        if (err == E_OK) err = on_entry(l, &e, first);
        if (err != E_OK) break;
        first = false;
        l->st.good_bytes = (size_t)(text.p - whole.p);
    }
    /* Whatever ended the reading: what came before it stands. */
    if (first) {
        archive_unref(l->st.archive);
        free(l);
        return err == E_UNSUPPORTED || err == E_LIMIT ? err : E_NOTFOUND;
    }
    *out = l->st;
    free(l);
    return E_OK;
}

bool index_close_open(struct index_state *st, unsigned rendition, struct index_entry *e)
{
    struct index_rendition *r = &st->r[rendition];
    if (!r->open_parts) return false;
    const struct archive_segment seg = r->open;
    if (add_segment(st, rendition, &seg) != E_OK) return false;
    *e = (struct index_entry){
        .kind = INDEX_SEGMENT, .rendition = rendition, .s = seg.s, .off = seg.off, .len = seg.len};
    return true;
}
