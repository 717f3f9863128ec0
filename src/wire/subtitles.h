/* SPDX-License-Identifier: MIT */
/* wire/subtitles.h - subtitle files: SubRip and WebVTT in, clean WebVTT and plain text out.
 *
 * What is read is written again from what was understood, and nothing is passed through: of markup
 * b, i, u, c, v, lang, ruby, rt with their classes; of cue settings vertical, line, position, size,
 * align. Left out are styles, regions, notes, identifiers, times within a cue, other tags (their
 * text stays), control characters, cues without text or without length. Cues are put in order.
 *
 * Sources: W3C WebVTT (sections 4 and 6); SubRip as players read it. Pure. Limits:
 * LIMIT_SUBTITLE_*. What was written is read again to the same cues. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct subtitle_cue {
    int64_t start_ms, end_ms;           /* end after start */
    uint32_t settings_at, settings_len; /* in `text` below: " line:0" */
    uint32_t text_at, text_len;         /* WebVTT cue text: lines, none of them empty */
};

struct subtitles {
    struct subtitle_cue *cues; /* by their start; of one start as they stood */
    size_t n, cap;
    struct str text;
};

struct subtitle_problem {
    unsigned line;   /* 0: the whole file */
    const char *why; /* a sentence without its first letter large: "there are no cues in it." */
};

/* E_PROTO: neither format, not UTF-8, a time that is none, a cue that ends before it begins, no cue
 * at all. E_LIMIT. `problem` is set then. Free with subtitles_fini() after E_OK. */
enum err subtitles_parse(struct span file, struct subtitles *out,
                         struct subtitle_problem *problem) WARN_UNUSED;
void subtitles_fini(struct subtitles *s); /* leaves an empty one */

/* A part of them: cues that are on between `from_ms` and `to_ms`. */
struct subtitle_cut {
    int64_t from_ms, to_ms;
    bool trim;        /* no cue begins before, or ends after */
    int64_t shift_ms; /* is added to all times; what comes before 0 then begins at 0 */
};
#define SUBTITLE_ALL ((struct subtitle_cut){.from_ms = 0, .to_ms = INT64_MAX})

/* Appends cues, without the file's head. */
void subtitles_write(const struct subtitles *s, const struct subtitle_cut *cut, struct str *out);
/* Appends what is said, without markup: a line a cue. */
void subtitles_write_plain(const struct subtitles *s, const struct subtitle_cut *cut,
                           struct str *out);
/* "00:00:01.500" */
void subtitle_time_write(int64_t ms, struct str *out);
#define SUBTITLE_HEAD "WEBVTT\n\n"

/* subtitle_text.c: the text of one cue, cleaned; appends. */
void subtitle_text_clean(struct span raw, bool srt, struct str *out);
void subtitle_text_plain(struct span clean, struct str *out);
/* Settings behind a cue's times, those that are kept: " line:0 align:start". */
void subtitle_settings_clean(struct span raw, struct str *out);
