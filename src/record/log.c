/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "record/index.h"
#include "record/log_priv.h"
#include <stdio.h>

#define RUN_CHARS 10

/* --- lines to disk -----------------------------------------------------------------------------
 */

static uint64_t to_disk(struct record_log *l, const struct index_entry *e, struct buf *bytes)
{
    if (!l->recording) return 0;
    l->line.len = 0;
    index_write(&l->line, e);
    const char *name = e->rendition < l->n ? l->archive->r[e->rendition].name : "";
    return disk_append(l->disk, e->rendition, name, bytes, str_span(&l->line));
}

/* What is not on disk when recording stops stays in memory as long as it is in the window. */
static void on_failed(void *ctx, enum err e, const char *reason)
{
    struct record_log *l = ctx;
    for (unsigned i = 0; i < l->n; i++) {
        struct log_window *w = &l->w[i];
        archive_cut(l->archive, i, log_archived(l, w));
        for (unsigned s = 0; s < w->n; s++) {
            struct log_segment *seg = w->segs[s];
            if (seg->ticket <= l->written || seg->s.gap) continue;
            struct log_segment *kept = log_segment_copy(seg, 0, false);
            kept->whole = log_segment_bytes(seg);
            kept->ticket = UINT64_MAX;
            log_segment_unref(seg);
            w->segs[s] = kept;
        }
        w->changed = true;
    }
    l->recording = false;
    l->failed = true;
    log_warn("record", "run=%s stopped: %s", l->archive->run, reason);
    l->cfg.on_disk_failure(l->cfg.ctx, e, reason);
}

static void on_written(void *ctx, uint64_t seq)
{
    struct record_log *l = ctx;
    l->written = seq;
    for (unsigned i = 0; i < l->n; i++)
        if (!l->archive->r[i].file) l->archive->r[i].file = file_ref(disk_file(l->disk, i));
}

static void on_closed(void *ctx)
{
    struct record_log *l = ctx;
    l->disk = NULL;
    /* For readers that stay: everything that was written can be read now. */
    for (unsigned i = 0; i < l->n; i++)
        if (l->w[i].published) feed_send(l->feed, &log_snapshot_new(l, &l->w[i], false)->msg);
    l->cfg.on_closed(l->cfg.ctx);
    record_log_unref(l);
}

static void on_closed_memory(void *arg)
{
    struct record_log *l = arg;
    l->cfg.on_closed(l->cfg.ctx);
    record_log_unref(l);
}

static void write_head(struct record_log *l)
{
    struct index_entry e = {.kind = INDEX_HEAD,
                            .wall_us = l->archive->started_wall_us,
                            .target_s = l->archive->target_s};
    snprintf(e.name, sizeof e.name, "%s", l->archive->run);
    (void)to_disk(l, &e, NULL);
}

/* --- events ------------------------------------------------------------------------------------
 */

static struct log_window *window_of(struct record_log *l, char letter, unsigned number)
{
    const char name[] = {letter, (char)('0' + number), 0};
    const int found = archive_find(l->archive, span_str(name));
    if (found >= 0) return &l->w[found];
    const int added =
        archive_add_rendition(l->archive, name, letter == 'v' ? MEDIA_VIDEO : MEDIA_AUDIO);
    if (added < 0) return NULL;
    if (added == 0) write_head(l);
    l->n = l->archive->n_renditions;
    l->w[added] = (struct log_window){.index = (unsigned)added};
    struct index_entry e = {.kind = INDEX_RENDITION, .rendition = (unsigned)added};
    e.s.dsn = l->dsn;
    snprintf(e.name, sizeof e.name, "%s", name);
    (void)to_disk(l, &e, NULL);
    return &l->w[added];
}

static void on_init(struct record_log *l, struct log_window *w, const struct packager_event *ev)
{
    const struct track *t = ev->track;
    struct index_entry e = {.kind = INDEX_INIT,
                            .rendition = w->index,
                            .off = w->data_bytes,
                            .len = (uint32_t)ev->buf->len};
    e.init = (struct archive_init){
        .id = ev->init_id,
        .codec = t->codec,
        .width = t->width,
        .height = t->height,
        .fps_milli = t->fps_milli,
        .sample_rate = t->sample_rate,
        .channels = t->channels,
        .off = e.off,
        .len = e.len,
        .bytes = ev->buf,
    };
    memcpy(e.init.codecs, t->codecs, sizeof e.init.codecs);
    if (archive_add_init(l->archive, w->index, &e.init) != E_OK) return;
    (void)to_disk(l, &e, ev->buf);
    w->data_bytes += ev->buf->len;
}

static struct hls_segment segment_of(const struct record_log *l, const struct log_window *w,
                                     const struct packager_event *ev)
{
    return (struct hls_segment){
        .msn = ev->msn,
        .dsn = l->dsn,
        .dur_us = ev->duration_us,
        .wall_us = ev->wall_us,
        .init_id = ev->init_id,
        .discontinuity = w->discontinuity,
        .gap = ev->kind == PACKAGER_SEGMENT_END && ev->gap,
        .independent = ev->independent,
    };
}

