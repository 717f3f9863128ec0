/* SPDX-License-Identifier: MIT */
/* product/notice.h - followers are told: that somebody is live, what is planned, that it begins
 * soon; by mail and by push, as each of them wants it.
 *
 * A notice is one row however many followers there are; product/notifier.h goes through them a
 * hundred at a time and survives a kill between. That a stream is live, and that it begins in ten
 * minutes, it sees by itself, once for each broadcast and for each time that was set. A change of
 * the schedule is said here, in its transaction.
 *
 * Pool threads. Times are microseconds since 1970, 0 for none. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "product/account.h"

enum notice_kind { NOTICE_LIVE, NOTICE_SCHEDULED, NOTICE_MOVED, NOTICE_CANCELLED, NOTICE_SOON };
extern const char *const NOTICE_KINDS[]; /* the words of the schema, NULL-terminated */

#define NOTICE_SOON_US  (INT64_C(600) * 1000000)  /* a reminder comes so long before */
#define NOTICE_AGAIN_US (INT64_C(600) * 1000000)  /* a stream that comes back sooner is not news */
#define NOTICE_LIVE_US  (INT64_C(3600) * 1000000) /* and later than this it is not, either */

/* The start time of a stream is another now; before a stream with one is deleted, `is_at` 0. In the
 * transaction of the change. Changes within --notice-delay are one; of one that was taken back
 * nobody hears. Times in the past are no news. */
enum err notice_schedule(struct db *db, const char *stream_id, int64_t was_at,
                         int64_t is_at) WARN_UNUSED;
/* The delay, in microseconds; set once, before the loops run. 0 before. */
void notice_set_delay(int64_t us);

/* --- what somebody wants ---------------------------------------------------------------------- */

enum { NOTICE_WANT_LIVE = 1, NOTICE_WANT_SCHEDULE = 2, NOTICE_WANT_SOON = 4, NOTICE_WANT_ALL = 7 };
struct notice_prefs {
    unsigned mail, push; /* bits of the above */
};
enum err notice_prefs_get(struct db *db, const char *user_id, struct notice_prefs *out) WARN_UNUSED;
enum err notice_prefs_set(struct db *db, const char *user_id,
                          struct notice_prefs prefs) WARN_UNUSED;

/* --- one click, and no more of it ------------------------------------------------------------- */

/* "follower.followed.signature": whoever has it may end the mails it names, and nothing else, for
 * as long as secret.key is the same. */
#define NOTICE_TOKEN_CAP (2 * ID_CAP + 24)
void notice_token(const struct secret *s, const char *follower_id, const char *user_id,
                  char out[NOTICE_TOKEN_CAP]);
/* E_AUTH: not one of ours. */
enum err notice_token_read(const struct secret *s, struct span token, char follower_id[ID_CAP],
                           char user_id[ID_CAP]) WARN_UNUSED;
/* No mail about this one any more; `all`: none about anybody. Again is fine. */
enum err notice_unsubscribe(struct db *db, const char *follower_id, const char *user_id,
                            bool all) WARN_UNUSED;
