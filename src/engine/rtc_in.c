/* SPDX-License-Identifier: MIT */
#include "engine/rtc_in.h"
#include "base/clock.h"
#include "wire/rtp.h"

#define FIRST_ROUND 65536
#define REORDER_US  4000 /* a gap this young may close by itself */

void rtc_in_init(struct rtc_in *in, uint32_t ssrc, uint32_t clock)
{
    *in = (struct rtc_in){.ssrc = ssrc, .clock = clock};
}

static int64_t ticks(const struct rtc_in *in, int64_t us)
{
    return us / US_PER_SEC * in->clock + us % US_PER_SEC * in->clock / US_PER_SEC;
}

/* RFC 3550, A.8. Differences modulo 2^32, so that the timestamp may wrap. */
static void note_jitter(struct rtc_in *in, uint32_t ts, int64_t now_us)
{
    const int64_t transit = (int64_t)(uint32_t)ticks(in, now_us) - ts;
    const int64_t d = (int32_t)(uint32_t)(uint64_t)(transit - in->transit);
    in->transit = transit;
    if (in->received > 1) in->jitter16 += (d < 0 ? -d : d) - (in->jitter16 + 8) / 16;
}

static enum rtc_in_news begin(struct rtc_in *in, uint16_t seq, uint64_t *ext)
{
    const enum rtc_in_news news = in->seen ? RTC_IN_RESET : RTC_IN_NEXT;
    in->seen = true;
    in->base = in->top = *ext = (in->top & ~UINT64_C(65535)) + FIRST_ROUND + seq;
    in->received = 1;
    in->expected_before = in->received_before = 0;
    in->n_missing = 0;
    return news;
}

static enum rtc_in_news late(struct rtc_in *in, uint64_t seq, uint64_t *ext)
{
    for (unsigned i = 0; i < in->n_missing; i++) {
        if (in->missing[i].seq != seq) continue;
        in->n_missing--;
        memmove(&in->missing[i], &in->missing[i + 1], (in->n_missing - i) * sizeof *in->missing);
        in->received++;
        *ext = seq;
        return RTC_IN_FOUND;
    }
    return RTC_IN_STALE;
}

enum rtc_in_news rtc_in_packet(struct rtc_in *in, uint16_t seq, uint32_t ts, int64_t now_us,
                               uint64_t *ext)
{
    if (!in->seen) return begin(in, seq, ext);
    const uint64_t s = seq_extend(in->top, seq);
    if (s <= in->top) return in->top - s > RTC_IN_JUMP ? begin(in, seq, ext) : late(in, s, ext);
    const uint64_t gap = s - in->top - 1;
    if (gap > RTC_IN_JUMP || in->n_missing + gap > RTC_IN_MISSING) return begin(in, seq, ext);
    for (uint64_t m = in->top + 1; m < s; m++) {
        in->missing[in->n_missing].seq = m;
        in->missing[in->n_missing].ask_us = now_us + REORDER_US;
        in->missing[in->n_missing++].tries = 0;
    }
    in->top = *ext = s;
    in->received++;
    note_jitter(in, ts, now_us);
    return RTC_IN_NEXT;
}

unsigned rtc_in_nacks(struct rtc_in *in, int64_t now_us, uint16_t *seqs, unsigned max,
                      bool *gave_up)
{
    unsigned n = 0, kept = 0;
    *gave_up = false;
    for (unsigned i = 0; i < in->n_missing; i++) {
        const bool due = in->missing[i].ask_us <= now_us && n < max;
        if (due && in->missing[i].tries == RTC_IN_TRIES) {
            *gave_up = true;
            continue;
        }
        if (due) {
            seqs[n++] = (uint16_t)in->missing[i].seq;
            in->missing[i].tries++;
            in->missing[i].ask_us = now_us + RTC_IN_AGAIN_US;
        }
        in->missing[kept++] = in->missing[i];
    }
    in->n_missing = kept;
    return n;
}

int64_t rtc_in_deadline_us(const struct rtc_in *in)
{
    int64_t at = INT64_MAX;
    for (unsigned i = 0; i < in->n_missing; i++)
        if (in->missing[i].ask_us < at) at = in->missing[i].ask_us;
    return at;
}

void rtc_in_sr(struct rtc_in *in, const struct rtcp_sr *sr, int64_t now_us)
{
    in->sr_ntp = sr->ntp;
    in->sr_rtp = sr->rtp_ts;
    in->sr_at_us = now_us;
}

struct rtcp_report rtc_in_report(struct rtc_in *in, int64_t now_us)
{
    const uint64_t expected = in->seen ? in->top - in->base + 1 : 0;
    const int64_t lost = (int64_t)expected - (int64_t)in->received;
    const int64_t want = (int64_t)(expected - in->expected_before);
    const int64_t less = want - (int64_t)(in->received - in->received_before);
    struct rtcp_report r = {.ssrc = in->ssrc,
                            .lost = (int32_t)(lost > 0x7fffff ? 0x7fffff : lost),
                            .highest_seq = (uint32_t)(in->top - FIRST_ROUND),
                            .jitter = (uint32_t)(in->jitter16 >> 4)};
    if (want > 0 && less > 0) r.fraction_lost = (uint8_t)(less * 255 / want);
    if (in->sr_ntp) {
        r.last_sr = (uint32_t)(in->sr_ntp >> 16);
        r.delay = (uint32_t)((now_us - in->sr_at_us) * 65536 / US_PER_SEC);
    }
    in->expected_before = expected;
    in->received_before = in->received;
    return r;
}

bool rtc_in_ntp_us(const struct rtc_in *in, uint32_t ts, int64_t *us)
{
    if (!in->sr_ntp || !in->clock) return false;
    const int64_t base = (int64_t)(in->sr_ntp >> 32) * US_PER_SEC +
                         (int64_t)((in->sr_ntp & 0xffffffff) * 1000000 >> 32);
    *us = base + (int64_t)(int32_t)(ts - in->sr_rtp) * US_PER_SEC / in->clock;
    return true;
}
