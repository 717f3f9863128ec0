/* SPDX-License-Identifier: MIT */
/* worker/deinterlace.h - two fields of one frame, taken at different times, become one picture.
 *
 * The lines of the first field stay. Those of the second are made for the first one's time: where
 * nothing moves they stay too, where something does they come from their neighbours, along the edge
 * that fits best. One picture for each frame: the number of pictures stays. */
#pragma once
#include <libavutil/frame.h>
#include <stdbool.h>

struct deinterlacer {
    AVFrame *before; /* as it came */
    AVFrame *out;
};

/* 8 bits, planar, not subsampled more than 4:2:0. */
bool deinterlace_takes(enum AVPixelFormat f);
/* The result belongs to the deinterlacer, until the next call; NULL: no memory. */
AVFrame *deinterlace(struct deinterlacer *d, AVFrame *f);
