/* SPDX-License-Identifier: MIT */
#include "bridge/packer.h"
#include "base/xalloc.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include "wire/opus.h"
#include "wire/rtp_cut.h"

#define FIRST_SEQ   65536 /* far from 0, which means none to readers of the lane */
#define H264_FILLER 12
#define STAP_A      24 /* RFC 6184, 5.2 */

void packer_init(struct packer *p)
{
    memset(p, 0, offsetof(struct packer, bytes));
    p->seq[0] = p->seq[1] = FIRST_SEQ;
}

void packer_fini(struct packer *p)
{
    for (unsigned k = 0; k < 2; k++) track_unref(p->tracks[k]);
    free(p->scratch);
}

void packer_track(struct packer *p, enum media_kind kind, struct track *t)
{
    struct track *old = p->tracks[kind];
    p->tracks[kind] = track_ref(t);
    track_unref(old);
}

bool packer_carries(enum codec c)
{
    return c == CODEC_H264 || c == CODEC_VP8 || c == CODEC_VP9 || c == CODEC_AV1 || c == CODEC_OPUS;
}

uint32_t packer_ts(enum media_kind kind, int64_t rtp_us)
{
    return (uint32_t)(kind == MEDIA_VIDEO ? rtp_us * 9 / 100 : rtp_us * 48 / 1000);
}

/* --- bursts --- */

/* The burst being filled, of one frame. */
struct filling {
    struct packer *p;
    enum media_kind kind;
    uint32_t ts;
    int64_t now_us;
    packer_put *put;
    void *ctx;
    struct lane_packet packets[LANE_BURST_MAX];
    unsigned n;
    size_t bytes;
    bool key; /* the next packet is the first of a key frame */
};

static void flush(struct filling *f)
{
    if (f->n == 0) return;
    struct lane_burst *b = lane_burst_new(f->n, f->bytes);
    b->at_us = f->now_us;
    memcpy(b->packets, f->packets, f->n * sizeof *f->packets);
    memcpy(b->bytes, f->p->bytes, f->bytes);
    f->n = 0;
    f->bytes = 0;
    f->put(f->ctx, b);
}

static struct wr room(struct filling *f)
{
    if (f->n == LANE_BURST_MAX) flush(f);
    return wr_to(f->p->bytes + f->bytes, sizeof f->p->bytes - f->bytes);
}

static void add(struct filling *f, size_t len, bool marker)
{
    f->packets[f->n++] = (struct lane_packet){.track = (uint8_t)f->kind,
                                              .marker = marker,
                                              .key = f->key,
                                              .seq = f->p->seq[f->kind]++,
                                              .ts = f->ts,
                                              .at = (uint32_t)f->bytes,
                                              .len = (uint32_t)len};
    f->bytes += len;
    f->key = false;
}

/* --- H.264 --- */

static uint8_t *scratch(struct packer *p, size_t n)
{
    if (p->scratch_cap < n) {
        free(p->scratch);
        p->scratch = xmalloc(n);
        p->scratch_cap = n;
    }
    return p->scratch;
}

static void put_nal(struct wr *w, struct span nal)
{
    wr_u32be(w, (uint32_t)nal.len);
    wr_str(w, nal);
}

static void put_sets(struct wr *w, const struct track *t)
{
    struct h264_config c;
    if (!t->config || h264_avcc_parse(buf_span(t->config), &c) != E_OK) return;
    for (unsigned i = 0; i < c.n_sps; i++) put_nal(w, c.sps[i]);
    for (unsigned i = 0; i < c.n_pps; i++) put_nal(w, c.pps[i]);
}

/* Types from 24 on would mean something else to a receiver of RTP. */
static bool wanted(unsigned type)
{
    return type > 0 && type < STAP_A && type != H264_AUD && type != H264_SEI && type != H264_FILLER;
}