static void on_part(struct record_log *l, struct log_window *w, const struct packager_event *ev)
{
    struct log_segment *seg;
    if (w->open && w->open->n_parts >= LIMIT_RECORD_SEGMENT_PARTS) return;
    if (w->open) {
        seg = log_segment_copy(w->open, 1, false);
        log_segment_unref(w->open);
    } else {
        seg = log_segment_new(1);
        seg->s = segment_of(l, w, ev);
        seg->off = w->data_bytes;
    }
    const unsigned i = seg->n_parts - 1;
    struct index_entry e = {.kind = INDEX_PART,
                            .rendition = w->index,
                            .part = i,
                            .off = w->data_bytes,
                            .len = (uint32_t)ev->buf->len};
    e.s = segment_of(l, w, ev);
    e.s.discontinuity = seg->s.discontinuity;
    seg->parts[i] = (struct log_part){.p = {ev->duration_us, ev->independent},
                                      .off = e.off,
                                      .len = e.len,
                                      .bytes = buf_ref(ev->buf)};
    seg->len += ev->buf->len;
    seg->ticket = to_disk(l, &e, ev->buf);
    if (!l->recording) seg->ticket = UINT64_MAX;
    w->data_bytes += ev->buf->len;
    w->open = seg;
    w->open_msn = ev->msn;
    w->changed = true;
}

static void window_push(struct log_window *w, struct log_segment *seg)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 32;
        w->segs = xrealloc(w->segs, w->cap * sizeof(struct log_segment *));
    }
    w->segs[w->n++] = seg;
}

static void on_segment_end(struct record_log *l, struct log_window *w,
                           const struct packager_event *ev)
{
    struct log_segment *seg = w->open;
    if (!seg && !ev->gap) return; /* nothing of it was kept */
    if (!seg) {
        seg = log_segment_new(0);
        seg->s = segment_of(l, w, ev);
        seg->off = w->data_bytes;
    } else {
        seg = log_segment_copy(w->open, 0, false);
        seg->s.dur_us = ev->duration_us;
        log_segment_unref(w->open);
    }
    w->open = NULL;
    struct index_entry e = {.kind = INDEX_SEGMENT,
                            .rendition = w->index,
                            .s = seg->s,
                            .off = seg->off,
                            .len = (uint32_t)seg->len};
    seg->ticket = to_disk(l, &e, NULL);
    if (!l->recording) {
        seg->ticket = UINT64_MAX;
        if (!seg->s.gap) seg->whole = log_segment_bytes(seg);
    } else {
        const struct archive_segment as = {.s = seg->s, .off = seg->off, .len = e.len};
        if (archive_add_segment(l->archive, w->index, &as) != E_OK)
            disk_give_up(l->disk, E_LIMIT, "The recording has too many segments.");
    }
    window_push(w, seg);
    w->open_msn = ev->msn + 1;
    w->discontinuity = false;
    w->changed = true;
}

void record_log_event(struct record_log *l, const struct packager_event *ev)
{
    if (ev->kind == PACKAGER_DISCONTINUITY) {
        bool more = false; /* two without media between them are one */
        for (unsigned i = 0; i < l->n; i++) {
            more = more || (l->w[i].begun && !l->w[i].discontinuity);
            l->w[i].discontinuity = l->w[i].begun;
        }
        l->dsn += more;
        return;
    }
    struct log_window *w = window_of(l, ev->rendition, ev->number);
    if (!w) return;
    if (ev->kind == PACKAGER_INIT) {
        on_init(l, w, ev);
        return;
    }
    w->begun = true;
    if (ev->kind == PACKAGER_PART)
        on_part(l, w, ev);
    else
        on_segment_end(l, w, ev);
    if (l->recording && disk_pending(l->disk) > LIMIT_RECORD_PENDING_BYTES)
        disk_give_up(l->disk, E_IO, "The disk is too slow.");
}

/* --- the window --------------------------------------------------------------------------------
 */

static void drop_first(struct log_window *w)
{
    log_segment_unref(w->segs[0]);
    w->n--;
    memmove(w->segs, w->segs + 1, w->n * sizeof(struct log_segment *));
    if (w->first_listed) w->first_listed--;
}

/* Segments leave the playlist when it would be long enough without them. Those on disk are
 * forgotten then; without a recording they stay for as long again, for players that have an old
 * playlist (8216bis, 6.2.2). */
static void trim(struct record_log *l, struct log_window *w)
{
    const int64_t want = (HLS_SKIP_TARGETS + 1) * l->archive->target_s * US_PER_SEC;
    int64_t kept = 0, listed = 0;
    for (unsigned i = 0; i < w->n; i++) {
        kept += w->segs[i]->s.dur_us;
        if (i >= w->first_listed) listed += w->segs[i]->s.dur_us;
    }
    while (w->first_listed + 1 < w->n && listed - w->segs[w->first_listed]->s.dur_us >= want)
        listed -= w->segs[w->first_listed++]->s.dur_us;
    while (w->first_listed > 0) {
        const bool safe = w->segs[0]->ticket <= l->written;
        if (!safe && (l->recording || kept - w->segs[0]->s.dur_us < 2 * want)) break;
        kept -= w->segs[0]->s.dur_us;
        drop_first(w);
    }
}

