/* SPDX-License-Identifier: MIT */
/* From RGB to a file: JPEG, PNG, WebP, GIF. */
#include "image.h"
#include "worker.h"
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#define JPEG_SCALE 3 /* quantiser: 2 best, 31 worst */

static const struct {
    const char *encoder, *moving;
    enum AVPixelFormat pixels;
} FORMATS[IMAGE_FORMATS] = {
    [IMAGE_JPEG] = {"mjpeg", NULL, AV_PIX_FMT_YUVJ420P},
    [IMAGE_PNG] = {"png", NULL, AV_PIX_FMT_RGB24},
    [IMAGE_WEBP] = {"libwebp", "libwebp_anim", AV_PIX_FMT_YUV420P},
    [IMAGE_GIF] = {NULL, "gif", AV_PIX_FMT_RGB8},
};

static AVCodecContext *open_encoder(const struct image_canvas *c, const struct image_want *want)
{
    const char *name = want->fps ? FORMATS[want->format].moving : FORMATS[want->format].encoder;
    const AVCodec *enc = name ? avcodec_find_encoder_by_name(name) : NULL;
    AVCodecContext *x = enc ? avcodec_alloc_context3(enc) : NULL;
    if (!x) image_fail("this system's libav cannot write this format");
    x->width = c->w;
    x->height = c->h;
    x->pix_fmt = FORMATS[want->format].pixels;
    x->time_base = (AVRational){1, want->fps ? want->fps : 1};
    x->framerate = av_inv_q(x->time_base);
    x->thread_count = 1;
    if (want->format == IMAGE_JPEG) {
        x->flags |= AV_CODEC_FLAG_QSCALE;
        x->global_quality = FF_QP2LAMBDA * JPEG_SCALE;
        x->color_range = AVCOL_RANGE_JPEG;
    }
    if (want->format == IMAGE_WEBP && want->fps) x->compression_level = 2; /* many pictures */
    if (avcodec_open2(x, enc, NULL) < 0) image_fail("the encoder does not take this size");
    return x;
}

static AVFrame *convert(const struct image_canvas *c, const AVCodecContext *x)
{
    static struct SwsContext *sws;
    AVFrame *f = av_frame_alloc();
    if (!f) image_fail("out of memory");
    f->format = x->pix_fmt;
    f->width = c->w;
    f->height = c->h;
    f->quality = x->global_quality;
    if (av_frame_get_buffer(f, 0) < 0) image_fail("out of memory");
    sws = sws_getCachedContext(sws, c->w, c->h, AV_PIX_FMT_RGB24, c->w, c->h, x->pix_fmt,
                               SWS_BICUBIC | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!sws) image_fail("the picture cannot be converted");
    const uint8_t *from[4] = {c->rgb};
    const int strides[4] = {(int)c->stride};
    if (sws_scale(sws, from, strides, 0, c->h, f->data, f->linesize) < 0)
        image_fail("the picture could not be converted");
    return f;
}

void image_write(const struct image_canvas *c, const struct image_want *want, uint8_t **p, int *n)
{
    AVCodecContext *x = open_encoder(c, want);
    AVFrame *f = convert(c, x);
    AVPacket *pkt = av_packet_alloc();
    if (!pkt || avcodec_send_frame(x, f) < 0 || avcodec_send_frame(x, NULL) < 0 ||
        avcodec_receive_packet(x, pkt) < 0)
        image_fail("the image could not be written");
    *p = av_memdup(pkt->data, (size_t)pkt->size);
    *n = pkt->size;
    if (!*p) image_fail("out of memory");
    av_packet_free(&pkt);
    av_frame_free(&f);
    avcodec_free_context(&x);
}

/* --- what moves --- */

static struct {
    AVFormatContext *mux;
    AVCodecContext *enc;
    AVPacket *pkt;
    int64_t next;
} anim;

static void anim_open(const struct image_canvas *c, const struct image_want *want)
{
    const char *name = want->format == IMAGE_GIF ? "gif" : "webp";
    anim.enc = open_encoder(c, want);
    anim.pkt = av_packet_alloc();
    AVDictionary *opt = NULL;
    av_dict_set(&opt, "loop", "0", 0);
    if (!anim.pkt || avformat_alloc_output_context2(&anim.mux, NULL, name, NULL) < 0 ||
        avio_open_dyn_buf(&anim.mux->pb) < 0)
        image_fail("this system's libav cannot write this format");
    AVStream *st = avformat_new_stream(anim.mux, NULL);
    if (!st || avcodec_parameters_from_context(st->codecpar, anim.enc) < 0)
        image_fail("out of memory");
    st->time_base = anim.enc->time_base;
    st->avg_frame_rate = anim.enc->framerate;
    if (avformat_write_header(anim.mux, &opt) < 0) image_fail("the image could not be begun");
    av_dict_free(&opt);
}

static void anim_drain(void)
{
    while (avcodec_receive_packet(anim.enc, anim.pkt) >= 0) {
        av_packet_rescale_ts(anim.pkt, anim.enc->time_base, anim.mux->streams[0]->time_base);
        anim.pkt->stream_index = 0;
        if (av_write_frame(anim.mux, anim.pkt) < 0) image_fail("the image could not be written");
        av_packet_unref(anim.pkt);
    }
}

void image_anim_add(const struct image_canvas *c, const struct image_want *want)
{
    if (!anim.enc) anim_open(c, want);
    if (c->w != anim.enc->width || c->h != anim.enc->height)
        image_fail("the picture changes its shape in this time");
    AVFrame *f = convert(c, anim.enc);
    f->pts = anim.next++;
    if (avcodec_send_frame(anim.enc, f) < 0) image_fail("the image could not be written");
    av_frame_free(&f);
    anim_drain();
}

void image_anim_end(uint8_t **p, int *n)
{
    (void)avcodec_send_frame(anim.enc, NULL);
    anim_drain();
    if (av_write_trailer(anim.mux) < 0) image_fail("the image could not be ended");
    *n = avio_close_dyn_buf(anim.mux->pb, p);
}
