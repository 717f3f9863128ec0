/* SPDX-License-Identifier: MIT */
/* Rules between two versions of one playlist (8216bis, 6.2.1 and 6.2.5.1). */
#include "base/xalloc.h"
#include "wire/m3u8.h"

#define TOLERANCE_US 2000

#define SHOW(s)                                                                                    \
    (int)((s).len < 120 ? (s).len : 120), (const char *)((s).p ? (s).p : (const uint8_t *)"")

enum err m3u8_complete(const struct m3u8 *prev, const struct m3u8 *next, struct m3u8 *out)
{
    struct m3u8 full = *next;
    const size_t skip = next->skipped;
    if (next->msn < prev->msn || prev->skipped || prev->multivariant || next->multivariant)
        return E_INVALID;
    const uint64_t from = next->msn - prev->msn;
    if (from > prev->n_segs || prev->n_segs - from < skip) return E_INVALID;

    full.skipped = 0;
    full.n_segs = skip + next->n_segs;
    full.segs = xcalloc(full.n_segs + 1, sizeof *full.segs);
    if (skip) memcpy(full.segs, prev->segs + from, skip * sizeof *full.segs);
    if (next->n_segs) memcpy(full.segs + skip, next->segs, next->n_segs * sizeof *full.segs);
    /* Parts of segments that were skipped are older than any client wants. */
    for (size_t i = 0; i < skip; i++) full.segs[i].n_parts = full.segs[i].first_part = 0;
    for (size_t i = skip; skip && i < full.n_segs && !full.segs[i].map.p; i++)
        full.segs[i].map = full.segs[skip - 1].map;
    full.parts = xcalloc(next->n_parts + 1, sizeof *full.parts);
    if (next->n_parts) memcpy(full.parts, next->parts, next->n_parts * sizeof *full.parts);
    full.reports = NULL, full.n_reports = 0;
    full.variants = NULL, full.n_variants = 0;
    *out = full;
    return E_OK;
}

struct update {
    const struct m3u8 *a, *b;
    struct str *out;
    unsigned problems;
};

static void problem(struct update *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct update *u, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(u->out, fmt, ap);
    va_end(ap);
    str_addc(u->out, '\n');
    u->problems++;
}

static void check_constants(struct update *u)
{
    const struct m3u8 *a = u->a, *b = u->b;
    if (a->target_s != b->target_s)
        problem(u, "TARGETDURATION changed from %lld to %lld", (long long)a->target_s,
                (long long)b->target_s);
    if (a->type != b->type) problem(u, "PLAYLIST-TYPE changed");
    if (b->msn < a->msn) problem(u, "MEDIA-SEQUENCE went back");
    if (b->dsn < a->dsn) problem(u, "DISCONTINUITY-SEQUENCE went back");
    if (a->endlist && !b->endlist) problem(u, "EXT-X-ENDLIST disappeared");
    if (a->endlist && (a->n_segs != b->n_segs || a->msn != b->msn))
        problem(u, "the playlist changed after EXT-X-ENDLIST");
    if (a->type == M3U8_EVENT && a->msn != b->msn) problem(u, "an EVENT playlist lost segments");
    if (a->part_target_us > 0 && b->part_target_us > 0 && a->part_target_us != b->part_target_us)
        problem(u, "PART-TARGET changed");
    if (b->msn + b->n_segs < a->msn + a->n_segs) problem(u, "segments disappeared at the end");
}

static void check_same_segment(struct update *u, const struct m3u8_segment *x,
                               const struct m3u8_segment *y)
{
    if (!span_eq(x->uri, y->uri))
        problem(u, "one MSN, two URIs: %.*s and %.*s", SHOW(x->uri), SHOW(y->uri));
    if (x->dur_us != y->dur_us) problem(u, "EXTINF of %.*s changed", SHOW(x->uri));
    if (x->wall_us >= 0 && y->wall_us >= 0 && x->wall_us != y->wall_us)
        problem(u, "PROGRAM-DATE-TIME of %.*s changed", SHOW(x->uri));
    if (x->discontinuity != y->discontinuity)
        problem(u, "EXT-X-DISCONTINUITY of %.*s changed", SHOW(x->uri));
    if (x->map.p && y->map.p && !span_eq(x->map, y->map))
        problem(u, "EXT-X-MAP of %.*s changed", SHOW(x->uri));
    if (!x->n_parts || !y->n_parts) return;
    if (x->n_parts != y->n_parts) problem(u, "number of parts of %.*s changed", SHOW(x->uri));
}

static void check_overlap(struct update *u)
{
    const struct m3u8 *a = u->a, *b = u->b;
    uint64_t gone = 0;
    for (size_t i = 0; i < a->n_segs; i++) {
        const uint64_t msn = a->msn + i;
        if (msn < b->msn) {
            gone += a->segs[i].discontinuity;
            continue;
        }
        const uint64_t j = msn - b->msn;
        if (j < b->n_segs) check_same_segment(u, &a->segs[i], &b->segs[j]);
    }
    if (b->msn <= a->msn + a->n_segs && b->dsn != a->dsn + gone)
        problem(u, "DISCONTINUITY-SEQUENCE is %llu, should be %llu", (unsigned long long)b->dsn,
                (unsigned long long)(a->dsn + gone));
}

/* Parts of the segment that was open in `a` must be the first ones of the same segment in `b`. */
static void check_open(struct update *u)
{
    const struct m3u8 *a = u->a, *b = u->b;
    const uint64_t open = a->msn + a->n_segs;
    const size_t n = a->n_parts - a->open_first_part;
    if (open < b->msn) return;
    const uint64_t j = open - b->msn;
    size_t first = b->open_first_part, m = b->n_parts - b->open_first_part;
    if (j < b->n_segs)
        first = b->segs[j].first_part, m = b->segs[j].n_parts;
    else if (j > b->n_segs)
        return;
    if (j < b->n_segs && m == 0) return; /* its parts are not listed any more */
    if (m < n) problem(u, "parts of the open segment disappeared");
    for (size_t i = 0; i < n && i < m; i++) {
        const struct m3u8_part *x = &a->parts[a->open_first_part + i], *y = &b->parts[first + i];
        if (!span_eq(x->uri, y->uri) || x->dur_us != y->dur_us || x->independent != y->independent)
            problem(u, "part %.*s changed", SHOW(x->uri));
    }
    /* The hint must have come true, unless the stream ended or had a break. */
    if (a->n_hints != 1 || b->endlist || (m == n && j + 1 > b->n_segs)) return;
    for (size_t i = 0; i < b->n_parts; i++)
        if (span_eq(b->parts[i].uri, a->hint)) return;
    for (uint64_t i = j; i < b->n_segs; i++)
        if (b->segs[i].discontinuity || b->segs[i].gap || b->segs[i].n_parts == 0) return;
    if (b->open_discontinuity) return;
    problem(u, "the part %.*s was hinted at and never came", SHOW(a->hint));
}

unsigned m3u8_check_update(const struct m3u8 *prev, const struct m3u8 *next, struct str *problems)
{
    struct update u = {.a = prev, .b = next, .out = problems};
    struct m3u8 full = {0};
    if (next->skipped) {
        if (m3u8_complete(prev, next, &full) != E_OK) {
            problem(&u, "a delta update that the version before cannot complete");
            return u.problems;
        }
        u.b = &full;
    }
    check_constants(&u);
    if (u.b->msn >= prev->msn) {
        check_overlap(&u);
        check_open(&u);
    }
    m3u8_fini(&full);
    return u.problems;
}
