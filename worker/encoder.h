/* SPDX-License-Identifier: MIT */
/* worker/encoder.h - H.264 as every browser takes it by WebRTC: constrained baseline, one picture
 * in, one out, at once (RFC 7742, 6.2: 42e01f must be understood). */
#pragma once
#include "worker.h"

struct encoder_want {
    uint32_t bitrate; /* 0: by the size */
    uint16_t max_height;
    int64_t gop_us; /* 0: key frames only when asked for */
};

/* Encodes and sends; opens the encoder anew when the size is another. */
void encoder_picture(const struct encoder_want *want, AVFrame *f, int64_t at_us, double fps,
                     bool discontinuity);
void encoder_key(void); /* the next picture */

/* For other encoders of H.264 (libx264, global headers). */

/* Tells the track that an opened encoder makes. */
void encoder_tell_track(const AVCodecContext *c, double fps,
                        void (*to)(const struct worker_msg *m));
/* The slices of an access unit with start codes, with lengths; valid until the next call. */
struct span encoder_with_lengths(struct span annexb);
