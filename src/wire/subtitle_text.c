/* SPDX-License-Identifier: MIT */
/* The inside of a cue: markup, references, settings. */
#include "wire/subtitles.h"

#define SETTING_MAX    32 /* characters of a setting */
#define CLASSES_MAX    64 /* of all classes of a tag */
#define ANNOTATION_MAX 128

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* --- references --- */

static const struct {
    const char *name;
    const char *text; /* plain */
} REFERENCES[] = {
    {"&amp;", "&"},         {"&lt;", "<"}, {"&gt;", ">"},
    {"&nbsp;", "\xc2\xa0"}, {"&lrm;", ""}, {"&rlm;", ""},
};
#define N_REFERENCES (sizeof REFERENCES / sizeof *REFERENCES)

/* Which one stands here; N_REFERENCES: none. */
static size_t reference(struct span s)
{
    size_t i = 0;
    while (i < N_REFERENCES && !span_starts(s, REFERENCES[i].name)) i++;
    return i;
}

/* One character that is not markup; returns the bytes that it took. */
static size_t add_char(struct span s, struct str *out)
{
    const uint8_t c = s.p[0];
    const size_t ref = c == '&' ? reference(s) : N_REFERENCES;
    if (ref < N_REFERENCES) {
        str_adds(out, REFERENCES[ref].name);
        return strlen(REFERENCES[ref].name);
    }
    if (c == '&')
        str_adds(out, "&amp;");
    else if (c == '<')
        str_adds(out, "&lt;");
    else if (c == '>')
        str_adds(out, "&gt;");
    else if ((c >= 0x20 && c != 0x7f) || c == '\t')
        str_addc(out, (char)c);
    return 1;
}

/* --- tags --- */

static bool is_kept(struct span name, bool *annotated)
{
    static const char *const NAMES[] = {"v", "lang", "b", "i", "u", "c", "ruby", "rt"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!span_ieq(name, span_str(NAMES[i]))) continue;
        *annotated = i < 2;
        return true;
    }
    return false;
}

static void add_lower(struct span s, struct str *out)
{
    for (size_t i = 0; i < s.len; i++)
        str_addc(out, (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]));
}

/* ".loud.red": what else stands there is not written. No hyphens: two of them before the tag's end
 * would be an arrow. */
static void add_classes(struct span s, struct str *out)
{
    for (size_t i = 0; i < s.len && i < CLASSES_MAX; i++) {
        if (s.p[i] != '.' && !is_word(s.p[i])) return;
        str_addc(out, s.p[i] == '-' ? '_' : (char)s.p[i]);
    }
}

/* With one space before each word; one that is too long is left out. */
static void add_annotation(struct span s, struct str *out)
{
    const size_t before = out->len;
    bool space = true;
    for (size_t i = 0; i < s.len;) {
        const uint8_t c = s.p[i];
        const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        const bool dropped = c == '"' || c == '\'' || c < 0x20 || c == 0x7f;
        if (is_space || dropped) {
            space = space || is_space;
            i++;
            continue;
        }
        if (space) str_addc(out, ' ');
        space = false;
        i += add_char(span_skip(s, i), out);
    }
    while (out->len > before && strchr(" -", out->p[out->len - 1])) out->len--; /* no arrow */
    if (out->len - before > ANNOTATION_MAX) out->len = before;
}

/* `tag` is what stands between '<' and '>'. */
static void add_tag(struct span tag, struct str *out)
{
    const bool ends = tag.len && tag.p[0] == '/';
    struct span rest = ends ? span_skip(tag, 1) : tag;
    bool annotated;
    size_t n = 0;
    while (n < rest.len && is_word(rest.p[n])) n++;
    const struct span name = span_head(rest, n);
    if (!is_kept(name, &annotated)) return;
    rest = span_skip(rest, n);
    str_addc(out, '<');
    if (ends) str_addc(out, '/');
    add_lower(name, out);
    if (!ends) {
        n = 0;
        while (n < rest.len && rest.p[n] != ' ' && rest.p[n] != '\t' && rest.p[n] != '\n') n++;
        if (n && rest.p[0] == '.') add_classes(span_head(rest, n), out);
        if (annotated) add_annotation(span_skip(rest, n), out);
    }
    str_addc(out, '>');
}

