/* SPDX-License-Identifier: MIT */
#include "engine/rtc_rewrite.h"
#include "base/clock.h"

#define STEP_MS 1 /* at least, between the pictures of two spans */

void rtc_rewrite_init(struct rtc_rewrite *r, uint64_t next)
{
    *r = (struct rtc_rewrite){.next = next};
}

const struct rtc_span *rtc_rewrite_now(const struct rtc_rewrite *r)
{
    return r->n ? &r->spans[(r->n - 1) % RTC_REWRITE_SPANS] : NULL;
}

const struct rtc_span *rtc_rewrite_find(const struct rtc_rewrite *r, uint64_t number)
{
    if (number < r->floor || number >= r->next) return NULL;
    for (unsigned i = 0; i < RTC_REWRITE_SPANS && i < r->n; i++) {
        const struct rtc_span *s = &r->spans[(r->n - 1 - i) % RTC_REWRITE_SPANS];
        if (number >= s->first) return s;
    }
    return 0;
}

uint32_t rtc_span_ts(const struct rtc_span *s, uint32_t ts)
{
    const int32_t age = (int32_t)(s->live_ts - ts);
    if (s->squeezed && age > 0) ts = s->live_ts - (uint32_t)age / RTC_REWRITE_SQUEEZE;
    return ts + s->ts_delta;
}

/* Where the newest picture of the new span is to be, on our clock. */
static uint32_t wanted(const struct rtc_rewrite *r, const struct rtc_begin *b, int64_t now_us)
{
    const struct rtc_span *last = rtc_rewrite_now(r);
    if (!r->any || !last) return b->live_ts;
    if (b->same_clock) return b->live_ts + b->convert + last->ts_delta - last->bump;
    const int64_t since = now_us > r->last_us ? now_us - r->last_us : 0;
    return r->last_ts + (uint32_t)(since * b->clock / US_PER_SEC);
}

struct rtc_span *rtc_rewrite_begin(struct rtc_rewrite *r, const struct rtc_begin *b, int64_t now_us)
{
    struct rtc_span s = {.first = r->next,
                         .delta = r->next - b->seq,
                         .layer = b->layer,
                         .squeezed = b->live_ts != b->ts,
                         .live_ts = b->live_ts};
    s.ts_delta = wanted(r, b, now_us) - b->live_ts;
    const uint32_t least = r->last_ts + b->clock * STEP_MS / 1000;
    const int32_t short_by = (int32_t)(least - rtc_span_ts(&s, b->ts));
    if (r->any && short_by > 0) {
        s.bump = (uint32_t)short_by;
        s.ts_delta += s.bump;
    }
    struct rtc_span *at = &r->spans[r->n++ % RTC_REWRITE_SPANS];
    *at = s;
    return at;
}
