/* SPDX-License-Identifier: MIT */
/* engine/rtc_rewrite.h - one viewer's numbers and timestamps, whatever source its packets are of.
 *
 * A viewer sees one RTP source for all its life. What it is sent comes in spans, each of one layer
 * of one publisher: it begins with a key frame, its numbers follow the last span's without a gap,
 * and its timestamps go on. Within a span both are pure functions of the packet's own, so that a
 * packet sent again is the same packet. Sources: RFC 3550, 5.1; RFC 7667, 3.7 (selective forwarding
 * with one SSRC). Embedded by value, one thread. Lane numbers and ours are extended to 64 bits. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define RTC_REWRITE_SPANS   4  /* the last of them are remembered, for packets sent again */
#define RTC_REWRITE_SQUEEZE 64 /* a squeezed second takes a 64th of one */

struct rtc_span {
    uint64_t first; /* our number of its first packet */
    uint64_t delta; /* ours = the lane's + delta, modulo 2^64 */
    uint8_t layer;
    uint32_t ts_delta;    /* the same of timestamps */
    uint32_t bump;        /* of that, what only keeps timestamps rising */
    uint16_t picture_add; /* the caller's: what makes counters in payloads go on */
    uint8_t tl0_add;
    bool squeezed;    /* what is older than live_ts is moved close to it */
    uint32_t live_ts; /* the lane's */
};

struct rtc_rewrite {
    struct rtc_span spans[RTC_REWRITE_SPANS]; /* the newest one is spans[(n - 1) % ...] */
    unsigned n;
    uint64_t floor;   /* our numbers below are not found */
    uint64_t next;    /* our number behind the highest sent */
    uint32_t last_ts; /* highest timestamp sent; ours */
    int64_t last_us;  /* when that was */
    bool any;         /* something was sent */
};

/* `next`: the first number; below 32768, so that the receiver counts wraps as we do. */
void rtc_rewrite_init(struct rtc_rewrite *r, uint64_t next);

/* What a span begins with. */
struct rtc_begin {
    uint8_t layer;
    uint64_t seq;     /* the lane's number of the first packet */
    uint32_t ts;      /* its timestamp */
    uint32_t live_ts; /* of the newest packet; equal to ts: nothing is squeezed */
    bool same_clock;  /* `convert` is known: what makes the lane's timestamps those of the
                         last span's layer, for the same instant */
    uint32_t convert;
    uint32_t clock; /* ticks a second */
};
/* With same_clock as in the last span, the distance of two pictures stays what it was at the
 * source; otherwise it is that of their times here. */
struct rtc_span *rtc_rewrite_begin(struct rtc_rewrite *r, const struct rtc_begin *b,
                                   int64_t now_us);

/* What was sent so far is not to be had any more: numbers of before mean nothing now. */
static inline void rtc_rewrite_forget(struct rtc_rewrite *r)
{
    r->floor = r->next;
}

const struct rtc_span *rtc_rewrite_now(const struct rtc_rewrite *r); /* NULL: none yet */
/* The span that our number is of; NULL: none that is remembered. */
const struct rtc_span *rtc_rewrite_find(const struct rtc_rewrite *r, uint64_t number);
uint32_t rtc_span_ts(const struct rtc_span *s, uint32_t ts);
/* False: the packet is from before the span and has no number. */
static inline bool rtc_span_number(const struct rtc_span *s, uint64_t seq, uint64_t *number)
{
    *number = seq + s->delta;
    return *number >= s->first;
}
/* A packet of that number and timestamp (ours) was sent. */
static inline void rtc_rewrite_sent(struct rtc_rewrite *r, uint64_t number, uint32_t ts,
                                    int64_t now_us)
{
    if (number >= r->next) r->next = number + 1;
    if (r->any && (int32_t)(ts - r->last_ts) <= 0) return;
    r->last_ts = ts;
    r->last_us = now_us;
    r->any = true;
}
