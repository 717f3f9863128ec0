/* SPDX-License-Identifier: MIT */
/* Sound: one line of samples at 48 kHz, stereo, cut into the other codec's frames.
 *
 * The line's place in time is counted in samples and follows the input's times only when it must:
 * what is missing is filled with silence, what comes twice is left out, and a slow drift is taken
 * up by stretching by a thousandth, which nobody hears. */
#include "base/limits.h"
#include "wire/aac.h"
#include "wire/opus.h"
#include "worker.h"
#include <libavutil/audio_fifo.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#define RATE         48000
#define CHANNELS     2
#define MS           48          /* samples */
#define JUMP         (11 * RATE) /* more is not filled: the line begins again */
#define DRIFT_BEGIN  (5 * MS)    /* a source's times are rounded to 1 ms */
#define DRIFT_END    (1 * MS)
#define DRIFT_SMOOTH 64 /* frames */
/* RTP counts samples; RTMP's encoders shuffle their milliseconds, and lose nothing. */
#define GAP_RTP   (15 * MS)
#define GAP_OTHER (60 * MS)

static struct {
    enum codec to, from;
    uint32_t bitrate;
    AVCodecContext *dec, *enc;
    SwrContext *swr;
    AVAudioFifo *fifo;
    AVFrame *got, *cut;
    AVPacket *in, *out;
    int rate, format; /* of what swr takes */
    AVChannelLayout layout;
    bool begun, discontinuity;
    bool anew;           /* the source changed: the line shall begin again */
    int64_t start, next; /* samples: the line's first, and the first in the fifo */
    int64_t leave_out;   /* samples of the next frame: they have been there */
    double drift;        /* samples, smoothed */
    bool stretching;
    bool told;
} a;

static void need(const void *p)
{
    if (!p) outbox_fail("out of memory");
}

/* --- the encoder -------------------------------------------------------------------------------
 */

static void open_encoder(void)
{
    const bool opus = a.to == CODEC_OPUS;
    const AVCodec *e = avcodec_find_encoder_by_name(opus ? "libopus" : "aac");
    if (!e) outbox_fail("no encoder for %s", codec_title(a.to));
    avcodec_free_context(&a.enc);
    need(a.enc = avcodec_alloc_context3(e));
    a.enc->thread_count = 1;
    a.enc->sample_rate = RATE;
    a.enc->time_base = (AVRational){1, RATE};
    a.enc->sample_fmt = opus ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
    a.enc->bit_rate = a.bitrate;
    av_channel_layout_default(&a.enc->ch_layout, CHANNELS);
    if (opus) av_opt_set(a.enc->priv_data, "frame_duration", "20", 0);
    if (avcodec_open2(a.enc, e, NULL) < 0) outbox_fail("the encoder does not start");
    if (!a.fifo) need(a.fifo = av_audio_fifo_alloc(a.enc->sample_fmt, CHANNELS, RATE));
    av_audio_fifo_reset(a.fifo);
}

static void tell_track(void)
{
    uint8_t config[64];
    struct wr w = wr_to(config, sizeof config);
    if (a.told) return;
    a.told = true;
    if (a.to == CODEC_OPUS)
        opus_head_build(&(struct opus_head){.channels = CHANNELS,
                                            .pre_skip = (uint16_t)a.enc->initial_padding,
                                            .input_rate = RATE},
                        &w);
    else
        (void)aac_config_build(RATE, CHANNELS, &w);
    outbox_send(&(struct worker_msg){.type = WORKER_TRACK,
                                     .kind = MEDIA_AUDIO,
                                     .codec = (uint8_t)a.to,
                                     .sample_rate = RATE,
                                     .channels = CHANNELS,
                                     .data = wr_span(&w)});
}

/* What an encoder makes before the line's first sample is its own warming up. */
static void send_packets(void)
{
    while (avcodec_receive_packet(a.enc, a.out) == 0) {
        if (a.out->pts >= a.start && a.out->size > 0) {
            const int64_t us = av_rescale(a.out->pts, 1000000, RATE);
            tell_track();
            outbox_send(&(struct worker_msg){.type = WORKER_FRAME,
                                             .kind = MEDIA_AUDIO,
                                             .key = true,
                                             .discontinuity = a.discontinuity,
                                             .dts_us = us,
                                             .pts_us = us,
                                             .data = span_of(a.out->data, (size_t)a.out->size)});
            a.discontinuity = false;
        }
        av_packet_unref(a.out);
    }
}

