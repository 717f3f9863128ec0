/* SPDX-License-Identifier: MIT */
/* Apple's rules for playlists, as checks. Numbers in brackets are sections of 8216bis. */
#include "base/xalloc.h"
#include "wire/m3u8.h"

#define TOLERANCE_US 2000 /* rounding of decimal fractions */
#define WALL_TOLERANCE_US                                                                          \
    12000 /* program date times have milliseconds, and segments whole frames */

struct check {
    const struct m3u8 *p;
    struct str *out;
    unsigned problems;
};

static void problem(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(c->out, fmt, ap);
    va_end(ap);
    str_addc(c->out, '\n');
    c->problems++;
}

#define SHOW(s)                                                                                    \
    (int)((s).len < 120 ? (s).len : 120), (const char *)((s).p ? (s).p : (const uint8_t *)"")

static int64_t away(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static int64_t parts_us(const struct m3u8 *p, const struct m3u8_segment *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->n_parts; i++) sum += p->parts[s->first_part + i].dur_us;
    return sum;
}

static void check_head(struct check *c)
{
    const struct m3u8 *p = c->p;
    unsigned need = 3; /* decimal EXTINF */
    for (size_t i = 0; i < p->n_segs; i++)
        if (p->segs[i].map.p) need = 6;
    if (p->n_parts || p->part_target_us > 0) need = 6;
    if (p->skipped) need = 9;
    if (p->version < need)
        problem(c, "EXT-X-VERSION is %u, the tags used need %u [7]", p->version, need);
    if (p->target_s < 0) problem(c, "no EXT-X-TARGETDURATION [4.4.3.1]");
    if (!p->has_msn && p->type == M3U8_LIVE && !p->endlist)
        problem(c, "a live playlist without EXT-X-MEDIA-SEQUENCE");
    if (p->type == M3U8_VOD && !p->endlist) problem(c, "type VOD without EXT-X-ENDLIST");
    if (p->skipped && p->endlist && p->type == M3U8_VOD) problem(c, "a delta update of a VOD");
}

static void check_control(struct check *c)
{
    const struct m3u8 *p = c->p;
    const int64_t target_us = p->target_s * 1000000;
    if (p->hold_back_us >= 0 && p->hold_back_us < 3 * target_us)
        problem(c, "HOLD-BACK below three target durations [4.4.3.8]");
    if (p->can_skip_until_us >= 0 && p->can_skip_until_us < 6 * target_us)
        problem(c, "CAN-SKIP-UNTIL below six target durations [4.4.3.8]");
    if (p->can_skip_dateranges && p->can_skip_until_us < 0)
        problem(c, "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL [4.4.3.8]");
    if (p->part_target_us > 0 && !p->endlist) {
        if (p->part_hold_back_us < 2 * p->part_target_us)
            problem(c, "PART-HOLD-BACK absent or below twice PART-TARGET [4.4.3.8]");
        else if (p->part_hold_back_us < 3 * p->part_target_us)
            problem(c, "PART-HOLD-BACK below three times PART-TARGET (advice) [4.4.3.8]");
        if (!p->can_block) problem(c, "low latency without CAN-BLOCK-RELOAD [B.1]");
    }
    if (p->skipped && p->can_skip_until_us < 0) problem(c, "EXT-X-SKIP without CAN-SKIP-UNTIL");
}

static void check_part(struct check *c, size_t i, bool may_be_short, bool first_of_segment)
{
    const struct m3u8 *p = c->p;
    const struct m3u8_part *part = &p->parts[i];
    if (part->dur_us > p->part_target_us + 1)
        problem(c, "part %.*s is longer (%lld us) than PART-TARGET (%lld us) [4.4.3.7]",
                SHOW(part->uri), (long long)part->dur_us, (long long)p->part_target_us);
    if (!may_be_short && !part->gap && part->dur_us < p->part_target_us * 85 / 100 - 1)
        problem(c, "part %.*s is shorter (%lld us) than 85 %% of PART-TARGET [4.4.3.7]",
                SHOW(part->uri), (long long)part->dur_us);
    if (first_of_segment && p->independent_segments && !part->independent && !part->gap)
        problem(c, "INDEPENDENT-SEGMENTS, but part %.*s is not INDEPENDENT", SHOW(part->uri));
}

