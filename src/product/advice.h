/* SPDX-License-Identifier: MIT */
/* product/advice.h - what is wrong with what an encoder sends, and which of its own settings mends
 * it. A table of rules, each a pure function over the numbers. Any thread. */
#pragma once
#include "product/encoder.h"
#include <stddef.h>
#include <stdint.h>

/* What comes in now. 0 or "" where it is not known, unless it says otherwise. */
struct ingest_state {
    bool connected;
    bool away; /* live, and the encoder is within its reconnect window */
    bool webrtc;
    enum encoder_kind encoder;
    unsigned connects; /* in the last ten minutes */
    double connected_s;
    double silent_s; /* since the last frame */
    /* video */
    bool has_video;
    char video_codec[16]; /* "h264" */
    unsigned width, height;
    double fps, best_fps;
    double key_interval_s, key_longest_s, key_shortest_s;
    double since_key_s;
    bool b_frames, frames_vary;
    int64_t video_bps;
    bool segments; /* of the picture segments and recordings are made */
    bool no_slot;  /* a transcoder is needed and none was free */
    unsigned viewers;
    /* audio */
    bool has_audio;
    char audio_codec[16];
    unsigned sample_rate, channels;
    int64_t audio_bps;
    bool level_known;
    double level_db, peak_db; /* relative to full scale, of the last seconds */
    double quiet_s;           /* how long there has been nothing to hear */
    /* on the way */
    double speed; /* media seconds a second */
    double behind_s;
    double frame_jitter_ms;
    bool network_known;
    double jitter_ms, loss, rtt_ms; /* loss: 0 to 1 */
    bool offset_known;
    double offset_ms; /* positive: the sound is ahead */
    bool gap_known;
    double start_gap_ms; /* positive: the sound began later */
    unsigned jumps;
};

struct advice {
    const char *level; /* "info", "warning", "error", "ok" */
    const char *code;
    char text[280];      /* what is the matter */
    const char *setting; /* the encoder's own setting, by its name; "" */
};

#define ADVICE_MAX 16
/* Most serious first. Nothing to say: one "ok" row. */
size_t advice_give(const struct ingest_state *in, struct advice out[ADVICE_MAX]);
