/* SPDX-License-Identifier: MIT */
/* engine/rtc_layers.h - which simulcast layer a viewer is to have, by what its line carries, by
 * what the layers weigh, and by what was asked for.
 *
 * Down at once on evidence, up only with room to spare and not soon after a fall, later after each
 * fall that follows a rise: so that nothing flaps. When not even the lowest fits there is none, and
 * sound alone is sent. Pure but for its own state; time is handed in. Embedded by value. */
#pragma once
#include "base/limits.h"
#include <stdbool.h>
#include <stdint.h>

#define RTC_LAYER_NONE 255

/* What there is to choose from. */
struct rtc_layers_there {
    unsigned n;                    /* layers with something in them */
    uint8_t order[LIMIT_SDP_RIDS]; /* of those, from the worst to the best */
    uint64_t rate[LIMIT_SDP_RIDS]; /* by layer, bits a second */
};

struct rtc_layers {
    uint8_t target; /* RTC_LAYER_NONE: no video */
    uint8_t wish;   /* what was asked for; RTC_LAYER_NONE: automatic */
    /* private */
    int64_t up_us, wait_us; /* not up before; how long after the next fall */
    int64_t rose_us;
    int64_t short_us; /* since when it has been far too little; 0: it is not */
};

struct rtc_layers_line {
    uint64_t bps; /* what may be sent */
    bool limited; /* by evidence; otherwise it is a guess */
    bool blind;   /* no probe can raise it: a rise is tried */
};

void rtc_layers_init(struct rtc_layers *l);
/* Sets and returns the target. */
uint8_t rtc_layers_choose(struct rtc_layers *l, const struct rtc_layers_there *t,
                          const struct rtc_layers_line *line, int64_t now_us);
/* What the line would have to carry for the next rise, when a rise may be now; 0: nothing. */
uint64_t rtc_layers_lack(const struct rtc_layers *l, const struct rtc_layers_there *t,
                         const struct rtc_layers_line *line, int64_t now_us);
