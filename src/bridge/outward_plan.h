/* SPDX-License-Identifier: MIT */
/* bridge/outward_plan.h - how a track gets to WebRTC viewers: as it is, or through a transcoder.
 *
 * Browsers show H.264 in the order in which it comes: a picture with B-frames shakes, or stands
 * still. Whether there are any is surely told by bitstream_restriction in the SPS (H.264, E.2.1),
 * which x264 (and so OBS) writes; an encoder that leaves it out is watched until its pictures
 * step back in time, or have not for long enough. Pure. */
#pragma once
#include "media/track.h"

enum outward_way {
    OUTWARD_LEFT_OUT,   /* no such track, or no way for it */
    OUTWARD_AS_IT_IS,   /* packetised */
    OUTWARD_UNSURE,     /* as it is, if no pictures come out of order */
    OUTWARD_TRANSCODED, /* B-frames, HEVC, a pixel format that browsers lack; AAC */
};

/* NULL: there is none. */
enum outward_way outward_way_of(const struct track *t);
