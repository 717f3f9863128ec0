/* SPDX-License-Identifier: MIT */
/* wire/m3u8.h - HLS playlists as text: the directives of a request, a parser, and a validator of
 * Apple's rules. (Playlists are written by engine/hls.h.)
 *
 * Source: draft-pantos-hls-rfc8216bis ("8216bis" below) and Apple's HLS authoring specification.
 * Pure functions, any thread. Limits: LIMIT_HLS_QUERY_BYTES, LIMIT_M3U8_*. */
#pragma once
#include "base/err.h"
#include "base/str.h"

/* --- delivery directives (8216bis, 6.2.5) ------------------------------------------------------
 */

struct m3u8_directives {
    bool has_msn, has_part, skip;
    uint64_t msn;
    uint32_t part;
};

/* Reads the `_HLS_*` parameters of a raw query string ("" is fine); everything else is ignored, as
 * are unknown `_HLS_` names and values of _HLS_skip other than YES and v2 (the full playlist is
 * always a right answer to them). E_PROTO: _HLS_msn or _HLS_part is not a decimal number, or is
 * given twice. E_INVALID: _HLS_part without _HLS_msn. E_LIMIT: query too long. All mean 400. */
enum err m3u8_directives_parse(struct span query, struct m3u8_directives *out) WARN_UNUSED;

/* --- parsed playlists --------------------------------------------------------------------------
 */

struct m3u8_part {
    struct span uri;
    int64_t dur_us;
    bool independent, gap;
};

struct m3u8_segment {
    struct span uri;
    struct span map;            /* URI of the EXT-X-MAP in force; p == NULL: none */
    int64_t dur_us;             /* EXTINF */
    int64_t wall_us;            /* EXT-X-PROGRAM-DATE-TIME, -1: none on this segment */
    size_t first_part, n_parts; /* into m3u8.parts */
    bool discontinuity, gap, map_here;
};

struct m3u8_report {
    struct span uri;
    uint64_t last_msn, last_part;
    bool has_msn, has_part;
};

/* EXT-X-STREAM-INF or EXT-X-MEDIA of a multivariant playlist. */
struct m3u8_variant {
    bool media; /* EXT-X-MEDIA */
    struct span uri, codecs, audio, group, type, name, resolution, frame_rate;
    uint64_t bandwidth, average;
};

enum m3u8_type { M3U8_LIVE, M3U8_EVENT, M3U8_VOD };

/* Spans point into the parsed text. */
struct m3u8 {
    bool multivariant;
    unsigned version;
    int64_t target_s; /* -1: absent, here and below */
    uint64_t msn, dsn;
    bool has_msn, has_dsn;
    enum m3u8_type type;
    bool independent_segments, endlist;
    int64_t part_target_us;
    bool has_control, can_block, can_skip_dateranges;
    int64_t hold_back_us, part_hold_back_us, can_skip_until_us;
    uint64_t skipped; /* EXT-X-SKIP:SKIPPED-SEGMENTS, 0: none */
    struct m3u8_segment *segs;
    size_t n_segs; /* complete ones */
    struct m3u8_part *parts;
    size_t n_parts;
    size_t open_first_part; /* parts from here on belong to the segment that is not complete */
    bool open_discontinuity;
    struct span hint; /* PRELOAD-HINT:TYPE=PART */
    unsigned n_hints;
    struct m3u8_report *reports;
    size_t n_reports;
    struct m3u8_variant *variants;
    size_t n_variants;
};

/* E_PROTO: not a playlist, or a tag of ours without what it must have (`problem`, if not NULL,
 * gets a static sentence and `line` its number). E_LIMIT: above LIMIT_M3U8_*. Unknown tags are
 * ignored. Free with m3u8_fini(). */
enum err m3u8_parse(struct span text, struct m3u8 *out, const char **problem,
                    unsigned *line) WARN_UNUSED;
void m3u8_fini(struct m3u8 *p);

/* --- the validator ------------------------------------------------------------------------------
 */

/* Checks one playlist by itself; `own_uri` ("v0.m3u8") may be NULL. Appends one line a problem and
 * returns how many. */
unsigned m3u8_check(const struct m3u8 *p, const char *own_uri, struct str *problems);
/* Checks that `next` may follow `prev`: two versions of the same media playlist, as one client saw
 * them. Delta updates are completed from `prev`, which must be the complete one: see
 * m3u8_complete(). */
unsigned m3u8_check_update(const struct m3u8 *prev, const struct m3u8 *next, struct str *problems);
/* What a client has after a delta update: `next` with its skipped segments taken from `prev`, in
 * the text of both (keep them). E_INVALID: `prev` does not have them. Free with m3u8_fini(). */
enum err m3u8_complete(const struct m3u8 *prev, const struct m3u8 *next,
                       struct m3u8 *out) WARN_UNUSED;
