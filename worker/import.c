/* SPDX-License-Identifier: MIT */
/* bspnode-worker import CPU_SECONDS START END N LINES HOW: descriptors 4 … are N files; of two the
 * first has the picture and the second the sound. START and END are microseconds of a clip, or -
 * for all. LINES is the most that the shorter side of the picture may have, 0: any. HOW: "keep"
 * what can stay as it is, or "convert" pictures whatever they are. */
#include "import.h"
#include "base/limits.h"
#include <libavutil/mem.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_FILE 4
#define ALLOC_MAX  (512u << 20) /* one piece of memory that a file asks for */
#define NICE       10           /* live streams come first */

struct import_wish import_wish;

static struct {
    struct input in[IMPORT_FILES_MAX];
    unsigned n;
    struct line line[2];
    AVFrame *sound;
    AVCodecContext *sound_dec;
    unsigned told; /* per mille */
} t;

/* --- times --- */

void line_times(struct line *l, const AVPacket *p, int64_t *dts, int64_t *pts)
{
    const AVRational tb = l->st->time_base;
    const bool has_dts = p->dts != AV_NOPTS_VALUE, has_pts = p->pts != AV_NOPTS_VALUE;
    int64_t show = has_pts ? av_rescale_q(p->pts, tb, AV_TIME_BASE_Q) + l->in->shift_us : 0;
    int64_t at = has_dts ? av_rescale_q(p->dts, tb, AV_TIME_BASE_Q) + l->in->shift_us : show;
    const int64_t next = l->last_dts == INT64_MIN ? 0 : l->last_dts + 1;
    if (!has_dts && l->last_dts != INT64_MIN && (!has_pts || show > next))
        at = has_pts ? next : l->last_dts + 33333;
    if (l->last_dts != INT64_MIN && at < next) at = next;
    if (!has_pts || show < at) show = at;
    l->last_dts = at;
    *dts = at;
    *pts = show;
}

static bool before_start(const struct line *l, const AVPacket *p)
{
    return l->start_us != INT64_MIN && p->pts != AV_NOPTS_VALUE &&
           av_rescale_q(p->pts, l->st->time_base, AV_TIME_BASE_Q) < l->start_us;
}

static bool after_end(const struct line *l, const AVPacket *p)
{
    return p->dts != AV_NOPTS_VALUE &&
           av_rescale_q(p->dts, l->st->time_base, AV_TIME_BASE_Q) >= l->end_us;
}

/* --- sound that is converted --- */

static bool sound_begin(struct line *l)
{
    t.sound_dec = import_decoder(l);
    t.sound = av_frame_alloc();
    if (!t.sound_dec) return false;
    if (!t.sound) outbox_fail("out of memory");
    audio_want(&(struct worker_msg){.kind = MEDIA_AUDIO, .codec = CODEC_AAC, .bitrate = 160000});
    return true;
}

static void sound_packet(struct line *l, const AVPacket *p)
{
    (void)avcodec_send_packet(t.sound_dec, p); /* what is broken is left out */
    while (avcodec_receive_frame(t.sound_dec, t.sound) == 0) {
        const int64_t at = t.sound->best_effort_timestamp;
        t.sound->pts = at == AV_NOPTS_VALUE
                           ? AV_NOPTS_VALUE
                           : av_rescale_q(at, l->st->time_base, AV_TIME_BASE_Q) + l->in->shift_us;
        const bool wanted =
            at == AV_NOPTS_VALUE || (t.sound->pts >= l->start_us && t.sound->pts < l->end_us);
        if (wanted) audio_pcm(t.sound);
        av_frame_unref(t.sound);
    }
    if (!p) audio_finish();
}

/* What the encoder of live streams says. */
static void from_audio(const struct worker_msg *m)
{
    if (m->type == WORKER_TRACK) {
        out_track(m);
        return;
    }
    t.line[MEDIA_AUDIO].frames++;
    out_frame(m, NULL);
}

/* --- a track's packets --- */

