/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "worker.h"

/* By name: of some codecs Debian has several decoders, also ones that want hardware. */
static const char *decoder_name(enum codec c)
{
    static const char *const NAMES[CODEC_COUNT] = {
        [CODEC_H264] = "h264",    [CODEC_H265] = "hevc",    [CODEC_VP8] = "vp8",
        [CODEC_VP9] = "vp9",      [CODEC_AV1] = "libdav1d", [CODEC_AAC] = "aac",
        [CODEC_OPUS] = "libopus",
    };
    return c < CODEC_COUNT ? NAMES[c] : NULL;
}

/* What libav wants to have before VP8, VP9 and AV1 is nothing; they say all themselves. */
static void set_config(AVCodecContext *c, enum codec codec, struct span config)
{
    if (config.len == 0 || codec == CODEC_VP8 || codec == CODEC_VP9) return;
    c->extradata = av_mallocz(config.len + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!c->extradata) outbox_fail("out of memory");
    memcpy(c->extradata, config.p, config.len);
    c->extradata_size = (int)config.len;
}

AVCodecContext *decoder_open(const struct worker_msg *track)
{
    const enum codec codec = (enum codec)track->codec;
    const char *name = decoder_name(codec);
    const AVCodec *dec = name ? avcodec_find_decoder_by_name(name) : NULL;
    if (!dec) outbox_fail("no decoder for %s", codec_title(codec));
    AVCodecContext *c = avcodec_alloc_context3(dec);
    if (!c) outbox_fail("out of memory");
    c->thread_count = 1; /* no threads in here */
    c->pkt_timebase = c->time_base = (AVRational){1, 1000000};
    c->max_pixels = (int64_t)LIMIT_VIDEO_SIDE * LIMIT_VIDEO_SIDE / 8;
    /* An encoder's delay is in the times already. */
    c->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    if (track->kind == MEDIA_AUDIO) {
        c->sample_rate = (int)track->sample_rate;
        av_channel_layout_default(&c->ch_layout, track->channels ? track->channels : 2);
    }
    set_config(c, codec, track->data);
    if (avcodec_open2(c, dec, NULL) < 0)
        outbox_fail("the decoder does not take this configuration of %s", codec_title(codec));
    return c;
}