static void encode_whole_frames(void)
{
    const int n = a.enc->frame_size;
    while (av_audio_fifo_size(a.fifo) >= n) {
        a.cut->nb_samples = n;
        a.cut->format = a.enc->sample_fmt;
        a.cut->sample_rate = RATE;
        av_channel_layout_copy(&a.cut->ch_layout, &a.enc->ch_layout);
        if (av_frame_get_buffer(a.cut, 0) < 0) outbox_fail("out of memory");
        av_audio_fifo_read(a.fifo, (void **)a.cut->data, n);
        a.cut->pts = a.next;
        a.next += n;
        const int e = avcodec_send_frame(a.enc, a.cut);
        av_frame_unref(a.cut);
        if (e < 0) outbox_fail("the encoder does not take sound");
        send_packets();
    }
}

/* --- the line ----------------------------------------------------------------------------------
 */

static void append(const uint8_t **in, int n_in, int room)
{
    uint8_t *data[AV_NUM_DATA_POINTERS] = {0};
    if (av_samples_alloc(data, NULL, CHANNELS, room, a.enc->sample_fmt, 0) < 0)
        outbox_fail("out of memory");
    const int n = swr_convert(a.swr, data, room, in, n_in);
    const int skip = a.leave_out < n ? (int)a.leave_out : n;
    a.leave_out = 0;
    if (n > skip) {
        uint8_t *from[AV_NUM_DATA_POINTERS] = {0};
        const int planes = av_sample_fmt_is_planar(a.enc->sample_fmt) ? CHANNELS : 1;
        const int size = av_get_bytes_per_sample(a.enc->sample_fmt) * (planes == 1 ? CHANNELS : 1);
        for (int i = 0; i < planes; i++) from[i] = data[i] + (size_t)skip * (size_t)size;
        if (av_audio_fifo_write(a.fifo, (void **)from, n - skip) < n - skip)
            outbox_fail("out of memory");
    }
    av_freep(&data[0]);
}

static void silence(int64_t n)
{
    uint8_t *data[AV_NUM_DATA_POINTERS] = {0};
    if (av_samples_alloc(data, NULL, CHANNELS, RATE, a.enc->sample_fmt, 0) < 0)
        outbox_fail("out of memory");
    av_samples_set_silence(data, 0, RATE, CHANNELS, a.enc->sample_fmt);
    while (n > 0) {
        const int k = n < RATE ? (int)n : RATE;
        av_audio_fifo_write(a.fifo, (void **)data, k);
        encode_whole_frames();
        n -= k;
    }
    av_freep(&data[0]);
}

