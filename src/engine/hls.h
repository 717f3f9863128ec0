/* SPDX-License-Identifier: MIT */
/* engine/hls.h - HLS and low-latency HLS: what a playlist says, and what a request for one gets.
 *
 * Pure functions: no I/O, no clock; the caller holds the segments. A rendition is named by a
 * letter and a digit ("v0", "a0"); its playlist is NAME.m3u8, and beside it lie
 * NAME/MSN.m4s (a segment), NAME/MSN.PART.m4s (a part) and NAME/init-ID.mp4.
 * Source: draft-pantos-hls-rfc8216bis. Threads: any. */
#pragma once
#include "base/str.h"
#include "wire/m3u8.h"

#define HLS_NAME_CAP 8

/* Playlists say that a delta reaches back so many target durations (8216bis wants at least 6). */
#define HLS_SKIP_TARGETS 6
/* Parts are listed for the segments that end within so many target durations of the end, and not
 * any more when the stream has ended: hls.js takes a playlist with parts for played to its end only
 * when the last part of the picture is, where the sound may have ended before. */
#define HLS_PART_TARGETS 3
/* A blocked request is given up after so many target durations. */
#define HLS_BLOCK_TARGETS 3

struct hls_part {
    int64_t dur_us;
    bool independent;
};

struct hls_segment {
    uint64_t msn;
    uint64_t dsn; /* discontinuity sequence number: discontinuities before its media */
    int64_t dur_us;
    int64_t wall_us;    /* program date time of its beginning */
    uint32_t init_id;   /* decodes it */
    bool discontinuity; /* stands between this and the segment before */
    bool gap;           /* no media */
    bool independent;   /* begins with a key frame */
};

/* --- writing -----------------------------------------------------------------------------------
 */

struct hls_header {
    const char *name; /* of the rendition */
    enum m3u8_type type;
    int64_t target_s;
    int64_t part_target_us; /* 0: no parts are listed */
    uint64_t first_msn;     /* of the playlist, skipped or not */
    uint64_t first_dsn;     /* see hls_first_dsn() */
    bool independent_segments;
    bool ended;       /* no blocking, no parts, no hint */
    uint64_t skipped; /* delta update: segments left out, 0: none */
};

/* State while the segments of one playlist are written. */
struct hls_writer {
    struct str *out;
    const char *name;
    uint32_t init_id; /* of the last EXT-X-MAP */
    bool map_known;
};

/* EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with this segment. */
uint64_t hls_first_dsn(const struct hls_segment *first);
/* After a skip, `before` is the last segment left out (its init is in force); else NULL. */
struct hls_writer hls_begin(struct str *out, const struct hls_header *h,
                            const struct hls_segment *before);
/* A complete segment, with its parts or (n_parts 0) without. */
void hls_add_segment(struct hls_writer *w, const struct hls_segment *s,
                     const struct hls_part *parts, unsigned n_parts);
/* The parts there are of the segment that is being made. */
void hls_add_open(struct hls_writer *w, const struct hls_segment *s, const struct hls_part *parts,
                  unsigned n_parts);
/* The part that comes next. */
void hls_add_hint(struct hls_writer *w, uint64_t msn, unsigned part);
/* How far another rendition is. */
void hls_add_report(struct hls_writer *w, const char *name, uint64_t last_msn, unsigned last_part);
void hls_add_end(struct hls_writer *w);

/* One variant of the multivariant playlist; zero or NULL is left out. */
struct hls_variant {
    const char *uri;        /* of the media playlist */
    const char *codecs;     /* of this rendition: "avc1.64001f" */
    uint64_t peak, average; /* bits a second */
    unsigned width, height, fps_milli, channels;
};
/* Subtitles. `name` is unlike those of the others; what may not stand in a playlist is replaced. */
struct hls_subtitles {
    const char *uri, *name, *language;
    bool captions; /* for those who do not hear: sounds are described too */
    bool on;       /* from the start */
};
struct hls_multivariant {
    const struct hls_variant *video;
    unsigned n_video;
    const struct hls_variant *audio; /* NULL: none */
    const struct hls_subtitles *texts;
    unsigned n_texts;
    bool independent;
};
/* Each video is a variant; with `audio` it refers to it as a group, and adds its rates and codecs.
 * Without a video the audio is the variant. */
void hls_multivariant_write(struct str *out, const struct hls_multivariant *m);

/* The playlist of subtitles: a piece of text for some segments of the picture each. VOD. */
struct hls_text_piece {
    uint64_t first_msn, last_msn; /* of the picture */
    int64_t dur_us, wall_us;
    bool discontinuity;
};
void hls_text_playlist_write(struct str *out, const char *name, const struct hls_text_piece *pieces,
                             size_t n, uint64_t first_dsn);

/* --- answering ---------------------------------------------------------------------------------
 */

/* How far a rendition is. */
struct hls_edge {
    uint64_t first_msn;  /* first segment that is listed */
    uint64_t open_msn;   /* the segment that is being made; complete ones are below */
    unsigned open_parts; /* parts of it that are there */
    unsigned last_parts; /* parts that the last complete one has */
    bool ended;
    int64_t part_target_us;
    int64_t target_s;
};

enum hls_answer {
    HLS_REPLY, /* now, with the playlist as it is; a delta when the request allows it */
    HLS_WAIT,  /* until hls_ready() */
    HLS_BAD,   /* 400: too far in the future */
};

enum hls_answer hls_decide(const struct hls_edge *e, const struct m3u8_directives *d);
/* What the request waits for is there; and, until the end, a complete segment: no playlist is
 * without one. */
bool hls_ready(const struct hls_edge *e, const struct m3u8_directives *d);

/* A request for a part (or, part < 0, a segment): there, to be waited for (the one that the
 * playlist hints at), or neither (404). */
enum hls_answer hls_decide_part(const struct hls_edge *e, uint64_t msn, int64_t part);

/* The names of resources: "12.m4s" without its extension, and "init-3". */
enum hls_resource { HLS_SEGMENT, HLS_PART, HLS_INIT };
struct hls_resource_id {
    enum hls_resource kind;
    uint64_t msn;
    uint32_t part;
    uint32_t init_id;
};
/* `stem` is the name without .m4s or .mp4: "12", "12.3", "init-3". E_NOTFOUND for anything else. */
enum err hls_resource_parse(struct span stem, struct hls_resource_id *out) WARN_UNUSED;
