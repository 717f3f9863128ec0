/* SPDX-License-Identifier: MIT */
/* product/advice.h - what is wrong with what an encoder sends, in words that name the encoder's
 * own setting. A table of rules over the numbers; pure, any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What comes in now. 0 or "" where it is not known. */
struct ingest_state {
    bool connected;
    bool away; /* live, and the encoder is within its reconnect window */
    bool has_video, has_audio;
    char video_codec[16], audio_codec[16]; /* "h264" */
    unsigned width, height;
    double fps;
    double key_interval_s;
    bool b_frames;
    int64_t video_bps, audio_bps;
    unsigned sample_rate, channels;
    double silent_s; /* since the last frame */
};

struct advice {
    const char *level; /* "info", "warning", "error" */
    const char *code;
    char text[320];
};

#define ADVICE_MAX 12
/* Most serious first. Nothing to say: one "ok" row. */
size_t advice_give(const struct ingest_state *in, struct advice out[ADVICE_MAX]);
