/* SPDX-License-Identifier: MIT */
/* engine/packager.h - frames in, CMAF initialisation segments and parts out.
 *
 * A pull engine without I/O: the owner feeds tracks and frames, then takes events until there is
 * none. One packager for one stream, for its whole life, source after source; it is the only
 * writer of segments, and the recording, the live playlists and the clips are its readers.
 *
 * Renditions are fMP4 file series with one track each: "v0" and, of an encoder that sends several
 * sizes of one picture, "v1" to "v3" (numbered by when their track ids came), and "a0". They are
 * cut together: all have the same media sequence numbers (MSN, from 0), the same discontinuities;
 * the start times of a segment are the same in all of the picture, and half an audio frame apart at
 * most in the sound. Rules of cutting: media/segmenter.h; a segment ends where every rendition of
 * the picture has a key frame. docs/adr says why.
 *
 * A rendition of the picture that sends nothing is waited for PACKAGER_PICTURE_HOLD_US, once. Then
 * the others go on; its segments are gaps from the next cut on, until it has a key frame where the
 * others are cut. Neither is a discontinuity.
 *
 * Periods. What can be decoded with one set of initialisation segments is a period. A new one
 * begins, with a DISCONTINUITY event, when a track changes, appears or is lost, when the source's
 * time jumped (taken at the next key frame), and after packager_break(). Within a period tfdt is
 * continuous and agrees with the durations; across periods it only never runs backwards.
 *
 * Order of events: [DISCONTINUITY] INIT... then PARTs and SEGMENT_ENDs; those of the
 * renditions interleave. Every part is followed by others of its rendition or by its SEGMENT_END.
 * A rendition that has been there once gets a SEGMENT_END for every MSN: with `gap` set and no
 * part when it has no media then (EXT-X-GAP). One that appears late begins at the MSN of that
 * moment. A gap at the very end of a stream should be dropped by the consumer.
 *
 * Presentation. tfdt is decoding time, composition offsets are presentation minus decoding time as
 * the source says, so every sample is shown at its time on the stream clock and picture and sound
 * stay together in every player. With B-frames a video segment is shown from a little after its
 * tfdt on, by the same amount everywhere; `start_us` is that presentation time, and audio is cut
 * there. No edit list: it would move one rendition against the other. No negative offsets: libav
 * takes them for a missing edit list, and moves the picture. Audio tfdt counts samples; it follows
 * the source's timestamps only when they have drifted away by more than PACKAGER_AUDIO_DRIFT_US.
 *
 * A hole in a source's audio is bridged by a long sample, one in video by a long picture, up to
 * what a segment may last; longer, it begins a new period. Parts of video stay within the part
 * target all the same: pictures behind a hole are decoded earlier than they are shown (their tfdt
 * runs ahead, by two seconds at most), so that each part has one.
 *
 * Lifetime: packager_new() .. packager_free(); a frame is referenced until its part is built, and
 * copied once, into it. Threads: none, one owner. Memory: at most PACKAGER_HOLD_BYTES of frames
 * not yet placed, and one part of each rendition. */
#pragma once
#include "base/err.h"
#include "media/frame.h"
#include "media/track.h"

/* Start of a period: with both kinds there, at once; otherwise wait, in wall clock, since the
 * first frame: so long, or so long when metadata or a configuration announced the missing kind. */
#define PACKAGER_WAIT_US           (1000 * 1000)
#define PACKAGER_WAIT_ANNOUNCED_US (5000 * 1000)
/* Audio waits for video to pass it, so that it can be cut where video is; so long in wall clock. */
#define PACKAGER_AUDIO_HOLD_US (500 * 1000)
/* Audio that is this late behind video at a cut, and sends nothing, is lost. */
#define PACKAGER_AUDIO_LOST_US (3000 * 1000)
/* Half of what a viewer notices between lips and sound (EBU R 37 allows 60 ms late). */
#define PACKAGER_AUDIO_DRIFT_US (60 * 1000)
/* A rendition of the picture that sends nothing is waited for so long, in wall clock. */
#define PACKAGER_PICTURE_HOLD_US (500 * 1000)
/* Renditions of the picture are cut together when their key frames are this close. */
#define PACKAGER_KEY_SLACK_US (100 * 1000)
#define PACKAGER_HOLD_BYTES   (24u << 20)

