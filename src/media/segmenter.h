/* SPDX-License-Identifier: MIT */
/* media/segmenter.h - where segments and parts end. Decisions only: no bytes, no frames.
 *
 * One video and one audio lane, or one of them. Times are microseconds on one clock, decoding
 * order, in presentation terms (video: decoding time plus the period's shift; see
 * engine/packager.h). The owner asks before it places a frame what is to be closed before it.
 *
 * - A segment ends at the first key frame at or after `segment_us` (SEGMENTER_EARLY_US of grace,
 *   for timestamps that jitter around a key-frame interval of exactly that).
 * - Without key frame it ends where it would otherwise get longer than `longest_us`, and then the
 *   one after it ends at the very next key frame, so that segments begin with one again.
 *   TARGETDURATION counts rounded to the nearest second (RFC 8216bis, 4.4.4.1), so longest_us is
 *   half a second above it: a GOP of 8.33 s (OBS's default) stays whole under a target of 10 s.
 * - A part ends before it gets longer than the part target. The next frame is expected to last as
 *   long as the longest of the last ones, without outliers: timestamps in milliseconds make
 *   33, 33, 34.
 * - Audio is cut at the frame boundary nearest to the video's cut; alone, nearest to `segment_us`.
 *
 * Parts must last at least 85 % of the target (RFC 8216bis, 4.4.4.9), and that is a matter of
 * frame durations: 11 frames a second cannot fill 334 ms. So the target is settled when the first
 * part ends: the configured one where it works (it does for 334 ms and all usual rates), otherwise
 * a whole number of frames near it.
 *
 * Embedded by value, nothing allocated, no threads. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SEGMENTER_EARLY_US         (50 * 1000)
#define SEGMENTER_PART_MIN_PERCENT 85 /* of the part target, as RFC 8216bis, 4.4.4.9 wants */
#define SEGMENTER_STEPS            32 /* frame durations looked back at */
#define SEGMENTER_CUTS             64 /* cuts of video that audio has not reached */

enum seg_cut {
    SEG_NONE,
    SEG_PART,    /* close the part, not the segment */
    SEG_SEGMENT, /* close both */
    SEG_BREAK,   /* video: a gap longer than a segment may be: close, and begin a new period */
};

struct segmenter_config {
    int64_t part_us, segment_us, longest_us;
};

struct segmenter_lane {
    bool used, open;
    bool independent;                     /* the segment begins with a key frame */
    int64_t segment_us, part_us, last_us; /* starts of segment, part and newest frame */
};

struct segmenter {
    struct segmenter_config config;
    int64_t target_us; /* of parts */
    bool settled;
    struct segmenter_lane video, audio;
    int64_t audio_us;               /* duration of an audio frame */
    int64_t steps[SEGMENTER_STEPS]; /* of video */
    unsigned n_steps;
    int64_t cuts[SEGMENTER_CUTS]; /* oldest first */
    unsigned n_cuts;
    int64_t cut_us; /* SEG_SEGMENT from segmenter_audio(): where video was cut */
};

void segmenter_init(struct segmenter *s, const struct segmenter_config *c);
/* A new period. audio_us: how long an audio frame lasts, 0: there is no audio. */
void segmenter_start(struct segmenter *s, bool has_video, int64_t audio_us);

/* The next video frame. Ask once a frame. */
enum seg_cut segmenter_video(struct segmenter *s, int64_t t_us, bool key);
/* The owner closed a part of its own accord: the one that is open began at t_us. */
void segmenter_part_began(struct segmenter_lane *l, int64_t t_us);
/* How long a video frame may be expected to last. */
int64_t segmenter_step_us(const struct segmenter *s);

/* Whether it can be known to which segment the audio frame belongs. */
bool segmenter_audio_ready(const struct segmenter *s, int64_t t_us, int64_t duration_us);
/* The next audio frame. After SEG_SEGMENT ask again for the same frame: there may be more. */
enum seg_cut segmenter_audio(struct segmenter *s, int64_t t_us, int64_t duration_us);
/* Takes a cut that audio has not reached, at the end of a period; false: none. */
bool segmenter_take_cut(struct segmenter *s, int64_t *t_us);
/* Audio alone: a gap before t_us makes its segment longer than allowed. */
bool segmenter_audio_gap(const struct segmenter *s, int64_t t_us);
/* Video's segment, going on to t_us, would be longer than allowed. */
bool segmenter_video_stalled(const struct segmenter *s, int64_t t_us);
