/* SPDX-License-Identifier: MIT */
#include "video/delivery.h"
#include "base/clock.h"
#include <stdio.h>

#define HOUR_US (INT64_C(3600) * US_PER_SEC)

enum err delivery_add(struct db *db, const struct gate_delivered *list, size_t n)
{
    const int64_t hour = clock_wall_us() / HOUR_US * HOUR_US;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    for (size_t i = 0; i < n && e == E_OK; i++)
        e = db_exec(db,
                    "INSERT INTO delivery (asset_id, hour, height, us)"
                    " SELECT id, ?2, ?3, ?4 FROM assets WHERE id = ?1"
                    " ON CONFLICT (asset_id, hour, height) DO UPDATE SET us = us + excluded.us",
                    "siii", list[i].asset_id, hour, (int64_t)list[i].height, list[i].us);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

#define FROM                                                                                       \
    " FROM delivery d JOIN assets a ON a.id = d.asset_id WHERE a.user_id = ?1 AND d.hour >= ?2"    \
    " AND d.hour < ?3 AND (?4 IS NULL OR a.id = ?4) AND (?5 IS NULL OR a.live_stream_id = ?5)"

static int64_t first_hour(const struct delivery_ask *ask)
{
    return ask->from_us / HOUR_US * HOUR_US;
}

static enum err count(struct db *db, const struct delivery_ask *ask, int64_t *total)
{
    struct db_rows *q =
        db_query(db, "SELECT count(DISTINCT d.asset_id)" FROM, "siiss", ask->user_id,
                 first_hour(ask), ask->to_us, ask->asset_id, ask->live_stream_id);
    *total = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err delivery_list(struct db *db, const struct delivery_ask *ask, struct delivery_row *out,
                       size_t *n, int64_t *total)
{
    *n = 0;
    const enum err e = count(db, ask, total);
    if (e != E_OK) return e;
    struct db_rows *q = db_query(db,
                                 "SELECT d.asset_id, SUM(d.us)" FROM " GROUP BY d.asset_id"
                                 " ORDER BY SUM(d.us) DESC, d.asset_id LIMIT ?6 OFFSET ?7",
                                 "siissii", ask->user_id, first_hour(ask), ask->to_us,
                                 ask->asset_id, ask->live_stream_id, ask->limit, ask->offset);
    while (*n < (size_t)ask->limit && db_next(q)) {
        struct delivery_row *r = &out[(*n)++];
        snprintf(r->asset_id, sizeof r->asset_id, "%s", db_text(q, 0));
        r->us = db_int(q, 1);
    }
    return db_done(q);
}

static enum delivery_tier tier_of(int64_t height)
{
    return height == 0      ? TIER_AUDIO
           : height <= 720  ? TIER_720
           : height <= 1080 ? TIER_1080
           : height <= 1440 ? TIER_1440
                            : TIER_2160;
}

enum err delivery_tiers(struct db *db, const struct delivery_ask *ask, const char *asset_id,
                        int64_t us[TIER_COUNT])
{
    struct db_rows *q = db_query(db,
                                 "SELECT height, SUM(us) FROM delivery WHERE asset_id = ?1"
                                 " AND hour >= ?2 AND hour < ?3 GROUP BY height",
                                 "sii", asset_id, first_hour(ask), ask->to_us);
    memset(us, 0, TIER_COUNT * sizeof *us);
    while (db_next(q)) us[tier_of(db_int(q, 0))] += db_int(q, 1);
    return db_done(q);
}
