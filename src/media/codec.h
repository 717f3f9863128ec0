/* SPDX-License-Identifier: MIT */
/* media/codec.h - the codecs we carry, and their names. */
#pragma once
#include "base/span.h"

enum codec {
    CODEC_NONE,
    CODEC_H264, /* frames: AVCC, NAL units with 4-byte lengths; config: avcC record */
    CODEC_H265, /* frames: NAL units with 4-byte lengths; config: hvcC record */
    CODEC_AV1,  /* frames: OBUs with size fields, no temporal delimiter; config: av1C record */
    CODEC_VP8,  /* frames: as they are; config: vpcC body or empty */
    CODEC_VP9,  /* frames: as they are, superframes whole; config: vpcC body */
    CODEC_AAC,  /* frames: one raw_data_block; config: AudioSpecificConfig */
    CODEC_OPUS, /* frames: one packet, 48 kHz; config: OpusHead (RFC 7845, 5.1) */
    CODEC_MP3,  /* recognised, to be refused in words */
    CODEC_COUNT
};

enum media_kind { MEDIA_VIDEO, MEDIA_AUDIO };

const char *codec_name(enum codec c);  /* "h264"; never NULL */
const char *codec_title(enum codec c); /* "H.264", for people; never NULL */
enum media_kind codec_kind(enum codec c);
