/* SPDX-License-Identifier: MIT */
/* record/folder_writer.h - a recording's folder (record/index.h) written by one thread that waits
 * for the disk: for files that are turned into recordings, which nobody watches meanwhile.
 *
 * The index is written at the end, after the data is on disk: a folder that was left in the middle
 * has none, and is no recording. What an earlier try has left is written over.
 *
 * Lifetime: folder_writer_new() .. folder_writer_free(). Threads: one, any, that may block.
 * Limits: LIMIT_RECORD_*. */
#pragma once
#include "engine/packager.h"
#include "record/recording.h"

struct folder_writer;

struct folder_writer_cfg {
    const char *dir; /* made when missing; its parents are there */
    int64_t target_s, min_free_bytes, started_wall_us;
};

struct folder_writer *folder_writer_new(const struct folder_writer_cfg *cfg);
/* The packager's events in their order. E_FULL, E_IO: the disk; E_LIMIT. */
enum err folder_writer_event(struct folder_writer *w, const struct packager_event *ev) WARN_UNUSED;
/* Data and index are on disk when this returns. E_NOTFOUND: there was no media. */
enum err folder_writer_finish(struct folder_writer *w, struct recording_info *out) WARN_UNUSED;
void folder_writer_free(struct folder_writer *w); /* NULL is fine */