static void check_parts(struct check *c)
{
    const struct m3u8 *p = c->p;
    if (p->n_parts && p->part_target_us <= 0) {
        problem(c, "EXT-X-PART without EXT-X-PART-INF [4.4.3.7]");
        return;
    }
    for (size_t s = 0; s < p->n_segs; s++) {
        const struct m3u8_segment *seg = &p->segs[s];
        for (size_t i = 0; i < seg->n_parts; i++)
            check_part(c, seg->first_part + i, i + 1 == seg->n_parts, i == 0);
        if (seg->n_parts && away(parts_us(p, seg), seg->dur_us) > TOLERANCE_US)
            problem(c, "parts of %.*s do not add up to its EXTINF", SHOW(seg->uri));
    }
    for (size_t i = p->open_first_part; i < p->n_parts; i++)
        check_part(c, i, i + 1 == p->n_parts, i == p->open_first_part);
}

/* Transport streams and texts have none; nor have pictures. */
static bool needs_map(struct span uri)
{
    return !span_ends(uri, ".ts") && !span_ends(uri, ".vtt") && !span_ends(uri, ".jpg");
}

static void check_segments(struct check *c)
{
    const struct m3u8 *p = c->p;
    int64_t wall = -1;
    for (size_t i = 0; i < p->n_segs; i++) {
        const struct m3u8_segment *s = &p->segs[i];
        if (p->target_s >= 0 && (s->dur_us + 500000) / 1000000 > p->target_s)
            problem(c, "EXTINF of %.*s rounds to more than TARGETDURATION [4.4.3.1]", SHOW(s->uri));
        if (s->dur_us == 0) problem(c, "EXTINF of %.*s is zero", SHOW(s->uri));
        if (!s->map.p && !s->gap && !p->skipped && needs_map(s->uri))
            problem(c, "%.*s has no EXT-X-MAP [3.1.2]", SHOW(s->uri));
        if (s->discontinuity && !s->map_here && !s->gap && needs_map(s->uri))
            problem(c, "no EXT-X-MAP after the discontinuity before %.*s", SHOW(s->uri));
        if (s->discontinuity) wall = -1;
        if (s->wall_us >= 0 && wall >= 0 && away(s->wall_us, wall) > WALL_TOLERANCE_US)
            problem(c, "PROGRAM-DATE-TIME of %.*s is off by %lld us", SHOW(s->uri),
                    (long long)(s->wall_us - wall));
        if (s->wall_us >= 0) wall = s->wall_us;
        if (wall >= 0) wall += s->dur_us;
    }
}

static int by_uri(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    const size_t n = x->len < y->len ? x->len : y->len;
    const int d = n ? memcmp(x->p, y->p, n) : 0;
    return d ? d : (x->len > y->len) - (x->len < y->len);
}

static void check_unique(struct check *c)
{
    const struct m3u8 *p = c->p;
    const size_t n = p->n_segs + p->n_parts;
    if (n == 0) return;
    struct span *uris = xcalloc(n, sizeof *uris);
    for (size_t i = 0; i < p->n_segs; i++) uris[i] = p->segs[i].uri;
    for (size_t i = 0; i < p->n_parts; i++) uris[p->n_segs + i] = p->parts[i].uri;
    qsort(uris, n, sizeof *uris, by_uri);
    for (size_t i = 1; i < n; i++)
        if (span_eq(uris[i - 1], uris[i])) problem(c, "%.*s is listed twice", SHOW(uris[i]));
    free(uris);
}

