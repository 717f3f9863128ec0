/* SPDX-License-Identifier: MIT */
/* Pictures of any kind to H.264 that every browser shows: eight bits, 4:2:0, progressive, upright,
 * square pixels, an even size, the short side at most 1080 or what is wished. The size is the first
 * picture's; what changes afterwards is fitted into it. */
#include "base/limits.h"
#include "deinterlace.h"
#include "encoder.h"
#include "import.h"
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <math.h>

#define SHORT_SIDE     1080
#define GOP_US         2000000 /* a key frame at least this often: segments begin with one */
#define FPS_MAX        125.0   /* pictures that follow closer are left out */
#define FPS_DEFAULT    30.0
#define BITS_PER_PIXEL 0.12
#define BITRATE_MIN    400000
#define BITRATE_MAX    12000000
#define FAST_PIXELS    (1280 * 736 * 31.0) /* a second; above it a faster preset */
#define TIMES          256                 /* of pictures within the encoder */

static struct {
    struct line *l;
    AVCodecContext *dec, *enc;
    AVFrame *got, *plain, *fit, *turned;
    AVPacket *out;
    struct SwsContext *sws, *to_plain;
    struct deinterlacer fields;
    int turn;             /* clockwise, quarters */
    int w, h;             /* before the turn */
    int first_w, first_h; /* of the first picture, as it came */
    double fps;
    int64_t number, times[TIMES], key_us, last_us;
} v = {.last_us = INT64_MIN};

/* --- beginning --- */

static int quarters(const AVStream *s)
{
    const uint8_t *m = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    if (!m) return 0;
    const double d = av_display_rotation_get((const int32_t *)(const void *)m);
    if (isnan(d)) return 0;
    return (int)(((lrint(-d / 90) % 4) + 4) % 4);
}

bool import_is_turned(const AVStream *s)
{
    return quarters(s) != 0;
}

static const AVCodec *find_decoder(enum AVCodecID id)
{
    if (id == AV_CODEC_ID_AV1) return avcodec_find_decoder_by_name("libdav1d");
    return avcodec_find_decoder(id);
}

AVCodecContext *import_decoder(struct line *l)
{
    const AVCodecParameters *p = l->st->codecpar;
    const AVCodec *d = find_decoder(p->codec_id);
    AVCodecContext *c = d ? avcodec_alloc_context3(d) : NULL;
    if (!c) return NULL;
    if (avcodec_parameters_to_context(c, p) < 0) outbox_fail("out of memory");
    c->thread_count = 1;
    c->pkt_timebase = l->st->time_base;
    c->max_pixels = (int64_t)LIMIT_VIDEO_SIDE * LIMIT_VIDEO_SIDE / 8;
    c->codec_whitelist = av_strdup(l->in->fmt->codec_whitelist);
    if (avcodec_open2(c, d, NULL) < 0) avcodec_free_context(&c);
    return c;
}

bool encode_begin(struct line *l)
{
    v.l = l;
    v.dec = import_decoder(l);
    if (!v.dec) return false;
    v.turn = quarters(l->st);
    v.fps = av_q2d(av_guess_frame_rate(l->in->fmt, l->st, NULL));
    if (!(v.fps >= 1 && v.fps <= FPS_MAX)) v.fps = av_q2d(l->st->avg_frame_rate);
    if (!(v.fps >= 1 && v.fps <= FPS_MAX)) v.fps = FPS_DEFAULT;
    v.got = av_frame_alloc();
    v.plain = av_frame_alloc();
    v.fit = av_frame_alloc();
    v.turned = av_frame_alloc();
    v.out = av_packet_alloc();
    if (!v.got || !v.plain || !v.fit || !v.turned || !v.out) outbox_fail("out of memory");
    return true;
}

/* --- the encoder --- */

static int even(double x)
{
    const int n = (int)lrint(x / 2) * 2;
    return n < 16 ? 16 : n;
}

/* Square pixels and a short side that is not too long. */
static void choose_size(const AVFrame *f)
{
    /* A recording's file has the shape of one encoder's pictures, and says nothing of pixels. */
    AVRational sar = import_wish.convert ? f->sample_aspect_ratio
                                         : av_guess_sample_aspect_ratio(v.l->in->fmt, v.l->st,
                                                                        (AVFrame *)(uintptr_t)f);
    double w = f->width, h = f->height;
    const double pixel = sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
    if (pixel > 1 && pixel < 8) w *= pixel;
    if (pixel < 1 && pixel > 0.125) h /= pixel;
    const double side = w < h ? w : h, longer = w < h ? h : w;
    const double most = import_wish.lines ? import_wish.lines : SHORT_SIDE;
    /* Where one size is wished, a larger picture follows if this one is smaller. */
    double k = side > most || import_wish.convert ? most / side : 1;
    if (longer * k > 4096) k = 4096 / longer; /* a strip */
    v.w = even(w * k);
    v.h = even(h * k);
    v.first_w = f->width;
    v.first_h = f->height;
}

