/* SPDX-License-Identifier: MIT */
/* wire/fmp4.h - writes CMAF: one track a file, an initialisation segment and chunks.
 *
 * Sources: ISO/IEC 14496-12 (boxes), 14496-14 and -15 (mp4a, avc1, hvc1), AV1 and VP codec
 * bindings, Opus in ISOBMFF, ISO/IEC 23000-19 (CMAF). Plain structs in, bytes out; pure.
 * Composition offsets may be signed (trun version 1); there is no edit list.
 * The reader is wire/fmp4_read.h. */
#pragma once
#include "base/span.h"
#include "base/str.h"
#include "base/wr.h"

#define FMP4_TRACK_ID 1

enum fmp4_entry { FMP4_AVC1, FMP4_HVC1, FMP4_AV01, FMP4_VP09, FMP4_MP4A, FMP4_OPUS };

struct fmp4_track {
    enum fmp4_entry entry;
    uint32_t timescale;
    uint16_t width, height; /* video */
    uint32_t sample_rate;   /* audio */
    uint8_t channels;
    /* The body of avcC, hvcC, av1C, vpcC (without version and flags) or dOps; for mp4a the
     * AudioSpecificConfig. */
    struct span config;
};

/* ftyp and moov, appended to out. */
void fmp4_init_write(const struct fmp4_track *t, struct str *out);

struct fmp4_sample {
    uint32_t duration, size;
    int32_t offset; /* presentation minus decoding time */
    bool key;       /* sync sample */
};

/* Writes a moof with one track fragment, and the head of the mdat that holds the samples back to
 * back; the caller appends their bytes. Nothing is written (overflow) when w is too small. */
void fmp4_chunk_head_write(uint32_t sequence, uint64_t tfdt, const struct fmp4_sample *samples,
                           unsigned n, struct wr *w);
/* What fmp4_chunk_head_write() writes, exactly. */
size_t fmp4_chunk_head_bytes(const struct fmp4_sample *samples, unsigned n);
