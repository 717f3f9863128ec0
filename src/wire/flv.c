/* SPDX-License-Identifier: MIT */
/* Legacy video   frame type (4 bits) CodecID (4) | AVC: packet type (1), composition time (3,
 * signed) 17 00 000000 avcC           27 01 000021 access unit Enhanced video 1 (1 bit) frame type
 * (3) packet type (4) | FourCC (4) | CodedFrames of AVC, HEVC, VVC: time (3) 90 "hvc1" hvcC a1
 * "hvc1" 000021 access unit Legacy audio   SoundFormat (4) rate (2) size (1) channels (1) | AAC:
 * packet type (1) af 00 AudioSpecificConfig   af 01 raw data block Enhanced audio 9 (4) packet type
 * (4) | FourCC (4) 90 "Opus" OpusHead          91 "Opus" packet
 *
 * Between the first byte and the FourCC there may be ModEx packets (size, data, type and the next
 * packet type) and a multitrack byte (how many tracks, and the packet type they share). */
#include "wire/flv.h"
#include "base/rd.h"

enum { FRAME_KEY = 1, FRAME_INTER = 2, FRAME_COMMAND = 5 };
enum { EX_SEQ_START, EX_FRAMES, EX_SEQ_END, EX_FRAMES_X, EX_METADATA, EX_TS_START, EX_MODEX = 7 };
enum { EX_MULTI_AUDIO = 5, EX_MULTI_VIDEO = 6 };
enum { ONE_TRACK, MANY_TRACKS, MANY_CODECS };
enum { CODEC_ID_AVC = 7, CODEC_ID_HEVC = 12, SOUND_MP3 = 2, SOUND_EX = 9, SOUND_AAC = 10 };

/* ModEx says how long it is; types other than the nanosecond offset are passed over. */
static uint8_t read_modex(struct rd *r, uint8_t packet, uint32_t *nano)
{
    while (packet == EX_MODEX && !r->underflow) {
        size_t n = rd_u8(r) + 1u;
        if (n == 256) n = rd_u16be(r) + 1u;
        const struct span data = rd_span(r, n);
        const uint8_t next = rd_u8(r);
        if (next >> 4 == 0 && data.len >= 3) {
            struct rd d = rd_from(data);
            *nano = rd_u24be(&d);
        }
        packet = next & 0x0f;
    }
    return packet;
}

/* Of several tracks takes the one with id 0, else the first: (FourCC) id size data, repeated. */
static enum err pick_track(struct rd *r, uint8_t how, struct flv_tag *t)
{
    bool found = false;
    while (rd_left(r) > 0) {
        const uint32_t fourcc = how == MANY_CODECS ? rd_u32be(r) : t->fourcc;
        const uint8_t id = rd_u8(r);
        const size_t n = rd_u24be(r);
        if (r->underflow) return E_MORE;
        if (n > rd_left(r)) return E_PROTO;
        const struct span body = rd_span(r, n);
        if (found && id != 0) continue;
        t->fourcc = fourcc;
        t->track = id;
        t->body = body;
        found = true;
        if (id == 0) break;
    }
    return found ? E_OK : E_MORE;
}

/* From after the first byte: ModEx, multitrack, FourCC; sets fourcc, track, nano and body. */
static enum err read_ex(struct rd *r, uint8_t multi_packet, uint8_t *packet, struct flv_tag *t)
{
    *packet = read_modex(r, *packet, &t->nano);
    if (t->nano > 999999) t->nano = 0;
    uint8_t how = ONE_TRACK;
    const bool multi = *packet == multi_packet;
    if (multi) {
        const uint8_t b = rd_u8(r);
        how = b >> 4;
        *packet = b & 0x0f;
    }
    if (how > MANY_CODECS) return E_UNSUPPORTED;
    if (how != MANY_CODECS) t->fourcc = rd_u32be(r);
    if (r->underflow) return E_MORE;
    if (how != ONE_TRACK) return pick_track(r, how, t);
    if (multi) t->track = rd_u8(r);
    if (r->underflow) return E_MORE;
    t->body = rd_rest(r);
    return E_OK;
}

static int32_t sign24(uint32_t v)
{
    return v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
}

/* The composition time stands at the front of the body. */
static enum err take_cts(struct flv_tag *t)
{
    struct rd r = rd_from(t->body);
    t->cts_ms = sign24(rd_u24be(&r));
    if (r.underflow) return E_MORE;
    t->body = rd_rest(&r);
    return E_OK;
}

