/* SPDX-License-Identifier: MIT */
#include "wire/subtitles.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include <stdlib.h>

#define ARROW     "-->"
#define HOURS_MAX 999
#define MS_A_HOUR INT64_C(3600000)

struct reader {
    struct span rest;
    unsigned line; /* of what was read last */
    bool srt;
    struct subtitles *out;
    struct subtitle_problem *problem;
    /* The cue that is being read. */
    struct subtitle_cue cue;
    bool open;
    struct str raw, settings;
};

static enum err fail(struct reader *r, enum err e, unsigned line, const char *why)
{
    *r->problem = (struct subtitle_problem){line, why};
    return e;
}

/* --- characters --- */

/* Bytes of the character at the front; 0: that is no UTF-8 (RFC 3629). */
static size_t utf8_len(struct span s)
{
    const uint8_t c = s.p[0];
    const size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
    if (c >= 0x80 && (c < 0xc2 || c > 0xf4)) return 0;
    if (n > s.len) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s.p[i] & 0xc0) != 0x80) return 0;
    if (c == 0xe0 && s.p[1] < 0xa0) return 0;
    if (c == 0xed && s.p[1] > 0x9f) return 0; /* surrogates */
    if (c == 0xf0 && s.p[1] < 0x90) return 0;
    if (c == 0xf4 && s.p[1] > 0x8f) return 0;
    return n;
}

static enum err check_text(struct reader *r, struct span file)
{
    unsigned line = 1;
    if (file.len >= 2 &&
        ((file.p[0] == 0xff && file.p[1] == 0xfe) || (file.p[0] == 0xfe && file.p[1] == 0xff)))
        return fail(r, E_PROTO, 0, "it is UTF-16, and must be UTF-8.");
    while (file.len) {
        const size_t n = utf8_len(file);
        if (!n) return fail(r, E_PROTO, line, "this is not UTF-8.");
        if (file.p[0] == '\n') line++;
        file = span_skip(file, n);
    }
    return E_OK;
}

/* --- lines --- */

/* Ends are LF, CR, or both. */
static bool next_line(struct reader *r, struct span *out)
{
    size_t n = 0;
    if (!r->rest.len) return false;
    while (n < r->rest.len && r->rest.p[n] != '\n' && r->rest.p[n] != '\r') n++;
    *out = span_head(r->rest, n);
    const bool both = n + 1 < r->rest.len && r->rest.p[n] == '\r' && r->rest.p[n + 1] == '\n';
    r->rest = span_skip(r->rest, n + (both ? 2 : 1));
    r->line++;
    return true;
}

static bool has_arrow(struct span line)
{
    return line.len >= 3 && memmem(line.p, line.len, ARROW, 3) != NULL;
}

static bool arrow_follows(const struct reader *r)
{
    struct reader ahead = *r;
    struct span line;
    return next_line(&ahead, &line) && has_arrow(line);
}

static bool is_number(struct span s)
{
    s = span_trim(s);
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.len > 0;
}

/* --- times --- */

