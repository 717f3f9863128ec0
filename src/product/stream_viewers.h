/* SPDX-License-Identifier: MIT */
/* product/stream_viewers.h - how many different viewers a stream has had.
 *
 * Each is a row with a keyed hash, so that the number is right after a restart; the rows go a day
 * after the end, the number stays. Pool threads. */
#pragma once
#include "store/store.h"

struct stream_viewer {
    uint64_t who;
    bool page; /* else a player. Most players are a page's: the larger number is the stream's */
};

/* Those who are known already are fine. */
enum err stream_note_viewers(struct db *db, const char *stream_id, const struct stream_viewer *v,
                             size_t n) WARN_UNUSED;
enum err stream_viewers_sweep(struct db *db) WARN_UNUSED;
