/* SPDX-License-Identifier: MIT */
#include "wire/worker_msg.h"
#include "base/limits.h"
#include "base/rd.h"

#define FLAG_KEY           1
#define FLAG_DISCONTINUITY 2
#define TIME_MAX           (INT64_C(1) << 62)

static void write_fields(const struct worker_msg *m, struct wr *w)
{
    switch (m->type) {
    case WORKER_WANT:
        wr_u8(w, m->codec);
        wr_u32be(w, m->bitrate);
        wr_u16be(w, m->max_height);
        wr_u16be(w, m->gop_ms);
        wr_u64be(w, (uint64_t)m->pts_us);
        break;
    case WORKER_TRACK:
        wr_u8(w, m->codec);
        wr_u16be(w, m->width);
        wr_u16be(w, m->height);
        wr_u32be(w, m->fps_milli);
        wr_u32be(w, m->sample_rate);
        wr_u8(w, m->channels);
        break;
    case WORKER_FRAME:
        wr_u8(w, (uint8_t)((m->key ? FLAG_KEY : 0) | (m->discontinuity ? FLAG_DISCONTINUITY : 0)));
        wr_u64be(w, (uint64_t)m->dts_us);
        wr_u64be(w, (uint64_t)m->pts_us);
        break;
    case WORKER_READY:
        wr_u8(w, m->version);
        break;
    case WORKER_PROGRESS:
        wr_u16be(w, m->per_mille);
        break;
    default:
        break;
    }
}

void worker_msg_head(const struct worker_msg *m, struct wr *w)
{
    uint8_t room[WORKER_HEAD_BYTES];
    struct wr f = wr_to(room, sizeof room);
    wr_u8(&f, (uint8_t)m->type);
    wr_u8(&f, m->kind);
    write_fields(m, &f);
    wr_u32be(w, (uint32_t)(wr_used(&f) + m->data.len));
    wr_str(w, wr_span(&f));
}

static enum err read_frame(struct rd *r, struct worker_msg *m)
{
    const uint8_t flags = rd_u8(r);
    const uint64_t dts = rd_u64be(r), pts = rd_u64be(r);
    if (r->underflow || flags > (FLAG_KEY | FLAG_DISCONTINUITY) || dts > TIME_MAX || pts > TIME_MAX)
        return E_PROTO;
    m->key = flags & FLAG_KEY;
    m->discontinuity = flags & FLAG_DISCONTINUITY;
    m->dts_us = (int64_t)dts;
    m->pts_us = (int64_t)pts;
    m->data = rd_rest(r);
    if (m->data.len == 0) return E_PROTO;
    return m->data.len > LIMIT_FRAME_BYTES ? E_LIMIT : E_OK;
}

static enum err read_track(struct rd *r, struct worker_msg *m)
{
    m->codec = rd_u8(r);
    m->width = rd_u16be(r);
    m->height = rd_u16be(r);
    m->fps_milli = rd_u32be(r);
    m->sample_rate = rd_u32be(r);
    m->channels = rd_u8(r);
    m->data = rd_rest(r);
    return m->data.len > LIMIT_CODEC_CONFIG_BYTES || m->width > LIMIT_VIDEO_SIDE ||
                   m->height > LIMIT_VIDEO_SIDE
               ? E_LIMIT
               : E_OK;
}

static enum err read_want(struct rd *r, struct worker_msg *m)
{
    m->codec = rd_u8(r);
    m->bitrate = rd_u32be(r);
    m->max_height = rd_u16be(r);
    m->gop_ms = rd_u16be(r);
    const uint64_t after = rd_u64be(r);
    m->pts_us = (int64_t)after;
    return after > TIME_MAX ? E_PROTO : E_OK;
}

static enum err read_fields(struct rd *r, struct worker_msg *m)
{
    switch (m->type) {
    case WORKER_WANT:
        return read_want(r, m);
    case WORKER_TRACK:
        return read_track(r, m);
    case WORKER_FRAME:
        return read_frame(r, m);
    case WORKER_READY:
        m->version = rd_u8(r);
        return E_OK;
    case WORKER_PROGRESS:
        m->per_mille = rd_u16be(r);
        return m->per_mille > 1000 ? E_PROTO : E_OK;
    case WORKER_KEY:
    case WORKER_LOST:
    case WORKER_PING:
    case WORKER_END:
        return E_OK;
    case WORKER_INPUT:
        m->data = rd_rest(r);
        return m->data.len > LIMIT_WORKER_INPUT ? E_LIMIT : E_OK;
    case WORKER_FAILED:
        m->data = rd_rest(r);
        return m->data.len > LIMIT_WORKER_TEXT ? E_LIMIT : E_OK;
    default:
        return E_PROTO;
    }
}

enum err worker_msg_next(struct span *in, struct worker_msg *out)
{
    struct rd r = rd_from(*in);
    const uint32_t len = rd_u32be(&r);
    if (r.underflow) return E_MORE;
    if (len > LIMIT_WORKER_MSG_BYTES) return E_LIMIT;
    if (rd_left(&r) < len) return E_MORE;
    struct worker_msg m = {0};
    struct rd body = rd_from(rd_span(&r, len));
    m.type = (enum worker_msg_type)rd_u8(&body);
    m.kind = rd_u8(&body);
    const enum err e = read_fields(&body, &m);
    if (e != E_OK) return e;
    if (body.underflow || rd_left(&body) || m.kind > 1) return E_PROTO;
    *out = m;
    *in = span_skip(*in, rd_used(&r));
    return E_OK;
}