static void begin(struct line *l, const AVPacket *first)
{
    const bool video = l->kind == MEDIA_VIDEO;
    /* A clip, or a file that is to be shown from its middle on (an edit list), begins with the
     * picture that was asked for, key frame or not. */
    const bool whole = l->start_us == INT64_MIN && !(first->flags & AV_PKT_FLAG_DISCARD);
    const bool as_it_is = !video || (!import_wish.convert && !import_is_turned(l->st) && whole);
    l->begun = true;
    l->copy = as_it_is && copy_begin(l, first);
    if (l->copy) return;
    if (!(video ? encode_begin(l) : sound_begin(l))) {
        l->given_up = true;
        out_expect(l->kind, false);
    }
}

static void take(struct line *l, AVPacket *p)
{
    const bool key = l->kind == MEDIA_AUDIO || (p->flags & AV_PKT_FLAG_KEY);
    if (l->given_up || after_end(l, p)) return;
    if (!l->begun) {
        if (!key) return;
        begin(l, p);
    }
    if (l->given_up) return;
    if (l->copy) {
        const bool cut = l->kind == MEDIA_AUDIO && (p->flags & AV_PKT_FLAG_DISCARD);
        if (!cut && !before_start(l, p)) copy_packet(l, p);
    } else if (l->kind == MEDIA_VIDEO) {
        encode_packet(l, p);
    } else {
        sound_packet(l, p);
    }
}

static void finish(struct line *l)
{
    if (l->begun && !l->copy && !l->given_up)
        l->kind == MEDIA_VIDEO ? encode_packet(l, NULL) : sound_packet(l, NULL);
}

/* --- what is said of the file --- */

static int describe(const struct line *l, char *out, size_t cap)
{
    const AVCodecParameters *c = l->st->codecpar;
    const double fps = av_q2d(l->st->avg_frame_rate);
    if (l->kind == MEDIA_AUDIO)
        return snprintf(out, cap, "audio %s %d %d %lld\n", avcodec_get_name(c->codec_id),
                        c->sample_rate, c->ch_layout.nb_channels, (long long)c->bit_rate);
    return snprintf(out, cap, "video %s %d %d %d %lld\n", avcodec_get_name(c->codec_id), c->width,
                    c->height, fps > 0 && fps < 1000 ? (int)(fps * 1000 + 0.5) : 0,
                    (long long)c->bit_rate);
}

/* At the beginning, and once more when every packet has been seen. */
static void tell_input(bool all)
{
    char text[LIMIT_WORKER_INPUT];
    const AVFormatContext *f = t.in[0].fmt;
    size_t n = (size_t)snprintf(text, 200, "container %s\nduration %lld\n", f->iformat->name,
                                f->duration > 0 ? (long long)f->duration : -1LL);
    for (unsigned k = 0; k < 2; k++)
        if (t.line[k].st) n += (size_t)describe(&t.line[k], text + n, 200);
    for (unsigned k = 0; k < 2 && all; k++)
        if (t.line[k].st) n += facts_text(&t.line[k], text + n, 200);
    out_message(&(struct worker_msg){.type = WORKER_INPUT, .data = span_of(text, n)});
}

static void tell_progress(void)
{
    int64_t at = 0, size = 0;
    for (unsigned i = 0; i < t.n; i++) {
        at += t.in[i].at;
        size += t.in[i].size;
    }
    const unsigned now = at >= size ? 1000 : (unsigned)(at * 1000 / size);
    if (now < t.told + 5) return;
    t.told = now;
    out_message(&(struct worker_msg){.type = WORKER_PROGRESS, .per_mille = (uint16_t)now});
}

/* --- the whole --- */