/* Lets go of bytes that are on disk and not hot, or (whole segments are kept) not listed as parts.
 */
static void cool(const struct record_log *l, struct log_window *w)
{
    int64_t age = 0;
    for (unsigned i = w->n; i-- > 0; age += w->segs[i]->s.dur_us) {
        struct log_segment *seg = w->segs[i];
        const bool on_disk = seg->ticket <= l->written && l->archive->r[w->index].file;
        const bool old = seg->whole && age > HLS_PART_TARGETS * l->archive->target_s * US_PER_SEC;
        if (!((on_disk && age > LOG_HOT_US) || old)) continue;
        if (!seg->n_parts || !seg->parts[0].bytes) {
            if (seg->n_parts) break; /* it and the older ones have been done */
            continue;
        }
        w->segs[i] = log_segment_copy(seg, 0, true);
        log_segment_unref(seg);
    }
}

bool record_log_publish(struct record_log *l, int64_t part_target_us, int64_t now_us)
{
    const bool gzip = atomic_load_explicit(&l->gzip_until_us, memory_order_relaxed) > now_us;
    bool all = l->n > 0;
    l->part_target_us = part_target_us;
    for (unsigned i = 0; i < l->n; i++) {
        struct log_window *w = &l->w[i];
        if (w->changed) {
            trim(l, w);
            cool(l, w);
        }
        if (!w->n && !w->open) w->changed = false;
        all = all && (w->published || w->changed);
    }
    for (unsigned i = 0; i < l->n; i++) {
        struct log_window *w = &l->w[i];
        if (!w->changed) continue;
        w->changed = false;
        w->published = true;
        feed_send(l->feed, &log_snapshot_new(l, w, gzip)->msg);
    }
    return all;
}

void record_log_end(struct record_log *l, int64_t now_us, int64_t wall_us)
{
    CHECK(!l->ended);
    l->ended = true;
    l->archive->ended = true;
    l->archive->ended_wall_us = wall_us;
    for (unsigned i = 0; i < l->n; i++) l->w[i].changed = true;
    (void)record_log_publish(l, l->part_target_us, now_us);
    (void)record_log_ref(l); /* until on_closed */
    if (!l->disk) {
        loop_post(l->cfg.home, on_closed_memory, l);
        return;
    }
    const struct index_entry e = {.kind = INDEX_END, .wall_us = wall_us};
    l->line.len = 0;
    index_write(&l->line, &e);
    l->recording = false;
    disk_close(l->disk, str_span(&l->line));
}

/* --- life --------------------------------------------------------------------------------------
 */

/* A loop's cache has the latest snapshot of each rendition. */
static enum feed_keep keep(const struct feed_msg *m)
{
    (void)m;
    return FEED_KEEP_PINNED;
}

struct record_log *record_log_new(const struct log_cfg *cfg)
{
    struct record_log *l = NEW(struct record_log);
    atomic_init(&l->refs, 1);
    l->cfg = *cfg;
    l->feed =
        feed_new(cfg->home, cfg->loops, cfg->n_loops, keep, SIZE_MAX, LIMIT_RECORD_RENDITIONS + 1);
    l->archive = archive_new();
    rand_id(l->archive->run, RUN_CHARS);
    l->archive->started_wall_us = clock_wall_us();
    l->archive->target_s = cfg->target_s;
    if (!cfg->dir) return l;
    const struct disk_cfg dc = {
        .pool = cfg->pool,
        .home = cfg->home,
        .dir = cfg->dir,
        .min_free_bytes = cfg->min_free_bytes,
        .on_written = on_written,
        .on_failed = on_failed,
        .on_closed = on_closed,
        .ctx = l,
    };
    l->disk = disk_open(&dc);
    l->recording = true;
    l->cfg.dir = NULL; /* not ours to keep */
    return l;
}

struct record_log *record_log_ref(struct record_log *l)
{
    if (l) atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

void record_log_unref(struct record_log *l)
{
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < l->n; i++) {
        for (unsigned s = 0; s < l->w[i].n; s++) log_segment_unref(l->w[i].segs[s]);
        log_segment_unref(l->w[i].open);
        free(l->w[i].segs);
    }
    feed_unref(l->feed);
    archive_unref(l->archive);
    str_fini(&l->line);
    free(l);
}

struct feed *record_log_feed(const struct record_log *l)
{
    return l->feed;
}

const char *record_log_run(const struct record_log *l)
{
    return l->archive->run;
}

struct archive *record_log_archive(struct record_log *l)
{
    return l->archive;
}

void record_log_give_up(struct record_log *l, enum err e, const char *reason)
{
    if (l->recording) disk_give_up(l->disk, e, reason);
}

bool record_log_failed(const struct record_log *l)
{
    return l->failed;
}

void record_log_want_gzip(struct record_log *l)
{
    atomic_store_explicit(&l->gzip_until_us, clock_mono_us() + LOG_GZIP_US, memory_order_relaxed);
}
