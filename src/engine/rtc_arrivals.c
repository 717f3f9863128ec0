/* SPDX-License-Identifier: MIT */
#include "engine/rtc_arrivals.h"
#include "wire/rtp.h"

static void restart(struct rtc_arrivals *a, uint16_t seq)
{
    a->seen = true;
    a->next = a->top = UINT64_C(65536) + seq;
    for (unsigned i = 0; i < TWCC_MAX; i++) a->at_us[i] = TWCC_NOT_COME;
}

void rtc_arrivals_add(struct rtc_arrivals *a, uint16_t seq, int64_t now_us)
{
    if (!a->seen) restart(a, seq);
    uint64_t s = seq_extend(a->top, seq);
    if (s >= a->top + TWCC_MAX || s + TWCC_MAX <= a->top) {
        restart(a, seq);
        s = a->top;
    }
    while (a->top < s) a->at_us[++a->top % TWCC_MAX] = TWCC_NOT_COME;
    if (a->top >= a->next + TWCC_MAX) a->next = a->top - TWCC_MAX + 1;
    if (s < a->next && a->at_us[s % TWCC_MAX] == TWCC_NOT_COME) a->next = s;
    a->at_us[s % TWCC_MAX] = now_us;
}

bool rtc_arrivals_take(struct rtc_arrivals *a, uint32_t media, struct twcc *out)
{
    if (!a->seen || a->next > a->top) return false;
    out->media = media;
    out->count = a->count++;
    out->base = (uint16_t)a->next;
    for (out->n = 0; a->next <= a->top; a->next++)
        out->at_us[out->n++] = a->at_us[a->next % TWCC_MAX];
    return true;
}
