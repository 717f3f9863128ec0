/* SPDX-License-Identifier: MIT */
/* bridge/outward_plan.h - how a track gets to WebRTC viewers: as it is, or through a transcoder.
 *
 * Browsers show H.264 in the order in which it comes: a picture with B-frames shakes, or stands
 * still. bitstream_restriction in the SPS (H.264, E.2.1), which x264 (and so OBS) writes, says
 * surely when there are none. When it allows some, there are some if a picture is shown later than
 * it is decoded: an encoder that makes B-frames must hold back all others. An encoder that leaves
 * it out is watched until its pictures step back in time, or have not for long enough. Pure. */
#pragma once
#include "media/track.h"

enum outward_way {
    OUTWARD_LEFT_OUT,   /* no such track, or no way for it */
    OUTWARD_AS_IT_IS,   /* packetised */
    OUTWARD_UNSURE,     /* as it is, if no pictures come out of order */
    OUTWARD_LIKELY,     /* as it is, if all pictures are shown when they are decoded */
    OUTWARD_TRANSCODED, /* B-frames, HEVC, a pixel format that browsers lack; AAC */
};

/* NULL: there is none. */
enum outward_way outward_way_of(const struct track *t);
