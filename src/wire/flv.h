/* SPDX-License-Identifier: MIT */
/* wire/flv.h - the bodies of RTMP audio and video messages: FLV tag headers (Adobe FLV 10.1, annex
 * E.4) and Enhanced RTMP v2 (veovera, 2026-01-31). Pure functions; results are views.
 *
 * Legacy codec numbers become the FourCC that Enhanced RTMP has for them, so a reader decides once.
 */
#pragma once
#include "base/err.h"
#include "base/wr.h"

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

enum flv_fourcc {
    FLV_NONE = 0, /* a codec that has none: see `legacy` */
    FLV_AVC1 = FOURCC('a', 'v', 'c', '1'),
    FLV_HVC1 = FOURCC('h', 'v', 'c', '1'),
    FLV_VVC1 = FOURCC('v', 'v', 'c', '1'),
    FLV_AV01 = FOURCC('a', 'v', '0', '1'),
    FLV_VP08 = FOURCC('v', 'p', '0', '8'),
    FLV_VP09 = FOURCC('v', 'p', '0', '9'),
    FLV_MP4A = FOURCC('m', 'p', '4', 'a'),
    FLV_OPUS = FOURCC('O', 'p', 'u', 's'),
    FLV_MP3 = FOURCC('.', 'm', 'p', '3'),
    FLV_FLAC = FOURCC('f', 'L', 'a', 'C'),
    FLV_AC3 = FOURCC('a', 'c', '-', '3'),
    FLV_EAC3 = FOURCC('e', 'c', '-', '3'),
};

enum flv_packet {
    FLV_SEQ_START,    /* body: the codec configuration; may be empty with bad senders */
    FLV_FRAMES,       /* body: one access unit */
    FLV_SEQ_END,      /* no body */
    FLV_METADATA,     /* video: body in AMF0, colour information */
    FLV_TS_SEQ_START, /* video: AV1 configuration as an MPEG-2 TS descriptor */
    FLV_MULTICHANNEL, /* audio: channel layout */
    FLV_COMMAND,      /* video: seek marks of old players; no media */
    FLV_OTHER,        /* reserved packet types: to be ignored */
};

struct flv_tag {
    enum flv_packet packet;
    uint32_t fourcc; /* enum flv_fourcc, or one that is not in it */
    uint8_t legacy;  /* legacy CodecID or SoundFormat; 0xff when enhanced */
    bool key;        /* video: a key frame */
    uint8_t track;   /* of a multitrack message; 0 otherwise */
    int32_t cts_ms;  /* video: pts - dts */
    uint32_t nano;   /* ModEx TimestampOffsetNano, 0..999999, to add to the presentation time */
    struct span body;
};
#define FLV_ENHANCED 0xff

/* E_MORE: ends inside a header. E_PROTO: lengths of tracks that do not fit. Of a message with
 * several tracks the one with id 0 is returned, else the first. */
enum err flv_video_parse(struct span in, struct flv_tag *out) WARN_UNUSED;
enum err flv_audio_parse(struct span in, struct flv_tag *out) WARN_UNUSED;

/* For refusals in words: "Sorenson H.263", "Nellymoser"; a FourCC's name, else "unknown". */
const char *flv_video_name(const struct flv_tag *t);
const char *flv_audio_name(const struct flv_tag *t);

/* Longest header these write. */
#define FLV_HDR_MAX 8
/* The header before a body: legacy form for AVC and AAC, enhanced for the rest. `packet` is
 * FLV_SEQ_START, FLV_FRAMES or FLV_SEQ_END. */
void flv_video_write(struct wr *w, uint32_t fourcc, enum flv_packet packet, bool key,
                     int32_t cts_ms);
void flv_audio_write(struct wr *w, uint32_t fourcc, enum flv_packet packet);
