/* SPDX-License-Identifier: MIT */
/* base/clock.h - the two clocks. Engines and parsers are handed the time; they never ask. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define US_PER_MS  INT64_C(1000)
#define US_PER_SEC INT64_C(1000000)

int64_t clock_mono_us(void); /* monotonic, for intervals and deadlines */
int64_t clock_wall_us(void); /* microseconds since 1970, UTC, for people */

#define CLOCK_ISO_LEN 25 /* "2026-01-02T03:04:05.678Z" and the final zero */
void clock_iso(int64_t wall_us, char out[CLOCK_ISO_LEN]);
