/* SPDX-License-Identifier: MIT */
/* tests/unit/record/log_rig.h - a segment log on a real loop, with real files and made-up media;
 * every playlist that it sends is checked. */
#pragma once
#include "../test.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "record/index.h"
#include "record/log_writer.h"
#include "record/recording.h"
#include <sys/stat.h>
#include <unistd.h>

#define RIG_WALL0 INT64_C(1767323045000000)

struct rig_version {
    struct buf *text; /* the spans of `p` point into it */
    struct m3u8 p;
    bool have;
};

struct rig {
    struct loop *loop;
    struct pool *pool;
    struct record_log *log;
    struct feed_reader reader;
    struct log_cfg cfg;
    char dir[256];
    void (*script)(struct rig *r);
    struct log_snapshot *snap[2]; /* v, a */
    struct rig_version last[2];
    unsigned n_snapshots, n_deltas, failures, closed;
    enum err failure;
    bool end_seen;
    /* The stream being made up. */
    int64_t now_us, media_us;
    uint64_t msn;
    uint32_t init;
    struct str data[2]; /* what the data files should hold */
};

#define PART_US  334000
#define LAST_US  330000 /* of the sixth part */
#define PARTS    6
#define TARGET_S 10

static inline void rig_problems(const char *what, const char *text, struct str *problems)
{
    if (!problems->len) return;
    fprintf(stderr, "%s\n%s\n", text, str_c(problems));
    fail_msg("%s: %s", what, str_c(problems));
}

static inline void rig_check_text(struct rig *r, unsigned i, struct buf *text, struct m3u8 *p)
{
    struct str problems = {0};
    const char *why = "";
    unsigned line = 0;
    (void)r;
    if (m3u8_parse(buf_span(text), p, &why, &line) != E_OK)
        fail_msg("line %u: %s\n%.*s", line, why, (int)text->len, (const char *)text->data);
    (void)m3u8_check(p, i ? "a0.m3u8" : "v0.m3u8", &problems);
    rig_problems("playlist", (const char *)text->data, &problems);
    str_fini(&problems);
}

static inline void rig_on_snapshot(struct feed_reader *reader, struct feed_msg *m)
{
    struct rig *r = reader->ctx;
    struct log_snapshot *s = log_snapshot_of(m);
    const unsigned i = s->archive->r[s->rendition].name[0] == 'a';
    struct m3u8 p, delta;
    struct str problems = {0};
    struct rig_version *last = &r->last[i];
    r->n_snapshots++;
    r->end_seen = r->end_seen || s->edge.ended;
    rig_check_text(r, i, s->full, &p);
    if (last->have) (void)m3u8_check_update(&last->p, &p, &problems);
    rig_problems("update", (const char *)s->full->data, &problems);
    if (s->delta) {
        r->n_deltas++;
        rig_check_text(r, i, s->delta, &delta);
        if (last->have && last->p.msn + last->p.n_segs + 3 > p.msn + p.n_segs)
            (void)m3u8_check_update(&last->p, &delta, &problems);
        rig_problems("delta", (const char *)s->delta->data, &problems);
        m3u8_fini(&delta);
    }
    str_fini(&problems);
    if (last->have) m3u8_fini(&last->p);
    buf_unref(last->text);
    *last = (struct rig_version){.text = buf_ref(s->full), .p = p, .have = true};
    if (r->snap[i]) feed_msg_unref(&r->snap[i]->msg);
    r->snap[i] = log_snapshot_of(feed_msg_ref(m));
}

static inline void rig_on_failure(void *ctx, enum err e, const char *reason)
{
    struct rig *r = ctx;
    assert_non_null(reason);
    r->failures++;
    r->failure = e;
}

static inline void rig_on_closed(void *ctx)
{
    struct rig *r = ctx;
    r->closed++;
    feed_detach(&r->reader);
    loop_stop(r->loop);
}

static inline void rig_start(void *arg)
{
    struct rig *r = arg;
    feed_attach(record_log_feed(r->log), &r->reader, rig_on_snapshot, r);
    r->script(r);
}

/* --- media --- */

static inline struct buf *rig_bytes(struct rig *r, unsigned i, size_t n)
{
    struct buf *b = buf_new(n);
    for (size_t k = 0; k < n; k++) b->data[k] = (uint8_t)(k * 31 + r->data[i].len * 7 + i);
    str_add(&r->data[i], buf_span(b));
    return b;
}

static inline void rig_send(struct rig *r, struct packager_event *e)
{
    record_log_event(r->log, e);
    buf_unref(e->buf);
}