static void set_options(double pixels)
{
    void *o = v.enc->priv_data;
    av_opt_set(o, "preset", pixels > FAST_PIXELS ? "superfast" : "veryfast", 0);
    av_opt_set(o, "profile", "high", 0);
    av_opt_set(o, "crf", "22", 0);
    av_opt_set(o, "forced-idr", "1", 0);
    /* So that the SPS names a frame rate and not the clock's; key frames are ours to place. */
    av_opt_set(o, "x264-params", "force-cfr=1:scenecut=0:keyint=infinite:rc-lookahead=20", 0);
}

static void open_encoder(const AVFrame *f)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    const double pixels = (double)f->width * f->height * v.fps;
    double rate = pixels * BITS_PER_PIXEL;
    if (!codec || !(v.enc = avcodec_alloc_context3(codec))) outbox_fail("no encoder for H.264");
    rate = rate < BITRATE_MIN ? BITRATE_MIN : rate > BITRATE_MAX ? BITRATE_MAX : rate;
    v.enc->width = f->width;
    v.enc->height = f->height;
    v.enc->pix_fmt = AV_PIX_FMT_YUV420P;
    v.enc->color_range = f->color_range;
    v.enc->colorspace = f->colorspace;
    v.enc->color_primaries = f->color_primaries;
    v.enc->color_trc = f->color_trc;
    v.enc->framerate = av_d2q(v.fps, 1001000);
    v.enc->time_base = av_inv_q(v.enc->framerate);
    v.enc->thread_count = 1;
    v.enc->max_b_frames = 0; /* what is decoded first is shown first */
    v.enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    v.enc->rc_max_rate = (int64_t)rate;
    v.enc->rc_buffer_size = (int)rate * 2;
    set_options(pixels);
    if (avcodec_open2(v.enc, codec, NULL) < 0) outbox_fail("the encoder does not start");
    v.key_us = INT64_MIN;
    encoder_tell_track(v.enc, v.fps, out_track);
}

static void send_packets(void)
{
    while (avcodec_receive_packet(v.enc, v.out) == 0) {
        const int64_t at = v.times[v.out->pts & (TIMES - 1)];
        const struct span data = encoder_with_lengths(span_of(v.out->data, (size_t)v.out->size));
        if (data.len) {
            out_frame(&(struct worker_msg){.type = WORKER_FRAME,
                                           .kind = MEDIA_VIDEO,
                                           .key = v.out->flags & AV_PKT_FLAG_KEY,
                                           .dts_us = at,
                                           .pts_us = at,
                                           .data = data},
                      NULL);
            v.l->frames++;
        }
        av_packet_unref(v.out);
    }
}

/* --- one picture --- */

static void room_for(AVFrame *f, enum AVPixelFormat format, int w, int h)
{
    if (f->data[0] && f->width == w && f->height == h && av_frame_is_writable(f)) return;
    av_frame_unref(f);
    f->format = format;
    f->width = w;
    f->height = h;
    if (av_frame_get_buffer(f, 0) < 0) outbox_fail("out of memory");
}

/* Samples that the deinterlacer takes; every line keeps its own colours. NULL: of a kind that
 * cannot be converted. */
static AVFrame *plain(AVFrame *f)
{
    if (deinterlace_takes((enum AVPixelFormat)f->format)) return f;
    room_for(v.plain, AV_PIX_FMT_YUV422P, f->width, f->height);
    v.to_plain =
        sws_getCachedContext(v.to_plain, f->width, f->height, (enum AVPixelFormat)f->format,
                             f->width, f->height, AV_PIX_FMT_YUV422P, SWS_POINT, NULL, NULL, NULL);
    if (!v.to_plain || sws_scale(v.to_plain, (const uint8_t *const *)f->data, f->linesize, 0,
                                 f->height, v.plain->data, v.plain->linesize) != f->height)
        return NULL;
    return av_frame_copy_props(v.plain, f) < 0 ? NULL : v.plain;
}

static AVFrame *progressive(AVFrame *f)
{
    const enum AVFieldOrder order = v.l->st->codecpar->field_order;
    if (!f->interlaced_frame && order <= AV_FIELD_PROGRESSIVE) return f;
    if (!f->interlaced_frame) f->top_field_first = order == AV_FIELD_TT || order == AV_FIELD_TB;
    f = plain(f);
    return f ? deinterlace(&v.fields, f) : NULL;
}

struct place {
    int x, y, w, h;
};

