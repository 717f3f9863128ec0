/* SPDX-License-Identifier: MIT */
/* record/log_writer.h - the writing side of the segment log: the packager's events go in, snapshots
 * and lines on disk come out. Home loop only. */
#pragma once
#include "engine/packager.h"
#include "io/pool.h"
#include "record/log.h"

struct log_cfg {
    struct loop *home;
    struct loop *const *loops;
    unsigned n_loops;
    struct pool *pool;
    const char *dir; /* NULL: memory only */
    int64_t target_s, min_free_bytes;
    void (*on_disk_failure)(void *ctx, enum err e, const char *reason);
    void (*on_closed)(void *ctx); /* after record_log_end(), when the disk is done */
    void *ctx;
};

/* One reference. Any thread, before anything else. */
struct record_log *record_log_new(const struct log_cfg *cfg);
void record_log_event(struct record_log *l, const struct packager_event *e);
/* Sends new snapshots of the renditions that have changed. `part_target_us` as the packager has it
 * now. True when every rendition there is can be played. */
bool record_log_publish(struct record_log *l, int64_t part_target_us, int64_t now_us);
/* The stream is over: the last snapshots, and the end on disk. Once. */
void record_log_end(struct record_log *l, int64_t now_us, int64_t wall_us);
struct archive *record_log_archive(struct record_log *l); /* borrowed */
/* Recording stops as if the disk had failed; the live window goes on. */
void record_log_give_up(struct record_log *l, enum err e, const char *reason);
bool record_log_failed(const struct record_log *l); /* the disk stopped it */
