/* SPDX-License-Identifier: MIT */
#include "media/codec.h"

static const struct {
    const char *name, *title;
    enum media_kind kind;
} CODECS[CODEC_COUNT] = {
    [CODEC_NONE] = {"none", "none", MEDIA_VIDEO}, [CODEC_H264] = {"h264", "H.264", MEDIA_VIDEO},
    [CODEC_H265] = {"h265", "HEVC", MEDIA_VIDEO}, [CODEC_AV1] = {"av1", "AV1", MEDIA_VIDEO},
    [CODEC_VP8] = {"vp8", "VP8", MEDIA_VIDEO},    [CODEC_VP9] = {"vp9", "VP9", MEDIA_VIDEO},
    [CODEC_AAC] = {"aac", "AAC", MEDIA_AUDIO},    [CODEC_OPUS] = {"opus", "Opus", MEDIA_AUDIO},
    [CODEC_MP3] = {"mp3", "MP3", MEDIA_AUDIO},
};

const char *codec_name(enum codec c)
{
    return CODECS[(unsigned)c < CODEC_COUNT ? c : CODEC_NONE].name;
}

const char *codec_title(enum codec c)
{
    return CODECS[(unsigned)c < CODEC_COUNT ? c : CODEC_NONE].title;
}

enum media_kind codec_kind(enum codec c)
{
    return CODECS[(unsigned)c < CODEC_COUNT ? c : CODEC_NONE].kind;
}