static void choose_lines(int64_t start, int64_t end)
{
    for (unsigned k = 0; k < 2; k++) {
        struct input *in = &t.in[t.n == 2 ? k : 0];
        const int64_t zero = in->fmt->start_time == AV_NOPTS_VALUE ? 0 : in->fmt->start_time;
        t.line[k] = (struct line){.in = in,
                                  .kind = (enum media_kind)k,
                                  .st = input_best(in, (enum media_kind)k),
                                  .last_dts = INT64_MIN,
                                  .start_us = start > 0 ? zero + start : INT64_MIN,
                                  .end_us = end < INT64_MAX ? zero + end : INT64_MAX};
        out_expect((enum media_kind)k, t.line[k].st != NULL);
    }
    if (!t.line[0].st && !t.line[1].st)
        outbox_fail("There is no picture and no sound in the file.");
    for (unsigned i = 0; i < t.n; i++)
        for (unsigned s = 0; s < t.in[i].fmt->nb_streams; s++) {
            AVStream *st = t.in[i].fmt->streams[s];
            if (st != t.line[0].st && st != t.line[1].st) st->discard = AVDISCARD_ALL;
        }
}

static void seek_near(int64_t start)
{
    for (unsigned i = 0; i < t.n && start > 0; i++) {
        const int64_t zero =
            t.in[i].fmt->start_time == AV_NOPTS_VALUE ? 0 : t.in[i].fmt->start_time;
        (void)avformat_seek_file(t.in[i].fmt, -1, INT64_MIN, zero + start, zero + start, 0);
    }
}

/* The file that is behind in time. */
static struct input *next_input(void)
{
    if (t.n == 1 || t.in[1].ended) return &t.in[0];
    if (t.in[0].ended) return &t.in[1];
    return t.in[0].last_us <= t.in[1].last_us ? &t.in[0] : &t.in[1];
}

static bool all_past_end(const struct input *in)
{
    return t.line[0].end_us != INT64_MAX && in->last_us > t.line[0].end_us + 2000000;
}

static void run_through(void)
{
    AVPacket *p = av_packet_alloc();
    if (!p) outbox_fail("out of memory");
    while (!t.in[0].ended || (t.n == 2 && !t.in[1].ended)) {
        struct input *in = next_input();
        if (all_past_end(in)) in->ended = true;
        if (in->ended || input_next(in, p) != E_OK) continue;
        for (unsigned k = 0; k < 2; k++) {
            const struct line *l = &t.line[k];
            if (l->in != in || !l->st || l->st->index != p->stream_index) continue;
            facts_packet(l, p);
            take(&t.line[k], p);
        }
        av_packet_unref(p);
        tell_progress();
    }
    av_packet_free(&p);
}

static int64_t number(const char *text, int64_t otherwise)
{
    uint64_t n;
    return span_u64(span_str(text), INT64_MAX, &n) ? (int64_t)n : otherwise;
}

void import_run(int argc, char **argv)
{
    if (argc != 6) _exit(2);
    const int64_t start = number(argv[1], 0), end = number(argv[2], INT64_MAX);
    t.n = (unsigned)number(argv[3], 1);
    if (t.n < 1 || t.n > IMPORT_FILES_MAX) _exit(2);
    import_wish.lines = (int)number(argv[4], 0);
    import_wish.convert = !strcmp(argv[5], "convert");
    if (!sandbox_enter(&(struct sandbox){
            .files = FIRST_FILE + t.n, .cpu_s = (unsigned)number(argv[0], 60), .nice = NICE}))
        outbox_fail("this system cannot shut it in (seccomp)");
    av_max_alloc(ALLOC_MAX);
    outbox_divert(from_audio);
    out_message(&(struct worker_msg){.type = WORKER_READY, .version = WORKER_VERSION});
    for (unsigned i = 0; i < t.n; i++) input_open(&t.in[i], FIRST_FILE + (int)i);
    choose_lines(start, end);
    tell_input(false);
    seek_near(start);
    run_through();
    finish(&t.line[0]);
    finish(&t.line[1]);
    tell_input(true);
    out_finish();
    if (!t.line[0].frames && !t.line[1].frames)
        outbox_fail("No picture and no sound in the file can be decoded.");
    outbox_end();
}
