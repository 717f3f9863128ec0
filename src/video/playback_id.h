/* SPDX-License-Identifier: MIT */
/* video/playback_id.h - the ids in viewers' URLs. A live stream or an asset may have several, each
 * with its policy; they share one name space. Pool threads. */
#pragma once
#include "base/limits.h"
#include "store/store.h"
#include "video/live.h"

enum playback_policy { POLICY_PUBLIC, POLICY_SIGNED };
extern const char *const PLAYBACK_POLICY[]; /* "public", "signed", NULL */

struct playback_id {
    char id[LIVE_ID_CAP], kind[8] /* "live", "asset" */, object_id[LIVE_ID_CAP], policy[12];
    bool is_signed; /* by itself, also when its stream is not private */
};

/* Within the caller's transaction, or without one. E_LIMIT: LIMIT_MUX_PLAYBACK_IDS. */
enum err playback_id_add(struct db *db, const char *kind, const char *object_id,
                         enum playback_policy policy, struct playback_id *out) WARN_UNUSED;
/* E_NOTFOUND. */
enum err playback_id_get(struct db *db, const char *id, struct playback_id *out) WARN_UNUSED;
/* Only the row; live_forget_playback() does the rest. E_NOTFOUND: not of this object. */
enum err playback_id_remove(struct db *db, const char *object_id, const char *id) WARN_UNUSED;
/* Oldest first, at most LIMIT_MUX_PLAYBACK_IDS. */
enum err playback_id_list(struct db *db, const char *object_id,
                          struct playback_id out[LIMIT_MUX_PLAYBACK_IDS], size_t *n) WARN_UNUSED;