static enum err video_ex(struct rd *r, uint8_t b0, struct flv_tag *t)
{
    static const enum flv_packet PACKET[16] = {
        FLV_SEQ_START, FLV_FRAMES, FLV_SEQ_END, FLV_FRAMES, FLV_METADATA, FLV_TS_SEQ_START,
        FLV_OTHER,     FLV_OTHER,  FLV_OTHER,   FLV_OTHER,  FLV_OTHER,    FLV_OTHER,
        FLV_OTHER,     FLV_OTHER,  FLV_OTHER,   FLV_OTHER,
    };
    const uint8_t frame = (b0 >> 4) & 7;
    uint8_t packet = b0 & 0x0f;
    t->legacy = FLV_ENHANCED;
    /* A command has one byte after the ModEx packets and no FourCC. */
    if (frame == FRAME_COMMAND && packet != EX_METADATA && packet != EX_MULTI_VIDEO &&
        packet != EX_MODEX) {
        t->packet = FLV_COMMAND;
        t->body = rd_rest(r);
        return E_OK;
    }
    const enum err e = read_ex(r, EX_MULTI_VIDEO, &packet, t);
    if (e != E_OK) return e;
    t->packet = PACKET[packet & 0x0f];
    t->key = frame == FRAME_KEY && t->packet == FLV_FRAMES;
    if (packet == EX_FRAMES &&
        (t->fourcc == FLV_AVC1 || t->fourcc == FLV_HVC1 || t->fourcc == FLV_VVC1)) {
        return take_cts(t);
    }
    return E_OK;
}

static enum err video_legacy(struct rd *r, uint8_t b0, struct flv_tag *t)
{
    t->legacy = b0 & 0x0f;
    t->key = b0 >> 4 == FRAME_KEY;
    t->packet = b0 >> 4 == FRAME_COMMAND ? FLV_COMMAND : FLV_FRAMES;
    if (t->legacy == CODEC_ID_AVC) t->fourcc = FLV_AVC1;
    if (t->legacy == CODEC_ID_HEVC) t->fourcc = FLV_HVC1; /* never in the standard; in cameras */
    if (t->packet == FLV_COMMAND || t->fourcc == FLV_NONE) {
        t->body = rd_rest(r);
        return E_OK;
    }
    const uint8_t packet = rd_u8(r);
    if (r->underflow) return E_MORE;
    t->body = rd_rest(r);
    if (packet <= 2)
        t->packet = (enum flv_packet[]){FLV_SEQ_START, FLV_FRAMES, FLV_SEQ_END}[packet];
    if (packet > 2) t->packet = FLV_OTHER;
    if (t->packet != FLV_FRAMES) t->key = false;
    if (t->packet == FLV_SEQ_END) return E_OK; /* some leave the time out */
    return take_cts(t);
}

enum err flv_video_parse(struct span in, struct flv_tag *out)
{
    struct rd r = rd_from(in);
    struct flv_tag t = {0};
    const uint8_t b0 = rd_u8(&r);
    if (r.underflow) return E_MORE;
    const enum err e = b0 & 0x80 ? video_ex(&r, b0, &t) : video_legacy(&r, b0, &t);
    if (e == E_OK) *out = t;
    return e;
}

static enum err audio_ex(struct rd *r, uint8_t b0, struct flv_tag *t)
{
    uint8_t packet = b0 & 0x0f;
    t->legacy = FLV_ENHANCED;
    const enum err e = read_ex(r, EX_MULTI_AUDIO, &packet, t);
    if (e != E_OK) return e;
    t->packet = packet == EX_SEQ_START  ? FLV_SEQ_START
                : packet == EX_FRAMES   ? FLV_FRAMES
                : packet == EX_SEQ_END  ? FLV_SEQ_END
                : packet == EX_METADATA ? FLV_MULTICHANNEL /* the same number */
                                        : FLV_OTHER;
    return E_OK;
}

