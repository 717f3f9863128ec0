/* SPDX-License-Identifier: MIT */
#include "engine/rtmp_frames.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rd.h"
#include "engine/rtmp_put.h"
#include "engine/track_config.h"
#include "wire/flv.h"
#include <stdio.h>

static enum codec codec_of(uint32_t fourcc)
{
    switch (fourcc) {
    case FLV_AVC1:
        return CODEC_H264;
    case FLV_HVC1:
        return CODEC_H265;
    case FLV_AV01:
        return CODEC_AV1;
    case FLV_VP09:
        return CODEC_VP9;
    case FLV_MP4A:
        return CODEC_AAC;
    case FLV_OPUS:
        return CODEC_OPUS;
    default:
        return CODEC_NONE;
    }
}

static uint32_t fourcc_of(enum codec c)
{
    static const uint32_t FOURCC_OF[CODEC_COUNT] = {
        [CODEC_H264] = FLV_AVC1, [CODEC_H265] = FLV_HVC1, [CODEC_AV1] = FLV_AV01,
        [CODEC_VP8] = FLV_VP08,  [CODEC_VP9] = FLV_VP09,  [CODEC_AAC] = FLV_MP4A,
        [CODEC_OPUS] = FLV_OPUS, [CODEC_MP3] = FLV_MP3,
    };
    return (unsigned)c < CODEC_COUNT ? FOURCC_OF[c] : FLV_NONE;
}

/* --- to frames ------------------------------------------------------------------------------ */

void rtmp_to_frames_init(struct rtmp_to_frames *x, int64_t base_us, bool continued)
{
    *x = (struct rtmp_to_frames){0};
    timeline_init(&x->timeline, base_us, continued);
}

void rtmp_to_frames_fini(struct rtmp_to_frames *x)
{
    track_unref(x->video.track);
    track_unref(x->audio.track);
    buf_unref(x->video.config);
    buf_unref(x->audio.config);
    x->video = x->audio = (struct rtmp_source){0};
}

static enum err refuse(struct rtmp_to_frames *x, enum err e, const char *what, const char *fix)
{
    snprintf(x->why, sizeof x->why, "%s %s", what, fix);
    return e;
}

static bool has_nals(enum codec c)
{
    return c == CODEC_H264 || c == CODEC_H265;
}

/* lengthSizeMinusOne of an avcC or hvcC record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1). */
static uint8_t nal_length(enum codec c, struct span config)
{
    const size_t at = c == CODEC_H264 ? 4 : 21;
    return has_nals(c) && config.len > at ? (config.p[at] & 3) + 1 : 4;
}

/* VP9 and AV1 may say the size of their pictures in the first key frame only. */
static bool is_complete(const struct track *t)
{
    return t->kind == MEDIA_AUDIO || t->width > 0;
}

static void announce(struct rtmp_source *s, struct rtmp_media *out)
{
    if (!is_complete(s->track)) return;
    out->track = track_ref(s->track);
    s->announced = true;
}

static void set_track(struct rtmp_source *s, struct track *t)
{
    track_unref(s->track);
    s->track = t;
    s->announced = false;
}

/* A sequence header. OBS before 29.1 has HEVC in what says AVC: it is tried when AVC fails. */
static enum err on_config(struct rtmp_to_frames *x, struct rtmp_source *s, uint8_t id,
                          const struct flv_tag *tag, struct rtmp_media *out)
{
    const struct span config = tag->body;
    if (config.len == 0) return E_OK;
    if (s->config && s->fourcc == tag->fourcc && span_eq(buf_span(s->config), config)) return E_OK;
    if (config.len > LIMIT_CODEC_CONFIG_BYTES) {
        return refuse(x, E_LIMIT, "The codec configuration", "is too long.");
    }
    enum codec c = codec_of(tag->fourcc);
    struct track *t = NULL;
    enum err e = track_from_config(id, c, config, &t);
    if (e != E_OK && c == CODEC_H264 && track_from_config(id, CODEC_H265, config, &t) == E_OK) {
        c = CODEC_H265;
        e = E_OK;
    }
    if (e == E_UNSUPPORTED) {
        return refuse(x, e, codec_title(c), "of this kind is not supported.");
    }
    if (e != E_OK) {
        return refuse(x, e == E_LIMIT ? e : E_PROTO, codec_title(c), "configuration is broken.");
    }
    buf_unref(s->config);
    s->config = buf_copy(config);
    s->fourcc = tag->fourcc;
    s->nal_length = nal_length(c, config);
    set_track(s, t);
    announce(s, out);
    return E_OK;
}

