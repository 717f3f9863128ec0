/* SPDX-License-Identifier: MIT */
/* A playlist is lines: tags (#EXT...), comments (#...), URIs. Tags before a URI describe it.
 *
 *   #EXTM3U
 *   #EXT-X-TARGETDURATION:4
 *   #EXT-X-MAP:URI="v0/init-1.mp4"
 *   #EXT-X-PART:DURATION=0.334,URI="v0/7.0.m4s",INDEPENDENT=YES
 *   #EXTINF:2.002,
 *   v0/7.m4s */
#include "base/clock.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "wire/m3u8.h"

struct parse {
    struct m3u8 p;
    size_t cap_segs, cap_parts, cap_reports, cap_variants;
    struct span map;
    int64_t extinf_us, wall_us;
    bool has_extinf, discontinuity, gap, map_here, stream_inf;
    const char *problem;
};

static enum err fail(struct parse *s, const char *problem)
{
    s->problem = problem;
    return E_PROTO;
}

/* Grows an array of the parse by one zeroed element; NULL above the limit. */
static void *grow(void **array, size_t *n, size_t *cap, size_t size)
{
    if (*n >= LIMIT_M3U8_ITEMS) return NULL;
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        *array = xrealloc(*array, *cap * size);
    }
    void *item = (uint8_t *)*array + (*n)++ * size;
    memset(item, 0, size);
    return item;
}

#define GROW(s, items, n, cap)                                                                     \
    grow((void **)&(s)->p.items, &(s)->p.n, &(s)->cap, sizeof *(s)->p.items)

/* "2.0023" seconds as microseconds; digits below a microsecond are dropped. */
static bool seconds(struct span v, int64_t *us)
{
    uint64_t whole, part = 0;
    const struct span before = span_cut(&v, '.');
    if (!span_u64(before, 1000000000, &whole)) return false;
    if (v.p) {
        uint64_t unused;
        if (!span_u64(span_head(v, 18), UINT64_MAX, &unused)) return false;
        for (size_t i = 0; i < 6; i++) part = part * 10 + (i < v.len ? v.p[i] - '0' : 0);
    }
    *us = (int64_t)(whole * 1000000 + part);
    return true;
}

static bool digits(struct span *s, size_t n, unsigned *out)
{
    uint64_t v;
    if (s->len < n || !span_u64(span_head(*s, n), 9999, &v)) return false;
    *s = span_skip(*s, n);
    *out = (unsigned)v;
    return true;
}

static bool literal(struct span *s, char c)
{
    if (!s->len || s->p[0] != (uint8_t)c) return false;
    *s = span_skip(*s, 1);
    return true;
}

static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    const int64_t era = y / 400;
    const unsigned yoe = (unsigned)(y - era * 400);
    const unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

/* 2026-01-02T03:04:05.678Z */
static bool date_time(struct span s, int64_t *us)
{
    unsigned y, mo, d, h, mi, sec;
    if (!digits(&s, 4, &y) || !literal(&s, '-') || !digits(&s, 2, &mo) || !literal(&s, '-') ||
        !digits(&s, 2, &d) || !literal(&s, 'T') || !digits(&s, 2, &h) || !literal(&s, ':') ||
        !digits(&s, 2, &mi) || !literal(&s, ':') || !digits(&s, 2, &sec))
        return false;
    if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 60) return false;
    int64_t frac = 0, unit = 100000;
    if (literal(&s, '.'))
        for (; s.len && s.p[0] >= '0' && s.p[0] <= '9'; s = span_skip(s, 1), unit /= 10)
            frac += (s.p[0] - '0') * unit;
    if (!span_is(s, "Z")) return false;
    *us = (days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec) * US_PER_SEC + frac;
    return true;
}

/* The next NAME=value of an attribute list; a quoted value comes without its quotes. */
static bool attr_next(struct span *list, struct span *name, struct span *value)
{
    if (!list->len) return false;
    const struct span whole = *list;
    *name = span_cut(list, '=');
    if (!list->p || name->len == whole.len) return false;
    if (literal(list, '"')) {
        *value = span_cut(list, '"');
        if (!list->p) return false; /* the quote is not closed */
        return list->len == 0 || literal(list, ',');
    }
    *value = span_cut(list, ',');
    return true;
}

