/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <stdio.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * US_PER_SEC + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return now(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return now(CLOCK_REALTIME);
}

void clock_iso(int64_t wall_us, char out[CLOCK_ISO_LEN])
{
    int64_t sec = wall_us / US_PER_SEC, us = wall_us % US_PER_SEC;
    if (us < 0) us += US_PER_SEC, sec--;
    const time_t t = (time_t)sec;
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    char tmp[64];
    snprintf(tmp, sizeof tmp, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(us / 1000));
    snprintf(out, CLOCK_ISO_LEN, "%.24s", tmp);
}
