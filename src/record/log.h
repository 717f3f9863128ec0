/* SPDX-License-Identifier: MIT */
/* record/log.h - the segment log of one running stream: everything that is played, live or
 * rewound, is read from here (docs/architecture.md, "Five ideas", 1).
 *
 * A log belongs to a home loop, where it is written (record/recording.h). With each part it makes
 * an immutable snapshot of the rendition that has grown and sends it on a feed, so that every loop
 * always has the latest one of each rendition. A snapshot has the live window: bytes of the parts
 * that are young or not on disk yet, places in the data file for the others; and the finished texts
 * of the live playlists.
 *
 * Lifetime: reference-counted; a reference keeps the feed. Threads: ref, unref and the functions
 *   below anywhere. Memory: two segments' bytes, and what the disk has not taken yet, bounded by
 *   LIMIT_RECORD_PENDING_BYTES; without recording the window and as much again. */
#pragma once
#include "base/limits.h"
#include "hub/feed.h"
#include "record/archive.h"

struct log_part {
    struct hls_part p;
    uint64_t off; /* in the data file */
    uint32_t len;
    struct buf *bytes; /* NULL: read it from the file */
};

/* Immutable; shared by the snapshots that list it. */
struct log_segment {
    _Atomic uint32_t refs;
    struct hls_segment s;
    uint64_t off, len; /* in the data file: all parts */
    uint64_t ticket;   /* see log_on_disk() */
    struct buf *whole; /* all parts in one; only when there is no recording */
    unsigned n_parts;
    struct log_part parts[];
};

struct log_snapshot {
    struct feed_msg msg; /* kind: index of the rendition */
    struct archive *archive;
    unsigned rendition;
    unsigned n_renditions;     /* of the stream, when this was made */
    struct log_segment **segs; /* complete ones, contiguous MSNs */
    unsigned n_segs, first_listed;
    struct log_segment *open; /* being made; NULL: no part of it yet */
    struct hls_edge edge;     /* of the live playlist */
    struct file *file;        /* NULL: nothing can be read from the disk */
    uint64_t written;         /* see log_on_disk() */
    uint64_t n_archived;      /* segments of the archive that may be read */
    const struct archive_init *inits;
    bool archive_ended;           /* nothing will be added to the archive any more */
    bool independent;             /* every listed segment begins with a key frame */
    uint64_t peak_bps, avg_bps;   /* measured */
    struct buf *full, *full_gz;   /* the live playlist */
    struct buf *delta, *delta_gz; /* NULL: nothing can be skipped */
};

struct record_log *record_log_ref(struct record_log *l); /* returns l; NULL is fine */
void record_log_unref(struct record_log *l);             /* NULL is fine */
/* Attach readers to it: messages are struct log_snapshot. Borrowed. */
struct feed *record_log_feed(const struct record_log *l);
const char *record_log_run(const struct record_log *l);
/* Says that somebody asked for a compressed playlist: the next snapshots have the gzip twins. */
void record_log_want_gzip(struct record_log *l);

/* The whole segment is in the data file. */
static inline bool log_on_disk(const struct log_snapshot *s, const struct log_segment *seg)
{
    return s->file && seg->ticket <= s->written;
}

/* The segment with this MSN, complete or open, among those in memory; NULL: none. */
const struct log_segment *log_find(const struct log_snapshot *s, uint64_t msn);
/* How long the parts last that there are of the segment being made; 0 for NULL. */
int64_t log_open_us(const struct log_segment *open);
/* All parts of a complete segment in one new buf, NULL when their bytes are not in memory. */
struct buf *log_segment_bytes(const struct log_segment *seg);

static inline struct log_snapshot *log_snapshot_of(struct feed_msg *m)
{
    return (struct log_snapshot *)m;
}