static bool yes(struct span v)
{
    return span_is(v, "YES");
}

static enum err tag_part(struct parse *s, struct span list)
{
    struct m3u8_part *part = GROW(s, parts, n_parts, cap_parts);
    struct span name, value;
    if (!part) return E_LIMIT;
    part->dur_us = -1;
    while (attr_next(&list, &name, &value)) {
        if (span_is(name, "URI")) part->uri = value;
        if (span_is(name, "DURATION") && !seconds(value, &part->dur_us))
            return fail(s, "EXT-X-PART with a bad DURATION");
        if (span_is(name, "INDEPENDENT")) part->independent = yes(value);
        if (span_is(name, "GAP")) part->gap = yes(value);
    }
    if (list.len) return fail(s, "EXT-X-PART: bad attribute list");
    if (!part->uri.p || part->dur_us < 0) return fail(s, "EXT-X-PART without URI or DURATION");
    return E_OK;
}

static enum err tag_control(struct parse *s, struct span list)
{
    struct span name, value;
    bool ok = true;
    s->p.has_control = true;
    while (attr_next(&list, &name, &value)) {
        if (span_is(name, "CAN-BLOCK-RELOAD")) s->p.can_block = yes(value);
        if (span_is(name, "CAN-SKIP-DATERANGES")) s->p.can_skip_dateranges = yes(value);
        if (span_is(name, "HOLD-BACK")) ok &= seconds(value, &s->p.hold_back_us);
        if (span_is(name, "PART-HOLD-BACK")) ok &= seconds(value, &s->p.part_hold_back_us);
        if (span_is(name, "CAN-SKIP-UNTIL")) ok &= seconds(value, &s->p.can_skip_until_us);
    }
    return ok && !list.len ? E_OK : fail(s, "EXT-X-SERVER-CONTROL: bad attribute");
}

static enum err tag_hint(struct parse *s, struct span list)
{
    struct span name, value, uri = SPAN_NULL;
    bool part = false;
    while (attr_next(&list, &name, &value)) {
        if (span_is(name, "URI")) uri = value;
        if (span_is(name, "TYPE")) part = span_is(value, "PART");
    }
    if (!uri.p) return fail(s, "EXT-X-PRELOAD-HINT without URI");
    if (part) s->p.hint = uri, s->p.n_hints++;
    return E_OK;
}

static enum err tag_report(struct parse *s, struct span list)
{
    struct m3u8_report *r = GROW(s, reports, n_reports, cap_reports);
    struct span name, value;
    if (!r) return E_LIMIT;
    while (attr_next(&list, &name, &value)) {
        if (span_is(name, "URI")) r->uri = value;
        if (span_is(name, "LAST-MSN")) r->has_msn = span_u64(value, UINT64_MAX, &r->last_msn);
        if (span_is(name, "LAST-PART")) r->has_part = span_u64(value, UINT64_MAX, &r->last_part);
    }
    return E_OK;
}

static enum err tag_variant(struct parse *s, struct span list, bool media)
{
    struct m3u8_variant *v = GROW(s, variants, n_variants, cap_variants);
    struct span name, value;
    if (!v) return E_LIMIT;
    v->media = media;
    s->p.multivariant = true;
    while (attr_next(&list, &name, &value)) {
        if (span_is(name, "URI")) v->uri = value;
        if (span_is(name, "CODECS")) v->codecs = value;
        if (span_is(name, "AUDIO")) v->audio = value;
        if (span_is(name, "GROUP-ID")) v->group = value;
        if (span_is(name, "TYPE")) v->type = value;
        if (span_is(name, "NAME")) v->name = value;
        if (span_is(name, "RESOLUTION")) v->resolution = value;
        if (span_is(name, "FRAME-RATE")) v->frame_rate = value;
        if (span_is(name, "BANDWIDTH") && !span_u64(value, INT64_MAX, &v->bandwidth))
            return fail(s, "bad BANDWIDTH");
        if (span_is(name, "AVERAGE-BANDWIDTH") && !span_u64(value, INT64_MAX, &v->average))
            return fail(s, "bad AVERAGE-BANDWIDTH");
    }
    if (list.len) return fail(s, "bad attribute list");
    s->stream_inf = !media;
    return E_OK;
}

