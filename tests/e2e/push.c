/* SPDX-License-Identifier: MIT */
/* Publishes a fragmented MP4 by Enhanced RTMP in real time, over and over: HEVC, AV1, VP9 and Opus
 * too, which Debian's ffmpeg and GStreamer cannot send.
 *
 *   bsp-push HOST PORT APP NAME FILE [SECONDS]
 *
 * Prints "publishing" once the server has accepted, and ends with 0 after SECONDS (for ever
 * without), with 1 when the server refuses or goes away. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "engine/rtmp_frames.h"
#include "engine/rtmp_put.h"
#include "engine/track_config.h"
#include "wire/fmp4_read.h"
#include "wire/opus.h"
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE_BYTES 1537
#define REPLY_CAP       65536
#define OUT_CHUNK       128 /* before Set Chunk Size */

static int fd;
static struct track *tracks[2];
static unsigned n_tracks;
static struct frame **frames; /* in the order of their decoding time */
static size_t n_frames;
static int64_t length_us;
static struct span file;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bsp-push: %s\n", what);
    exit(1);
}

/* --- the file --------------------------------------------------------------------------------- */

static struct span read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) die("cannot open the file");
    fseek(f, 0, SEEK_END);
    const size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = xmalloc(n + 1);
    if (fread(p, 1, n, f) != n) die("cannot read the file");
    fclose(f);
    return span_of(p, n);
}

static enum codec codec_of(const struct fmp4_track_info *t)
{
    static const struct {
        char entry[5];
        enum codec codec;
    } ALL[] = {{"avc1", CODEC_H264}, {"hvc1", CODEC_H265}, {"av01", CODEC_AV1},
               {"vp09", CODEC_VP9},  {"mp4a", CODEC_AAC},  {"Opus", CODEC_OPUS}};
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (memcmp(t->entry, ALL[i].entry, 4) == 0) return ALL[i].codec;
    }
    die("a codec that RTMP cannot carry");
}

/* dOps is big-endian and has no magic; OpusHead is what a source sends. */
static struct span opus_head(struct span dops, uint8_t *room, size_t cap)
{
    if (dops.len < 11) die("dOps is too short");
    struct wr w = wr_to(room, cap);
    const struct opus_head h = {
        .channels = dops.p[1],
        .pre_skip = (uint16_t)(dops.p[2] << 8 | dops.p[3]),
        .input_rate = OPUS_RATE,
    };
    opus_head_build(&h, &w);
    return wr_span(&w);
}

static void add_track(const struct fmp4_track_info *info)
{
    uint8_t room[64];
    const enum codec c = codec_of(info);
    const struct span config =
        c == CODEC_OPUS ? opus_head(info->config, room, sizeof room) : info->config;
    const uint8_t id = codec_kind(c) == MEDIA_VIDEO ? TRACK_ID_VIDEO : TRACK_ID_AUDIO;
    if (n_tracks == 2 || track_from_config(id, c, config, &tracks[n_tracks]) != E_OK) {
        die("a track that cannot be published");
    }
    n_tracks++;
}

static void add_sample(const struct fmp4_init *init, const struct fmp4_sample_info *s)
{
    const struct fmp4_track_info *info = fmp4_init_track(init, s->track_id);
    const int64_t dts = (int64_t)s->dts, scale = info->timescale;
    struct frame *f = frame_new(s->data.len);
    memcpy(f->data, s->data.p, s->data.len);
    f->codec = codec_of(info);
    f->track = codec_kind(f->codec) == MEDIA_VIDEO ? TRACK_ID_VIDEO : TRACK_ID_AUDIO;
    f->key = s->key;
    f->dts_us = dts * US_PER_SEC / scale;
    f->pts_us = (dts + s->offset) * US_PER_SEC / scale;
    frames = xrealloc(frames, (n_frames + 1) * sizeof(struct frame *));
    frames[n_frames++] = f;
    const int64_t end_us = (dts + s->duration) * US_PER_SEC / scale;
    if (end_us > length_us) length_us = end_us;
}

static int by_time(const void *a, const void *b)
{
    const struct frame *x = *(struct frame *const *)a, *y = *(struct frame *const *)b;
    if (x->dts_us != y->dts_us) return x->dts_us < y->dts_us ? -1 : 1;
    return (x->track > y->track) - (x->track < y->track);
}

static void load(const char *path)
{
    struct fmp4_init init;
    struct fmp4_fragment f;
    struct fmp4_walk w;
    struct fmp4_sample_info s;
    file = read_all(path);
    if (fmp4_init_parse(file, &init) != E_OK) die("not a fragmented MP4");
    for (unsigned i = 0; i < init.n_tracks; i++) add_track(&init.tracks[i]);
    while (fmp4_fragment_next(&init.rest, &f) == E_OK) {
        fmp4_walk_init(&w, &init, &f);
        while (fmp4_sample_next(&w, &s) == E_OK) add_sample(&init, &s);
    }
    if (n_frames == 0) die("no samples");
    qsort(frames, n_frames, sizeof(struct frame *), by_time);
}

/* --- the connection --------------------------------------------------------------------------- */

