/* SPDX-License-Identifier: MIT */
/* Publishes files of tests/golden/media by Enhanced RTMP, for codecs that the packaged encoders
 * cannot send that way: bsp-rtmp-send PORT KEY VIDEO.mp4 AUDIO.mp4 SECONDS
 *
 * VIDEO may be FIRST.mp4+SECOND.mp4: after its first lap it changes to the second; and before it
 * may stand N@: the video begins, unannounced, with its key frame at N seconds.
 *
 * In real time, over and over. Prints "ready" once the server has said Publish.Start, and what the
 * server says when it refuses; exits 0 only after having sent all. */
#include "../unit/media_file.h"
#include "../unit/rtmp_peer.h"
#include "base/clock.h"
#include "engine/rtmp_frames.h"
#include <time.h>

struct sender {
    struct rtmp_peer peer;
    struct media_file files[2], second;
    bool has_second;
    int64_t late_us; /* video is not there before */
    unsigned at[2];
    int64_t lap_us, start_us;
};

/* What the server's own translator writes, taken out of its chunks again. */
static void send_chunks(struct sender *s, const struct buf *b)
{
    struct rtmp_dechunk d;
    struct rtmp_msg m;
    struct span in = buf_span(b);
    rtmp_dechunk_init(&d, LIMIT_RTMP_MESSAGE_BYTES);
    d.chunk_size = RTMP_OUT_CHUNK_SIZE;
    while (rtmp_dechunk_next(&d, &in, &m) == E_OK) {
        if (m.type != RTMP_DATA_AMF0)
            rtmp_client_send(&s->peer.c, m.type, m.ts_ms, SPAN_NULL, m.body);
    }
    rtmp_dechunk_fini(&d);
}

static void wait_until(const struct sender *s, int64_t at_us)
{
    const int64_t left_us = s->start_us + at_us - clock_mono_us();
    const struct timespec t = {left_us / US_PER_SEC, left_us % US_PER_SEC * 1000};
    if (left_us > 0) nanosleep(&t, NULL);
}

static void announce(struct sender *s, bool video)
{
    struct track *tracks[2] = {s->files[1].track, s->files[0].track};
    struct buf *b = rtmp_from_tracks(tracks, video ? 2 : 1, (uint32_t)(s->lap_us / US_PER_MS));
    send_chunks(s, b);
    buf_unref(b);
}

static void next_lap(struct sender *s)
{
    const struct media_file *v = &s->files[0];
    s->at[0] = s->at[1] = 0;
    s->lap_us += v->samples[v->n - 1].dts_us + (v->samples[1].dts_us - v->samples[0].dts_us);
    if (!s->has_second) return;
    s->has_second = false;
    media_file_close(&s->files[0]);
    s->files[0] = s->second;
    announce(s, true);
}

static void send_next(struct sender *s)
{
    const struct media_file *v = &s->files[0], *a = &s->files[1];
    const bool video = s->at[1] == a->n || (s->at[0] < v->n && v->samples[s->at[0]].dts_us <=
                                                                   a->samples[s->at[1]].dts_us);
    const struct media_file *m = &s->files[!video];
    const struct media_sample *x = &m->samples[s->at[!video]++];
    struct frame *f = frame_new(x->data.len);
    memcpy(f->data, x->data.p, x->data.len);
    f->codec = m->codec;
    f->key = x->key;
    f->dts_us = s->lap_us + x->dts_us;
    f->pts_us = s->lap_us + x->pts_us;
    wait_until(s, f->dts_us);
    if (video && s->late_us && f->dts_us >= s->late_us) {
        s->late_us = 0;
        announce(s, true);
    }
    if (video && s->late_us) {
        frame_unref(f);
        return;
    }
    struct buf *b = rtmp_from_frame(f);
    send_chunks(s, b);
    buf_unref(b);
    frame_unref(f);
    if (s->at[0] < v->n || s->at[1] < a->n) return;
    next_lap(s);
}

/* [N@]FIRST.mp4[+SECOND.mp4] */
static void open_video(struct sender *s, const char *arg)
{
    char name[256];
    const char *at = strchr(arg, '@');
    if (at) s->late_us = strtol(arg, NULL, 10) * US_PER_SEC;
    snprintf(name, sizeof name, "%s", at ? at + 1 : arg);
    char *plus = strchr(name, '+');
    if (plus) {
        *plus = 0;
        media_file_open(&s->second, plus + 1);
        s->has_second = true;
    }
    media_file_open(&s->files[0], name);
}

static int refused(struct sender *s)
{
    struct rtmp_client_event ev;
    if (rtmp_peer_until(&s->peer, RTMP_CLIENT_STATUS, &ev))
        printf("%.*s: %.*s\n", (int)ev.code.len, (const char *)ev.code.p, (int)ev.words.len,
               (const char *)ev.words.p);
    return 1;
}

int main(int argc, char **argv)
{
    struct sender s = {0};
    struct rtmp_client_event ev;
    if (argc != 6) return 2;
    open_video(&s, argv[3]);
    media_file_open(&s.files[1], argv[4]);
    rtmp_peer_open(&s.peer, (uint16_t)atoi(argv[1]), false, argv[2], 0);
    while (rtmp_peer_next(&s.peer, &ev) && ev.kind != RTMP_CLIENT_READY) {
        if (ev.kind != RTMP_CLIENT_STATUS) continue;
        printf("%.*s: %.*s\n", (int)ev.code.len, (const char *)ev.code.p, (int)ev.words.len,
               (const char *)ev.words.p);
        return 1;
    }
    if (s.peer.c.state != RTMP_CL_READY) return 1;
    printf("ready\n");
    fflush(stdout);
    announce(&s, s.late_us == 0);
    s.start_us = clock_mono_us();
    while (!s.peer.closed && clock_mono_us() - s.start_us < atoi(argv[5]) * US_PER_SEC) {
        send_next(&s);
        rtmp_peer_flush(&s.peer);
    }
    if (s.peer.closed) return refused(&s);
    rtmp_client_unpublish(&s.peer.c);
    rtmp_peer_flush(&s.peer);
    for (int i = 0; i < 2; i++) media_file_close(&s.files[i]);
    rtmp_peer_close(&s.peer);
    return 0;
}
