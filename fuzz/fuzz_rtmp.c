/* SPDX-License-Identifier: MIT */
/* The whole server engine: the same bytes give the same events at once and in pieces (whose sizes
 * the first byte decides). What it would keep for a client stays within its limits. */
#include "base/limits.h"
#include "base/xalloc.h"
#include "engine/rtmp_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct rtmp x;
    struct rtmp_to_frames frames;
    uint64_t hash;
    bool closed;
};

static void mix(struct run *r, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) r->hash = (r->hash ^ b[i]) * 0x100000001b3u;
}

static void on_event(struct run *r, const struct rtmp_event *ev)
{
    mix(r, &ev->kind, sizeof ev->kind);
    mix(r, &ev->ts_ms, sizeof ev->ts_ms);
    mix(r, ev->body.p, ev->body.len);
    mix(r, ev->name.key.p, ev->name.key.len);
    if (ev->kind == RTMP_EV_PUBLISH || ev->kind == RTMP_EV_PLAY) {
        if (ev->name.key.len % 7 == 6) {
            rtmp_refuse(&r->x, E_AUTH, "no");
        } else {
            rtmp_accept(&r->x, 0);
        }
    }
    if (ev->kind == RTMP_EV_CLOSE) {
        CHECK(ev->why != NULL && !r->closed);
        r->closed = true;
    }
    struct rtmp_media m;
    if (ev->kind != RTMP_EV_VIDEO && ev->kind != RTMP_EV_AUDIO) return;
    if (rtmp_to_frames(&r->frames, ev, 1, &m) != E_OK) {
        CHECK(r->frames.why[0] != 0);
        return;
    }
    if (m.frame) {
        mix(r, m.frame->data, m.frame->len);
        struct buf *b = rtmp_from_frame(m.frame);
        CHECK(b->len > m.frame->len);
        buf_unref(b);
    }
    if (m.track) {
        struct buf *b = rtmp_from_tracks(&m.track, 1, 0);
        mix(r, b->data, b->len);
        buf_unref(b);
    }
    frame_unref(m.frame);
    track_unref(m.track);
}

static void feed(struct run *r, struct span s)
{
    struct rtmp_event ev;
    uint8_t *copy = xmalloc(s.len ? s.len : 1); /* exact size: an over-read is seen */
    if (s.len) memcpy(copy, s.p, s.len);
    rtmp_feed(&r->x, span_of(copy, s.len), 0);
    while (rtmp_next(&r->x, 0, &ev)) on_event(r, &ev);
    free(copy);
    CHECK(r->x.stash.len <= LIMIT_RTMP_STASH_BYTES);
    CHECK(r->x.in.n_streams <= LIMIT_RTMP_CHUNK_STREAMS);
    CHECK(r->x.in.partial_bytes <= LIMIT_RTMP_PARTIAL_BYTES + LIMIT_RTMP_MESSAGE_BYTES);
    rtmp_sent(&r->x);
}

static uint64_t run(struct span in, uint32_t piece)
{
    struct run r = {.hash = 1};
    rtmp_init(&r.x, 1, 0);
    rtmp_to_frames_init(&r.frames, 0, false);
    while (in.len) {
        piece = piece * 1103515245u + 12345u;
        const size_t n = piece & 0x40000000 ? (piece >> 8) % 16 + 1 : (piece >> 8) % 2048 + 1;
        feed(&r, span_head(in, n));
        in = span_skip(in, n);
    }
    rtmp_to_frames_fini(&r.frames);
    rtmp_fini(&r.x);
    return r.hash;
}

static uint64_t run_whole(struct span in)
{
    struct run r = {.hash = 1};
    rtmp_init(&r.x, 1, 0);
    rtmp_to_frames_init(&r.frames, 0, false);
    feed(&r, in);
    rtmp_to_frames_fini(&r.frames);
    rtmp_fini(&r.x);
    return r.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    const struct span in = span_of(data + 1, size - 1);
    CHECK(run_whole(in) == run(in, data[0]));
    return 0;
}