/* The access unit as viewers get it, in p->scratch. */
static enum err h264_trim(struct packer *p, const struct frame *f, struct span *out)
{
    struct h264_frame_info info;
    struct span rest = frame_span(f), nal = SPAN_NULL;
    const struct track *t = p->tracks[MEDIA_VIDEO];
    enum err e = h264_frame_parse(rest, 4, &info);
    if (e != E_OK) return e;
    const size_t cap = f->len + (t->config ? 2 * t->config->len + 128 : 0);
    struct wr w = wr_to(scratch(p, cap), cap);
    if (f->key && !info.has_sps) put_sets(&w, t);
    while ((e = nal_next(&rest, 4, &nal)) == E_OK)
        if (wanted(nal.p[0] & 0x1f)) put_nal(&w, nal);
    if (e != E_NOTFOUND) return e;
    *out = wr_span(&w);
    return w.overflow ? E_LIMIT : info.has_slice ? E_OK : E_NOTFOUND;
}

static enum err pack_h264(struct filling *b, const struct frame *f)
{
    struct rtp_h264_cut cut = {.mtu = PACKER_MTU};
    enum err e = h264_trim(b->p, f, &cut.frame);
    for (bool last = false; e == E_OK && !last;) {
        struct wr w = room(b);
        e = rtp_h264_cut_next(&cut, &w, &last);
        if (e == E_OK) add(b, wr_used(&w), last);
    }
    flush(b);
    return e;
}

/* --- VP8, VP9, AV1 --- */

/* A container may keep the sequence header in the configuration only. */
static enum err av1_whole(struct packer *p, const struct frame *f, struct span *out)
{
    struct av1_seq seq;
    struct av1_config c;
    const struct track *t = p->tracks[MEDIA_VIDEO];
    *out = frame_span(f);
    if (!f->key || av1_seq_find(*out, &seq, NULL) == E_OK) return E_OK;
    if (!t->config || av1_config_parse(buf_span(t->config), &c) != E_OK) return E_PROTO;
    const size_t cap = c.obus.len + f->len;
    struct wr w = wr_to(scratch(p, cap), cap);
    wr_str(&w, c.obus);
    wr_str(&w, *out);
    *out = wr_span(&w);
    return E_OK;
}

static enum err pack_other(struct filling *b, const struct frame *f)
{
    struct rtp_cut cut = {
        .format = f->codec == CODEC_AV1   ? RTP_AV1
                  : f->codec == CODEC_VP9 ? RTP_VP9
                                          : RTP_VP8,
        .frame = frame_span(f),
        .mtu = PACKER_MTU,
        .key = f->key,
        .picture_id = b->p->picture_id++ & 0x7fff,
    };
    enum err e = f->codec == CODEC_AV1 ? av1_whole(b->p, f, &cut.frame) : E_OK;
    for (bool last = false; e == E_OK && !last;) {
        struct wr w = room(b);
        e = rtp_cut_next(&cut, &w, &last);
        if (e == E_OK) add(b, wr_used(&w), last);
    }
    flush(b);
    return e;
}

/* --- Opus --- */

/* Goes on where the last packet ended, unless the clock says otherwise. */
static uint32_t audio_ts(struct packer *p, uint32_t ts, unsigned samples)
{
    const int32_t off = (int32_t)(ts - p->audio_ts), slack = PACKER_SLACK_US * 48 / 1000;
    if (p->sound && off < slack && off > -slack) ts = p->audio_ts;
    p->sound = true;
    p->audio_ts = ts + samples;
    return ts;
}

static enum err pack_opus(struct filling *b, const struct frame *f)
{
    unsigned samples = 0;
    if (f->len > PACKER_MTU) return E_LIMIT;
    const enum err e = opus_packet_samples(frame_span(f), &samples);
    if (e != E_OK) return e;
    b->ts = audio_ts(b->p, b->ts, samples);
    struct wr w = room(b);
    wr_str(&w, frame_span(f));
    add(b, f->len, false);
    flush(b);
    return E_OK;
}

enum err packer_frame(struct packer *p, const struct frame *f, int64_t rtp_us, int64_t now_us,
                      packer_put *put, void *ctx)
{
    const enum media_kind kind = codec_kind(f->codec);
    if (!p->tracks[kind] || p->tracks[kind]->codec != f->codec) return E_NOTFOUND;
    struct filling b = {.p = p,
                        .kind = kind,
                        .ts = packer_ts(kind, rtp_us),
                        .now_us = now_us,
                        .put = put,
                        .ctx = ctx,
                        .key = kind == MEDIA_VIDEO && f->key};
    if (f->codec == CODEC_OPUS) return pack_opus(&b, f);
    return f->codec == CODEC_H264 ? pack_h264(&b, f) : pack_other(&b, f);
}
