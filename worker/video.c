/* SPDX-License-Identifier: MIT */
/* Pictures: decoded, made smaller when they are too large, and handed to the encoder in the order
 * in which they are shown.
 *
 * Who has fallen behind decodes on without encoding, until the newest picture is near: a slow
 * machine drops pictures and does not run late, and a GOP fed at once is caught up with. */
#include "encoder.h"
#include "worker.h"
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>

#define BEHIND_US    500000 /* the newest picture that has come is so far ahead: skip */
#define CAUGHT_UP_US 100000 /* and so near: encode again */
#define SHORT_SIDE   1080 /* larger pictures are made smaller unless something else is asked for */
#define FPS_DEFAULT  30.0
#define GROW_US      3000000 /* larger pictures for so long: it was no passing size */

static struct {
    enum codec from;
    struct encoder_want want;
    double fps;
    AVCodecContext *dec;
    AVFrame *got, *scaled;
    AVPacket *in;
    struct SwsContext *sws;
    bool need_key, mark, behind;
    int64_t last_us;
    int w, h;          /* of the output; 0: as the next picture says */
    int64_t larger_us; /* since when pictures are larger than that; 0: they are not */
} v = {.need_key = true, .fps = FPS_DEFAULT, .last_us = -1};

/* --- size --------------------------------------------------------------------------------------
 */

/* Even, of the same shape, the short side at most `max`. */
static void target_size(const AVFrame *f, int *w, int *h)
{
    const int max = v.want.max_height ? v.want.max_height : SHORT_SIDE;
    const int side = f->width < f->height && !v.want.max_height ? f->width : f->height;
    *w = f->width;
    *h = f->height;
    if (side > max) {
        *w = (int)((int64_t)f->width * max / side);
        *h = (int)((int64_t)f->height * max / side);
    }
    *w = *w < 2 ? 2 : *w & ~1;
    *h = *h < 2 ? 2 : *h & ~1;
}

static bool same_shape(int w, int h)
{
    const int64_t a = (int64_t)w * v.h, b = (int64_t)h * v.w;
    return (a > b ? a - b : b - a) * 50 < a + b;
}

/* A browser makes its pictures smaller and larger as its line allows, without a word. Each new size
 * of the output costs its viewers a new beginning: it grows when the source has stayed larger, and
 * does not shrink. */
static void settle_size(int w, int h, int64_t at)
{
    const bool larger = w > v.w && h > v.h;
    if (!larger) v.larger_us = 0;
    if (larger && !v.larger_us) v.larger_us = at;
    if (v.w && same_shape(w, h) && !(larger && at - v.larger_us >= GROW_US)) return;
    v.w = w;
    v.h = h;
    v.larger_us = 0;
}

static bool fits(const AVFrame *f, int w, int h)
{
    const bool yuv = f->format == AV_PIX_FMT_YUV420P ||
                     (f->format == AV_PIX_FMT_YUVJ420P && f->color_range == AVCOL_RANGE_JPEG);
    return yuv && f->width == w && f->height == h;
}

/* The picture as the encoder takes it; NULL: there is no way. */
static AVFrame *convert(AVFrame *f, int w, int h)
{
    if (fits(f, w, h)) return f;
    v.sws = sws_getCachedContext(v.sws, f->width, f->height, (enum AVPixelFormat)f->format, w, h,
                                 AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!v.sws) return NULL;
    if (v.scaled->width != w || v.scaled->height != h || !av_frame_is_writable(v.scaled)) {
        av_frame_unref(v.scaled);
        v.scaled->width = w;
        v.scaled->height = h;
        v.scaled->format = AV_PIX_FMT_YUV420P;
        if (av_frame_get_buffer(v.scaled, 0) < 0) outbox_fail("out of memory");
    }
    if (sws_scale(v.sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, v.scaled->data,
                  v.scaled->linesize) != h)
        return NULL;
    return v.scaled;
}

/* --- one picture -------------------------------------------------------------------------------
 */

static bool skip(int64_t at)
{
    const int64_t lag = inbox_newest_video_us() - at;
    if (lag > BEHIND_US) v.behind = true;
    if (lag < CAUGHT_UP_US) v.behind = false;
    return v.behind;
}

static void show(AVFrame *f)
{
    int w, h;
    const int64_t at = f->pts;
    if (at == AV_NOPTS_VALUE || at < 0 || at <= v.last_us || skip(at)) return;
    target_size(f, &w, &h);
    settle_size(w, h, at);
    AVFrame *p = convert(f, v.w, v.h);
    if (!p) return;
    v.last_us = at;
    encoder_picture(&v.want, p, at, v.fps, v.mark);
    v.mark = false;
}

static void take_pictures(void)
{
    while (avcodec_receive_frame(v.dec, v.got) == 0) {
        show(v.got);
        av_frame_unref(v.got);
    }
}

static void lost(void)
{
    v.need_key = true;
    outbox_send(&(struct worker_msg){.type = WORKER_LOST, .kind = MEDIA_VIDEO});
}

/* --- messages ----------------------------------------------------------------------------------
 */

void video_want(const struct worker_msg *m)
{
    if (m->codec != CODEC_H264) outbox_fail("no encoder for these pictures");
    v.want = (struct encoder_want){
        .bitrate = m->bitrate, .max_height = m->max_height, .gop_us = m->gop_ms * INT64_C(1000)};
    v.last_us = m->pts_us - 1;
    if (v.got) return;
    v.got = av_frame_alloc();
    v.scaled = av_frame_alloc();
    v.in = av_packet_alloc();
    if (!v.got || !v.scaled || !v.in) outbox_fail("out of memory");
}

/* What the old decoder still holds comes first. */
static void drain(void)
{
    if (!v.dec) return;
    avcodec_send_packet(v.dec, NULL);
    take_pictures();
    avcodec_free_context(&v.dec);
}

void video_track(const struct worker_msg *m)
{
    if (!v.got) outbox_fail("pictures that nobody wants");
    drain();
    v.dec = decoder_open(m);
    v.from = (enum codec)m->codec;
    v.fps = m->fps_milli >= 1000 && m->fps_milli <= 240000 ? m->fps_milli / 1000.0 : FPS_DEFAULT;
    v.need_key = true;
    v.w = v.h = 0; /* a source that says so is believed at once */
}

void video_frame(const struct worker_msg *m)
{
    if (!v.dec) outbox_fail("pictures without a track");
    if (v.need_key && !m->key) return;
    if (m->discontinuity) {
        avcodec_send_packet(v.dec, NULL);
        take_pictures();
        avcodec_flush_buffers(v.dec);
        v.mark = true;
    }
    v.need_key = false;
    if (av_new_packet(v.in, (int)m->data.len) < 0) outbox_fail("out of memory");
    memcpy(v.in->data, m->data.p, m->data.len);
    v.in->dts = m->dts_us;
    v.in->pts = m->pts_us;
    if (m->key) v.in->flags |= AV_PKT_FLAG_KEY;
    const int e = avcodec_send_packet(v.dec, v.in);
    av_packet_unref(v.in);
    take_pictures();
    if (e < 0) lost();
}

void video_key(void)
{
    encoder_key();
}
