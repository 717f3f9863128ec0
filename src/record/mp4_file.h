/* SPDX-License-Identifier: MIT */
/* record/mp4_file.h - a finished recording as one file: the samples of its segments, copied without
 * touching them, behind one index (a progressive MP4).
 *
 * Blocks: pool threads. Memory: 24 bytes a sample, LIMIT_MP4_SAMPLES of each track, and one
 * segment. */
#pragma once
#include "record/archive.h"

/* `video` or `audio` is a rendition's number, -1: none. Written beside `path` and moved there when
 * it is whole; *bytes is its size. E_NOTFOUND: no media. E_PROTO: a segment is broken. E_LIMIT: too
 * long. E_FULL, E_IO. */
enum err mp4_file_make(const struct archive *a, int video, int audio, const char *path,
                       uint64_t *bytes) WARN_UNUSED;
