/* SPDX-License-Identifier: MIT */
#include "engine/rtc_bwe.h"
#include "base/clock.h"
#include "wire/rtp.h"
#include <math.h>

#define SLOT_US     (50 * US_PER_MS)
#define BURST_US    (5 * US_PER_MS) /* sent within this: one burst */
#define GAP_US      (2 * US_PER_SEC)
#define SMOOTH      0.9
#define GAIN        4.0
#define DELTAS_MAX  60
#define TREND_MIN   8
#define K_UP        0.0087
#define K_DOWN      0.039
#define THRESHOLD   12.5
#define OVER_US     (10 * US_PER_MS)
#define DOWN        0.85
#define DOWN_AGAIN  0.95
#define DOWN_LEAST  0.7
#define AGAIN_US    (200 * US_PER_MS)
#define RAISE_A_SEC 0.08
#define APP_LIMIT   1.5
#define LOSS_MIN    20 /* packets, to speak of a share */
#define LOSS_US     (300 * US_PER_MS)
#define PROBE_US    US_PER_SEC
#define PROBE_MIN   5
#define SILENT_US   (1500 * US_PER_MS)

static uint64_t bound(double bps)
{
    if (bps < (double)RTC_BWE_MIN) return RTC_BWE_MIN;
    return bps > (double)RTC_BWE_MAX ? RTC_BWE_MAX : (uint64_t)bps;
}

void rtc_bwe_init(struct rtc_bwe *b, struct rtc_bwe_packet *sent, int64_t now_us)
{
    *b = (struct rtc_bwe){.bps = RTC_BWE_START, .next = 1, .sent = sent};
    b->delay.threshold = THRESHOLD;
    b->loss.since_us = b->raised_us = now_us;
    b->down_us = now_us - 60 * US_PER_SEC;
}

/* --- what arrives --- */

static void count_arrival(struct rtc_bwe *b, uint16_t size, int64_t at)
{
    const int64_t slot = at / SLOT_US;
    if (!b->arrived.since || slot > b->arrived.slot + 4 * RTC_BWE_ACKED ||
        slot < b->arrived.slot - 4 * RTC_BWE_ACKED) { /* the first, or a clock that jumped */
        b->arrived.since = b->arrived.slot = slot;
        for (unsigned i = 0; i < RTC_BWE_ACKED; i++) b->arrived.bytes[i] = 0;
    }
    while (b->arrived.slot < slot)
        b->arrived.bytes[(uint64_t)++b->arrived.slot % RTC_BWE_ACKED] = 0;
    if (slot > b->arrived.slot - RTC_BWE_ACKED)
        b->arrived.bytes[(uint64_t)slot % RTC_BWE_ACKED] += size;
}

/* The newest slot is not full yet and does not count. */
static void measure(struct rtc_bwe *b)
{
    uint64_t sum = 0;
    int64_t slots = b->arrived.slot - b->arrived.since;
    if (slots > RTC_BWE_ACKED - 1) slots = RTC_BWE_ACKED - 1;
    if (slots < 3) return;
    for (int64_t i = 1; i <= slots; i++)
        sum += b->arrived.bytes[(uint64_t)(b->arrived.slot - i) % RTC_BWE_ACKED];
    b->acked = sum * 8 * US_PER_SEC / ((uint64_t)slots * SLOT_US);
}

/* --- delay --- */

static double slope(const struct rtc_bwe *b)
{
    double mx = 0, my = 0, num = 0, den = 0;
    const unsigned n = b->delay.n < RTC_BWE_TREND ? b->delay.n : RTC_BWE_TREND;
    for (unsigned i = 0; i < n; i++) {
        mx += b->delay.x[i];
        my += b->delay.y[i];
    }
    mx /= n;
    my /= n;
    for (unsigned i = 0; i < n; i++) {
        num += (b->delay.x[i] - mx) * (b->delay.y[i] - my);
        den += (b->delay.x[i] - mx) * (b->delay.x[i] - mx);
    }
    return den > 0 ? num / den : 0;
}

/* The threshold follows the trend slowly, so that a competing flow does not starve this one, and
 * not at all where the trend is an outlier. */
