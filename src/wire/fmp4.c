/* SPDX-License-Identifier: MIT */
/* A chunk as it is written:
 *
 *   moof  size
 *     mfhd  16: sequence number
 *     traf  size
 *       tfhd  24: flags 02 00 28: base is moof, default duration, default sample flags
 *       tfdt  20: version 1, base media decode time (8)
 *       trun  20 + n times: version 1, sample count, data offset,
 *             [first sample's flags] then for each sample [duration] size [flags] [offset];
 *             those in brackets only when they differ from the defaults
 *   mdat  8 + the samples */
#include "wire/fmp4.h"
#include "base/xalloc.h"
#include "wire/box_wr.h"

#define FLAGS_KEY     0x02000000u /* depends on nothing */
#define FLAGS_NOT_KEY 0x01010000u /* depends on others, is no sync sample */

#define TRUN_DATA_OFFSET 0x001u
#define TRUN_FIRST_FLAGS 0x004u
#define TRUN_DURATION    0x100u
#define TRUN_SIZE        0x200u
#define TRUN_FLAGS       0x400u
#define TRUN_OFFSET      0x800u

/* --- initialisation segment ----------------------------------------------------------------- */

static bool is_video(const struct fmp4_track *t)
{
    return t->entry != FMP4_MP4A && t->entry != FMP4_OPUS;
}

static void write_ftyp(struct str *s)
{
    const size_t at = box_open(s, "ftyp");
    str_adds(s, "iso6");
    str_be(s, 0, 4);
    str_adds(s, "iso6cmfcmp41");
    box_close(s, at);
}

static void write_mvhd(struct str *s, uint32_t timescale)
{
    const size_t at = full_open(s, "mvhd", 0, 0);
    box_zeros(s, 8); /* times of creation and change */
    str_be(s, timescale, 4);
    str_be(s, 0, 4); /* duration: told by the fragments */
    str_be(s, 0x00010000, 4);
    str_be(s, 0x0100, 2);
    box_zeros(s, 10);
    box_matrix(s);
    box_zeros(s, 24);
    str_be(s, FMP4_TRACK_ID + 1, 4);
    box_close(s, at);
}

static void write_tkhd(struct str *s, const struct fmp4_track *t)
{
    const size_t at = full_open(s, "tkhd", 0, 3); /* enabled, in movie */
    box_zeros(s, 8);
    str_be(s, FMP4_TRACK_ID, 4);
    box_zeros(s, 4 + 4 + 8 + 2 + 2);
    str_be(s, is_video(t) ? 0 : 0x0100, 2); /* volume */
    box_zeros(s, 2);
    box_matrix(s);
    str_be(s, (uint32_t)(is_video(t) ? t->width : 0) << 16, 4);
    str_be(s, (uint32_t)(is_video(t) ? t->height : 0) << 16, 4);
    box_close(s, at);
}

static void write_mdhd_hdlr(struct str *s, const struct fmp4_track *t)
{
    size_t at = full_open(s, "mdhd", 0, 0);
    box_zeros(s, 8);
    str_be(s, t->timescale, 4);
    box_zeros(s, 4);
    str_be(s, 0x55c4, 2); /* "und" */
    box_zeros(s, 2);
    box_close(s, at);
    at = full_open(s, "hdlr", 0, 0);
    box_zeros(s, 4);
    str_adds(s, is_video(t) ? "vide" : "soun");
    box_zeros(s, 12);
    str_add(s, is_video(t) ? span_of("video", 6) : span_of("audio", 6));
    box_close(s, at);
}

static void write_dinf(struct str *s)
{
    const size_t dinf = box_open(s, "dinf");
    const size_t dref = full_open(s, "dref", 0, 0);
    str_be(s, 1, 4);
    box_close(s, full_open(s, "url ", 0, 1)); /* in this file */
    box_close(s, dref);
    box_close(s, dinf);
}

static void descriptor(struct str *s, uint8_t tag, size_t len)
{
    str_be(s, tag, 1);
    str_be(s, 0x80 | (len >> 7 & 0x7f), 1);
    str_be(s, len & 0x7f, 1);
}

