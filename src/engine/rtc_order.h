/* SPDX-License-Identifier: MIT */
/* engine/rtc_order.h - puts the packets of one source in order again and hands out whole frames.
 *
 * Pull: rtc_order_add() what comes, then rtc_order_next() until nothing is whole. A gap is waited
 * for; when it stays too long, what is broken is skipped, and for video the rest up to the next key
 * frame, because everything between is built on what is missing. One owner, one thread, time passed
 * in. Holds at most RTC_ORDER_PACKETS packets. */
#pragma once
#include "base/buf.h"
#include "wire/rtp_frame.h"

#define RTC_ORDER_PACKETS 2048
#define RTC_ORDER_WAIT_US 400000

struct rtc_order;

struct rtc_order *rtc_order_new(enum rtp_format f);
void rtc_order_free(struct rtc_order *o); /* NULL is fine */

/* `seq` is extended (engine/rtc_in.h); of each number once. The payload is copied; an empty one
 * (padding) only closes the gap. */
void rtc_order_add(struct rtc_order *o, uint64_t seq, uint32_t ts, bool marker, struct span payload,
                   int64_t now_us);

struct rtc_frame {
    uint32_t ts;
    bool key;         /* by what the payloads say; the codec's parser knows better */
    bool lost;        /* something before it is missing */
    struct buf *data; /* laid out as wire/rtp_frame.h says; the caller's */
};
/* E_OK: the next frame. E_MORE: nothing whole now. E_PROTO: a frame that could not be joined was
 * dropped; ask again. */
enum err rtc_order_next(struct rtc_order *o, int64_t now_us, struct rtc_frame *out) WARN_UNUSED;
/* True once after video was dropped: ask the sender for a key frame. */
bool rtc_order_wants_key(struct rtc_order *o);