enum err flv_audio_parse(struct span in, struct flv_tag *out)
{
    struct rd r = rd_from(in);
    struct flv_tag t = {.packet = FLV_FRAMES};
    const uint8_t b0 = rd_u8(&r);
    if (r.underflow) return E_MORE;
    enum err e = E_OK;
    t.legacy = b0 >> 4;
    if (t.legacy == SOUND_EX) {
        e = audio_ex(&r, b0, &t);
    } else if (t.legacy == SOUND_AAC) {
        const uint8_t packet = rd_u8(&r);
        t.fourcc = FLV_MP4A;
        t.packet = packet == 0 ? FLV_SEQ_START : packet == 1 ? FLV_FRAMES : FLV_OTHER;
        t.body = rd_rest(&r);
        if (r.underflow) e = E_MORE;
    } else {
        if (t.legacy == SOUND_MP3) t.fourcc = FLV_MP3;
        t.body = rd_rest(&r);
    }
    if (e == E_OK) *out = t;
    return e;
}

static const char *fourcc_name(uint32_t fourcc)
{
    static const struct {
        uint32_t fourcc;
        const char *name;
    } NAMES[] = {
        {FLV_AVC1, "H.264"}, {FLV_HVC1, "HEVC"}, {FLV_VVC1, "VVC"}, {FLV_AV01, "AV1"},
        {FLV_VP08, "VP8"},   {FLV_VP09, "VP9"},  {FLV_MP4A, "AAC"}, {FLV_OPUS, "Opus"},
        {FLV_MP3, "MP3"},    {FLV_FLAC, "FLAC"}, {FLV_AC3, "AC-3"}, {FLV_EAC3, "E-AC-3"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (NAMES[i].fourcc == fourcc) return NAMES[i].name;
    }
    return "an unknown codec";
}

const char *flv_video_name(const struct flv_tag *t)
{
    static const char *const NAMES[16] = {
        [1] = "JPEG", [2] = "Sorenson H.263", [3] = "Screen Video",
        [4] = "VP6",  [5] = "VP6 with alpha", [6] = "Screen Video 2",
    };
    if (t->fourcc == FLV_NONE && t->legacy < 16 && NAMES[t->legacy]) return NAMES[t->legacy];
    return fourcc_name(t->fourcc);
}

const char *flv_audio_name(const struct flv_tag *t)
{
    static const char *const NAMES[16] = {
        [0] = "PCM",        [1] = "ADPCM", [3] = "PCM",   [4] = "Nellymoser", [5] = "Nellymoser",
        [6] = "Nellymoser", [7] = "G.711", [8] = "G.711", [11] = "Speex",     [14] = "MP3 8 kHz",
    };
    if (t->fourcc == FLV_NONE && t->legacy < 16 && NAMES[t->legacy]) return NAMES[t->legacy];
    return fourcc_name(t->fourcc);
}

static uint8_t ex_packet(enum flv_packet p)
{
    return p == FLV_SEQ_START ? EX_SEQ_START : p == FLV_SEQ_END ? EX_SEQ_END : EX_FRAMES;
}

void flv_video_write(struct wr *w, uint32_t fourcc, enum flv_packet packet, bool key,
                     int32_t cts_ms)
{
    /* What is not a picture counts as a key frame: players take it at any time. */
    const uint8_t frame = key || packet != FLV_FRAMES ? FRAME_KEY : FRAME_INTER;
    const bool has_cts = fourcc == FLV_HVC1 || fourcc == FLV_VVC1;
    if (fourcc == FLV_AVC1) {
        wr_u8(w, (uint8_t)(frame << 4 | CODEC_ID_AVC));
        wr_u8(w, packet == FLV_SEQ_START ? 0 : packet == FLV_FRAMES ? 1 : 2);
        wr_u24be(w, (uint32_t)cts_ms & 0xffffff);
        return;
    }
    wr_u8(w, (uint8_t)(0x80 | frame << 4 | ex_packet(packet)));
    wr_u32be(w, fourcc);
    if (packet == FLV_FRAMES && has_cts) wr_u24be(w, (uint32_t)cts_ms & 0xffffff);
}

void flv_audio_write(struct wr *w, uint32_t fourcc, enum flv_packet packet)
{
    if (fourcc == FLV_MP4A) {
        wr_u8(w, 0xaf); /* AAC: rate, size and channels are always said so */
        wr_u8(w, packet == FLV_SEQ_START ? 0 : 1);
        return;
    }
    wr_u8(w, (uint8_t)(SOUND_EX << 4 | ex_packet(packet)));
    wr_u32be(w, fourcc);
}
