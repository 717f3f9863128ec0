/* SPDX-License-Identifier: MIT */
/* video/import_judge.h - what a worker says of a file, judged: it has read hostile bytes and may
 * be in their hands. Pure. */
#pragma once
#include "media/frame.h"
#include "video/importer.h"
#include "wire/worker_msg.h"

struct import_judge {
    struct track *track[2];
    int64_t last_us[2];
    uint64_t frames, bytes, bytes_max;
};

/* `file_bytes`: how much there is to be unpacked. */
void import_judge_init(struct import_judge *j, uint64_t file_bytes);
void import_judge_fini(struct import_judge *j);
/* The lines of a WORKER_INPUT: "container NAME", "duration MICROSECONDS", "video CODEC WIDTH HEIGHT
 * FPS_MILLI BITRATE", "audio CODEC RATE CHANNELS BITRATE". E_PROTO. */
enum err import_judge_input(struct span text, struct import_input *out) WARN_UNUSED;
/* A new track, the caller's. */
enum err import_judge_track(struct import_judge *j, const struct worker_msg *m,
                            struct track **out) WARN_UNUSED;
/* A new frame, the caller's, without wall_us. E_MORE: broken, to be left out. E_LIMIT: more than
 * the file can have had in it. */
enum err import_judge_frame(struct import_judge *j, const struct worker_msg *m,
                            struct frame **out) WARN_UNUSED;