/* ES_Descriptor { DecoderConfigDescriptor { DecoderSpecificInfo }, SLConfigDescriptor } */
static void write_esds(struct str *s, struct span config)
{
    const size_t at = full_open(s, "esds", 0, 0);
    const size_t specific = 3 + config.len, decoder = 13 + specific;
    descriptor(s, 3, 3 + 3 + decoder + 3 + 1);
    str_be(s, 0, 3); /* ES id, no flags */
    descriptor(s, 4, decoder);
    str_be(s, 0x40, 1); /* MPEG-4 audio */
    str_be(s, 0x15, 1); /* audio stream */
    box_zeros(s, 11);   /* buffer size and bit rates: not known of a live stream */
    descriptor(s, 5, config.len);
    str_add(s, config);
    descriptor(s, 6, 1);
    str_be(s, 2, 1);
    box_close(s, at);
}

static void write_config(struct str *s, const struct fmp4_track *t)
{
    static const char TYPE[][5] = {[FMP4_AVC1] = "avcC",
                                   [FMP4_HVC1] = "hvcC",
                                   [FMP4_AV01] = "av1C",
                                   [FMP4_VP09] = "vpcC",
                                   [FMP4_OPUS] = "dOps"};
    if (t->entry == FMP4_MP4A) {
        write_esds(s, t->config);
        return;
    }
    const size_t at =
        t->entry == FMP4_VP09 ? full_open(s, "vpcC", 1, 0) : box_open(s, TYPE[t->entry]);
    str_add(s, t->config);
    box_close(s, at);
}

static void write_entry(struct str *s, const struct fmp4_track *t)
{
    static const char TYPE[][5] = {
        [FMP4_AVC1] = "avc1", [FMP4_HVC1] = "hvc1", [FMP4_AV01] = "av01",
        [FMP4_VP09] = "vp09", [FMP4_MP4A] = "mp4a", [FMP4_OPUS] = "Opus"};
    const size_t at = box_open(s, TYPE[t->entry]);
    box_zeros(s, 6);
    str_be(s, 1, 2); /* data reference */
    if (is_video(t)) {
        box_zeros(s, 16);
        str_be(s, t->width, 2);
        str_be(s, t->height, 2);
        str_be(s, 0x00480000, 4);
        str_be(s, 0x00480000, 4);
        box_zeros(s, 4);
        str_be(s, 1, 2);
        box_zeros(s, 32);
        str_be(s, 24, 2);
        str_be(s, 0xffff, 2);
    } else {
        box_zeros(s, 8);
        str_be(s, t->channels, 2);
        str_be(s, 16, 2);
        box_zeros(s, 4);
        /* 16.16: rates that do not fit are told by the decoder's configuration alone. */
        str_be(s, t->sample_rate <= 0xffff ? t->sample_rate << 16 : 0, 4);
    }
    write_config(s, t);
    box_close(s, at);
}

static void write_stbl(struct str *s, const struct fmp4_track *t)
{
    static const char EMPTY[][5] = {"stts", "stsc", "stco"};
    const size_t stbl = box_open(s, "stbl");
    const size_t stsd = full_open(s, "stsd", 0, 0);
    str_be(s, 1, 4);
    write_entry(s, t);
    box_close(s, stsd);
    for (int i = 0; i < 3; i++) {
        const size_t at = full_open(s, EMPTY[i], 0, 0);
        box_zeros(s, 4);
        box_close(s, at);
    }
    const size_t stsz = full_open(s, "stsz", 0, 0);
    box_zeros(s, 8);
    box_close(s, stsz);
    box_close(s, stbl);
}

static void write_trak(struct str *s, const struct fmp4_track *t)
{
    const size_t trak = box_open(s, "trak");
    write_tkhd(s, t);
    const size_t mdia = box_open(s, "mdia");
    write_mdhd_hdlr(s, t);
    const size_t minf = box_open(s, "minf");
    const size_t head = is_video(t) ? full_open(s, "vmhd", 0, 1) : full_open(s, "smhd", 0, 0);
    box_zeros(s, is_video(t) ? 8 : 4);
    box_close(s, head);
    write_dinf(s);
    write_stbl(s, t);
    box_close(s, minf);
    box_close(s, mdia);
    box_close(s, trak);
}

