/* SPDX-License-Identifier: MIT */
#include "wire/rtp_frame.h"
#include "wire/rtp_frame_priv.h"

static struct rtp_peek peek_opus(struct span p)
{
    return (struct rtp_peek){.start = p.len > 0, .key = p.len > 0};
}

static enum err join_opus(const struct span *payloads, unsigned n, struct wr *w)
{
    if (n != 1 || payloads[0].len == 0) return E_PROTO; /* a packet is a frame */
    wr_str(w, payloads[0]);
    return E_OK;
}

static const struct {
    struct rtp_peek (*peek)(struct span p);
    enum err (*join)(const struct span *payloads, unsigned n, struct wr *w);
} FORMATS[] = {
    [RTP_H264] = {rtp_peek_h264, rtp_join_h264}, [RTP_VP8] = {rtp_peek_vp8, rtp_join_vp8},
    [RTP_VP9] = {rtp_peek_vp9, rtp_join_vp9},    [RTP_AV1] = {rtp_peek_av1, rtp_join_av1},
    [RTP_OPUS] = {peek_opus, join_opus},
};

struct rtp_peek rtp_peek(enum rtp_format f, struct span payload)
{
    return FORMATS[f].peek(payload);
}

enum err rtp_join(enum rtp_format f, const struct span *payloads, unsigned n, struct wr *w)
{
    const uint8_t *before = w->p;
    const enum err e = FORMATS[f].join(payloads, n, w);
    if (e != E_OK) return e;
    if (w->overflow) return E_LIMIT;
    return w->p == before ? E_PROTO : E_OK; /* a frame of nothing */
}
