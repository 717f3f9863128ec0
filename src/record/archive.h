/* SPDX-License-Identifier: MIT */
/* record/archive.h - what a recording holds: for each rendition its configurations and its complete
 * segments, with where their bytes lie in the data file.
 *
 * It only grows. A running log has one writer (its home loop), and tells readers on other loops how
 * far they may look (struct log_snapshot: n_archived, inits); a finished recording is an archive
 * that nobody writes any more, made from its index by archive_load().
 *
 * Lifetime: reference-counted. Threads: ref and unref anywhere; reading below the announced bounds
 *   anywhere. Limits: LIMIT_RECORD_*; 56 bytes a segment. */
#pragma once
#include "base/limits.h"
#include "engine/hls.h"
#include "io/file.h"
#include "media/track.h"
#include <stdatomic.h>

#define ARCHIVE_RUN_CAP 16

/* One configuration: the initialisation segment and what it describes. */
struct archive_init {
    const struct archive_init *older; /* newest first */
    uint32_t id;                      /* from 1 */
    enum codec codec;
    char codecs[TRACK_CODECS_CAP];
    uint16_t width, height;
    uint32_t fps_milli, sample_rate;
    uint8_t channels;
    uint64_t off; /* in the data file */
    uint32_t len;
    struct buf *bytes; /* owned */
};

struct archive_segment {
    struct hls_segment s;
    uint64_t off;
    uint32_t len;
};

#define ARCHIVE_CHUNKS 32
#define ARCHIVE_CHUNK_FIRST                                                                        \
    64 /* segments of the first chunk; each further one has twice as many                          \
        */

struct archive_rendition {
    char name[HLS_NAME_CAP];
    enum media_kind kind;
    uint64_t first_msn; /* of the first segment */
    uint64_t n;         /* segments: the writer's, or the final number */
    struct archive_segment *chunks[ARCHIVE_CHUNKS];
    const struct archive_init *inits; /* the writer's, or the final list */
    struct file *file;                /* data; NULL: memory only, or not opened yet */
    /* Sums over segments, for BANDWIDTH: the writer's, or the final ones. */
    uint64_t peak_bps, bytes;
    int64_t media_us;
    bool all_independent;
};

struct archive {
    _Atomic uint32_t refs;
    char run[ARCHIVE_RUN_CAP]; /* unique name of this broadcast, in every URL of its media */
    int64_t started_wall_us;
    int64_t target_s; /* EXT-X-TARGETDURATION while it was live */
    int64_t ended_wall_us;
    bool ended; /* the index has an end */
    unsigned n_renditions;
    struct archive_rendition r[LIMIT_RECORD_RENDITIONS];
};

struct archive *archive_new(void);
struct archive *archive_ref(struct archive *a);
void archive_unref(struct archive *a); /* NULL is fine */

/* Writer. A new rendition, or -1 above the limit. */
int archive_add_rendition(struct archive *a, const char *name, enum media_kind kind);
int archive_find(const struct archive *a, struct span name); /* -1: none */
/* Writer. Takes its own reference to the bytes; E_LIMIT. */
enum err archive_add_init(struct archive *a, unsigned rendition,
                          const struct archive_init *init) WARN_UNUSED;
enum err archive_add_segment(struct archive *a, unsigned rendition,
                             const struct archive_segment *seg) WARN_UNUSED;
/* Writer. Forgets all but the first n segments: the others were not written. */
void archive_cut(struct archive *a, unsigned rendition, uint64_t n);
/* i < the announced number. */
const struct archive_segment *archive_segment(const struct archive_rendition *r, uint64_t i);
const struct archive_init *archive_init_find(const struct archive_init *list, uint32_t id);
static inline uint64_t archive_avg_bps(const struct archive_rendition *r)
{
    return r->media_us > 0 ? (uint64_t)((double)r->bytes * 8e6 / (double)r->media_us) : 0;
}
