/* SPDX-License-Identifier: MIT */
/* engine/rtc_bwe.h - how much may be sent to one receiver: an estimate out of its feedback.
 *
 * Sources: draft-ietf-rmcat-gcc-02 (delay gradient, adaptive threshold, loss, AIMD), in the spirit
 * and not to the letter; draft-holmer-rmcat-transport-wide-cc-extensions-01 (feedback);
 * draft-alvestrand-rmcat-remb-03. What differs, and why, is in docs/adr. In short: frames leave in
 * bursts, so that the queue is read from each burst's first packet; what is sent is often less than
 * what would go through, so that the estimate falls only on evidence and rises by probes.
 *
 * No I/O, times are handed in (monotonic microseconds). Embedded by value, one thread. */
#pragma once
#include "wire/twcc.h"

#define RTC_BWE_SENT  512 /* packets remembered until they are told of; a power of two */
#define RTC_BWE_TREND 20  /* bursts in the regression */
#define RTC_BWE_ACKED 10  /* slots of 50 ms of what arrived */
#define RTC_BWE_MIN   UINT64_C(50000)
#define RTC_BWE_MAX   UINT64_C(200000000)
#define RTC_BWE_START UINT64_C(3000000) /* before anything is known */

enum rtc_bwe_use { RTC_BWE_NORMAL, RTC_BWE_OVER, RTC_BWE_UNDER };

struct rtc_bwe_packet {
    uint32_t at_us; /* low bits */
    uint16_t size;
    uint8_t probe; /* 0: none */
    bool told;     /* that it came */
};

struct rtc_bwe {
    uint64_t bps;     /* the estimate */
    bool limited;     /* there was evidence that more does not go through */
    int64_t down_us;  /* when it fell the last time */
    int64_t heard_us; /* last feedback; 0: never */
    int64_t rtt_us;   /* smoothed; 0: unknown */
    uint64_t acked;   /* bits a second that arrived, over half a second; 0: unknown */
    enum rtc_bwe_use use;
    /* private */
    uint64_t next, told;         /* transport-wide numbers; `told`: sent when feedback came last */
    struct rtc_bwe_packet *sent; /* the caller's, RTC_BWE_SENT of them */
    struct {
        uint32_t bytes[RTC_BWE_ACKED];
        int64_t slot; /* newest */
        int64_t since;
    } arrived;
    struct {
        bool any;
        uint32_t sent_us; /* of the burst under way: its first packet */
        int64_t at_us;
        double sum, smooth; /* ms */
        double x[RTC_BWE_TREND], y[RTC_BWE_TREND];
        unsigned n;
        double threshold, last; /* ms */
        int64_t adapted_us, over_us;
    } delay;
    struct {
        unsigned total, lost;
        int64_t since_us;
    } loss;
    struct {
        uint8_t id;
        unsigned sent, came;
        uint64_t bytes;
        int64_t first_us, last_us;
        uint16_t first_size;
        int64_t until_us; /* 0: none under way */
    } probe;
    int64_t raised_us;
};

/* `sent`: RTC_BWE_SENT zeroed packets, the caller's, for as long as b is used; NULL: there will be
 * no transport-wide feedback, and no packet is told of. */
void rtc_bwe_init(struct rtc_bwe *b, struct rtc_bwe_packet *sent, int64_t now_us);

/* A packet of `size` bytes is being sent: its transport-wide number. */
static inline uint16_t rtc_bwe_sent(struct rtc_bwe *b, size_t size, int64_t now_us)
{
    b->sent[b->next % RTC_BWE_SENT] =
        (struct rtc_bwe_packet){(uint32_t)now_us, (uint16_t)size, 0, false};
    return (uint16_t)b->next++;
}

/* Those sent between the two are a probe: they leave at once, and the speed at which they come is
 * what the line can do. */
void rtc_bwe_probe_begin(struct rtc_bwe *b, int64_t now_us);
static inline uint16_t rtc_bwe_probe_sent(struct rtc_bwe *b, size_t size, int64_t now_us)
{
    const uint16_t n = rtc_bwe_sent(b, size, now_us);
    b->sent[n % RTC_BWE_SENT].probe = b->probe.id;
    b->probe.sent++;
    return n;
}
static inline bool rtc_bwe_probing(const struct rtc_bwe *b)
{
    return b->probe.until_us != 0;
}

void rtc_bwe_feedback(struct rtc_bwe *b, const struct twcc *t, int64_t now_us);
/* Of receivers without transport-wide feedback. `sending`: bits a second sent to them. */
void rtc_bwe_remb(struct rtc_bwe *b, uint64_t bps, int64_t now_us);
void rtc_bwe_report(struct rtc_bwe *b, uint8_t fraction_lost, uint64_t sending, int64_t now_us);
/* Some times a second: what silence means. */
void rtc_bwe_tick(struct rtc_bwe *b, int64_t now_us);
