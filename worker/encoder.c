/* SPDX-License-Identifier: MIT */
#include "encoder.h"
#include "base/limits.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include <libavutil/opt.h>

#define BITS_PER_PIXEL 0.08 /* 2.2 Mbit/s at 1280x720 and 30 pictures a second */
#define BITRATE_MIN    300000
#define BITRATE_MAX    8000000
#define FAST_PIXELS    (1920 * 1088 * 31.0) /* a second; above it the fastest preset */
#define SMALL_PIXELS   (640 * 368 * 31.0)   /* below it a better one */

static struct {
    AVCodecContext *c;
    AVPacket *out;
    uint8_t *bytes; /* of a frame with lengths */
    size_t cap;
    bool key;
    int64_t key_us; /* of the last key frame */
} e = {.key = true};

void encoder_key(void)
{
    e.key = true;
}

/* --- what goes out -----------------------------------------------------------------------------
 */

void encoder_tell_track(const AVCodecContext *enc, double fps,
                        void (*to)(const struct worker_msg *m))
{
    uint8_t config[LIMIT_CODEC_CONFIG_BYTES];
    struct wr w = wr_to(config, sizeof config);
    struct h264_config c = {.nal_size = 4};
    struct span rest = span_of(enc->extradata, (size_t)enc->extradata_size), nal = SPAN_NULL;
    while (nal_next_annexb(&rest, &nal) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        if (type == H264_SPS && nal.len >= 4 && c.n_sps < H264_SPS_MAX) c.sps[c.n_sps++] = nal;
        if (type == H264_PPS && c.n_pps < H264_PPS_MAX) c.pps[c.n_pps++] = nal;
    }
    if (!c.n_sps || !c.n_pps) outbox_fail("the encoder says nothing of itself");
    c.profile = c.sps[0].p[1];
    c.constraints = c.sps[0].p[2];
    c.level = c.sps[0].p[3];
    if (c.profile == 100) c.ext = span_of("\xfd\xf8\xf8", 4); /* 4:2:0, eight bits, no more sets */
    h264_avcc_build(&c, &w);
    to(&(struct worker_msg){.type = WORKER_TRACK,
                            .kind = MEDIA_VIDEO,
                            .codec = CODEC_H264,
                            .width = (uint16_t)enc->width,
                            .height = (uint16_t)enc->height,
                            .fps_milli = (uint32_t)(fps * 1000),
                            .data = wr_span(&w)});
}

struct span encoder_with_lengths(struct span annexb)
{
    const size_t need = nal_max_bytes(annexb.len);
    struct span nal = SPAN_NULL;
    if (need > e.cap) {
        av_free(e.bytes);
        e.bytes = av_malloc(need);
        if (!e.bytes) outbox_fail("out of memory");
        e.cap = need;
    }
    struct wr w = wr_to(e.bytes, e.cap);
    while (nal_next_annexb(&annexb, &nal) == E_OK) {
        const unsigned type = nal.p[0] & 0x1f;
        if (type != H264_SLICE && type != H264_IDR) continue;
        wr_u32be(&w, (uint32_t)nal.len);
        wr_str(&w, nal);
    }
    return wr_span(&w);
}

static void send_packets(int64_t at_us, bool discontinuity)
{
    while (avcodec_receive_packet(e.c, e.out) == 0) {
        const bool key = e.out->flags & AV_PKT_FLAG_KEY;
        const struct span data = encoder_with_lengths(span_of(e.out->data, (size_t)e.out->size));
        if (key) e.key_us = at_us;
        if (data.len)
            outbox_send(&(struct worker_msg){.type = WORKER_FRAME,
                                             .kind = MEDIA_VIDEO,
                                             .key = key,
                                             .discontinuity = discontinuity,
                                             .dts_us = at_us,
                                             .pts_us = at_us,
                                             .data = data});
        av_packet_unref(e.out);
    }
}

/* --- the encoder -------------------------------------------------------------------------------
 */

static int64_t bitrate_for(const struct encoder_want *want, double pixels)
{
    const double b = pixels * BITS_PER_PIXEL;
    if (want->bitrate) return want->bitrate;
    return b < BITRATE_MIN ? BITRATE_MIN : b > BITRATE_MAX ? BITRATE_MAX : (int64_t)b;
}

static void set_options(double pixels)
{
    void *o = e.c->priv_data;
    av_opt_set(o, "preset",
               pixels > FAST_PIXELS    ? "ultrafast"
               : pixels < SMALL_PIXELS ? "veryfast"
                                       : "superfast",
               0);
    av_opt_set(o, "tune", "zerolatency", 0);
    av_opt_set(o, "profile", "baseline", 0);
    av_opt_set(o, "crf", "23", 0); /* and no more bits than the picture needs */
    av_opt_set(o, "forced-idr", "1", 0);
    /* So that the SPS names a frame rate and not the clock's; key frames are ours to place. */
    av_opt_set(o, "x264-params", "force-cfr=1:scenecut=0:keyint=infinite", 0);
}

static void open_encoder(const struct encoder_want *want, const AVFrame *f, double fps)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    const double pixels = (double)f->width * f->height * fps;
    avcodec_free_context(&e.c);
    if (!codec) outbox_fail("no encoder for H.264");
    e.c = avcodec_alloc_context3(codec);
    if (!e.out) e.out = av_packet_alloc();
    if (!e.c || !e.out) outbox_fail("out of memory");
    e.c->width = f->width;
    e.c->height = f->height;
    e.c->pix_fmt = AV_PIX_FMT_YUV420P;
    e.c->color_range = f->color_range;
    e.c->framerate = av_d2q(fps, 1001000);
    e.c->time_base = av_inv_q(e.c->framerate);
    e.c->thread_count = 1;
    e.c->max_b_frames = 0;
    e.c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    e.c->rc_max_rate = bitrate_for(want, pixels);
    e.c->rc_buffer_size = (int)e.c->rc_max_rate;
    set_options(pixels);
    if (avcodec_open2(e.c, codec, NULL) < 0) outbox_fail("the encoder does not start");
    e.key = true;
    encoder_tell_track(e.c, fps, outbox_send);
}

void encoder_picture(const struct encoder_want *want, AVFrame *f, int64_t at_us, double fps,
                     bool discontinuity)
{
    static int64_t number;
    if (!e.c || e.c->width != f->width || e.c->height != f->height) open_encoder(want, f, fps);
    const bool due = want->gop_us && at_us - e.key_us >= want->gop_us;
    f->pict_type = e.key || due || discontinuity ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    f->key_frame = 0;
    f->pts = number++;
    e.key = false;
    if (avcodec_send_frame(e.c, f) < 0) outbox_fail("the encoder does not take a picture");
    send_packets(at_us, discontinuity);
}
