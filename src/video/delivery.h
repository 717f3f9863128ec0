/* SPDX-License-Identifier: MIT */
/* video/delivery.h - how much of each asset was delivered, by hour and picture: what the HLS
 * service counts, in the table `delivery`. Sent twice counts twice. Pool threads. */
#pragma once
#include "serve/gate.h"
#include "video/live.h"

enum err delivery_add(struct db *db, const struct gate_delivered *list, size_t n) WARN_UNUSED;

/* What was delivered within a time, most first. */
struct delivery_ask {
    const char *user_id;
    const char *asset_id, *live_stream_id; /* NULL: any */
    int64_t from_us, to_us;                /* whole hours count that begin in it */
    int64_t limit, offset;
};
struct delivery_row {
    char asset_id[LIVE_ID_CAP];
    int64_t us;
};
/* At most `limit` rows; `total` counts all of them. */
enum err delivery_list(struct db *db, const struct delivery_ask *ask, struct delivery_row *out,
                       size_t *n, int64_t *total) WARN_UNUSED;
/* The same of one asset, by size of the picture. */
enum delivery_tier { TIER_AUDIO, TIER_720, TIER_1080, TIER_1440, TIER_2160, TIER_COUNT };
enum err delivery_tiers(struct db *db, const struct delivery_ask *ask, const char *asset_id,
                        int64_t us[TIER_COUNT]) WARN_UNUSED;
