/* SPDX-License-Identifier: MIT */
#include "engine/hls.h"

/* A part number that far beyond the newest part is refused (8216bis, 6.2.5.2: "Advance Part
 * Limit"). */
static uint64_t advance_parts(const struct hls_edge *e)
{
    if (e->part_target_us <= 0 || e->part_target_us >= 1000000) return 3;
    return (uint64_t)((3000000 + e->part_target_us - 1) / e->part_target_us);
}

bool hls_ready(const struct hls_edge *e, const struct m3u8_directives *d)
{
    /* hls.js gives up on a playlist of parts alone ("levelEmptyError"). */
    if (!e->ended && e->open_msn == e->first_msn) return false;
    if (!d->has_msn || e->ended || d->msn < e->open_msn) {
        /* A part beyond the last one of a complete segment means the first of the next segment. */
        const bool next = d->has_msn && d->has_part && d->msn + 1 == e->open_msn &&
                          d->part >= e->last_parts && !e->ended;
        return !next || e->open_parts > 0;
    }
    return d->msn == e->open_msn && d->has_part && d->part < e->open_parts;
}

enum hls_answer hls_decide(const struct hls_edge *e, const struct m3u8_directives *d)
{
    if (hls_ready(e, d)) return HLS_REPLY;
    /* The newest segment of the playlist is the open one when it has parts. */
    const uint64_t last = e->open_parts || !e->open_msn ? e->open_msn : e->open_msn - 1;
    if (d->msn > last + 2) return HLS_BAD;
    if (d->has_part && d->msn == e->open_msn && d->part > e->open_parts + advance_parts(e))
        return HLS_BAD;
    if (d->has_part && d->msn > e->open_msn && d->part > advance_parts(e)) return HLS_BAD;
    return HLS_WAIT;
}

enum hls_answer hls_decide_part(const struct hls_edge *e, uint64_t msn, int64_t part)
{
    if (part < 0) return msn < e->open_msn ? HLS_REPLY : HLS_BAD;
    if (msn < e->open_msn) return HLS_REPLY; /* if that segment has so many: the caller looks */
    if (msn == e->open_msn && part < e->open_parts) return HLS_REPLY;
    if (e->ended) return HLS_BAD;
    /* The hinted one, or, when the hint was for a segment that ended earlier, the first after it.
     */
    if (msn == e->open_msn && part == e->open_parts) return HLS_WAIT;
    if (msn == e->open_msn + 1 && part == 0) return HLS_WAIT;
    return HLS_BAD;
}

enum err hls_resource_parse(struct span stem, struct hls_resource_id *out)
{
    struct hls_resource_id id = {.kind = HLS_SEGMENT};
    uint64_t n = 0;
    if (span_starts(stem, "init-")) {
        if (!span_u64(span_skip(stem, 5), UINT32_MAX, &n)) return E_NOTFOUND;
        id.kind = HLS_INIT, id.init_id = (uint32_t)n;
    } else {
        const struct span msn = span_cut(&stem, '.');
        if (!span_u64(msn, INT64_MAX, &id.msn)) return E_NOTFOUND;
        if (stem.p) {
            if (!span_u64(stem, UINT32_MAX / 2, &n)) return E_NOTFOUND;
            id.kind = HLS_PART, id.part = (uint32_t)n;
        }
    }
    *out = id;
    return E_OK;
}
