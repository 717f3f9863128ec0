/* SPDX-License-Identifier: MIT */
/* record/disk.h - writes one recording's files on the pool, in order, without making anybody wait.
 *
 * What is appended while a job runs is written by the next one, in one go: the bytes first, then
 * the index lines that tell of them. A failure stops everything: what was written stays good, what
 * was begun is cut off again.
 *
 * Lifetime: disk_open() .. disk_close(), which answers by on_closed and frees. Threads: everything
 *   here, and the callbacks, on the home loop. Memory: what is pending; see disk_pending(). */
#pragma once
#include "base/limits.h"
#include "base/str.h"
#include "io/file.h"
#include "io/pool.h"

struct disk;

struct disk_cfg {
    struct pool *pool;
    struct loop *home;
    const char *dir; /* made when missing, with its parents */
    int64_t min_free_bytes;
    void (*on_written)(void *ctx, uint64_t seq); /* everything up to the ticket `seq` */
    void (*on_failed)(void *ctx, enum err e, const char *reason); /* once; E_FULL, E_IO */
    void (*on_closed)(void *ctx);
    void *ctx;
};

struct disk *disk_open(const struct disk_cfg *cfg);
/* Appends to rendition `r`'s data file ("v0.mp4" for name "v0"; bytes NULL: nothing) and then the
 * line to the index. Takes its own references. Returns the ticket: 1, 2, ... Ignored after a
 * failure. */
uint64_t disk_append(struct disk *d, unsigned r, const char *name, struct buf *bytes,
                     struct span line);
size_t disk_pending(const struct disk *d); /* bytes not written yet */
/* The data file for reading; NULL before its first bytes are written. Borrowed. */
struct file *disk_file(const struct disk *d, unsigned r);
/* Treat the recording as failed: it cannot keep up. */
void disk_give_up(struct disk *d, enum err e, const char *reason);
/* Writes what is pending and `last_line`, also after a failure if there is room now, syncs. */
void disk_close(struct disk *d, struct span last_line);
