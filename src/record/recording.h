/* SPDX-License-Identifier: MIT */
/* record/recording.h - makes a stream's segment log: subscribes to the channel's frames, packages
 * them, keeps them in memory for the live viewers and on disk for ever.
 *
 * On disk: one folder a recording; see record/index.h for the format. Nothing is rewritten and
 * nothing is processed at the end, so a recording is playable at once, whatever its length; and
 * after a crash up to the last part that was written.
 *
 * Threads: recording_open() and recording_close() anywhere; callbacks come on the channel's home
 *   loop. Limits: LIMIT_RECORD_*. */
#pragma once
#include "hub/hub.h"
#include "io/pool.h"
#include "record/log.h"

struct recording;

/* What there is of a recording: at its end, or recovered. */
struct recording_info {
    int64_t started_wall_us, ended_wall_us;
    int64_t duration_us; /* of the media */
    uint64_t bytes;
    enum codec video, audio; /* CODEC_NONE: there was none */
    uint16_t width, height;  /* of the largest layer's last configuration */
    uint32_t fps_milli;
    bool stopped_early; /* the disk was full or failed: media after that is not recorded */
};

struct recording_cfg {
    struct channel *channel; /* a reference is taken */
    struct pool *pool;
    const char *dir; /* folder of this recording, made when missing; NULL: memory only */
    int64_t part_ms, segment_ms, target_s, min_free_bytes; /* of the settings */
    /* The first part is there: the stream can be played now. `run` identifies the broadcast. */
    void (*on_live)(void *ctx);
    /* Recording has stopped, the live stream goes on. `reason` is for people. E_FULL, E_IO. */
    void (*on_disk_failure)(void *ctx, enum err e, const char *reason);
    /* After recording_close(): everything is on disk. The last callback; the recording is freed
     * after it. n bytes 0 and duration 0: there was no media. */
    void (*on_closed)(void *ctx, const struct recording_info *info);
    void *ctx; /* callbacks may be NULL */
};

/* Never fails: an unusable folder is a disk failure, reported by the callback. */
struct recording *recording_open(const struct recording_cfg *cfg);
/* Stops recording with a reason for people, as a full disk does; the live stream goes on. On the
 * channel's home loop, before recording_close(). */
void recording_give_up(struct recording *r, enum err e, const char *reason);
/* Borrowed from the recording: ref it to keep it. Any thread, until on_closed. */
struct record_log *recording_log(const struct recording *r);
/* Ends the log (playlists get their ENDLIST), then writes the end to disk. Also needed after the
 * channel has ended. Once; any thread. */
void recording_close(struct recording *r);

/* For start-up; blocks. Cuts off what a crash left unfinished and marks the recording as ended.
 * A folder that is whole already is left alone. E_NOTFOUND: no index there; E_PROTO: not an index;
 * E_IO. */
enum err recording_recover(const char *dir, struct recording_info *out) WARN_UNUSED;
/* Blocks. The finished recording in `dir`, to be played: one reference, with its data files open.
 * E_NOTFOUND: nothing there, or no media in it. */
enum err recording_load(const char *dir, struct archive **out) WARN_UNUSED;
