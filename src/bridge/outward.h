/* SPDX-License-Identifier: MIT */
/* bridge/outward.h - from a channel's frames to its packets, so that what comes by RTMP is watched
 * by WebRTC.
 *
 * Made when the first viewer asks, one a channel, on the channel's home loop; frames are
 * packetised once for all viewers, beginning with those since the last key frame. It ends by itself
 * OUTWARD_LINGER_US after the last viewer has gone, or with the channel. While the publisher has
 * packets of its own (WHIP) it keeps still, and takes over when a publisher of frames follows.
 * Presentation times become timestamps; both tracks are on one line of wall-clock time, which
 * sender reports tell, and a publisher that was away for a while comes back that much later on it.
 * A stream that starts to send B-frames is taken off the lane when nobody can transcode it. */
#pragma once
#include "base/err.h"
#include "hub/hub.h"

#define OUTWARD_LINGER_US   INT64_C(20000000) /* longer than a viewer's handshake may take */
#define OUTWARD_PATIENCE_MS 5000              /* of a viewer that asks while it is not yet known */

/* E_OK: lane_describe() has what comes, or had a moment ago. E_CLOSED: nothing comes now.
 * E_UNSUPPORTED: something comes, but not by WebRTC; `message` says why, for people. Valid during
 * the call. */
typedef void outward_answer(void *ctx, enum err e, const char *message);

/* On any loop; answered there, later, exactly once. */
void outward_ask(struct channel *c, outward_answer *answer, void *ctx);
/* The same for who does not wait: the channel has viewers, so there is to be a bridge. */
void outward_watch(struct channel *c);

enum outward_state {
    OUTWARD_IDLE,    /* nobody watches by WebRTC, or the publisher has packets itself */
    OUTWARD_THROUGH, /* pictures go through as they are */
    OUTWARD_WORKING, /* pictures go through a transcoder */
    OUTWARD_REFUSED, /* viewers are sent to HLS: no transcoder is free, or there is no way */
};
/* For the health page. `message` gets what viewers are told when refused. Any thread. */
enum outward_state outward_state(const struct channel *c, char *message, size_t cap);
