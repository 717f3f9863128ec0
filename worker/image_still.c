/* SPDX-License-Identifier: MIT */
/* From a file that somebody uploaded to its picture. Nothing else of the file goes on: neither what
 * stands beside the picture, nor what is behind it. */
#include "image.h"
#include "wire/picture_sniff.h"
#include "worker.h"
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#define FLAT_SIDE 512 /* the shorter one of a picture with holes, before they are filled */

static AVCodecContext *open_decoder(enum picture_kind kind)
{
    static const enum AVCodecID IDS[] = {AV_CODEC_ID_PNG, AV_CODEC_ID_MJPEG, AV_CODEC_ID_GIF,
                                         AV_CODEC_ID_WEBP};
    const AVCodec *dec = avcodec_find_decoder(IDS[kind]);
    AVCodecContext *c = dec ? avcodec_alloc_context3(dec) : NULL;
    if (!c) image_fail("this system's libav cannot read this format");
    c->thread_count = 1; /* no threads in here */
    c->max_pixels = LIMIT_AVATAR_PIXELS;
    if (avcodec_open2(c, dec, NULL) < 0) image_fail("the decoder could not be opened");
    return c;
}

static AVFrame *decode(AVCodecContext *c, struct span file)
{
    AVPacket *pkt = av_packet_alloc();
    AVFrame *f = av_frame_alloc();
    if (!pkt || !f || av_new_packet(pkt, (int)file.len) < 0) image_fail("out of memory");
    memcpy(pkt->data, file.p, file.len);
    pkt->flags |= AV_PKT_FLAG_KEY;
    if (avcodec_send_packet(c, pkt) < 0 ||
        (avcodec_receive_frame(c, f) < 0 &&
         (avcodec_send_packet(c, NULL) < 0 || avcodec_receive_frame(c, f) < 0)))
        image_fail("the picture is broken, or of a kind that cannot be read");
    av_packet_free(&pkt);
    return f;
}

/* A camera held on its side says so beside the picture (EXIF), which libav reads as a matrix: where
 * the axes go. A mirrored one is turned first, and then flipped. */
static void note_turn(const AVFrame *f, struct image_want *want)
{
    const AVFrameSideData *side = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
    if (!side || side->size < 9 * sizeof(int32_t)) return;
    const int32_t *m = (const int32_t *)(const void *)side->data;
    int32_t a = m[0];
    const int32_t b = m[1];
    want->flip_h = (int64_t)a * m[4] - (int64_t)b * m[3] < 0;
    if (want->flip_h) a = -a;
    want->rotate = a > 0 ? 0 : a < 0 ? 180 : b > 0 ? 90 : b < 0 ? 270 : 0;
}

/* What is behind a hole is nobody's to see: holes are white. */
static void fill_holes(AVFrame *f)
{
    for (int y = 0; y < f->height; y++) {
        uint8_t *p = f->data[0] + (ptrdiff_t)y * f->linesize[0];
        for (int x = 0; x < f->width; x++, p += 4)
            for (int i = 0; i < 3; i++)
                p[i] = (uint8_t)((p[i] * p[3] + 255 * (255 - p[3]) + 127) / 255);
    }
}

static AVFrame *flatten(AVFrame *f)
{
    const int shorter = f->width < f->height ? f->width : f->height;
    const int64_t by = shorter > FLAT_SIDE ? shorter : FLAT_SIDE;
    AVFrame *to = av_frame_alloc();
    if (!to) image_fail("out of memory");
    to->format = AV_PIX_FMT_RGBA;
    to->width = (int)((int64_t)f->width * FLAT_SIDE / by);
    to->height = (int)((int64_t)f->height * FLAT_SIDE / by);
    struct SwsContext *sws =
        sws_getContext(f->width, f->height, f->format, to->width, to->height, AV_PIX_FMT_RGBA,
                       SWS_BICUBIC | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!sws || av_frame_get_buffer(to, 0) < 0)
        image_fail("this kind of picture cannot be converted");
    if (sws_scale(sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to->data,
                  to->linesize) < 0)
        image_fail("the picture could not be converted");
    sws_freeContext(sws);
    av_frame_free(&f);
    fill_holes(to);
    return to;
}

void image_still(struct span file, struct image_want *want, void (*take)(const AVFrame *f))
{
    struct picture_head head;
    if (picture_sniff(file, &head) != E_OK) image_fail("this is no picture that can be read");
    AVCodecContext *c = open_decoder(head.kind);
    AVFrame *f = decode(c, file);
    note_turn(f, want);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    if (d && d->flags & AV_PIX_FMT_FLAG_ALPHA) f = flatten(f);
    if (f->format == AV_PIX_FMT_RGBA) { /* flattened: its fourth byte means nothing now */
        f->format = AV_PIX_FMT_RGB0;
    }
    f->sample_aspect_ratio = (AVRational){0, 1}; /* a picture's dots are square */
    take(f);
    av_frame_free(&f);
    avcodec_free_context(&c);
}
