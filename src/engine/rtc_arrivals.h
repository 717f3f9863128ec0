/* SPDX-License-Identifier: MIT */
/* engine/rtc_arrivals.h - remembers when packets of a transport came, for TWCC feedback.
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01, 3. Embedded by value, one thread. */
#pragma once
#include "wire/twcc.h"

struct rtc_arrivals {
    bool seen;
    uint64_t next, top;      /* first number not yet told, highest number come; extended */
    uint8_t count;           /* of feedbacks */
    int64_t at_us[TWCC_MAX]; /* by number modulo TWCC_MAX */
};

void rtc_arrivals_add(struct rtc_arrivals *a, uint16_t seq, int64_t now_us);
/* False: nothing has come since the last time. One that came late makes the next feedback begin
 * there, so that its sender does not believe it lost. */
bool rtc_arrivals_take(struct rtc_arrivals *a, uint32_t media, struct twcc *out);
