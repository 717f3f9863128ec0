/* SPDX-License-Identifier: MIT */
/* From a segment to its pictures at the times that are wanted. */
#include "base/xalloc.h"
#include "image.h"
#include "media/codec.h"
#include "worker.h"
#include <libavformat/avformat.h>

#define IO_BYTES 65536
#define SLACK_US 1000 /* times were rounded on the way */

struct source {
    struct span left[2]; /* init, media */
};

static int read_source(void *ctx, uint8_t *p, int n)
{
    struct source *s = ctx;
    struct span *from = s->left[0].len ? &s->left[0] : &s->left[1];
    const struct span some = span_head(*from, (size_t)n);
    if (!some.len) return AVERROR_EOF;
    memcpy(p, some.p, some.len);
    *from = span_skip(*from, some.len);
    return (int)some.len;
}

static AVFormatContext *open_source(struct source *s)
{
    AVFormatContext *f = avformat_alloc_context();
    uint8_t *room = av_malloc(IO_BYTES);
    if (!f || !room) image_fail("out of memory");
    f->pb = avio_alloc_context(room, IO_BYTES, 0, s, read_source, NULL, NULL);
    if (!f->pb) image_fail("out of memory");
    f->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (avformat_open_input(&f, "", av_find_input_format("mov"), NULL) < 0)
        image_fail("the recording cannot be read");
    return f;
}

static AVStream *find_video(AVFormatContext *f)
{
    for (unsigned i = 0; i < f->nb_streams; i++)
        if (f->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) return f->streams[i];
    image_fail("there is no picture in it");
}

static AVCodecContext *open_decoder(const AVStream *st)
{
    const enum AVCodecID id = st->codecpar->codec_id;
    const AVCodec *dec =
        id == AV_CODEC_ID_AV1 ? avcodec_find_decoder_by_name("libdav1d") : avcodec_find_decoder(id);
    const bool known = id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC || id == AV_CODEC_ID_AV1 ||
                       id == AV_CODEC_ID_VP9 || id == AV_CODEC_ID_VP8;
    AVCodecContext *c = known && dec ? avcodec_alloc_context3(dec) : NULL;
    if (!c) image_fail("no decoder for %s", avcodec_get_name(id));
    if (avcodec_parameters_to_context(c, st->codecpar) < 0) image_fail("out of memory");
    c->thread_count = 1; /* no threads in here */
    c->pkt_timebase = st->time_base;
    c->max_pixels = (int64_t)LIMIT_VIDEO_SIDE * LIMIT_VIDEO_SIDE / 8;
    if (avcodec_open2(c, dec, NULL) < 0) image_fail("the decoder does not take this picture");
    return c;
}

/* --- which pictures --- */

struct pick {
    const struct image_msg *m;
    void (*take)(const AVFrame *f);
    AVFrame *last; /* the one before the one that has just come */
    unsigned n;    /* taken */
    int64_t first_us;
    bool begun;
};

static bool enough(const struct pick *p)
{
    return p->n >= (p->m->n_times ? p->m->n_times : p->m->repeat);
}

/* The picture that is seen at a time is the last one that begins before or at it. */
static void pick_frame(struct pick *p, AVFrame *f, AVRational base)
{
    int64_t at = f->best_effort_timestamp;
    at = at == AV_NOPTS_VALUE ? 0 : av_rescale_q(at, base, (AVRational){1, 1000000});
    if (!p->begun) p->first_us = at;
    while (p->begun && p->n < p->m->n_times &&
           at - p->first_us > (int64_t)image_msg_time(p->m, p->n) + SLACK_US) {
        p->take(p->last);
        p->n++;
    }
    p->begun = true;
    av_frame_unref(p->last);
    av_frame_move_ref(p->last, f);
}

static void pick_rest(struct pick *p)
{
    if (!p->begun) return;
    for (; !enough(p); p->n++) p->take(p->last);
}

static void drain(AVCodecContext *c, struct pick *p, AVFrame *f, AVRational base)
{
    while (!enough(p) && avcodec_receive_frame(c, f) >= 0) {
        if (p->m->n_times || !p->begun) pick_frame(p, f, base);
        av_frame_unref(f);
    }
}

void image_read(const struct image_msg *m, void (*take)(const AVFrame *f))
{
    struct source s = {{m->init, m->media}};
    AVFormatContext *in = open_source(&s);
    const AVStream *st = find_video(in);
    AVCodecContext *c = open_decoder(st);
    AVPacket *pkt = av_packet_alloc();
    AVFrame *f = av_frame_alloc();
    struct pick p = {.m = m, .take = take, .last = av_frame_alloc()};
    if (!pkt || !f || !p.last) image_fail("out of memory");
    while (!enough(&p) && av_read_frame(in, pkt) >= 0) {
        const bool ours = pkt->stream_index == st->index;
        if (ours && avcodec_send_packet(c, pkt) >= 0) drain(c, &p, f, st->time_base);
        av_packet_unref(pkt);
        if (ours && !m->n_times) break; /* the key picture alone */
    }
    if (!enough(&p) && avcodec_send_packet(c, NULL) >= 0) drain(c, &p, f, st->time_base);
    pick_rest(&p);
    av_frame_free(&p.last);
    av_frame_free(&f);
    av_packet_free(&pkt);
    avcodec_free_context(&c);
    av_freep(&in->pb->buffer);
    avio_context_free(&in->pb);
    avformat_close_input(&in);
}