/* AV1 as an MPEG-2 TS descriptor: tag, length, and then the four bytes that av1C begins with. */
static enum err on_ts_config(struct rtmp_to_frames *x, struct flv_tag *tag, struct rtmp_media *out)
{
    if (tag->fourcc != FLV_AV01 || tag->body.len < 6 || tag->body.p[0] != 0x80) return E_OK;
    tag->body = span_head(span_skip(tag->body, 2), 4);
    return on_config(x, &x->video, TRACK_ID_VIDEO, tag, out);
}

static bool is_random_access(enum codec c, uint8_t b0)
{
    if (c == CODEC_H264) return (b0 & 0x1f) == 5;
    const uint8_t type = (b0 >> 1) & 0x3f;
    return type >= 16 && type <= 21;
}

/* Walks NAL units with length fields of n bytes. Empty units are passed over. Returns the bytes
 * they need with length fields of four; 0: broken, or nothing in it. Writes to `w` when given. */
static size_t nals_copy(struct span in, uint8_t n, enum codec c, struct wr *w, bool *key)
{
    struct rd r = rd_from(in);
    size_t size = 0;
    for (unsigned count = 0; rd_left(&r) > 0; count++) {
        const uint64_t len = rd_be(&r, n);
        const struct span nal = rd_span(&r, len);
        if (r.underflow || count == LIMIT_NALS_PER_FRAME) return 0;
        if (nal.len == 0) continue;
        size += 4 + nal.len;
        *key = *key || is_random_access(c, nal.p[0]);
        if (!w) continue;
        wr_u32be(w, (uint32_t)nal.len);
        wr_str(w, nal);
    }
    return size;
}

/* The payload as a frame of its own; NULL: broken or empty. */
static struct frame *frame_make(const struct rtmp_source *s, struct span body, bool key)
{
    const enum codec c = s->track->codec;
    if (body.len == 0) return NULL;
    if (!has_nals(c)) {
        if (body.len > LIMIT_FRAME_BYTES) return NULL;
        struct frame *f = frame_new(body.len);
        memcpy(f->data, body.p, body.len);
        f->key = key;
        return f;
    }
    const size_t size = nals_copy(body, s->nal_length, c, NULL, &key);
    if (size == 0 || size > LIMIT_FRAME_BYTES) return NULL;
    struct frame *f = frame_new(size);
    struct wr w = wr_to(f->data, size);
    (void)nals_copy(body, s->nal_length, c, &w, &key);
    f->key = key;
    return f;
}

static void on_frames(struct rtmp_to_frames *x, struct rtmp_source *s, const struct flv_tag *tag,
                      const struct rtmp_event *ev, int64_t wall_us, struct rtmp_media *out)
{
    const bool audio = ev->kind == RTMP_EV_AUDIO;
    if (!s->track) { /* frames without a configuration mean nothing */
        x->broken++;
        return;
    }
    struct frame *f = frame_make(s, tag->body, audio || tag->key);
    if (!f) {
        x->broken += tag->body.len > 0;
        return;
    }
    struct track *t;
    if (!audio && f->key && track_refine(s->track, frame_span(f), &t) == E_OK) set_track(s, t);
    if (!s->announced) announce(s, out);
    if (!s->announced) { /* of a track whose key frame is still to come */
        frame_unref(f);
        return;
    }
    const struct timeline_stamp at =
        timeline_map(&x->timeline, s->track->id, ev->ts_ms, tag->cts_ms);
    f->track = s->track->id;
    f->codec = s->track->codec;
    f->dts_us = at.dts_us;
    f->pts_us = at.pts_us + tag->nano / 1000;
    f->discontinuity = at.discontinuity;
    f->wall_us = wall_us;
    out->frame = f;
}

enum err rtmp_to_frames(struct rtmp_to_frames *x, const struct rtmp_event *ev, int64_t wall_us,
                        struct rtmp_media *out)
{
    const bool audio = ev->kind == RTMP_EV_AUDIO;
    struct rtmp_source *const s = audio ? &x->audio : &x->video;
    struct flv_tag tag;
    *out = (struct rtmp_media){0};
    const enum err e = audio ? flv_audio_parse(ev->body, &tag) : flv_video_parse(ev->body, &tag);
    if (e != E_OK) {
        x->broken++;
        return E_OK;
    }
    if (tag.track != 0 || tag.packet == FLV_COMMAND || tag.packet == FLV_OTHER) return E_OK;
    if (tag.packet == FLV_METADATA || tag.packet == FLV_MULTICHANNEL) return E_OK;
    if (codec_of(tag.fourcc) == CODEC_NONE && tag.body.len > 0) {
        return refuse(x, E_UNSUPPORTED, audio ? flv_audio_name(&tag) : flv_video_name(&tag),
                      audio ? "is not supported: use AAC or Opus."
                            : "is not supported: use H.264, HEVC, AV1 or VP9.");
    }
    if (tag.packet == FLV_SEQ_START) {
        return on_config(x, s, audio ? TRACK_ID_AUDIO : TRACK_ID_VIDEO, &tag, out);
    }
    if (tag.packet == FLV_TS_SEQ_START) return on_ts_config(x, &tag, out);
    if (tag.packet == FLV_FRAMES) on_frames(x, s, &tag, ev, wall_us, out);
    return E_OK;
}

