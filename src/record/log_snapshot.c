/* SPDX-License-Identifier: MIT */
/* What the readers see: the window of a rendition, frozen, with the texts of its playlists. */
#include "base/xalloc.h"
#include "record/gzip.h"
#include "record/log_priv.h"

static void snapshot_free(struct feed_msg *m)
{
    struct log_snapshot *s = log_snapshot_of(m);
    for (unsigned i = 0; i < s->n_segs; i++) log_segment_unref(s->segs[i]);
    log_segment_unref(s->open);
    free(s->segs);
    buf_unref(s->full);
    buf_unref(s->full_gz);
    buf_unref(s->delta);
    buf_unref(s->delta_gz);
    file_unref(s->file);
    archive_unref(s->archive);
    free(s);
}

uint64_t log_archived(const struct record_log *l, const struct log_window *w)
{
    uint64_t n = l->archive->r[w->index].n;
    if (l->failed) return n; /* cut when recording stopped */
    for (unsigned i = w->n; i-- > 0 && n > 0 && w->segs[i]->ticket > l->written;) n--;
    return n;
}

static void plain_parts(const struct log_segment *seg, struct hls_part *out)
{
    for (unsigned i = 0; i < seg->n_parts; i++) out[i] = seg->parts[i].p;
}

/* Segments from the first listed one on that a delta update leaves out. */
static unsigned count_skipped(const struct log_window *w, int64_t target_s)
{
    int64_t left = 0;
    unsigned n = 0;
    for (unsigned i = w->first_listed; i < w->n; i++) left += w->segs[i]->s.dur_us;
    for (unsigned i = w->first_listed; i < w->n; i++) {
        left -= w->segs[i]->s.dur_us;
        if (left < target_s * HLS_SKIP_TARGETS * INT64_C(1000000)) break;
        n++;
    }
    return n;
}

int64_t log_open_us(const struct log_segment *open)
{
    int64_t us = 0;
    for (unsigned i = 0; open && i < open->n_parts; i++) us += open->parts[i].p.dur_us;
    return us;
}

/* The first segment whose parts are listed. */
static unsigned first_with_parts(const struct log_window *w, int64_t target_s)
{
    int64_t age = log_open_us(w->open);
    unsigned i = w->n;
    while (i > w->first_listed && age < target_s * HLS_PART_TARGETS * INT64_C(1000000))
        age += w->segs[--i]->s.dur_us;
    return i;
}

static void add_reports(struct hls_writer *hw, const struct record_log *l,
                        const struct log_window *self)
{
    for (unsigned i = 0; i < l->n; i++) {
        const struct log_window *w = &l->w[i];
        const struct log_segment *last = w->open ? w->open : w->n ? w->segs[w->n - 1] : NULL;
        if (w == self || !last) continue;
        hls_add_report(hw, l->archive->r[i].name, last->s.msn,
                       last->n_parts ? last->n_parts - 1 : 0);
    }
}

static struct buf *write_playlist(const struct record_log *l, const struct log_window *w,
                                  unsigned skipped, bool independent)
{
    struct str out = {0};
    struct hls_part parts[LIMIT_RECORD_SEGMENT_PARTS];
    const unsigned from = w->first_listed + skipped;
    const unsigned with_parts = first_with_parts(w, l->archive->target_s);
    const struct log_segment *first = w->first_listed < w->n ? w->segs[w->first_listed] : w->open;
    const struct hls_header h = {
        .name = l->archive->r[w->index].name,
        .target_s = l->archive->target_s,
        .part_target_us = l->part_target_us,
        .first_msn = first->s.msn,
        .first_dsn = hls_first_dsn(&first->s),
        .independent_segments = independent,
        .ended = l->ended,
        .skipped = skipped,
    };
    str_reserve(&out, 512 + (w->n - from) * 120 + (w->n - with_parts + 1) * 480);
    struct hls_writer hw = hls_begin(&out, &h, skipped ? &w->segs[from - 1]->s : NULL);
    for (unsigned i = from; i < w->n; i++) {
        const unsigned n = i >= with_parts && !l->ended ? w->segs[i]->n_parts : 0;
        if (n) plain_parts(w->segs[i], parts);
        hls_add_segment(&hw, &w->segs[i]->s, parts, n);
    }
    if (w->open) {
        plain_parts(w->open, parts);
        hls_add_open(&hw, &w->open->s, parts, w->open->n_parts);
    }
    if (l->ended) {
        hls_add_end(&hw);
    } else {
        hls_add_hint(&hw, w->open_msn, w->open ? w->open->n_parts : 0);
        add_reports(&hw, l, w);
    }
    return str_take_buf(&out);
}

static void write_texts(struct log_snapshot *s, const struct record_log *l,
                        const struct log_window *w, bool gzip)
{
    const unsigned skipped = l->ended ? 0 : count_skipped(w, l->archive->target_s);
    s->full = write_playlist(l, w, 0, s->independent);
    if (skipped) s->delta = write_playlist(l, w, skipped, s->independent);
    if (!gzip) return;
    s->full_gz = gzip_new(buf_span(s->full));
    if (s->delta) s->delta_gz = gzip_new(buf_span(s->delta));
}

static bool all_independent(const struct log_window *w)
{
    for (unsigned i = w->first_listed; i < w->n; i++)
        if (!w->segs[i]->s.gap && !w->segs[i]->s.independent) return false;
    return !w->open || w->open->s.independent;
}

/* Measured over the archive; before there is a complete segment, over the open one. */
static void measure(struct log_snapshot *s, const struct archive_rendition *r)
{
    s->peak_bps = r->peak_bps;
    s->avg_bps = archive_avg_bps(r);
    if (r->media_us > 0 || !s->open) return;
    const int64_t us = log_open_us(s->open);
    if (us > 0) s->avg_bps = s->peak_bps = (uint64_t)((double)s->open->len * 8e6 / (double)us);
}

struct log_snapshot *log_snapshot_new(struct record_log *l, struct log_window *w, bool gzip)
{
    struct log_snapshot *s = NEW(struct log_snapshot);
    feed_msg_init(&s->msg, w->index, 1, snapshot_free);
    s->archive = archive_ref(l->archive);
    s->rendition = w->index;
    s->n_renditions = l->n;
    s->n_segs = w->n;
    s->first_listed = w->first_listed;
    s->segs = xcalloc(w->n + 1, sizeof(struct log_segment *));
    for (unsigned i = 0; i < w->n; i++) s->segs[i] = log_segment_ref(w->segs[i]);
    s->open = log_segment_ref(w->open);
    s->edge = (struct hls_edge){
        .first_msn = w->first_listed < w->n ? w->segs[w->first_listed]->s.msn : w->open_msn,
        .open_msn = w->open_msn,
        .open_parts = w->open ? w->open->n_parts : 0,
        .last_parts = w->n ? w->segs[w->n - 1]->n_parts : 0,
        .ended = l->ended,
        .part_target_us = l->part_target_us,
        .target_s = l->archive->target_s,
    };
    s->file = file_ref(l->archive->r[w->index].file);
    s->written = l->written;
    s->n_archived = log_archived(l, w);
    s->inits = l->archive->r[w->index].inits;
    s->archive_ended = !l->recording || l->ended;
    s->independent = all_independent(w);
    measure(s, &l->archive->r[w->index]);
    write_texts(s, l, w, gzip);
    return s;
}
