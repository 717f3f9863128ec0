/* SPDX-License-Identifier: MIT */
/* engine/hls_view.h - how one viewer is shown a stream: what the query of a multivariant playlist,
 * or the claims of its token, ask for; and the path element below which the viewer finds it.
 *
 * That element is RUN, RUN~VIEW, or RUN~VIEW~HOUR~SIGNATURE: "k3v9~a5000-9000x~497222~h5Ab…".
 * Playlists name what is below them by relative URIs, so everything that a viewer fetches carries
 * view and signature, while the playlists' texts are the same for all viewers (ADR 25).
 *
 * Pure. Threads: any. Source of names: Mux's playback modifiers. */
#pragma once
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

enum hls_clip {
    HLS_CLIP_NONE,
    HLS_CLIP_ASSET,   /* milliseconds from the start of the recording */
    HLS_CLIP_PROGRAM, /* milliseconds since 1970 */
};
#define HLS_CLIP_END INT64_MAX /* to the end */

struct hls_view {
    enum hls_clip clip;
    int64_t from_ms, to_ms;
    bool no_dates; /* no EXT-X-PROGRAM-DATE-TIME */
    bool no_parts; /* plain HLS of a low-latency stream */
};

/* --- what is asked for --- */

struct hls_wish {
    struct hls_view view;
    unsigned min_height, max_height; /* 0: any */
    char subtitles[40];              /* language that is on from the start, "": none */
    bool trick_play;                 /* pictures for a time line */
    bool largest_first;              /* else one in the middle */
    unsigned clip_seen;              /* which clips were asked for; private */
};

extern const char *const HLS_WISHES[]; /* the names, and NULL */
/* One of them; other names are E_OK and mean nothing. E_INVALID: not such a value. */
enum err hls_wish_set(struct hls_wish *w, const char *name, struct span value) WARN_UNUSED;
/* After all were set. E_INVALID: they do not go together; *why is a sentence. */
enum err hls_wish_check(struct hls_wish *w, const char **why) WARN_UNUSED;

/* --- the path element --- */

#define HLS_VIEW_RUN_CAP  16
#define HLS_VIEW_PATH_CAP 160

struct hls_path {
    char run[HLS_VIEW_RUN_CAP];
    struct hls_view view;
    bool is_signed;     /* has a signature: see hls_path_valid() */
    int64_t until_hour; /* since 1970, not valid from then on */
};

/* E_NOTFOUND: none of ours. */
enum err hls_path_parse(struct span text, struct hls_path *out) WARN_UNUSED;
bool hls_view_plain(const struct hls_view *v);
/* `key` NULL: without a signature. */
void hls_path_write(const struct hls_path *p, const uint8_t key[SHA256_LEN], const char *id,
                    char out[HLS_VIEW_PATH_CAP]);
/* `text` as hls_path_parse() has taken it, below the playback id `id`. E_AUTH: not signed by this
 * key. E_TIMEOUT: expired. */
enum err hls_path_valid(struct span text, const uint8_t key[SHA256_LEN], const char *id,
                        int64_t now_us) WARN_UNUSED;

/* --- the texts --- */

/* The media playlist as this view has it: lines are left out. */
void hls_view_filter(struct span text, const struct hls_view *v, struct str *out);
/* A segment is within the clip. `at_us`: its time from the start of the recording. */
bool hls_view_has(const struct hls_view *v, int64_t at_us, int64_t wall_us, int64_t dur_us);
/* Nothing that begins here or later is. */
bool hls_view_over(const struct hls_view *v, int64_t at_us, int64_t wall_us);
