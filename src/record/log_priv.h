/* SPDX-License-Identifier: MIT */
/* record/log_priv.h - the inside of the segment log: see log.h and log_writer.h. */
#pragma once
#include "record/disk.h"
#include "record/log_writer.h"

/* Bytes stay in memory until they are on disk and the segment has ended so long ago: low-latency
 * viewers are nearer to the edge than this. */
#define LOG_HOT_US (4 * INT64_C(1000000))
/* Compressed playlists are made while somebody has asked for one in this time. */
#define LOG_GZIP_US (30 * INT64_C(1000000))

/* The live window of one rendition, as its writer has it. */
struct log_window {
    unsigned index; /* in the archive, and kind of its messages */
    struct log_segment **segs;
    unsigned n, cap, first_listed;
    struct log_segment *open;
    uint64_t open_msn; /* of the segment that comes next or is being made */
    uint64_t data_bytes;
    bool begun, discontinuity, changed, published;
};

struct record_log {
    _Atomic uint32_t refs;
    _Atomic int64_t gzip_until_us;
    struct feed *feed;
    struct archive *archive;
    struct log_cfg cfg;
    struct disk *disk; /* NULL: memory only, or failed, or closed */
    uint64_t written;  /* ticket */
    bool recording, failed, ended;
    uint64_t dsn; /* discontinuities so far */
    int64_t part_target_us;
    struct str line;
    unsigned n;
    struct log_window w[LIMIT_RECORD_RENDITIONS];
};

/* log_segment.c */
struct log_segment *log_segment_new(unsigned n_parts); /* one reference, parts zeroed */
/* A copy with room for `extra` more parts, zeroed; without its bytes when `slim`. */
struct log_segment *log_segment_copy(const struct log_segment *seg, unsigned extra, bool slim);
struct log_segment *log_segment_ref(struct log_segment *seg);
void log_segment_unref(struct log_segment *seg);

/* log_snapshot.c: the latest state of w as a message, one reference. */
struct log_snapshot *log_snapshot_new(struct record_log *l, struct log_window *w, bool gzip);
/* Segments of the archive, in all, that are on disk. */
uint64_t log_archived(const struct record_log *l, const struct log_window *w);