struct packager_config {
    uint32_t part_ms;    /* settings: hls-part-ms */
    uint32_t segment_ms; /* hls-segment-ms */
    uint32_t target_s;   /* hls-target-duration: no segment rounds to more */
};

enum packager_event_kind {
    PACKAGER_INIT,        /* rendition, init_id, buf, track */
    PACKAGER_PART,        /* all but track and gap */
    PACKAGER_SEGMENT_END, /* rendition, init_id, msn, parts, start, duration, wall, independent, gap
                           */
    PACKAGER_DISCONTINUITY, /* msn: the first one after it, in every rendition */
};

struct packager_event {
    enum packager_event_kind kind;
    char rendition;            /* 'v' or 'a' */
    uint8_t number;            /* of that kind, from 0: "v1" */
    bool independent;          /* begins with a key frame; always for audio */
    bool last;                 /* PART: of its segment */
    bool gap;                  /* SEGMENT_END: nothing in it */
    uint32_t init_id;          /* from 1, counted for each rendition; the one that decodes this */
    uint64_t msn;              /* media sequence number */
    uint32_t part;             /* PART: index in its segment; SEGMENT_END: how many there were */
    struct buf *buf;           /* INIT: ftyp and moov. PART: moof and mdat */
    const struct track *track; /* INIT */
    uint32_t timescale;        /* of the rendition */
    uint64_t tfdt, duration;   /* of the part or segment, in timescale units */
    int64_t start_us;          /* when its first sample is shown, on the stream clock */
    int64_t duration_us;
    int64_t wall_us; /* program date time of `start`: UTC, linear within a period */
};

struct packager;

struct packager *packager_new(const struct packager_config *c);
void packager_free(struct packager *p); /* NULL is fine */

/* `now_us` is monotonic time, never less than in the call before. */

/* Metadata says that there will be such a track: wait longer for it. */
void packager_expect(struct packager *p, enum media_kind kind);
/* The configuration of frames that follow; keeps a reference. The same again is nothing.
 * E_UNSUPPORTED: not a codec for fMP4 (VP8, MP3): its frames are ignored. E_LIMIT: as many
 * renditions as there can be. */
enum err packager_track(struct packager *p, struct track *t, int64_t now_us) WARN_UNUSED;
/* Nothing comes of this track now; it need not be waited for. packager_track() brings it back. */
void packager_untrack(struct packager *p, enum media_kind kind, uint8_t id, int64_t now_us);
/* Keeps a reference. Frames of a kind without a track are ignored. */
void packager_frame(struct packager *p, struct frame *f, int64_t now_us);
/* The source is gone or replaced: everything so far comes out, tracks are forgotten, and the next
 * frame begins a new period after an analysis window. Nothing when there was no frame since. */
void packager_break(struct packager *p, int64_t now_us);
/* The stream is over: everything comes out. Feed nothing afterwards. */
void packager_end(struct packager *p, int64_t now_us);

/* When packager_tick() should be called though nothing came in; INT64_MAX: never. */
int64_t packager_deadline_us(const struct packager *p);
void packager_tick(struct packager *p, int64_t now_us);

/* The next event, and true; the caller owns its buf and track: packager_event_fini(). */
bool packager_next(struct packager *p, struct packager_event *out);
void packager_event_fini(struct packager_event *ev);

/* PART-TARGET: no part is longer (unless one frame is), and parts are at least 85 % of it where
 * the specification wants that. Settled by the frame rate when the first part ends, constant
 * afterwards; before that, the configured one. */
int64_t packager_part_target_us(const struct packager *p);
