/* SPDX-License-Identifier: MIT */
/* video/importer.h - turns files into a recording's folder: bspnode-worker reads and, where it
 * must, converts; what it hands over is judged and packaged here as a live stream is, so the folder
 * is written by the same hands whatever the file was.
 *
 * The packager's clock is the media's own: a file is worked off as fast as it goes. The worker has
 * as much computing time as the file's size allows, and is ended when it is silent for long.
 *
 * Threads: one that may block. Limits: LIMIT_IMPORT_*, LIMIT_WORKER_*. */
#pragma once
#include "record/recording.h"

#define IMPORT_TEXT_CAP 24

struct import_stream {
    bool there;
    char codec[IMPORT_TEXT_CAP];
    unsigned width, height, fps_milli; /* of pictures */
    unsigned sample_rate, channels;    /* of sound */
    int64_t bitrate;                   /* 0: it does not say */
    /* When all of it was read: */
    bool seen;
    char pixel_format[IMPORT_TEXT_CAP];
    unsigned pixel_w, pixel_h; /* of pictures: how wide to how high a pixel is */
    int64_t gop_ms, peak_bps;  /* the longest and the heaviest of one key frame to the next */
    bool edited;               /* parts of it are not to be shown */
};

/* What the file says of itself: for people, not to be relied on. */
struct import_input {
    char container[64];
    int64_t duration_us; /* -1: it does not say */
    struct import_stream stream[2];
};

struct import_result {
    struct recording_info info;
    struct import_input input;
    unsigned channels, fps_milli; /* of the recording; 0: none, not known */
    char problem[256];            /* in words for people, with an error */
};

struct importer_cfg {
    const int *files; /* descriptors; of two the first has the picture, the second the sound */
    unsigned n_files;
    int64_t start_us, end_us; /* of a clip; 0 and INT64_MAX: all */
    /* The shorter side of pictures at most; 0: as it is, or 1080 of what is converted. */
    unsigned lines;
    bool convert; /* pictures are encoded anew whatever they are */
    const char *dir;
    int64_t segment_ms, target_s, min_free_bytes;
    int64_t started_wall_us;
    /* When what is shown at this time was sent, of a clip; NULL: as if all went on from
     * started_wall_us. */
    int64_t (*wall_at)(void *ctx, int64_t media_us);
    /* About once a second; false: stop. */
    bool (*on_progress)(void *ctx, unsigned per_mille);
    void *ctx;
};

/* E_UNSUPPORTED, E_LIMIT: the file will not do, ever. E_IO: the worker died or hung, or the disk
 * does not work: it may go another time. E_FULL: the disk. E_NOTFOUND: no worker. E_CLOSED:
 * on_progress said so. *out has `problem` with all of them, and what is known of the input. */
enum err importer_run(const struct importer_cfg *cfg, struct import_result *out) WARN_UNUSED;