static void adapt(struct rtc_bwe *b, double trend, int64_t at)
{
    const double distance = fabs(trend) - b->delay.threshold;
    double ms = (double)(at - b->delay.adapted_us) / US_PER_MS;
    if (b->delay.adapted_us == 0 || ms < 0) ms = 0;
    if (ms > 100) ms = 100;
    b->delay.adapted_us = at;
    if (distance > 15) return;
    b->delay.threshold += (distance < 0 ? K_DOWN : K_UP) * distance * ms;
    if (b->delay.threshold < 6) b->delay.threshold = 6;
    if (b->delay.threshold > 600) b->delay.threshold = 600;
}

static void detect(struct rtc_bwe *b, int64_t at, int64_t since)
{
    if (b->delay.n < TREND_MIN) return;
    const double trend =
        slope(b) * GAIN * (b->delay.n < DELTAS_MAX ? (double)b->delay.n : (double)DELTAS_MAX);
    if (trend > b->delay.threshold) {
        b->delay.over_us += since;
        if (b->delay.over_us > OVER_US && trend >= b->delay.last) {
            b->delay.over_us = 0;
            b->use = RTC_BWE_OVER;
        }
    } else {
        b->delay.over_us = 0;
        b->use = trend < -b->delay.threshold ? RTC_BWE_UNDER : RTC_BWE_NORMAL;
    }
    b->delay.last = trend;
    adapt(b, trend, at);
}

/* A burst's first packet waits for what is left of the bursts before it, and for nothing of its
 * own: what it was delayed is the queue. */
static void on_arrival(struct rtc_bwe *b, const struct rtc_bwe_packet *p, int64_t at)
{
    const int64_t sent = (int32_t)(p->at_us - b->delay.sent_us), came = at - b->delay.at_us;
    if (b->delay.any && sent >= 0 && sent < BURST_US) return;
    if (b->delay.any && sent < 0 && sent > -GAP_US) return; /* late */
    if (!b->delay.any || sent >= GAP_US || sent <= -GAP_US || came > 2 * GAP_US || came < -GAP_US) {
        b->delay.n = 0;
        b->delay.sum = b->delay.smooth = 0;
        b->use = RTC_BWE_NORMAL;
    } else {
        b->delay.sum += (double)(came - sent) / US_PER_MS;
        b->delay.smooth = SMOOTH * b->delay.smooth + (1 - SMOOTH) * b->delay.sum;
        const unsigned i = b->delay.n++ % RTC_BWE_TREND;
        b->delay.x[i] = (double)(at % (1000 * US_PER_SEC)) / US_PER_MS;
        b->delay.y[i] = b->delay.smooth;
        detect(b, at, came > 0 ? came : 0);
    }
    b->delay.any = true;
    b->delay.sent_us = p->at_us;
    b->delay.at_us = at;
}

/* --- probes --- */

void rtc_bwe_probe_begin(struct rtc_bwe *b, int64_t now_us)
{
    const uint8_t id = (uint8_t)(b->probe.id == 255 ? 1 : b->probe.id + 1);
    b->probe.id = id;
    b->probe.sent = b->probe.came = 0;
    b->probe.bytes = 0;
    b->probe.until_us = now_us + PROBE_US;
}

static void on_probe(struct rtc_bwe *b, const struct rtc_bwe_packet *p, int64_t at)
{
    if (p->probe != b->probe.id || !b->probe.until_us) return;
    if (b->probe.came++ == 0) {
        b->probe.first_us = at;
        b->probe.first_size = p->size;
    }
    b->probe.last_us = at;
    b->probe.bytes += p->size;
}

static void end_probe(struct rtc_bwe *b, int64_t now)
{
    if (!b->probe.until_us || (b->probe.came < b->probe.sent && now < b->probe.until_us)) return;
    b->probe.until_us = 0;
    if (b->probe.came < PROBE_MIN || b->probe.came * 10 < b->probe.sent * 8) return;
    int64_t took = b->probe.last_us - b->probe.first_us;
    if (took < 2 * TWCC_TICK_US) took = 2 * TWCC_TICK_US;
    const double bps =
        (double)(b->probe.bytes - b->probe.first_size) * 8 * US_PER_SEC / (double)took;
    if (bps * DOWN_AGAIN > (double)b->bps) b->bps = bound(bps * DOWN_AGAIN);
}

/* --- the estimate --- */

static void lower(struct rtc_bwe *b, double bps, int64_t now)
{
    if (bps >= (double)b->bps) return;
    b->bps = bound(bps);
    b->limited = true;
    b->down_us = now;
}

