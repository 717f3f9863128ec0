/* SPDX-License-Identifier: MIT */
/* record/index.h - the format of a recording on disk.
 *
 * One folder a recording:
 *   index.log   lines of text, appended only
 *   v0.mp4      data of a rendition, appended only: initialisation segments and parts, in order
 *   a0.mp4      (so it can be played as it is, too)
 *
 * A line is the CRC-32 of its text in eight hex digits, a space, the text, a line feed. Texts, with
 * fields divided by single spaces; offsets and lengths in bytes, times in microseconds:
 *
 *   H 1 RUN STARTED TARGET         first line: version, name of the broadcast, wall clock, seconds
 *   R N NAME DSN                   rendition N, from 0: "v0", "a0"; the letter is its kind;
 *                                  discontinuities before it appeared
 *   I N ID OFF LEN CODEC CODECS WIDTH HEIGHT FPS_MILLI RATE CHANNELS
 *   P N MSN PART INIT OFF LEN DURATION WALL FLAGS
 *   S N MSN INIT OFF LEN DURATION WALL FLAGS         a segment is complete
 *   E WALL                         the recording has ended
 *
 * FLAGS: letters or "-": i begins with a key frame, d a discontinuity stands before it, g a gap
 * (no media). Within a rendition offsets have no holes and MSNs count up, so every line can be
 * checked against the ones before it. Bytes are written before the line that tells of them. What
 * stands after the first line that is broken, or that tells of bytes that are not there, never
 * happened.
 *
 * Pure functions. Limits: LIMIT_RECORD_*. */
#pragma once
#include "record/archive.h"

#define INDEX_FILE    "index.log"
#define INDEX_VERSION 1

enum index_kind {
    INDEX_HEAD,
    INDEX_RENDITION,
    INDEX_INIT,
    INDEX_PART,
    INDEX_SEGMENT,
    INDEX_END,
};

struct index_entry {
    enum index_kind kind;
    unsigned rendition;
    char name[ARCHIVE_RUN_CAP]; /* HEAD: the run; RENDITION: its name */
    int64_t wall_us;            /* HEAD, END */
    int64_t target_s;           /* HEAD */
    struct archive_init init;   /* INIT, without bytes */
    struct hls_segment
        s;         /* PART (of its segment, dur_us the part's), SEGMENT; RENDITION: only dsn */
    uint32_t part; /* PART */
    uint64_t off;  /* INIT, PART, SEGMENT */
    uint32_t len;
};

/* Appends one line. */
void index_write(struct str *out, const struct index_entry *e);
/* `line` is without its line feed. E_PROTO: checksum or fields are wrong. E_UNSUPPORTED: a later
 * version. */
enum err index_parse(struct span line, struct index_entry *e) WARN_UNUSED;

/* What is known after the last good line. */
struct index_state {
    struct archive *archive; /* one reference; its inits have no bytes yet */
    size_t good_bytes;       /* of index.log: the rest is to be cut off */
    struct index_rendition {
        uint64_t data_bytes; /* of the data file: the rest is to be cut off */
        uint64_t next_msn, dsn;
        struct archive_segment open; /* parts without their segment line */
        unsigned open_parts;
    } r[LIMIT_RECORD_RENDITIONS];
};

typedef uint64_t index_size_fn(void *ctx, const char *name);

/* Reads a whole index.log; `size` tells how long the data file of a rendition is, and is called
 * when the rendition is announced. E_NOTFOUND: empty or broken in the first line; E_UNSUPPORTED: a
 * later version; E_LIMIT. */
enum err index_load(struct span text, index_size_fn *size, void *ctx,
                    struct index_state *out) WARN_UNUSED;
/* Makes the segment that a crash left open complete: adds it to the archive, and says in *e what
 * its line is. False: there is none. */
bool index_close_open(struct index_state *st, unsigned rendition, struct index_entry *e);