static void open_resampler(AVFrame *f)
{
    swr_free(&a.swr);
    if (swr_alloc_set_opts2(&a.swr, &a.enc->ch_layout, a.enc->sample_fmt, RATE, &f->ch_layout,
                            (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL) < 0)
        outbox_fail("out of memory");
    av_opt_set_int(a.swr, "flags", SWR_FLAG_RESAMPLE, 0); /* so that it can stretch */
    if (swr_init(a.swr) < 0) outbox_fail("no way from these channels to stereo");
    a.rate = f->sample_rate;
    a.format = f->format;
    av_channel_layout_copy(&a.layout, &f->ch_layout);
    a.stretching = false;
}

/* What the resampler still holds, at the end of what it was fed. */
static void drain_resampler(void)
{
    if (!a.swr) return;
    append(NULL, 0, 4096);
    swr_free(&a.swr);
}

static void fit_resampler(AVFrame *f)
{
    if (a.swr && f->sample_rate == a.rate && f->format == a.format &&
        !av_channel_layout_compare(&f->ch_layout, &a.layout))
        return;
    if (a.begun) drain_resampler();
    open_resampler(f);
}

static void begin(int64_t at)
{
    a.discontinuity = a.begun || a.anew;
    a.anew = false;
    if (a.begun) { /* the encoder goes on from nothing, too */
        open_encoder();
        swr_free(&a.swr);
    }
    a.begun = true;
    a.start = a.next = at;
    a.drift = 0;
}

static int64_t line_end(void)
{
    return a.next + av_audio_fifo_size(a.fifo) + (a.swr ? swr_get_delay(a.swr, RATE) : 0);
}

static void follow_drift(int64_t diff)
{
    a.drift += ((double)diff - a.drift) / DRIFT_SMOOTH;
    const double size = a.drift < 0 ? -a.drift : a.drift;
    if (size > DRIFT_BEGIN)
        a.stretching = true;
    else if (a.stretching && size < DRIFT_END) {
        a.stretching = false;
        swr_set_compensation(a.swr, 0, 0);
    }
    if (a.stretching) swr_set_compensation(a.swr, a.drift > 0 ? MS : -MS, RATE);
}

/* Where the frame belongs and where the line ends are made to meet. */
static void place(int64_t at)
{
    const int64_t gap = a.from == CODEC_OPUS ? GAP_RTP : GAP_OTHER;
    const int64_t diff = a.begun ? at - line_end() : 0;
    if (!a.begun || a.anew || diff > JUMP || diff < -JUMP) {
        begin(at);
    } else if (diff > gap) {
        drain_resampler();
        silence(at - line_end());
        a.drift = 0;
    } else if (diff < -gap) {
        a.leave_out = -diff;
        a.drift = 0;
    } else if (a.swr) {
        follow_drift(diff);
    }
}

static void take(AVFrame *f)
{
    if (f->sample_rate < 1 || f->sample_rate > LIMIT_AUDIO_RATE || f->nb_samples < 1 ||
        f->ch_layout.nb_channels < 1 || f->ch_layout.nb_channels > LIMIT_AUDIO_CHANNELS)
        return;
    if (f->pts != AV_NOPTS_VALUE) place(av_rescale(f->pts, RATE, 1000000));
    const int64_t n = av_rescale_rnd(f->nb_samples, RATE, f->sample_rate, AV_ROUND_UP);
    if (!a.begun || a.leave_out >= n) { /* all of it has been there */
        a.leave_out = 0;
        return;
    }
    fit_resampler(f);
    const int64_t held = swr_get_delay(a.swr, RATE);
    append((const uint8_t **)f->extended_data, f->nb_samples, (int)(held + n) + 256);
    encode_whole_frames();
}

void audio_pcm(AVFrame *f)
{
    take(f);
}

void audio_finish(void)
{
    if (!a.enc || !a.begun) return;
    drain_resampler();
    const int rest = av_audio_fifo_size(a.fifo) % a.enc->frame_size;
    if (rest) silence(a.enc->frame_size - rest);
    encode_whole_frames();
    avcodec_send_frame(a.enc, NULL);
    send_packets();
}

/* --- messages ----------------------------------------------------------------------------------
 */

void audio_want(const struct worker_msg *m)
{
    a.to = (enum codec)m->codec;
    a.bitrate = m->bitrate ? m->bitrate : 128000;
    if (a.to != CODEC_OPUS && a.to != CODEC_AAC) outbox_fail("no encoder for this sound");
    open_encoder();
    if (a.got) return;
    need(a.got = av_frame_alloc());
    need(a.cut = av_frame_alloc());
    need(a.in = av_packet_alloc());
    need(a.out = av_packet_alloc());
}

void audio_track(const struct worker_msg *m)
{
    avcodec_free_context(&a.dec);
    a.dec = decoder_open(m);
    a.from = (enum codec)m->codec;
}

void audio_frame(const struct worker_msg *m)
{
    if (!a.dec || !a.enc) outbox_fail("sound without a track");
    a.anew |= m->discontinuity;
    if (av_new_packet(a.in, (int)m->data.len) < 0) outbox_fail("out of memory");
    memcpy(a.in->data, m->data.p, m->data.len);
    a.in->pts = a.in->dts = m->pts_us;
    const int e = avcodec_send_packet(a.dec, a.in);
    av_packet_unref(a.in);
    if (e < 0) return; /* its place is filled when the next one comes */
    while (avcodec_receive_frame(a.dec, a.got) == 0) {
        take(a.got);
        av_frame_unref(a.got);
    }
}
