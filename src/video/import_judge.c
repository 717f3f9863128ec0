/* SPDX-License-Identifier: MIT */
#include "video/import_judge.h"
#include "base/clock.h"
#include "base/limits.h"
#include "engine/track_config.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/h265.h"
#include "wire/opus.h"
#include "wire/vp9.h"
#include <stdio.h>

void import_judge_init(struct import_judge *j, uint64_t file_bytes)
{
    *j = (struct import_judge){.last_us = {-1, -1}};
    j->bytes_max = file_bytes < UINT64_MAX / LIMIT_IMPORT_GROWTH - LIMIT_IMPORT_SPARE_BYTES
                       ? file_bytes * LIMIT_IMPORT_GROWTH + LIMIT_IMPORT_SPARE_BYTES
                       : UINT64_MAX;
}

void import_judge_fini(struct import_judge *j)
{
    track_unref(j->track[0]);
    track_unref(j->track[1]);
}

/* --- the input --- */

static bool word(struct span *rest, char *out, size_t cap)
{
    const struct span w = span_cut(rest, ' ');
    if (!w.len || w.len >= cap) return false;
    for (size_t i = 0; i < w.len; i++) {
        const char c = (char)w.p[i];
        const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ',' || c == '.';
        if (!good) return false;
        out[i] = c;
    }
    out[w.len] = 0;
    return true;
}

static bool number(struct span *rest, uint64_t max, uint64_t *out)
{
    return span_u64(span_cut(rest, ' '), max, out);
}

static bool read_stream(struct span rest, bool video, struct import_stream *s)
{
    uint64_t a, b, c = 0, bitrate;
    s->there = true;
    if (!word(&rest, s->codec, sizeof s->codec) || !number(&rest, INT32_MAX, &a) ||
        !number(&rest, INT32_MAX, &b) || (video && !number(&rest, 1000000, &c)) ||
        !number(&rest, INT64_MAX, &bitrate))
        return false;
    if (video) {
        s->width = (unsigned)a;
        s->height = (unsigned)b;
        s->fps_milli = (unsigned)c;
    } else {
        s->sample_rate = (unsigned)a;
        s->channels = (unsigned)b;
    }
    s->bitrate = (int64_t)bitrate;
    return true;
}

/* "picture yuv420p 1 1 2000 5000000 0", "sound 0" */
static bool read_facts(struct span rest, bool video, struct import_stream *s)
{
    uint64_t w = 1, h = 1, gop = 0, peak = 0, edited;
    if (video && (!word(&rest, s->pixel_format, sizeof s->pixel_format) ||
                  !number(&rest, INT32_MAX, &w) || !number(&rest, INT32_MAX, &h) ||
                  !number(&rest, INT64_MAX, &gop) || !number(&rest, INT64_MAX, &peak)))
        return false;
    if (!number(&rest, 1, &edited)) return false;
    s->seen = true;
    s->pixel_w = (unsigned)w;
    s->pixel_h = (unsigned)h;
    s->gop_ms = (int64_t)gop;
    s->peak_bps = (int64_t)peak;
    s->edited = edited;
    return true;
}

static bool read_line(struct span rest, struct import_input *out)
{
    char key[16];
    uint64_t n;
    if (!word(&rest, key, sizeof key)) return false;
    if (!strcmp(key, "container")) return word(&rest, out->container, sizeof out->container);
    if (!strcmp(key, "video")) return read_stream(rest, true, &out->stream[MEDIA_VIDEO]);
    if (!strcmp(key, "audio")) return read_stream(rest, false, &out->stream[MEDIA_AUDIO]);
    if (!strcmp(key, "picture")) return read_facts(rest, true, &out->stream[MEDIA_VIDEO]);
    if (!strcmp(key, "sound")) return read_facts(rest, false, &out->stream[MEDIA_AUDIO]);
    if (strcmp(key, "duration") != 0) return false;
    out->duration_us = span_u64(rest, INT64_MAX, &n) ? (int64_t)n : -1;
    return true;
}