/* A picture of another shape than the first one has black beside it. */
static struct place place_of(const AVFrame *f)
{
    struct place p = {0, 0, v.w, v.h};
    if (f->width == v.first_w && f->height == v.first_h) return p;
    const AVRational sar = f->sample_aspect_ratio;
    const double pixel = sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
    const double shape = f->width * pixel / f->height, room = (double)v.w / v.h;
    if (shape > room * 1.02)
        p.h = even(v.w / shape);
    else if (shape < room / 1.02)
        p.w = even(v.h * shape);
    p.x = (v.w - p.w) / 4 * 2;
    p.y = (v.h - p.h) / 4 * 2;
    return p;
}

static void blacken(AVFrame *f)
{
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < (i ? f->height / 2 : f->height); y++)
            memset(f->data[i] + (ptrdiff_t)y * f->linesize[i], i ? 128 : 16,
                   (size_t)(i ? f->width / 2 : f->width));
}

/* The alpha or the palette of a picture falls away. NULL: of a kind that cannot be converted. */
static AVFrame *fitted(AVFrame *f)
{
    if (!v.w) choose_size(f);
    if (f->format == AV_PIX_FMT_YUV420P && f->width == v.w && f->height == v.h) return f;
    const struct place at = place_of(f);
    uint8_t *to[4];
    room_for(v.fit, AV_PIX_FMT_YUV420P, v.w, v.h);
    if (at.w != v.w || at.h != v.h) blacken(v.fit);
    for (int i = 0; i < 3; i++)
        to[i] = v.fit->data[i] + (ptrdiff_t)(i ? at.y / 2 : at.y) * v.fit->linesize[i] +
                (i ? at.x / 2 : at.x);
    to[3] = NULL;
    v.sws = sws_getCachedContext(v.sws, f->width, f->height, (enum AVPixelFormat)f->format, at.w,
                                 at.h, AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    if (!v.sws || sws_scale(v.sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to,
                            v.fit->linesize) != at.h)
        return NULL;
    v.fit->color_range = AVCOL_RANGE_UNSPECIFIED;
    return v.fit;
}

static void turn_plane(const uint8_t *from, int from_line, uint8_t *to, int to_line, int w, int h)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            const uint8_t p = from[(ptrdiff_t)y * from_line + x];
            if (v.turn == 1)
                to[(ptrdiff_t)x * to_line + (h - 1 - y)] = p;
            else if (v.turn == 2)
                to[(ptrdiff_t)(h - 1 - y) * to_line + (w - 1 - x)] = p;
            else
                to[(ptrdiff_t)(w - 1 - x) * to_line + y] = p;
        }
    }
}

static AVFrame *upright(AVFrame *f)
{
    if (!v.turn) return f;
    const bool side = v.turn & 1;
    room_for(v.turned, AV_PIX_FMT_YUV420P, side ? f->height : f->width,
             side ? f->width : f->height);
    for (int i = 0; i < 3; i++)
        turn_plane(f->data[i], f->linesize[i], v.turned->data[i], v.turned->linesize[i],
                   i ? f->width / 2 : f->width, i ? f->height / 2 : f->height);
    v.turned->color_range = f->color_range;
    return v.turned;
}

static void show(AVFrame *got)
{
    int64_t at = got->best_effort_timestamp;
    if (at == AV_NOPTS_VALUE)
        at = v.last_us == INT64_MIN ? 0 : v.last_us + (int64_t)(1e6 / v.fps);
    else
        at = av_rescale_q(at, v.l->st->time_base, AV_TIME_BASE_Q) + v.l->in->shift_us;
    if (at < v.l->start_us || at >= v.l->end_us) return;
    if (v.last_us != INT64_MIN && at < v.last_us + (int64_t)(1e6 / FPS_MAX)) return;
    AVFrame *f = progressive(got);
    if (f) f = fitted(f);
    if (f) f = upright(f);
    if (!f) return;
    v.last_us = at;
    if (!v.enc) open_encoder(f);
    const bool key = v.key_us == INT64_MIN || at - v.key_us >= GOP_US;
    if (key) v.key_us = at;
    f->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    f->key_frame = 0;
    v.times[v.number & (TIMES - 1)] = at;
    f->pts = v.number++;
    if (avcodec_send_frame(v.enc, f) < 0) outbox_fail("the encoder does not take a picture");
    send_packets();
}

void encode_packet(struct line *l, const AVPacket *p)
{
    (void)l;
    (void)avcodec_send_packet(v.dec, p); /* what is broken is left out */
    while (avcodec_receive_frame(v.dec, v.got) == 0) {
        show(v.got);
        av_frame_unref(v.got);
    }
    if (p || !v.enc) return;
    avcodec_send_frame(v.enc, NULL);
    send_packets();
}