/* "a < b" is none. */
static size_t tag_length(struct span s)
{
    if (s.len < 2 || (s.p[1] != '/' && !is_word(s.p[1]))) return 0;
    const uint8_t *end = memchr(s.p, '>', s.len);
    return end ? (size_t)(end - s.p) + 1 : 0;
}

/* "{\an8}": where SubRip says how it looks. */
static size_t override_length(struct span s)
{
    const uint8_t *end = s.len > 1 && s.p[1] == '\\' ? memchr(s.p, '}', s.len) : NULL;
    return end ? (size_t)(end - s.p) + 1 : 0;
}

/* The line that was written last ends here; an empty one would end the cue. */
static void end_line(struct str *out, size_t from)
{
    while (out->len > from && (out->p[out->len - 1] == ' ' || out->p[out->len - 1] == '\t'))
        out->len--;
    if (out->len > from && out->p[out->len - 1] != '\n') str_addc(out, '\n');
}

void subtitle_text_clean(struct span raw, bool srt, struct str *out)
{
    const size_t from = out->len;
    while (raw.len) {
        const uint8_t c = raw.p[0];
        size_t n = c == '<' ? tag_length(raw) : c == '{' && srt ? override_length(raw) : 0;
        if (n && c == '<')
            add_tag(span_of(raw.p + 1, n - 2), out);
        else if (c == '\n' || c == '\r')
            end_line(out, from);
        else if (!n)
            n = add_char(raw, out);
        raw = span_skip(raw, n ? n : 1);
    }
    end_line(out, from);
    if (out->len > from) out->len--; /* the last line's end is the caller's */
}

void subtitle_text_plain(struct span s, struct str *out)
{
    while (s.len) {
        size_t n = s.p[0] == '<' ? tag_length(s) : 0;
        const size_t ref = s.p[0] == '&' ? reference(s) : N_REFERENCES;
        if (ref < N_REFERENCES) {
            str_adds(out, REFERENCES[ref].text);
            n = strlen(REFERENCES[ref].name);
        } else if (!n) {
            str_addc(out, s.p[0] == '\n' ? ' ' : (char)s.p[0]);
            n = 1;
        }
        s = span_skip(s, n);
    }
}

/* --- settings --- */

static bool is_one_of(struct span s, const char *const *words)
{
    for (; *words; words++)
        if (span_is(s, *words)) return true;
    return false;
}

/* "-1", "50%", "10.5%,start" */
static bool is_place(struct span s)
{
    size_t n = s.len && s.p[0] == '-' ? 1 : 0;
    const size_t first = n;
    while (n < s.len && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '.')) n++;
    if (n == first) return false;
    if (n < s.len && s.p[n] == '%') n++;
    if (n == s.len) return true;
    if (s.p[n] != ',' || n + 1 == s.len) return false;
    for (n++; n < s.len; n++)
        if (s.p[n] != '-' && (s.p[n] < 'a' || s.p[n] > 'z')) return false;
    return true;
}

static bool is_setting(struct span name, struct span value)
{
    static const char *const ALIGN[] = {"start", "center", "end", "left", "right", NULL};
    static const char *const VERTICAL[] = {"rl", "lr", NULL};
    if (span_is(name, "align")) return is_one_of(value, ALIGN);
    if (span_is(name, "vertical")) return is_one_of(value, VERTICAL);
    if (span_is(name, "line") || span_is(name, "position") || span_is(name, "size"))
        return is_place(value);
    return false;
}

void subtitle_settings_clean(struct span raw, struct str *out)
{
    static const char *const NAMES[] = {"align", "vertical", "line", "position", "size"};
    bool seen[5] = {0};
    while (raw.p && raw.len) {
        size_t n = 0;
        while (n < raw.len && raw.p[n] != ' ' && raw.p[n] != '\t') n++;
        const struct span one = span_head(raw, n);
        struct span value = one;
        const struct span name = span_cut(&value, ':');
        raw = span_skip(raw, n + 1);
        if (!value.p || one.len > SETTING_MAX || !is_setting(name, value)) continue;
        for (size_t i = 0; i < 5; i++) { /* each once */
            if (!span_is(name, NAMES[i]) || seen[i]) continue;
            seen[i] = true;
            str_addc(out, ' ');
            str_add(out, one);
        }
    }
}
