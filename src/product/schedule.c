/* SPDX-License-Identifier: MIT */
#include "product/schedule.h"
#include "base/clock.h"
#include "product/notice.h"
#include "product/stream_row.h"
#include "product/visibility.h"

enum err schedule_check(int64_t at, int64_t now, struct problem *p)
{
    if (at < now - SCHEDULE_PAST_US)
        return problem_set(p, E_INVALID, "past", "scheduledAt", "This time is in the past.");
    if (at > now + SCHEDULE_AHEAD_US)
        return problem_set(p, E_INVALID, "too_far", "scheduledAt",
                           "This time is more than two years away.");
    return E_OK;
}

bool schedule_is_open(const struct stream *s)
{
    return s->status == STREAM_CREATED && s->scheduled_at != 0;
}

static enum err cancel(struct db *db, const struct stream *s)
{
    const enum err e = db_exec(db,
                               "UPDATE streams SET was_scheduled_at = scheduled_at, scheduled_at = "
                               "NULL, cancelled_at = ?2, schedule_changed_at = ?2, "
                               "schedule_number = schedule_number + 1 "
                               "WHERE id = ?1 AND scheduled_at IS NOT NULL",
                               "si", s->id, clock_wall_us());
    return e == E_OK && schedule_is_open(s) ? notice_schedule(db, s->id, s->scheduled_at, 0) : e;
}

enum err schedule_set(struct db *db, const struct stream *s, int64_t at)
{
    if (at == s->scheduled_at) return E_OK;
    if (at == 0) return cancel(db, s);
    const enum err e =
        db_exec(db,
                "UPDATE streams SET scheduled_at = ?2, was_scheduled_at = NULL, cancelled_at = "
                "NULL, schedule_changed_at = ?3, schedule_number = schedule_number + 1 "
                "WHERE id = ?1",
                "sii", s->id, at, clock_wall_us());
    return e == E_OK ? notice_schedule(db, s->id, s->scheduled_at, at) : e;
}

enum err schedule_renamed(struct db *db, const struct stream *s)
{
    if (!schedule_is_open(s)) return E_OK;
    return db_exec(db,
                   "UPDATE streams SET schedule_changed_at = ?2, schedule_number = "
                   "schedule_number + 1 WHERE id = ?1",
                   "si", s->id, clock_wall_us());
}

enum err schedule_drop(struct db *db, const struct stream *s)
{
    return schedule_is_open(s) ? cancel(db, s) : E_OK;
}

int64_t schedule_time(const struct stream *s)
{
    return s->scheduled_at ? s->scheduled_at : s->was_scheduled_at;
}

enum err schedule_list(struct db *db, const char *owner_id, struct stream *out, size_t *n)
{
    size_t got = 0;
    struct db_rows *q =
        db_query(db,
                 STREAM_SELECT "WHERE s.user_id = ?1 AND " VISIBILITY_LISTED_SQL
                               "AND coalesce(s.scheduled_at, "
                               "s.was_scheduled_at) > ?2 AND EXISTS (SELECT 1 FROM playback_ids o "
                               "WHERE o.object_id = s.live_stream_id AND o.policy = 'public') "
                               "ORDER BY coalesce(s.scheduled_at, s.was_scheduled_at) DESC "
                               "LIMIT ?3",
                 "sii", owner_id, clock_wall_us() - SCHEDULE_KEPT_US, (int64_t)*n);
    while (got < *n && db_next(q)) stream_read(q, &out[got++]);
    const enum err e = db_done(q);
    for (size_t i = 0; e != E_OK && i < got; i++) stream_fini(&out[i]);
    if (e == E_OK) *n = got;
    return e;
}