static bool take_digits(struct span *s, size_t max, int64_t *out)
{
    size_t n = 0;
    int64_t v = 0;
    for (; n < s->len && n <= max && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        v = v * 10 + (s->p[n] - '0');
    if (!n || n > max) return false;
    *s = span_skip(*s, n);
    *out = v;
    return true;
}

static bool take_char(struct span *s, char c)
{
    if (!s->len || s->p[0] != (uint8_t)c) return false;
    *s = span_skip(*s, 1);
    return true;
}

/* "[H:]MM:SS.mmm", with a comma too; some write fewer digits. */
static bool take_time(struct span *s, int64_t *ms)
{
    int64_t part[3], frac = 0;
    unsigned n = 0;
    do {
        if (n == 3 || !take_digits(s, 3, &part[n])) return false;
        n++;
    } while (take_char(s, ':'));
    if (n < 2) return false;
    if (take_char(s, '.') || take_char(s, ',')) {
        const size_t before = s->len;
        if (!take_digits(s, 3, &frac)) return false;
        for (size_t i = before - s->len; i < 3; i++) frac *= 10;
    }
    const int64_t hours = n == 3 ? part[0] : 0, minutes = part[n - 2], seconds = part[n - 1];
    if (hours > HOURS_MAX || minutes > 59 || seconds > 59) return false;
    *ms = hours * MS_A_HOUR + minutes * 60000 + seconds * 1000 + frac;
    return true;
}

static struct span skip_space(struct span s)
{
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t')) s = span_skip(s, 1);
    return s;
}

static enum err read_times(struct reader *r, struct span line)
{
    struct span s = skip_space(line);
    r->cue = (struct subtitle_cue){0};
    if (!take_time(&s, &r->cue.start_ms))
        return fail(r, E_PROTO, r->line, "the cue's start is no time.");
    s = skip_space(s);
    if (!span_starts(s, ARROW)) return fail(r, E_PROTO, r->line, "the cue's start is no time.");
    s = skip_space(span_skip(s, 3));
    if (!take_time(&s, &r->cue.end_ms) || (s.len && s.p[0] != ' ' && s.p[0] != '\t'))
        return fail(r, E_PROTO, r->line, "the cue's end is no time.");
    if (r->cue.end_ms < r->cue.start_ms)
        return fail(r, E_PROTO, r->line, "the cue ends before it begins.");
    r->raw.len = r->settings.len = 0;
    if (!r->srt) subtitle_settings_clean(s, &r->settings);
    r->open = true;
    return E_OK;
}

/* --- cues --- */

static enum err close_cue(struct reader *r)
{
    struct subtitles *o = r->out;
    if (!r->open) return E_OK;
    r->open = false;
    const size_t before = o->text.len;
    r->cue.settings_at = (uint32_t)before;
    r->cue.settings_len = (uint32_t)r->settings.len;
    str_add(&o->text, str_span(&r->settings));
    r->cue.text_at = (uint32_t)o->text.len;
    subtitle_text_clean(str_span(&r->raw), r->srt, &o->text);
    const size_t len = o->text.len - r->cue.text_at;
    if (len > LIMIT_SUBTITLE_CUE_BYTES)
        return fail(r, E_LIMIT, r->line, "the cue before this line has too much text.");
    if (o->text.len > 2 * (size_t)LIMIT_SUBTITLE_BYTES)
        return fail(r, E_LIMIT, 0, "there is too much text in it.");
    r->cue.text_len = (uint32_t)len;
    if (!len || r->cue.end_ms == r->cue.start_ms) {
        o->text.len = before;
        return E_OK;
    }
    if (o->n == LIMIT_SUBTITLE_CUES) return fail(r, E_LIMIT, r->line, "there are too many cues.");
    if (o->n == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 64;
        o->cues = xrealloc(o->cues, o->cap * sizeof *o->cues);
    }
    o->cues[o->n++] = r->cue;
    return E_OK;
}

static enum err add_text(struct reader *r, struct span line)
{
    if (r->raw.len + line.len > 4 * (size_t)LIMIT_SUBTITLE_CUE_BYTES)
        return fail(r, E_LIMIT, r->line, "the cue has too much text.");
    if (r->raw.len) str_addc(&r->raw, '\n');
    str_add(&r->raw, line);
    return E_OK;
}

static void skip_block(struct reader *r)
{
    struct span line;
    while (next_line(r, &line))
        if (!line.len) return;
}

static bool is_block(struct span line)
{
    return span_starts(line, "NOTE") || span_is(span_trim(line), "STYLE") ||
           span_is(span_trim(line), "REGION");
}

/* SubRip has no other blocks: what follows an empty line is more of the same cue. */
static enum err read_srt_line(struct reader *r, struct span line)
{
    if (is_number(line) && arrow_follows(r)) return E_OK;
    if (r->open) return span_trim(line).len ? add_text(r, line) : E_OK;
    return fail(r, E_PROTO, 0, "it is neither SubRip nor WebVTT.");
}

static enum err read_vtt_line(struct reader *r, struct span line)
{
    enum err e = E_OK;
    if (r->open && line.len) return add_text(r, line);
    if (r->open) e = close_cue(r);
    if (line.len && !arrow_follows(r) && is_block(line)) skip_block(r);
    return e;
}

static enum err read_cues(struct reader *r)
{
    struct span line;
    enum err e = E_OK;
    while (e == E_OK && next_line(r, &line)) {
        if (has_arrow(line)) {
            e = close_cue(r);
            if (e == E_OK) e = read_times(r, line);
        } else if (!r->srt) {
            e = read_vtt_line(r, line);
        } else if (r->open || span_trim(line).len) {
            e = read_srt_line(r, line);
        }
    }
    return e == E_OK ? close_cue(r) : e;
}

/* --- order --- */

static int by_start(const void *a, const void *b)
{
    const struct subtitle_cue *x = a, *y = b;
    if (x->start_ms != y->start_ms) return x->start_ms < y->start_ms ? -1 : 1;
    return x->text_at < y->text_at ? -1 : x->text_at > y->text_at;
}

/* So that a moment, and what is sent for it, stays small. */
static bool too_many_at_once(const struct subtitles *s)
{
    int64_t ends[LIMIT_SUBTITLE_AT_ONCE];
    unsigned n = 0;
    for (size_t i = 0; i < s->n; i++) {
        unsigned kept = 0;
        for (unsigned k = 0; k < n; k++)
            if (ends[k] > s->cues[i].start_ms) ends[kept++] = ends[k];
        if (kept == LIMIT_SUBTITLE_AT_ONCE) return true;
        ends[kept] = s->cues[i].end_ms;
        n = kept + 1;
    }
    return false;
}

static enum err settle(struct reader *r)
{
    struct subtitles *o = r->out;
    if (!o->n) return fail(r, E_PROTO, 0, "there are no cues in it.");
    qsort(o->cues, o->n, sizeof *o->cues, by_start);
    if (too_many_at_once(o)) return fail(r, E_LIMIT, 0, "too many cues are on at the same time.");
    return E_OK;
}

/* --- the file --- */

/* The head is a block, of which the first word says what it is. */
static bool read_head(struct reader *r)
{
    if (!span_starts(r->rest, "WEBVTT")) return false;
    const struct span behind = span_skip(r->rest, 6);
    if (behind.len && !strchr(" \t\r\n", behind.p[0])) return false;
    struct span line;
    while (next_line(r, &line))
        if (!line.len || arrow_follows(r)) break;
    return true;
}

enum err subtitles_parse(struct span file, struct subtitles *out, struct subtitle_problem *problem)
{
    struct subtitles made = {0};
    struct reader r = {.out = &made, .problem = problem};
    if (file.len > LIMIT_SUBTITLE_BYTES) return fail(&r, E_LIMIT, 0, "it is too large.");
    enum err e = check_text(&r, file);
    if (e != E_OK) return e;
    r.rest = span_starts(file, "\xef\xbb\xbf") ? span_skip(file, 3) : file;
    r.srt = !read_head(&r);
    e = read_cues(&r);
    if (e == E_OK) e = settle(&r);
    str_fini(&r.raw);
    str_fini(&r.settings);
    if (e == E_OK)
        *out = made;
    else
        subtitles_fini(&made);
    return e;
}

void subtitles_fini(struct subtitles *s)
{
    free(s->cues);
    str_fini(&s->text);
    *s = (struct subtitles){0};
}

/* --- writing --- */

void subtitle_time_write(int64_t ms, struct str *out)
{
    const long long t = ms < 0 ? 0 : ms;
    str_addf(out, "%02lld:%02lld:%02lld.%03lld", t / 3600000, t / 60000 % 60, t / 1000 % 60,
             t % 1000);
}

/* False: nothing of it is left. */
static bool cut_times(const struct subtitle_cue *c, const struct subtitle_cut *cut, int64_t *from,
                      int64_t *to)
{
    if (c->end_ms <= cut->from_ms || c->start_ms >= cut->to_ms) return false;
    *from = cut->trim && c->start_ms < cut->from_ms ? cut->from_ms : c->start_ms;
    *to = cut->trim && c->end_ms > cut->to_ms ? cut->to_ms : c->end_ms;
    *from += cut->shift_ms;
    *to += cut->shift_ms;
    if (*from < 0) *from = 0;
    return *to > *from;
}

void subtitles_write(const struct subtitles *s, const struct subtitle_cut *cut, struct str *out)
{
    int64_t from, to;
    for (size_t i = 0; i < s->n && s->cues[i].start_ms < cut->to_ms; i++) {
        const struct subtitle_cue *c = &s->cues[i];
        if (!cut_times(c, cut, &from, &to)) continue;
        subtitle_time_write(from, out);
        str_adds(out, " --> ");
        subtitle_time_write(to, out);
        str_add(out, span_of(s->text.p + c->settings_at, c->settings_len));
        str_addc(out, '\n');
        str_add(out, span_of(s->text.p + c->text_at, c->text_len));
        str_adds(out, "\n\n");
    }
}

void subtitles_write_plain(const struct subtitles *s, const struct subtitle_cut *cut,
                           struct str *out)
{
    int64_t from, to;
    for (size_t i = 0; i < s->n && s->cues[i].start_ms < cut->to_ms; i++) {
        const struct subtitle_cue *c = &s->cues[i];
        if (!cut_times(c, cut, &from, &to)) continue;
        subtitle_text_plain(span_of(s->text.p + c->text_at, c->text_len), out);
        str_addc(out, '\n');
    }
}
