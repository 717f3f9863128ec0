/* SPDX-License-Identifier: MIT */
/* product/chat_room.h - how a room is kept, who keeps it, and who may write in it now.
 *
 * Settings are a stream's; a new stream copies those of its owner's last one. Moderators are the
 * streamer's, in all their rooms, and have what administrators have: they change settings, delete,
 * time out, ban and pin. Slow mode, followers-only and words do not hold for them, nor for the
 * owner; a room that is off is off for all.
 * Pool threads. Limits: LIMIT_CHAT_SLOW_S, LIMIT_CHAT_FOLLOW_S, LIMIT_CHAT_WORDS. */
#pragma once
#include "product/chat.h"
#include "product/chat_words.h"

enum chat_mode { CHAT_OPEN, CHAT_FOLLOWERS, CHAT_OFF };
extern const char *const CHAT_MODES[]; /* the words of the schema and of the API; ends with NULL */

struct chat_room {
    char stream_id[ID_CAP], owner_id[ID_CAP];
    enum chat_mode mode;
    int64_t slow_s, follow_s; /* 0: none */
    int64_t pinned_id;        /* 0: none */
    int64_t version;          /* the event of the last change */
    char words[CHAT_WORDS_CAP];
};

/* `out` is large: not for the stack. E_NOTFOUND: no such stream. */
enum err chat_room_get(struct db *db, const char *stream_id, struct chat_room *out) WARN_UNUSED;
/* In the transaction that makes a stream. */
enum err chat_room_copy(struct db *db, const char *stream_id, const char *owner_id) WARN_UNUSED;

enum { CHAT_HAS_MODE = 1, CHAT_HAS_SLOW = 2, CHAT_HAS_FOLLOW = 4, CHAT_HAS_WORDS = 8 };
struct chat_room_fields {
    unsigned has;
    enum chat_mode mode;
    int64_t slow_s, follow_s;
    const char *words; /* of chat_words_add() */
};
/* What `f` has, checked by the caller; `out` is the room afterwards. */
enum err chat_room_change(struct chat *c, struct db *db, const char *stream_id, const char *by_id,
                          const struct chat_room_fields *f, struct chat_room *out) WARN_UNUSED;

/* One message stands above the others. E_NOTFOUND: it is not in this room. 0 takes the pin away;
 * E_NOTFOUND: there was none. */
enum err chat_pin(struct chat *c, struct db *db, const char *stream_id, int64_t message_id,
                  const char *by_id) WARN_UNUSED;

/* --- who is who ------------------------------------------------------------------------------- */

/* E_NOTFOUND never: whoever is unknown is a reader. */
enum err chat_role_get(struct db *db, const char *owner_id, const char *user_id,
                       enum chat_role *out) WARN_UNUSED;

/* --- who may write ---------------------------------------------------------------------------- */

enum chat_why {
    CHAT_MAY,
    CHAT_WHY_OFF,
    CHAT_WHY_BANNED,  /* for good */
    CHAT_WHY_TIMEOUT, /* until then */
    CHAT_WHY_FOLLOWERS,
    CHAT_WHY_FOLLOW_AGE, /* until then */
    CHAT_WHY_SLOW,       /* until then */
};
extern const char *const CHAT_WHYS[]; /* the words of the API; CHAT_MAY is NULL */

struct chat_standing {
    enum chat_role role;
    enum chat_why why;
    int64_t until; /* 0: no time is known */
};
enum err chat_standing_get(struct db *db, const struct chat_room *room,
                           const struct chat_writer *who, int64_t now,
                           struct chat_standing *out) WARN_UNUSED;
/* E_OK, or why not in words. E_AUTH "chat_banned", "chat_timeout", "followers_only",
 * "follow_age"; E_CONFLICT "chat_off"; E_LIMIT "slow_mode", with the time left. */
enum err chat_standing_problem(const struct chat_standing *s, const struct chat_room *room,
                               int64_t now, struct problem *p) WARN_UNUSED;