static enum err tag_list(struct parse *s, struct span tag, struct span v)
{
    struct span name, value;
    if (span_is(tag, "#EXT-X-PART")) return tag_part(s, v);
    if (span_is(tag, "#EXT-X-SERVER-CONTROL")) return tag_control(s, v);
    if (span_is(tag, "#EXT-X-PRELOAD-HINT")) return tag_hint(s, v);
    if (span_is(tag, "#EXT-X-RENDITION-REPORT")) return tag_report(s, v);
    if (span_is(tag, "#EXT-X-STREAM-INF")) return tag_variant(s, v, false);
    if (span_is(tag, "#EXT-X-MEDIA")) return tag_variant(s, v, true);
    if (span_is(tag, "#EXT-X-MAP")) {
        s->map = SPAN_NULL;
        while (attr_next(&v, &name, &value))
            if (span_is(name, "URI")) s->map = value;
        s->map_here = true;
        return s->map.p ? E_OK : fail(s, "EXT-X-MAP without URI");
    }
    if (span_is(tag, "#EXT-X-PART-INF")) {
        while (attr_next(&v, &name, &value))
            if (span_is(name, "PART-TARGET") && !seconds(value, &s->p.part_target_us))
                return fail(s, "bad PART-TARGET");
        return s->p.part_target_us > 0 ? E_OK : fail(s, "EXT-X-PART-INF without PART-TARGET");
    }
    if (span_is(tag, "#EXT-X-SKIP")) {
        if (s->p.n_segs || s->p.skipped) return fail(s, "EXT-X-SKIP is not the first segment");
        while (attr_next(&v, &name, &value))
            if (span_is(name, "SKIPPED-SEGMENTS") && !span_u64(value, INT32_MAX, &s->p.skipped))
                return fail(s, "bad SKIPPED-SEGMENTS");
        return s->p.skipped ? E_OK : fail(s, "EXT-X-SKIP without SKIPPED-SEGMENTS");
    }
    return E_OK; /* unknown: ignored */
}

static enum err once(struct parse *s, struct span v, bool *has, uint64_t *out)
{
    if (*has) return fail(s, "a tag that may stand only once is there twice");
    if (s->p.n_segs) return fail(s, "a tag that must stand before the first segment is after it");
    *has = true;
    return span_u64(v, INT64_MAX, out) ? E_OK : fail(s, "a number is expected");
}

static enum err tag_simple(struct parse *s, struct span tag, struct span v, bool *known)
{
    uint64_t n = 0;
    bool has;
    *known = true;
    if (span_is(tag, "#EXT-X-VERSION")) {
        has = s->p.version != 0;
        const enum err e = once(s, v, &has, &n);
        s->p.version = n > 1000 ? 1000 : (unsigned)n;
        return e;
    }
    if (span_is(tag, "#EXT-X-TARGETDURATION")) {
        has = s->p.target_s >= 0;
        const enum err e = once(s, v, &has, &n);
        if (n > 1000000) return fail(s, "absurd EXT-X-TARGETDURATION");
        s->p.target_s = (int64_t)n;
        return e;
    }
    if (span_is(tag, "#EXT-X-MEDIA-SEQUENCE")) return once(s, v, &s->p.has_msn, &s->p.msn);
    if (span_is(tag, "#EXT-X-DISCONTINUITY-SEQUENCE")) {
        if (s->discontinuity) return fail(s, "DISCONTINUITY-SEQUENCE after a discontinuity");
        return once(s, v, &s->p.has_dsn, &s->p.dsn);
    }
    if (span_is(tag, "#EXT-X-PLAYLIST-TYPE")) {
        s->p.type = span_is(v, "VOD") ? M3U8_VOD : M3U8_EVENT;
        return span_is(v, "VOD") || span_is(v, "EVENT") ? E_OK : fail(s, "bad PLAYLIST-TYPE");
    }
    if (span_is(tag, "#EXTINF")) {
        if (s->has_extinf) return fail(s, "EXTINF without a URI");
        s->has_extinf = true;
        return seconds(span_cut(&v, ','), &s->extinf_us) ? E_OK : fail(s, "bad EXTINF");
    }
    if (span_is(tag, "#EXT-X-PROGRAM-DATE-TIME"))
        return date_time(v, &s->wall_us) ? E_OK : fail(s, "bad PROGRAM-DATE-TIME");
    *known = false;
    if (span_is(tag, "#EXT-X-DISCONTINUITY")) s->discontinuity = true;
    if (span_is(tag, "#EXT-X-GAP")) s->gap = true;
    if (span_is(tag, "#EXT-X-ENDLIST")) s->p.endlist = true;
    if (span_is(tag, "#EXT-X-INDEPENDENT-SEGMENTS")) s->p.independent_segments = true;
    return E_OK;
}

