/* SPDX-License-Identifier: MIT */
/* bridge/transcoder.h - frames of one codec in, frames of another out: a bspnode-worker process of
 * its own behind a socket pair, so that no codec ever runs on hostile bytes in the server.
 *
 * Owned by one loop: all calls and callbacks are made there, callbacks never from within a call. A
 * worker that dies is replaced and goes on where the last one was, by the pictures since the last
 * key frame, which are kept by reference; the first frame afterwards is a key frame with
 * `discontinuity` set. Frames keep their pts (audio: the stream clock, cut into the
 * other codec's frames); order within a track is kept, pictures never come out reordered
 * (pts == dts). Limits: LIMIT_WORKERS processes; of those with a video track at most the number set
 * by transcoder_set_slots(). What the worker has not taken after LIMIT_WORKER_QUEUE bytes is
 * dropped up to the next key frame. Pictures that it has fallen behind with by half a second are
 * decoded and not encoded: a whole GOP may be fed at once to begin in the middle of a stream, and
 * what comes out begins near its end. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "io/loop.h"
#include "media/frame.h"
#include "media/track.h"

struct transcoder;

struct transcoder_spec {
    struct track *from[2]; /* by enum media_kind; NULL: there is none. References are taken. */
    enum codec to[2]; /* CODEC_NONE: that kind is not wanted. H264 (video), OPUS or AAC (audio) */
    uint32_t bitrate[2]; /* bits a second; 0: by the size of the picture, or 128000 */
    uint16_t max_height; /* video, of the output; 0: as it is */
    uint16_t gop_ms;     /* video: a key frame at least this often; 0: only when asked for */
};

struct transcoder_ops {
    /* The configuration of an output track, before its first frame and when it changes; borrowed.
     * Same id as the input track. */
    void (*on_track)(void *ctx, struct track *t);
    void (*on_frame)(void *ctx, struct frame *f); /* takes over the reference */
    /* Pictures are lost until the input has a key frame: ask the source for one if it can make
     * them. May be NULL. */
    void (*on_want_key)(void *ctx);
    /* It cannot go on (codec not supported, dies again and again): no more callbacks but this; call
     * transcoder_close(). `reason` is for people. */
    void (*on_failed)(void *ctx, enum err why, const char *reason);
};

/* E_LIMIT: no slot or too many workers; E_UNSUPPORTED: no way from that codec to that one;
 * E_NOTFOUND: the program is not there; otherwise what the system said when it was started. */
enum err transcoder_open(struct loop *l, const struct transcoder_spec *spec,
                         const struct transcoder_ops *ops, void *ctx,
                         struct transcoder **out) WARN_UNUSED;
/* Another configuration of an input track, before its first frame. */
void transcoder_track(struct transcoder *t, struct track *track);
void transcoder_frame(struct transcoder *t, const struct frame *f); /* its own reference */
void transcoder_want_key(struct transcoder *t);                     /* the next picture out */
void transcoder_close(struct transcoder *t); /* no callback afterwards; may be called from one */

/* Video transcodes at a time, of the whole process; before the loops run. 0: none. */
void transcoder_set_slots(unsigned n);
/* Slots that are not taken now. Any thread. */
unsigned transcoder_slots_free(void);
/* The program to run; before the loops run. Copied. Empty: bspnode-worker beside our own. */
void transcoder_set_program(const char *path);
/* Where the program is looked for, and whether it can be run. Any thread. */
enum err transcoder_program(char *out, size_t cap) WARN_UNUSED;
