/* SPDX-License-Identifier: MIT */
/* A file by its descriptor: libavformat reads through us, and can ask for nothing else. */
#include "base/limits.h"
#include "import.h"
#include <errno.h>
#include <unistd.h>

#define IO_BYTES     (256 << 10)
#define PROBE_BYTES  (8 << 20)
#define ANALYSE_US   (10 * AV_TIME_BASE)
#define STREAMS_MAX  64
#define INDEX_BYTES  (128 << 20)
#define JUMP_BACK_US 1000000

/* What files of people and programs come in; nothing that names other files. */
#define FORMATS                                                                                    \
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,flv,live_flv,avi,ogg,mp3,wav,w64,flac,aac," \
    "asf,mxf,gxf,dv,aiff,caf,amr,ivf,h264,hevc,mpegvideo,m4v,au,ac3,eac3"
#define CODECS                                                                                     \
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg1video,mpeg2video,mpeg4,msmpeg4,msmpeg4v1,msmpeg4v2,h263," \
    "h263p,flv,mjpeg,mjpegb,prores,dnxhd,theora,wmv1,wmv2,wmv3,vc1,dvvideo,rawvideo,v210,png,"     \
    "qtrle,"                                                                                       \
    "rpza,cinepak,svq1,svq3,ffv1,huffyuv,ffvhuff,utvideo,cfhd,vp6,vp6f,aac,aac_latm,mp1,mp2,mp3,"  \
    "mp1float,mp2float,mp3float,ac3,eac3,opus,libopus,vorbis,flac,alac,wmav1,wmav2,amrnb,amrwb,"   \
    "dca,"                                                                                         \
    "truehd,wavpack,speex,nellymoser,pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,"       \
    "pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_bluray,"   \
    "pcm_dvd,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,gsm,gsm_ms"

static int read_some(void *ctx, uint8_t *to, int n)
{
    struct input *in = ctx;
    ssize_t k;
    do k = pread(in->fd, to, (size_t)n, (off_t)in->at);
    while (k < 0 && errno == EINTR);
    if (k < 0) return AVERROR(EIO);
    if (k == 0) return AVERROR_EOF;
    in->at += k;
    return (int)k;
}

static int64_t seek_to(void *ctx, int64_t at, int whence)
{
    struct input *in = ctx;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return in->size;
    if (whence == SEEK_CUR) at += in->at;
    if (whence == SEEK_END) at += in->size;
    if (at < 0) return AVERROR(EINVAL);
    return in->at = at;
}

static int open_nothing(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                        AVDictionary **options)
{
    (void)s, (void)pb, (void)url, (void)flags, (void)options;
    return AVERROR(EACCES);
}

static const char *in_words(int e)
{
    switch (e) {
    case AVERROR_INVALIDDATA:
        return "This is not a video or sound file, or it is broken.";
    case AVERROR_EOF:
        return "The file ends before there is a picture or a sound in it.";
    case AVERROR(ENOMEM):
        return "The file asks for more memory than it may have.";
    default:
        return "The file cannot be read as video or sound.";
    }
}

void input_open(struct input *in, int fd)
{
    *in = (struct input){.fd = fd, .last_us = INT64_MIN};
    in->size = lseek(fd, 0, SEEK_END);
    if (in->size <= 0) outbox_fail("The file is empty.");
    uint8_t *room = av_malloc(IO_BYTES);
    AVFormatContext *f = avformat_alloc_context();
    if (!room || !f) outbox_fail("out of memory");
    f->pb = avio_alloc_context(room, IO_BYTES, 0, in, read_some, NULL, seek_to);
    if (!f->pb) outbox_fail("out of memory");
    f->flags |= AVFMT_FLAG_CUSTOM_IO;
    f->io_open = open_nothing;
    f->format_whitelist = av_strdup(FORMATS);
    f->codec_whitelist = av_strdup(CODECS);
    f->protocol_whitelist = av_strdup("");
    f->probesize = PROBE_BYTES;
    f->max_analyze_duration = ANALYSE_US;
    f->max_streams = STREAMS_MAX;
    f->max_index_size = INDEX_BYTES;
    int e = avformat_open_input(&f, "", NULL, NULL);
    if (e >= 0) e = avformat_find_stream_info(f, NULL);
    if (e < 0) outbox_fail("%s", in_words(e));
    in->fmt = f;
}

AVStream *input_best(const struct input *in, enum media_kind kind)
{
    const enum AVMediaType want = kind == MEDIA_VIDEO ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
    AVStream *best = NULL;
    int64_t best_score = -1;
    for (unsigned i = 0; i < in->fmt->nb_streams; i++) {
        AVStream *s = in->fmt->streams[i];
        const AVCodecParameters *c = s->codecpar;
        if (c->codec_type != want || c->codec_id == AV_CODEC_ID_NONE) continue;
        if (s->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS))
            continue; /* the cover of a song is no picture of a film */
        int64_t score =
            kind == MEDIA_VIDEO ? (int64_t)c->width * c->height : c->ch_layout.nb_channels;
        if (s->disposition & AV_DISPOSITION_DEFAULT) score += INT64_C(1) << 40;
        if (score > best_score) {
            best = s;
            best_score = score;
        }
    }
    return best;
}

/* A recording of a broadcast may begin its clock anew in the middle. */
static void follow_jumps(struct input *in, AVPacket *p)
{
    const AVStream *s = in->fmt->streams[p->stream_index];
    if (p->dts == AV_NOPTS_VALUE) return;
    int64_t at = av_rescale_q(p->dts, s->time_base, AV_TIME_BASE_Q);
    if ((in->fmt->iformat->flags & AVFMT_TS_DISCONT) && in->last_us != INT64_MIN &&
        at + in->shift_us < in->last_us - JUMP_BACK_US)
        in->shift_us = in->last_us - at;
    at += in->shift_us;
    if (at > in->last_us) in->last_us = at;
}

enum err input_next(struct input *in, AVPacket *out)
{
    if (in->ended) return E_NOTFOUND;
    for (unsigned bad = 0;;) {
        const int e = av_read_frame(in->fmt, out);
        if (e == AVERROR(EAGAIN)) continue;
        if (e == AVERROR_INVALIDDATA && ++bad < 100) continue;
        if (e < 0) break;
        if (out->size > 0 && (size_t)out->size <= LIMIT_FRAME_BYTES) {
            follow_jumps(in, out);
            return E_OK;
        }
        av_packet_unref(out);
    }
    in->ended = true;
    return E_NOTFOUND;
}
