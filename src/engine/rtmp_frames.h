/* SPDX-License-Identifier: MIT */
/* engine/rtmp_frames.h - the two translators between RTMP messages and frames. Pure: no I/O, time
 * passed in.
 *
 * To frames: tracks are decided by sequence headers alone; metadata is advice and is not read.
 * Sequence headers may be empty (ignored), repeated (ignored) or new (a new track with the same
 * id). Of several tracks of a kind only number 0 is taken.
 * From frames: a frame becomes one immutable buf of RTMP chunks that is the same for every viewer.
 */
#pragma once
#include "engine/rtmp.h"
#include "media/frame.h"
#include "media/timeline.h"
#include "media/track.h"

/* One source's: one RTMP publisher. Embedded; init/fini. */
struct rtmp_to_frames {
    struct timeline timeline;
    struct rtmp_source {
        struct track *track; /* NULL before the first configuration */
        struct buf *config;  /* the sequence header as it came */
        uint8_t nal_length;  /* H.264, H.265: bytes of a length field, 1..4 */
        bool announced;      /* the track has been handed out */
        uint32_t fourcc;     /* of the sequence header's message */
    } video, audio;
    int64_t broken; /* messages that were left out because they cannot be read */
    char why[96];   /* after an error: a sentence for the encoder's user */
};

/* The stream clock begins at base_us; `continued`: a source came before (media/timeline.h). */
void rtmp_to_frames_init(struct rtmp_to_frames *x, int64_t base_us, bool continued);
void rtmp_to_frames_fini(struct rtmp_to_frames *x);

/* What a message turned out to hold: either may be NULL, both are the caller's. A track comes
 * before the first frame of it. */
struct rtmp_media {
    struct track *track;
    struct frame *frame;
};

/* `ev` is VIDEO or AUDIO. E_UNSUPPORTED, E_PROTO, E_LIMIT: the source cannot be taken, `why` says
 * it in words. A single broken message is no error: it is left out and counted. */
enum err rtmp_to_frames(struct rtmp_to_frames *x, const struct rtmp_event *ev, int64_t wall_us,
                        struct rtmp_media *out) WARN_UNUSED;

/* The timestamp of a frame on the wire, the same for all viewers; wraps. */
uint32_t rtmp_frame_ts(const struct frame *f);
/* One reference, the caller's. */
struct buf *rtmp_from_frame(const struct frame *f);
/* onMetaData and the sequence headers of the first video and the first audio track. */
struct buf *rtmp_from_tracks(struct track *const *tracks, unsigned n, uint32_t ts_ms);
