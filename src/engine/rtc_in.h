/* SPDX-License-Identifier: MIT */
/* engine/rtc_in.h - what a receiver of RTP keeps of one source: what is missing and when to ask for
 * it again, what to put into reports, how its clock stands to the world's.
 *
 * Sources: RFC 3550, 6.4.1, A.3, A.8 (reports, jitter); RFC 4585, 6.2.1 (NACK). Embedded by value,
 * one thread, time passed in, nothing allocated. At most RTC_IN_MISSING packets are missed at a
 * time; beyond that, or after a jump, a key frame is the cure and not a list. */
#pragma once
#include "wire/rtcp.h"

#define RTC_IN_MISSING  256
#define RTC_IN_JUMP     1000 /* packets: a larger step is a new beginning */
#define RTC_IN_AGAIN_US 40000
#define RTC_IN_TRIES    10

struct rtc_in {
    uint32_t ssrc, clock; /* clock: ticks a second */
    bool seen;
    uint64_t base, top; /* first and highest sequence number, extended; above 65535 */
    uint64_t received;
    uint64_t expected_before, received_before; /* at the last report */
    int64_t transit, jitter16;                 /* jitter * 16, in ticks */
    uint64_t sr_ntp;                           /* the last sender report; 0: none */
    uint32_t sr_rtp;
    int64_t sr_at_us;
    struct {
        uint64_t seq;
        int64_t ask_us; /* when to ask next */
        uint8_t tries;
    } missing[RTC_IN_MISSING]; /* oldest first */
    unsigned n_missing;
};

void rtc_in_init(struct rtc_in *in, uint32_t ssrc, uint32_t clock);

enum rtc_in_news {
    RTC_IN_NEXT,  /* newer than all before; the ones between are missing now */
    RTC_IN_FOUND, /* one that was missing */
    RTC_IN_STALE, /* seen before, or given up: drop it */
    RTC_IN_RESET, /* NEXT after a jump: nothing is missing, a key frame is needed */
};
/* One packet, RTX already undone. *ext gets its extended number unless STALE. */
enum rtc_in_news rtc_in_packet(struct rtc_in *in, uint16_t seq, uint32_t ts, int64_t now_us,
                               uint64_t *ext);
/* Sequence numbers to ask for now, at most `max`; gives up those asked for too often, then
 * *gave_up is true: a key frame is needed. */
unsigned rtc_in_nacks(struct rtc_in *in, int64_t now_us, uint16_t *seqs, unsigned max,
                      bool *gave_up);
/* When rtc_in_nacks() has something; INT64_MAX: never. */
int64_t rtc_in_deadline_us(const struct rtc_in *in);
void rtc_in_sr(struct rtc_in *in, const struct rtcp_sr *sr, int64_t now_us);
/* A block for a receiver report; begins a new interval. */
struct rtcp_report rtc_in_report(struct rtc_in *in, int64_t now_us);
/* NTP time of a timestamp, in microseconds since 1900; false: no report has come yet. */
bool rtc_in_ntp_us(const struct rtc_in *in, uint32_t ts, int64_t *us);
