/* SPDX-License-Identifier: MIT */
/* Frames on their way to WebRTC viewers. First byte: the codec; second: key frame or not; two
 * bytes: the length of the configuration; then the configuration and one frame after the other,
 * each behind its length in two bytes. Bursts are whole, numbered without gaps, within the size
 * that a packet may have. */
#include "base/rd.h"
#include "base/xalloc.h"
#include "bridge/packer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_seq[2];

static void check(void *ctx, struct lane_burst *b)
{
    (void)ctx;
    CHECK(b->n > 0 && b->n <= LANE_BURST_MAX);
    for (unsigned i = 0; i < b->n; i++) {
        const struct lane_packet *p = &b->packets[i];
        CHECK(p->len > 0 && p->len <= PACKER_MTU && p->track < 2 && p->layer == 0);
        CHECK(!next_seq[p->track] || p->seq == next_seq[p->track]);
        next_seq[p->track] = p->seq + 1;
        volatile uint8_t sum = 0; /* the bytes are there */
        for (size_t k = 0; k < p->len; k++) sum ^= lane_payload(b, p).p[k];
    }
    feed_msg_unref(&b->msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum codec CODECS[] = {CODEC_H264, CODEC_VP8, CODEC_VP9, CODEC_AV1, CODEC_OPUS};
    struct rd r = rd_from(span_of(data, size));
    const enum codec codec = CODECS[rd_u8(&r) % 5];
    const bool key = rd_u8(&r) & 1;
    const size_t len = rd_u16be(&r);
    const struct span config = rd_span(&r, len < rd_left(&r) ? len : rd_left(&r));
    struct packer *p = xmalloc(sizeof *p);
    struct track *t = track_new(codec == CODEC_OPUS ? TRACK_ID_AUDIO : TRACK_ID_VIDEO, codec);
    t->config = buf_copy(config);
    packer_init(p);
    packer_track(p, codec_kind(codec), t);
    next_seq[0] = next_seq[1] = 0;
    for (int64_t at = 0; rd_left(&r) > 0; at += 33333) {
        const size_t n = rd_u16be(&r);
        const struct span s = rd_span(&r, n < rd_left(&r) ? n : rd_left(&r));
        struct frame *f = frame_new(s.len);
        if (s.len) memcpy(f->data, s.p, s.len);
        f->codec = codec;
        f->key = key;
        (void)!packer_frame(p, f, at, 0, check, NULL);
        frame_unref(f);
    }
    track_unref(t);
    packer_fini(p);
    free(p);
    return 0;
}