static void by_delay(struct rtc_bwe *b, int64_t now)
{
    const int64_t since = now - b->raised_us;
    b->raised_us = now;
    if ((double)b->bps < DOWN_LEAST * (double)b->acked)
        b->bps = bound(DOWN_LEAST * (double)b->acked); /* it did go through */
    if (b->use == RTC_BWE_OVER) {
        const int64_t again = AGAIN_US + b->rtt_us;
        if (now - b->down_us < again || !b->acked) return;
        const double by_acked = DOWN * (double)b->acked, by_step = DOWN_AGAIN * (double)b->bps;
        lower(b, by_acked < by_step ? by_acked : by_step, now); /* again and again, if need be */
        return;
    }
    if (b->use == RTC_BWE_UNDER || now - b->down_us < AGAIN_US) return;
    if ((double)b->acked * DOWN_AGAIN > (double)b->bps)
        b->bps = bound((double)b->acked * DOWN_AGAIN);
    if ((double)b->bps < APP_LIMIT * (double)b->acked)
        b->bps = bound((double)b->bps * (1 + RAISE_A_SEC * (double)since / US_PER_SEC));
}

/* More than a tenth lost: half of that less, but not less than what arrives. More than a quarter:
 * what arrives is what goes through. */
static void by_loss(struct rtc_bwe *b, int64_t now)
{
    if (b->loss.total < LOSS_MIN || now - b->loss.since_us < LOSS_US) return;
    const double share = (double)b->loss.lost / b->loss.total;
    b->loss.total = b->loss.lost = 0;
    b->loss.since_us = now;
    if (share <= 0.1 || !b->acked) return;
    const double arrives = (double)b->acked, less = (double)b->bps * (1 - share / 2);
    lower(b, share > 0.25 || less < arrives ? arrives : less, now);
}

void rtc_bwe_feedback(struct rtc_bwe *b, const struct twcc *t, int64_t now_us)
{
    const uint64_t first = seq_extend(b->next, t->base);
    int64_t newest = -1;
    if (!b->sent) return;
    for (unsigned i = 0; i < t->n; i++) {
        const uint64_t n = first + i;
        if (n >= b->next || n + RTC_BWE_SENT < b->next) continue; /* never sent, or too old */
        struct rtc_bwe_packet *p = &b->sent[n % RTC_BWE_SENT];
        if (p->told || p->size == 0) continue;
        b->loss.total++;
        if (t->at_us[i] == TWCC_NOT_COME) {
            b->loss.lost++;
            continue;
        }
        p->told = true;
        newest = (int64_t)(uint32_t)((uint32_t)now_us - p->at_us);
        count_arrival(b, p->size, t->at_us[i]);
        on_arrival(b, p, t->at_us[i]);
        on_probe(b, p, t->at_us[i]);
    }
    if (newest >= 0 && newest < 10 * US_PER_SEC)
        b->rtt_us = b->rtt_us ? (7 * b->rtt_us + newest) / 8 : newest;
    b->heard_us = now_us;
    b->told = b->next;
    measure(b);
    end_probe(b, now_us);
    by_delay(b, now_us);
    by_loss(b, now_us);
}

void rtc_bwe_remb(struct rtc_bwe *b, uint64_t bps, int64_t now_us)
{
    b->heard_us = now_us;
    if (bps < b->bps) lower(b, (double)bps, now_us);
    b->bps = bound((double)bps);
}

void rtc_bwe_report(struct rtc_bwe *b, uint8_t fraction_lost, uint64_t sending, int64_t now_us)
{
    const double share = fraction_lost / 256.0, arrives = (double)sending * (1 - share);
    if (now_us - b->down_us < LOSS_US || !sending) return;
    if (share <= 0.1 && (double)b->bps < DOWN_LEAST * arrives)
        b->bps = bound(DOWN_LEAST * arrives); /* it did go through */
    if (share > 0.1) {
        const double less = (double)b->bps * (1 - share / 2);
        lower(b, share > 0.25 || less < arrives ? arrives : less, now_us);
    } else if (share < 0.02 && (double)b->bps < APP_LIMIT * (double)sending) {
        b->bps = bound((double)b->bps * (1 + RAISE_A_SEC));
    }
}

void rtc_bwe_tick(struct rtc_bwe *b, int64_t now_us)
{
    end_probe(b, now_us);
    if (!b->heard_us || now_us - b->heard_us < SILENT_US || b->next < b->told + LOSS_MIN) return;
    b->told = b->next;
    b->heard_us = now_us; /* it spoke, and does not any more: nothing goes through */
    lower(b, (double)b->bps / 2, now_us);
}