static inline void rig_init(struct rig *r, bool audio)
{
    r->init++;
    for (unsigned i = 0; i < 1u + audio; i++) {
        struct track *t = track_new((uint8_t)i, i ? CODEC_AAC : CODEC_H264);
        snprintf(t->codecs, sizeof t->codecs, "%s", i ? "mp4a.40.2" : "avc1.64001f");
        t->width = 1280, t->height = 720, t->fps_milli = 30000, t->channels = 2;
        struct packager_event e = {.kind = PACKAGER_INIT,
                                   .rendition = i ? 'a' : 'v',
                                   .init_id = r->init,
                                   .track = t,
                                   .buf = rig_bytes(r, i, 700)};
        rig_send(r, &e);
        track_unref(t);
    }
}

static inline void rig_break(struct rig *r)
{
    struct packager_event e = {.kind = PACKAGER_DISCONTINUITY, .msn = r->msn};
    record_log_event(r->log, &e);
    r->media_us += 1500000; /* a hole in the wall clock */
}

static inline void rig_part(struct rig *r, char letter, unsigned part, size_t bytes)
{
    const bool last = part + 1 == PARTS;
    struct packager_event e = {.kind = PACKAGER_PART,
                               .rendition = letter,
                               .independent = part == 0 || letter == 'a',
                               .last = last,
                               .init_id = r->init,
                               .msn = r->msn,
                               .part = part,
                               .duration_us = last ? LAST_US : PART_US,
                               .wall_us = RIG_WALL0 + r->media_us + part * PART_US};
    e.buf = rig_bytes(r, letter == 'a', bytes);
    rig_send(r, &e);
}

static inline void rig_segment_end(struct rig *r, char letter, bool gap)
{
    struct packager_event e = {.kind = PACKAGER_SEGMENT_END,
                               .rendition = letter,
                               .independent = true,
                               .gap = gap,
                               .init_id = r->init,
                               .msn = r->msn,
                               .part = gap ? 0 : PARTS,
                               .duration_us = (PARTS - 1) * PART_US + LAST_US,
                               .wall_us = RIG_WALL0 + r->media_us};
    record_log_event(r->log, &e);
}

static inline void rig_publish(struct rig *r)
{
    (void)record_log_publish(r->log, PART_US, r->now_us);
}

/* One segment of 2 s; `audio` false: a gap of it. */
static inline void rig_segment(struct rig *r, bool audio, size_t bytes)
{
    for (unsigned p = 0; p < PARTS; p++) {
        rig_part(r, 'v', p, bytes + p);
        if (audio) rig_part(r, 'a', p, 300 + p);
        if (p + 1 == PARTS) {
            rig_segment_end(r, 'v', false);
            rig_segment_end(r, 'a', !audio);
        }
        rig_publish(r);
        r->now_us += PART_US;
    }
    r->msn++;
    r->media_us += (PARTS - 1) * PART_US + LAST_US;
}

static inline void rig_end(struct rig *r)
{
    record_log_end(r->log, r->now_us, RIG_WALL0 + r->media_us);
}

/* --- life --- */

static inline void rig_run(struct rig *r, bool on_disk, int64_t min_free,
                           void (*script)(struct rig *))
{
    *r = (struct rig){.script = script};
    snprintf(r->dir, sizeof r->dir, "/tmp/bsp-log-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    strcat(r->dir, "/a/b");
    r->loop = loop_new(0);
    r->pool = pool_new(2);
    r->cfg = (struct log_cfg){.home = r->loop,
                              .loops = &r->loop,
                              .n_loops = 1,
                              .pool = r->pool,
                              .dir = on_disk ? r->dir : NULL,
                              .target_s = TARGET_S,
                              .min_free_bytes = min_free,
                              .on_disk_failure = rig_on_failure,
                              .on_closed = rig_on_closed,
                              .ctx = r};
    r->log = record_log_new(&r->cfg);
    loop_post(r->loop, rig_start, r);
    loop_run(r->loop);
    assert_int_equal(r->closed, 1);
}

static inline void rig_remove(struct rig *r)
{
    char cmd[512];
    snprintf(cmd, sizeof cmd, "rm -rf \"%.18s\"", r->dir);
    assert_int_equal(system(cmd), 0);
}

static inline void rig_fini(struct rig *r)
{
    for (unsigned i = 0; i < 2; i++) {
        if (r->snap[i]) feed_msg_unref(&r->snap[i]->msg);
        if (r->last[i].have) m3u8_fini(&r->last[i].p);
        buf_unref(r->last[i].text);
        str_fini(&r->data[i]);
    }
    record_log_unref(r->log);
    pool_free(r->pool);
    loops_free(&r->loop, 1);
    rig_remove(r);
}