enum err import_judge_input(struct span text, struct import_input *out)
{
    struct import_input in = {.duration_us = -1};
    while (text.len) {
        const struct span line = span_cut(&text, '\n');
        if (line.len && !read_line(line, &in)) return E_PROTO;
    }
    *out = in;
    return E_OK;
}

/* --- tracks and frames --- */

enum err import_judge_track(struct import_judge *j, const struct worker_msg *m, struct track **out)
{
    struct track *t = NULL;
    if (m->codec >= CODEC_COUNT || codec_kind((enum codec)m->codec) != m->kind) return E_PROTO;
    const uint8_t id = m->kind == MEDIA_AUDIO ? TRACK_ID_AUDIO : TRACK_ID_VIDEO;
    const enum err e = track_from_config(id, (enum codec)m->codec, m->data, &t);
    if (e != E_OK) return e;
    if (!t->fps_milli) t->fps_milli = m->fps_milli;
    if (!t->width && m->kind == MEDIA_VIDEO) { /* the codec's record has no size */
        t->width = m->width;
        t->height = m->height;
    }
    track_unref(j->track[m->kind]);
    j->track[m->kind] = track_ref(t);
    *out = t;
    return E_OK;
}

/* The bytes are what the codec says they are, as far as those who carry them look. A key frame is
 * one where the file says so and the bytes do not say otherwise. */
static enum err judge(enum codec codec, const struct worker_msg *m, bool *key)
{
    struct h264_frame_info h264;
    struct h265_frame_info h265;
    struct vp9_frame vp9;
    unsigned samples;
    *key = m->key;
    switch (codec) {
    case CODEC_H264:
        if (h264_frame_parse(m->data, 4, &h264) != E_OK || !h264.has_slice) return E_MORE;
        *key = h264.idr || (m->key && h264.recovery);
        return E_OK;
    case CODEC_H265:
        if (h265_frame_parse(m->data, 4, &h265) != E_OK || !h265.has_slice) return E_MORE;
        *key = h265.irap;
        return E_OK;
    case CODEC_AV1:
        return av1_frame_is_key(m->data, false, key) == E_OK ? E_OK : E_MORE;
    case CODEC_VP9:
        if (vp9_frame_parse(m->data, &vp9) != E_OK) return E_MORE;
        *key = vp9.key;
        return E_OK;
    case CODEC_OPUS:
        return opus_packet_samples(m->data, &samples) == E_OK ? E_OK : E_MORE;
    default:
        return m->data.len <= LIMIT_AAC_FRAME_BYTES ? E_OK : E_MORE;
    }
}

enum err import_judge_frame(struct import_judge *j, const struct worker_msg *m, struct frame **out)
{
    const struct track *t = j->track[m->kind];
    bool key;
    if (!t || m->pts_us < m->dts_us || m->dts_us < j->last_us[m->kind] ||
        m->pts_us - m->dts_us > LIMIT_IMPORT_REORDER_US || m->dts_us > LIMIT_IMPORT_US)
        return t && m->dts_us > LIMIT_IMPORT_US ? E_LIMIT : t ? E_MORE : E_PROTO;
    if (++j->frames > LIMIT_IMPORT_FRAMES || m->data.len > j->bytes_max - j->bytes) return E_LIMIT;
    j->bytes += m->data.len;
    const enum err e = judge(t->codec, m, &key);
    if (e != E_OK) return e;
    struct frame *f = frame_new(m->data.len);
    memcpy(f->data, m->data.p, m->data.len);
    f->track = t->id;
    f->codec = t->codec;
    f->key = key || m->kind == MEDIA_AUDIO;
    f->discontinuity = m->discontinuity;
    f->dts_us = m->dts_us;
    f->pts_us = m->pts_us;
    j->last_us[m->kind] = m->dts_us;
    *out = f;
    return E_OK;
}
