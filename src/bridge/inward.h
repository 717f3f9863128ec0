/* SPDX-License-Identifier: MIT */
/* bridge/inward.h - a browser's tracks on their way into the frames lane: what players of segments
 * do not take is transcoded on the way. Opus becomes AAC, VP8 becomes H.264 when a slot is free;
 * everything else passes untouched, at once. The sound comes some frames later than the picture.
 *
 * Calls have the shapes of publisher_tracks() and publisher_frame(). One for one publisher, on its
 * loop; close it before the publisher. When sound cannot be transcoded it goes through as Opus;
 * when pictures cannot, they are left out, with a line in the log. */
#pragma once
#include "hub/hub.h"

struct inward;

struct inward_config {
    struct publisher *publisher;
    const char *channel; /* for the log; borrowed */
    uint16_t gop_ms;     /* of pictures that are transcoded */
    void (*on_want_key)(void *ctx, uint8_t layer);
    void *ctx;
};

struct inward *inward_new(const struct inward_config *cfg);
void inward_close(struct inward *in); /* NULL is fine */
/* Whether pictures of that codec come out now: VP8 needs the worker and a free slot. */
bool inward_carries(enum codec c);
/* The complete set: once before the first frame and whenever a track changes. */
void inward_tracks(struct inward *in, struct track *const *tracks, unsigned n);
void inward_frame(struct inward *in, struct frame *f); /* takes over the reference */
