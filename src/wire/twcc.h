/* SPDX-License-Identifier: MIT */
/* wire/twcc.h - transport-wide congestion control feedback: which packets came, and when.
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1. Pure. */
#pragma once
#include "wire/rtcp.h"

#define TWCC_MAX      512   /* packets that one feedback tells of */
#define TWCC_TICK_US  250   /* unit of the differences */
#define TWCC_REF_US   64000 /* unit of the reference time */
#define TWCC_NOT_COME INT64_MIN

struct twcc {
    uint32_t media;
    uint8_t count;           /* of feedbacks, modulo 256 */
    uint16_t base;           /* sequence number of at_us[0] */
    unsigned n;              /* 1 to TWCC_MAX */
    int64_t at_us[TWCC_MAX]; /* arrival, or TWCC_NOT_COME; read back in steps of TWCC_TICK_US */
};

/* E_NOTFOUND: not this kind. E_PROTO: broken. E_LIMIT: more than TWCC_MAX packets. */
enum err twcc_parse(const struct rtcp *p, struct twcc *out) WARN_UNUSED;
/* Adds one RTCP packet. Times are of one monotonic clock and above 0. Differences beyond 8 s are
 * told as not come: the caller begins a new feedback then. */
void twcc_put(struct wr *w, uint32_t ssrc, const struct twcc *t);
