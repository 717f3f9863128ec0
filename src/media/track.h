/* SPDX-License-Identifier: MIT */
/* media/track.h - one elementary stream in one configuration; immutable, shared.
 *
 * A new configuration (a new SPS, another size) is a new track with the same id.
 * Lifetime: track_new() returns the only reference; fill it, then share it. Threads: any. */
#pragma once
#include "base/buf.h"
#include "media/codec.h"

#define TRACK_CODECS_CAP 64

/* Ids are small and stable within a channel. */
#define TRACK_ID_VIDEO 0
#define TRACK_ID_AUDIO 1

struct track {
    _Atomic uint32_t refs;
    uint8_t id;
    enum media_kind kind;
    enum codec codec;
    struct buf *config; /* see enum codec; owned, NULL when the codec has none */
    uint32_t timescale; /* of the fMP4 track: 90000 for video, the sample rate for audio */
    char codecs[TRACK_CODECS_CAP]; /* RFC 6381: "avc1.64001f", "mp4a.40.2"; exact */
    uint16_t width, height;        /* video: of the picture, after cropping */
    uint32_t fps_milli;            /* video: frames a second * 1000 when the codec says, else 0 */
    bool may_reorder;              /* video: B-frames are possible (pts may differ from dts) */
    uint32_t sample_rate;          /* audio: of the output, Hz */
    uint8_t channels;              /* audio */
    uint16_t samples_per_frame;    /* audio: 1024 or 960 for AAC-LC; 0 when it varies (Opus) */
};

struct track *track_new(uint8_t id, enum codec codec);
struct track *track_ref(struct track *t); /* returns t; NULL is fine */
void track_unref(struct track *t);        /* NULL is fine */
/* A copy with one reference, to be changed before it is shared. */
struct track *track_copy(const struct track *t);
/* Same codec and same configuration bytes: nothing to announce. */
bool track_same(const struct track *a, const struct track *b);
