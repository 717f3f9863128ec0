/* SPDX-License-Identifier: MIT */
/* wire/fmp4_read.h - reads fragmented MP4 back: boxes, tracks, samples.
 *
 * For recovering a segment after a crash, for tests and for the validator of playlists. Pure:
 * results are views into the input, every size is checked, every loop is bounded by the input or
 * by FMP4_*_MAX. Understands what CMAF writers make, several tracks too; not edit lists. */
#pragma once
#include "base/err.h"
#include "base/span.h"

#define FMP4_TRACKS_MAX  8
#define FMP4_SAMPLES_MAX 65536 /* in one fragment */

struct fmp4_box {
    char type[5];
    struct span body; /* after size and type */
    struct span whole;
};

struct fmp4_track_info {
    uint32_t id, timescale;
    char handler[5]; /* "vide", "soun" */
    char entry[5];   /* "avc1", "mp4a", ... */
    uint16_t width, height;
    uint16_t channels;
    uint32_t sample_rate;
    struct span config; /* as in fmp4_track; for Opus the body of dOps */
    uint32_t default_duration, default_size, default_flags; /* trex */
};

struct fmp4_init {
    unsigned n_tracks;
    struct fmp4_track_info tracks[FMP4_TRACKS_MAX];
    struct span rest; /* what follows moov */
};

struct fmp4_fragment {
    uint32_t sequence;
    struct span moof;  /* whole box */
    struct span media; /* from the moof's first byte to the end of its mdat */
};

struct fmp4_sample_info {
    uint32_t track_id;
    uint64_t dts; /* timescale units; tfdt and durations */
    uint32_t duration;
    int32_t offset;
    bool key;
    struct span data;
};

/* A walk over the samples of a fragment. Private. */
struct fmp4_walk {
    const struct fmp4_init *init;
    struct span media, trafs, truns, run;
    uint32_t track_id, flags, left, count;
    uint32_t d_duration, d_size, d_flags, first_flags;
    bool has_first_flags, first;
    uint8_t version;
    uint64_t dts;
    size_t at; /* of the next sample in media */
};

/* Takes a box off *rest. E_NOTFOUND: nothing left. E_MORE: cut short. E_PROTO: impossible size. */
enum err fmp4_box_next(struct span *rest, struct fmp4_box *out) WARN_UNUSED;
/* E_MORE: no whole moov yet. E_PROTO: broken. E_LIMIT: too many tracks. */
enum err fmp4_init_parse(struct span in, struct fmp4_init *out) WARN_UNUSED;
const struct fmp4_track_info *fmp4_init_track(const struct fmp4_init *init, uint32_t id);
/* The time of the first sample of the first moof in `in`, of which what follows need not be there:
 * decoding time and composition offset, in timescale units. E_MORE: no whole moof. E_PROTO. */
enum err fmp4_first_time(struct span in, uint64_t *out) WARN_UNUSED;
/* Takes the next moof and mdat off *rest, skipping other boxes. E_NOTFOUND: no more. E_MORE: the
 * last one is not whole: *rest begins with it. */
enum err fmp4_fragment_next(struct span *rest, struct fmp4_fragment *out) WARN_UNUSED;
void fmp4_walk_init(struct fmp4_walk *w, const struct fmp4_init *init,
                    const struct fmp4_fragment *f);
/* The next sample. E_NOTFOUND: no more. E_PROTO: broken. E_LIMIT: FMP4_SAMPLES_MAX. */
enum err fmp4_sample_next(struct fmp4_walk *w, struct fmp4_sample_info *out) WARN_UNUSED;
