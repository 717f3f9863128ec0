/* SPDX-License-Identifier: MIT */
/* product/schedule.h - when a stream is to begin, and what becomes of that.
 *
 * streams.scheduled_at is the announced start. A schedule that is taken back, by its owner's change
 * or with the stream's end, is *cancelled*: its time is kept, so that calendars can be told. Each
 * change has a number (RFC 5545, 3.8.7.4) that only grows. Pool threads, in the transaction of the
 * change. Times are microseconds since 1970. */
#pragma once
#include "product/stream.h"

/* The forms' minutes: a start within the running one is not past. */
#define SCHEDULE_PAST_US  (INT64_C(60) * 1000000)
#define SCHEDULE_AHEAD_US (INT64_C(2) * 366 * 24 * 3600 * 1000000)
/* A start that has not come is announced as late for so long. */
#define SCHEDULE_LATE_US (INT64_C(12) * 3600 * 1000000)
/* Calendars have it for so long. */
#define SCHEDULE_KEPT_US (INT64_C(90) * 24 * 3600 * 1000000)

/* May it begin then? E_INVALID for what is past or too far away. */
enum err schedule_check(int64_t at, int64_t now, struct problem *p) WARN_UNUSED;

/* A start time for the stream, or another, or with 0 none any more: then it is cancelled. Those who
 * follow are told. */
enum err schedule_set(struct db *db, const struct stream *before, int64_t at) WARN_UNUSED;
/* Its title or text has changed. */
enum err schedule_renamed(struct db *db, const struct stream *s) WARN_UNUSED;
/* The stream ends or is removed without having begun. */
enum err schedule_drop(struct db *db, const struct stream *s) WARN_UNUSED;
/* It is announced, and has not begun. */
bool schedule_is_open(const struct stream *s);

/* What a calendar of somebody's streams shows: announced, cancelled and begun ones, the latest
 * first, that are listed. At most *n into `out`; the caller ends them with stream_fini(). */
enum err schedule_list(struct db *db, const char *owner_id, struct stream *out,
                       size_t *n) WARN_UNUSED;
/* The time it has in calendars: announced, or what was before it was cancelled; 0: none. */
int64_t schedule_time(const struct stream *s);