void fmp4_init_write(const struct fmp4_track *t, struct str *s)
{
    write_ftyp(s);
    const size_t moov = box_open(s, "moov");
    write_mvhd(s, t->timescale);
    write_trak(s, t);
    const size_t mvex = box_open(s, "mvex");
    const size_t trex = full_open(s, "trex", 0, 0);
    str_be(s, FMP4_TRACK_ID, 4);
    str_be(s, 1, 4);
    box_zeros(s, 12);
    box_close(s, trex);
    box_close(s, mvex);
    box_close(s, moov);
}

/* --- chunk ------------------------------------------------------------------------------------ */

#define MOOF_FIXED (8 + 16 + 8 + 24 + 20 + 20)

static uint32_t sample_flags(const struct fmp4_sample *s)
{
    return s->key ? FLAGS_KEY : FLAGS_NOT_KEY;
}

/* Which of the optional fields of trun are needed. The defaults (in tfhd) are the duration of the
 * first sample and the flags of the last. */
static uint32_t trun_flags(const struct fmp4_sample *s, unsigned n)
{
    uint32_t f = TRUN_DATA_OFFSET | TRUN_SIZE;
    for (unsigned i = 0; i < n; i++) {
        if (s[i].duration != s[0].duration) f |= TRUN_DURATION;
        if (s[i].offset != 0) f |= TRUN_OFFSET;
        if (s[i].key != s[n - 1].key) f |= i == 0 ? TRUN_FIRST_FLAGS : TRUN_FLAGS;
    }
    return f & TRUN_FLAGS ? f & ~TRUN_FIRST_FLAGS : f;
}

static size_t moof_bytes(uint32_t flags, unsigned n)
{
    const size_t each = 4u + (flags & TRUN_DURATION ? 4u : 0) + (flags & TRUN_FLAGS ? 4u : 0) +
                        (flags & TRUN_OFFSET ? 4u : 0);
    return MOOF_FIXED + (flags & TRUN_FIRST_FLAGS ? 4u : 0) + each * n;
}

size_t fmp4_chunk_head_bytes(const struct fmp4_sample *samples, unsigned n)
{
    return moof_bytes(trun_flags(samples, n), n) + 8;
}

static void write_head(struct wr *w, size_t size, const char *type)
{
    wr_u32be(w, (uint32_t)size);
    wr_bytes(w, type, 4);
}

static void write_trun(struct wr *w, uint32_t flags, size_t moof, const struct fmp4_sample *s,
                       unsigned n)
{
    write_head(w, moof - (MOOF_FIXED - 20), "trun");
    wr_u32be(w, 1u << 24 | flags);
    wr_u32be(w, n);
    wr_u32be(w, (uint32_t)(moof + 8));
    if (flags & TRUN_FIRST_FLAGS) wr_u32be(w, sample_flags(&s[0]));
    for (unsigned i = 0; i < n; i++) {
        if (flags & TRUN_DURATION) wr_u32be(w, s[i].duration);
        wr_u32be(w, s[i].size);
        if (flags & TRUN_FLAGS) wr_u32be(w, sample_flags(&s[i]));
        if (flags & TRUN_OFFSET) wr_u32be(w, (uint32_t)s[i].offset);
    }
}

void fmp4_chunk_head_write(uint32_t sequence, uint64_t tfdt, const struct fmp4_sample *samples,
                           unsigned n, struct wr *w)
{
    CHECK(n > 0);
    const uint32_t flags = trun_flags(samples, n);
    const size_t moof = moof_bytes(flags, n);
    uint64_t bytes = 8;
    for (unsigned i = 0; i < n; i++) bytes += samples[i].size;
    CHECK(bytes <= UINT32_MAX);
    if ((size_t)(w->end - w->p) < moof + 8) {
        w->overflow = true;
        return;
    }
    write_head(w, moof, "moof");
    write_head(w, 16, "mfhd");
    wr_u32be(w, 0);
    wr_u32be(w, sequence);
    write_head(w, moof - 24, "traf");
    write_head(w, 24, "tfhd");
    wr_u32be(w, 0x020028);
    wr_u32be(w, FMP4_TRACK_ID);
    wr_u32be(w, samples[0].duration);
    wr_u32be(w, sample_flags(&samples[n - 1]));
    write_head(w, 20, "tfdt");
    wr_u32be(w, 1u << 24);
    wr_u64be(w, tfdt);
    write_trun(w, flags, moof, samples, n);
    write_head(w, (size_t)bytes, "mdat");
}
