/* SPDX-License-Identifier: MIT */
/* record/mp4_file.h - a finished recording as one file: the samples of its segments, copied without
 * touching them, behind one index (a progressive MP4).
 *
 * Blocks: pool threads. Memory: 24 bytes a sample, LIMIT_MP4_SAMPLES of each track, and one
 * segment. */
#pragma once
#include "record/archive.h"

/* The media of one rendition of an archive. */
struct mp4_source {
    const struct archive_rendition *r;
    /* When its first sample is shown, on the recording's clock; MP4_AS_IT_IS: as it says. For media
     * that was made anew, with a clock of its own. */
    int64_t begins_us;
};
#define MP4_AS_IT_IS INT64_MIN

struct mp4_made {
    uint64_t bytes;
    int64_t video_begins_us, audio_begins_us; /* 0: none */
};

/* Either may be NULL. Written beside `path` (PATH.part) and moved there when it is whole; nothing
 * is written when less than `min_free_bytes` of the disk would be left. E_NOTFOUND: no media.
 * E_PROTO: a segment is broken. E_LIMIT: too long. E_FULL, E_IO. */
enum err mp4_file_make(const struct mp4_source *video, const struct mp4_source *audio,
                       const char *path, int64_t min_free_bytes, struct mp4_made *out) WARN_UNUSED;
