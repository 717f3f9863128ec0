/* SPDX-License-Identifier: MIT */
/* video/quota.h - what a user keeps on this server's disk, and how much that may be.
 *
 * Counted are the folders of assets (recordings, imported files and all that is made of them) and
 * uploads on their way. A folder is measured by looking at it, a few seconds after it has changed:
 * quota_sweep(). The bound is the account's own, or the server's (--storage-quota, which an
 * administrator may change while it runs).
 *
 * What reaches the bound is never a live stream: it goes on without a recording (ADR 39). Pool
 * threads. */
#pragma once
#include "base/settings.h"
#include "store/store.h"
#include "video/live.h"

#define QUOTA_TEXT_CAP 200

struct quota {
    int64_t used, limit; /* bytes; limit 0: none */
};

enum err quota_get(struct db *db, const struct settings *s, const char *user_id,
                   struct quota *out) WARN_UNUSED;
/* Percent that is used, at most 1000; 0 without a limit. */
unsigned quota_percent(const struct quota *q);
/* May so many bytes more come? E_FULL: no, `text` says it to the owner. */
enum err quota_room(struct db *db, const struct settings *s, const char *user_id, int64_t more,
                    char text[QUOTA_TEXT_CAP]) WARN_UNUSED;
/* The words at 80 and 100 percent; "" below. */
void quota_text(const struct quota *q, char text[QUOTA_TEXT_CAP]);

/* Measures what has changed, and tells owners who come near (`level` 80) or to the end (100) of
 * their quota, once each time: `tell` is called for each of their live streams, of which 100 has
 * stopped the recording before. One thread at a time. */
void quota_sweep(struct live *l, struct db *db,
                 void (*tell)(void *ctx, const char *stream_id, int level, const char *text),
                 void *ctx);