static enum err on_tag(struct parse *s, struct span line)
{
    struct span value = line;
    const struct span tag = span_cut(&value, ':');
    bool known;
    const enum err e = tag_simple(s, tag, value, &known);
    if (e != E_OK || known) return e;
    return value.p ? tag_list(s, tag, value) : E_OK;
}

static enum err on_uri(struct parse *s, struct span line)
{
    if (s->stream_inf) {
        s->p.variants[s->p.n_variants - 1].uri = line;
        s->stream_inf = false;
        return E_OK;
    }
    if (!s->has_extinf) return fail(s, "a URI without EXTINF or STREAM-INF");
    struct m3u8_segment *seg = GROW(s, segs, n_segs, cap_segs);
    if (!seg) return E_LIMIT;
    *seg = (struct m3u8_segment){.uri = line,
                                 .map = s->map,
                                 .dur_us = s->extinf_us,
                                 .wall_us = s->wall_us,
                                 .first_part = s->p.open_first_part,
                                 .n_parts = s->p.n_parts - s->p.open_first_part,
                                 .discontinuity = s->discontinuity,
                                 .gap = s->gap,
                                 .map_here = s->map_here};
    s->p.open_first_part = s->p.n_parts;
    s->has_extinf = s->discontinuity = s->gap = s->map_here = false;
    s->wall_us = -1;
    return E_OK;
}

static enum err parse_lines(struct parse *s, struct span text, unsigned *line_no)
{
    bool first = true;
    while (text.len > 0) {
        struct span line = span_cut(&text, '\n');
        ++*line_no;
        if (line.len && line.p[line.len - 1] == '\r') line.len--;
        if (first && !span_is(line, "#EXTM3U")) return fail(s, "does not begin with #EXTM3U");
        enum err e = E_OK;
        if (span_starts(line, "#EXT"))
            e = first ? E_OK : on_tag(s, line);
        else if (line.len && line.p[0] != '#')
            e = on_uri(s, line);
        if (e != E_OK) return e;
        first = false;
    }
    if (first) return fail(s, "empty");
    if (s->has_extinf || s->stream_inf) return fail(s, "ends where a URI is expected");
    return E_OK;
}

enum err m3u8_parse(struct span text, struct m3u8 *out, const char **problem, unsigned *line)
{
    struct parse s = {.wall_us = -1};
    unsigned line_no = 0;
    s.p.target_s = s.p.part_target_us = -1;
    s.p.hold_back_us = s.p.part_hold_back_us = s.p.can_skip_until_us = -1;

    const enum err e = text.len > LIMIT_M3U8_BYTES ? E_LIMIT : parse_lines(&s, text, &line_no);
    s.p.open_discontinuity = s.discontinuity;
    if (e != E_OK) {
        m3u8_fini(&s.p);
        if (problem) *problem = s.problem ? s.problem : "too long";
        if (line) *line = line_no;
        return e;
    }
    *out = s.p;
    return E_OK;
}

void m3u8_fini(struct m3u8 *p)
{
    free(p->segs);
    free(p->parts);
    free(p->reports);
    free(p->variants);
    *p = (struct m3u8){0};
}
