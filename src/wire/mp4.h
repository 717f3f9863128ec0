/* SPDX-License-Identifier: MIT */
/* wire/mp4.h - writes the head of a progressive MP4: ftyp and moov with its sample tables, to stand
 * before the mdat, so that a player begins with the first bytes of the file.
 *
 * Source: ISO/IEC 14496-12. Plain structs in, bytes out; pure. The samples' bytes are the
 * caller's to append, chunk by chunk, in the order in which he gives them. */
#pragma once
#include "base/span.h"
#include "base/str.h"

struct mp4_sample {
    uint32_t duration, size; /* time scale units, bytes */
    int32_t offset;          /* presentation minus decoding time */
    bool key;
};

/* Samples that lie back to back. */
struct mp4_chunk {
    uint64_t at; /* from the first byte of the mdat's contents */
    uint32_t n_samples;
    uint32_t entry; /* from 0: which of the track's entries decodes it */
};

struct mp4_track {
    bool video;
    uint32_t timescale;
    uint16_t width, height;
    const struct span *entries; /* sample entries, whole boxes ("avc1", ...) */
    unsigned n_entries;
    const struct mp4_sample *samples;
    size_t n_samples;
    const struct mp4_chunk *chunks;
    size_t n_chunks;
    int64_t delay_us; /* it begins so much after the other */
};

/* Appends ftyp, moov and the head of an mdat with `media` bytes, which follow directly. */
void mp4_head_write(const struct mp4_track *tracks, unsigned n, uint64_t media, struct str *out);
/* The sample entries (whole boxes) of the first track of an initialisation segment; NULL: none. */
struct span mp4_entries_of(struct span init);