static void check_edge(struct check *c, const char *own_uri)
{
    const struct m3u8 *p = c->p;
    const bool low = p->part_target_us > 0 && !p->endlist;
    if (p->n_hints > 1) problem(c, "more than one PRELOAD-HINT of type PART [4.4.5.3]");
    if (low && p->n_hints == 0) problem(c, "no PRELOAD-HINT for the next part [B.1]");
    if (p->endlist && p->n_hints) problem(c, "PRELOAD-HINT in an ended playlist");
    if (p->endlist && p->open_first_part < p->n_parts)
        problem(c, "an ended playlist with parts of an unfinished segment");
    for (size_t i = 0; i < p->n_parts; i++)
        if (p->n_hints && span_eq(p->parts[i].uri, p->hint))
            problem(c, "PRELOAD-HINT names the part %.*s, which is listed", SHOW(p->hint));
    for (size_t i = 0; i < p->n_reports; i++) {
        const struct m3u8_report *r = &p->reports[i];
        if (!r->uri.p)
            problem(c, "RENDITION-REPORT without URI [4.4.5.4]");
        else if (own_uri && span_is(r->uri, own_uri))
            problem(c, "RENDITION-REPORT for the playlist itself");
        if (!r->has_msn) problem(c, "RENDITION-REPORT without LAST-MSN");
        if (low && !r->has_part) problem(c, "RENDITION-REPORT without LAST-PART");
        for (size_t j = 0; j < i; j++)
            if (span_eq(p->reports[j].uri, r->uri)) problem(c, "two RENDITION-REPORTs of one URI");
    }
}

/* A delta must keep what is nearer to the end than CAN-SKIP-UNTIL. */
static void check_skip(struct check *c)
{
    const struct m3u8 *p = c->p;
    int64_t kept = 0;
    if (!p->skipped) return;
    for (size_t i = 0; i < p->n_segs; i++) kept += p->segs[i].dur_us;
    for (size_t i = p->open_first_part; i < p->n_parts; i++) kept += p->parts[i].dur_us;
    if (kept < p->can_skip_until_us) problem(c, "skips segments within CAN-SKIP-UNTIL [6.2.5.1]");
}

static bool has_group(const struct m3u8 *p, struct span group)
{
    for (size_t i = 0; i < p->n_variants; i++)
        if (p->variants[i].media && span_is(p->variants[i].type, "AUDIO") &&
            span_eq(p->variants[i].group, group))
            return true;
    return false;
}

static void check_multivariant(struct check *c)
{
    const struct m3u8 *p = c->p;
    unsigned variants = 0;
    for (size_t i = 0; i < p->n_variants; i++) {
        const struct m3u8_variant *v = &p->variants[i];
        if (v->media) {
            if (!v->group.p || !v->type.p || !v->name.p)
                problem(c, "EXT-X-MEDIA without GROUP-ID, TYPE or NAME [4.4.6.1]");
            continue;
        }
        variants++;
        if (!v->uri.p) problem(c, "EXT-X-STREAM-INF without a URI");
        if (!v->bandwidth) problem(c, "EXT-X-STREAM-INF without BANDWIDTH [4.4.6.2]");
        if (v->average > v->bandwidth) problem(c, "AVERAGE-BANDWIDTH above BANDWIDTH");
        if (!v->codecs.len) problem(c, "EXT-X-STREAM-INF without CODECS");
        const bool video = span_starts(v->codecs, "avc1") || span_starts(v->codecs, "hvc1") ||
                           span_starts(v->codecs, "av01") || span_starts(v->codecs, "vp09");
        if (span_starts(v->codecs, "hev1") || span_starts(v->codecs, "avc3"))
            problem(c, "parameter sets in the stream (hev1, avc3)");
        if (video && !v->resolution.p) problem(c, "video without RESOLUTION");
        if (video && !v->frame_rate.p) problem(c, "video without FRAME-RATE");
        if (v->audio.p && !has_group(p, v->audio)) problem(c, "AUDIO names no group");
    }
    if (!variants) problem(c, "a multivariant playlist without variants");
    if (p->n_segs) problem(c, "segments in a multivariant playlist");
}

unsigned m3u8_check(const struct m3u8 *p, const char *own_uri, struct str *problems)
{
    struct check c = {.p = p, .out = problems};
    if (p->multivariant) {
        check_multivariant(&c);
        return c.problems;
    }
    check_head(&c);
    check_control(&c);
    check_parts(&c);
    check_segments(&c);
    check_unique(&c);
    check_edge(&c, own_uri);
    check_skip(&c);
    return c.problems;
}
