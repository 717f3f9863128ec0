/* SPDX-License-Identifier: MIT */
#include "bridge/worker_reply.h"
#include "base/clock.h"
#include "base/limits.h"
#include "engine/track_config.h"
#include "wire/h264.h"
#include "wire/opus.h"

#define SLACK_US    (2 * US_PER_SEC) /* of an output's time beyond its input's */
#define SHORTEST_US 500              /* between two frames: no source is faster */

enum err worker_reply_track(const struct worker_output *o, const struct worker_msg *m,
                            struct track **out)
{
    struct track *t = NULL;
    if (m->codec != o->codec) return E_PROTO;
    const enum err e = track_from_config(o->id, o->codec, m->data, &t);
    if (e != E_OK) return e;
    if (t->fps_milli == 0) t->fps_milli = m->fps_milli;
    if (t->may_reorder) { /* promised to nobody */
        track_unref(t);
        return E_PROTO;
    }
    *out = t;
    return E_OK;
}

/* The bytes are what the codec says they are, as far as those who carry them look. */
static enum err judge(const struct worker_output *o, const struct worker_msg *m, bool *key)
{
    struct h264_frame_info info;
    unsigned samples;
    *key = true;
    switch (o->codec) {
    case CODEC_H264:
        if (h264_frame_parse(m->data, 4, &info) != E_OK || !info.has_slice) return E_PROTO;
        *key = info.idr;
        return E_OK;
    case CODEC_OPUS:
        return opus_packet_samples(m->data, &samples);
    default:
        return m->data.len <= LIMIT_AAC_FRAME_BYTES ? E_OK : E_LIMIT;
    }
}

enum err worker_reply_frame(struct worker_output *o, const struct worker_msg *m, struct frame **out)
{
    bool key;
    if (!o->track || m->dts_us != m->pts_us) return E_PROTO;
    if (m->pts_us < o->first_us - SLACK_US || m->pts_us > o->top_us + SLACK_US) return E_PROTO;
    const enum err e = judge(o, m, &key);
    if (e != E_OK) return e;
    if (o->begun && m->pts_us < o->last_us + SHORTEST_US) return E_MORE;
    struct frame *f = frame_new(m->data.len);
    memcpy(f->data, m->data.p, m->data.len);
    f->track = o->id;
    f->codec = o->codec;
    f->key = key;
    f->discontinuity = m->discontinuity;
    f->dts_us = f->pts_us = m->pts_us;
    f->wall_us = m->pts_us + o->wall_offset_us;
    o->begun = true;
    o->last_us = m->pts_us;
    *out = f;
    return E_OK;
}