static void dial(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    if (getaddrinfo(host, port, &hints, &all) != 0) die("unknown host");
    fd = socket(all->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, all->ai_addr, all->ai_addrlen) != 0) die("cannot connect");
    freeaddrinfo(all);
}

static void put(struct span s)
{
    while (s.len > 0) {
        const ssize_t n = send(fd, s.p, s.len, MSG_NOSIGNAL);
        if (n <= 0) die("the server has closed");
        s = span_skip(s, (size_t)n);
    }
}

static void get(uint8_t *p, size_t n)
{
    while (n > 0) {
        const ssize_t got = recv(fd, p, n, 0);
        if (got <= 0) die("the server has closed");
        p += got;
        n -= (size_t)got;
    }
}

static void handshake(void)
{
    static uint8_t c01[HANDSHAKE_BYTES] = {3}, s012[2 * HANDSHAKE_BYTES - 1];
    put(span_of(c01, sizeof c01));
    get(s012, sizeof s012);
    put(span_of(s012 + 1, HANDSHAKE_BYTES - 1));
}

/* Reads until one of two words has come. */
static bool answered(const char *good, const char *bad)
{
    static char reply[REPLY_CAP];
    size_t n = 0;
    while (n < sizeof reply) {
        const ssize_t got = recv(fd, reply + n, sizeof reply - n, 0);
        if (got <= 0) return false;
        n += (size_t)got;
        if (memmem(reply, n, good, strlen(good))) return true;
        if (memmem(reply, n, bad, strlen(bad))) return false;
    }
    return false;
}

static void command(const struct wr *w, uint32_t stream)
{
    struct str out = {0};
    rtmp_put_message(&out, RTMP_CS_COMMAND, RTMP_COMMAND_AMF0, stream, 0, wr_span(w), OUT_CHUNK);
    put(str_span(&out));
    str_fini(&out);
}

static struct wr begin(uint8_t *room, size_t cap, const char *name, double id)
{
    struct wr w = wr_to(room, cap);
    amf0_put_string(&w, span_str(name));
    amf0_put_number(&w, id);
    return w;
}

static void publish(const char *host, const char *port, const char *app, const char *name)
{
    uint8_t room[4096];
    char url[1024];
    snprintf(url, sizeof url, "rtmp://%s:%s/%s", host, port, app);
    struct wr w = begin(room, sizeof room, "connect", 1);
    amf0_object_begin(&w);
    amf0_pair_string(&w, "app", app);
    amf0_pair_string(&w, "type", "nonprivate");
    amf0_pair_string(&w, "flashVer", "bsp-push");
    amf0_pair_string(&w, "tcUrl", url);
    amf0_object_end(&w);
    command(&w, 0);
    w = begin(room, sizeof room, "createStream", 2);
    amf0_put_null(&w);
    command(&w, 0);
    w = begin(room, sizeof room, "publish", 3);
    amf0_put_null(&w);
    amf0_put_string(&w, span_str(name));
    amf0_put_string(&w, SPAN_LIT("live"));
    command(&w, 1);
    if (!answered("NetStream.Publish.Start", "error")) die("the server refuses");
    struct str out = {0};
    rtmp_put_number(&out, RTMP_SET_CHUNK_SIZE, RTMP_OUT_CHUNK_SIZE);
    put(str_span(&out));
    str_fini(&out);
    printf("publishing\n");
    fflush(stdout);
}

/* Until then; what the server says meanwhile is thrown away. */
static void wait_until(int64_t t_us)
{
    uint8_t sink[4096];
    for (;;) {
        const int64_t left_us = t_us - clock_mono_us();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left_us <= 0) return;
        if (poll(&p, 1, (int)(left_us / 1000) + 1) <= 0) continue;
        if (recv(fd, sink, sizeof sink, MSG_DONTWAIT) == 0) die("the server has closed");
    }
}

static void send_frame(struct frame *f, int64_t shift_us)
{
    f->dts_us += shift_us;
    f->pts_us += shift_us;
    struct buf *b = rtmp_from_frame(f);
    put(buf_span(b));
    buf_unref(b);
    f->dts_us -= shift_us;
    f->pts_us -= shift_us;
}

int main(int argc, char **argv)
{
    uint64_t seconds = 1u << 30;
    if (argc < 6) die("bsp-push HOST PORT APP NAME FILE [SECONDS]");
    if (argc > 6 && !span_u64(span_str(argv[6]), 1u << 30, &seconds)) die("SECONDS is a number");
    load(argv[5]);
    dial(argv[1], argv[2]);
    handshake();
    publish(argv[1], argv[2], argv[3], argv[4]);
    struct buf *b = rtmp_from_tracks(tracks, n_tracks, 0);
    put(buf_span(b));
    buf_unref(b);
    const int64_t begin_us = clock_mono_us(), end_us = (int64_t)seconds * US_PER_SEC;
    for (int64_t shift_us = 0;; shift_us += length_us) {
        for (size_t i = 0; i < n_frames; i++) {
            const int64_t at_us = frames[i]->dts_us + shift_us;
            if (at_us >= end_us) return 0;
            wait_until(begin_us + at_us);
            send_frame(frames[i], shift_us);
        }
    }
}