/* --- from frames ---------------------------------------------------------------------------- */

uint32_t rtmp_frame_ts(const struct frame *f)
{
    return (uint32_t)(f->dts_us / US_PER_MS);
}

static struct buf *chunks(enum media_kind kind, uint32_t ts_ms, struct span head, struct span body)
{
    const bool audio = kind == MEDIA_AUDIO;
    struct buf *b = buf_new(rtmp_chunks_size(head.len + body.len, ts_ms, RTMP_OUT_CHUNK_SIZE));
    struct wr w = wr_to(b->data, b->len);
    rtmp_put_chunks(&w, audio ? RTMP_CS_AUDIO : RTMP_CS_VIDEO, audio ? RTMP_AUDIO : RTMP_VIDEO,
                    RTMP_OUT_STREAM, ts_ms, head, body, RTMP_OUT_CHUNK_SIZE);
    return b;
}

struct buf *rtmp_from_frame(const struct frame *f)
{
    uint8_t hdr[FLV_HDR_MAX];
    struct wr w = wr_to(hdr, sizeof hdr);
    const enum media_kind kind = codec_kind(f->codec);
    const int64_t cts_ms = f->pts_us / US_PER_MS - f->dts_us / US_PER_MS;
    if (kind == MEDIA_AUDIO) {
        flv_audio_write(&w, fourcc_of(f->codec), FLV_FRAMES);
    } else {
        flv_video_write(&w, fourcc_of(f->codec), FLV_FRAMES, f->key, (int32_t)cts_ms);
    }
    return chunks(kind, rtmp_frame_ts(f), wr_span(&w), frame_span(f));
}

static const struct track *first_of(struct track *const *tracks, unsigned n, enum media_kind kind)
{
    for (unsigned i = 0; i < n; i++) {
        if (tracks[i]->kind == kind) return tracks[i];
    }
    return NULL;
}

/* At time 0: ffmpeg takes later ones for a stream of their own. */
static void put_metadata(struct str *out, const struct track *v, const struct track *a)
{
    uint8_t b[512];
    struct wr w = wr_to(b, sizeof b);
    amf0_put_string(&w, SPAN_LIT("onMetaData"));
    amf0_object_begin(&w);
    if (v) {
        amf0_pair_number(&w, "width", v->width);
        amf0_pair_number(&w, "height", v->height);
        amf0_pair_number(&w, "videocodecid", v->codec == CODEC_H264 ? 7 : fourcc_of(v->codec));
        if (v->fps_milli) amf0_pair_number(&w, "framerate", v->fps_milli / 1000.0);
    }
    if (a) {
        amf0_pair_number(&w, "audiocodecid", a->codec == CODEC_AAC ? 10 : fourcc_of(a->codec));
        amf0_pair_number(&w, "audiosamplerate", a->sample_rate);
        amf0_pair_number(&w, "audiochannels", a->channels);
        amf0_pair_boolean(&w, "stereo", a->channels == 2);
    }
    amf0_object_end(&w);
    rtmp_put_message(out, RTMP_CS_STATUS, RTMP_DATA_AMF0, RTMP_OUT_STREAM, 0, wr_span(&w),
                     RTMP_OUT_CHUNK_SIZE);
}

static void put_config(struct str *out, const struct track *t, uint32_t ts_ms)
{
    uint8_t hdr[FLV_HDR_MAX];
    struct wr w = wr_to(hdr, sizeof hdr);
    if (!t) return;
    if (t->kind == MEDIA_AUDIO) {
        flv_audio_write(&w, fourcc_of(t->codec), FLV_SEQ_START);
    } else {
        flv_video_write(&w, fourcc_of(t->codec), FLV_SEQ_START, true, 0);
    }
    struct buf *b = chunks(t->kind, ts_ms, wr_span(&w), buf_span(t->config));
    str_add(out, buf_span(b));
    buf_unref(b);
}

struct buf *rtmp_from_tracks(struct track *const *tracks, unsigned n, uint32_t ts_ms)
{
    const struct track *v = first_of(tracks, n, MEDIA_VIDEO);
    const struct track *a = first_of(tracks, n, MEDIA_AUDIO);
    struct str out = {0};
    put_metadata(&out, v, a);
    put_config(&out, v, ts_ms);
    put_config(&out, a, ts_ms);
    return str_take_buf(&out);
}
