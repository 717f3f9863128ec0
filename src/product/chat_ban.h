/* SPDX-License-Identifier: MIT */
/* product/chat_ban.h - who may not write in a streamer's rooms, who watches over them, and what
 * they have done.
 *
 * A ban is an account's and, when asked for, that of the addresses it has written from in this
 * streamer's rooms: at most LIMIT_CHAT_ADDRESSES, kept as chat_address() and for no longer than
 * LIMIT_CHAT_ADDRESS_DAYS, also in a ban without an end. Others behind such an address may not
 * write either, but for the owner, moderators and administrators.
 * Pool threads. Limits: LIMIT_CHAT_BANS, LIMIT_CHAT_MODERATORS, LIMIT_CHAT_PURGE. */
#pragma once
#include "product/chat_room.h"

#define CHAT_FOR_GOOD INT64_MAX

struct chat_person {
    char id[ID_CAP], name[TEXT_CAP(LIMIT_NAME_CHARS)], image[USER_URL_CAP];
};

/* --- bans ------------------------------------------------------------------------------------- */

struct chat_ban {
    char id[ID_CAP];
    struct chat_person user;
    char by_name[TEXT_CAP(LIMIT_NAME_CHARS)]; /* "": the account is gone */
    char reason[TEXT_CAP(LIMIT_CHAT_REASON_CHARS)];
    int64_t until; /* CHAT_FOR_GOOD */
    int64_t created_at;
    int64_t addresses; /* how many */
};

struct chat_ban_ask {
    const char *stream_id, *owner_id; /* where it is done; it holds in all rooms of the owner */
    const char *user_id;
    const struct user *by;
    int64_t seconds;    /* 0: for good */
    bool address;       /* also what they write from */
    bool delete_recent; /* the last LIMIT_CHAT_PURGE messages in this room */
    const char *reason; /* checked */
};
/* In the place of one that there is. E_NOTFOUND: no such account. E_AUTH "forbidden": the owner;
 * a moderator, for other moderators; an administrator. E_INVALID "own_account". */
enum err chat_ban_add(struct chat *c, struct db *db, const struct chat_ban_ask *ask,
                      char id[ID_CAP], struct problem *p) WARN_UNUSED;
/* E_NOTFOUND. */
enum err chat_ban_remove(struct chat *c, struct db *db, const char *stream_id, const char *owner_id,
                         const char *ban_id, const char *by_id) WARN_UNUSED;
/* E_NOTFOUND. */
enum err chat_ban_get(struct db *db, const char *owner_id, const char *ban_id,
                      struct chat_ban *out) WARN_UNUSED;
/* Those that hold, made before `before` (INT64_MAX at first), newest first. */
enum err chat_ban_list(struct db *db, const char *owner_id, int64_t before, struct chat_ban *out,
                       size_t *n) WARN_UNUSED;

/* --- moderators ------------------------------------------------------------------------------- */

/* Again is fine. E_NOTFOUND; E_INVALID "own_account", "too_many". A ban of theirs ends. */
enum err chat_moderator_add(struct chat *c, struct db *db, const char *stream_id,
                            const char *owner_id, const char *user_id,
                            struct problem *p) WARN_UNUSED;
/* E_NOTFOUND: is none. */
enum err chat_moderator_remove(struct chat *c, struct db *db, const char *stream_id,
                               const char *owner_id, const char *user_id) WARN_UNUSED;
/* All of them, by name. */
enum err chat_moderator_list(struct db *db, const char *owner_id, struct chat_person *out,
                             size_t *n) WARN_UNUSED;
/* Accounts whose name begins so, or whose whole address of e-mail this is. */
enum err chat_people_find(struct db *db, const char *text, struct chat_person *out,
                          size_t *n) WARN_UNUSED;

/* --- the log ---------------------------------------------------------------------------------- */

struct chat_log_line {
    int64_t id, at;
    char stream_id[ID_CAP], action[24], detail[256];
    struct chat_person by, user;              /* "": nobody, or the account is gone */
    char content[TEXT_CAP(LIMIT_CHAT_CHARS)]; /* of the message; "": none, or long gone */
};
/* Before `before` (INT64_MAX at first), newest first. */
enum err chat_log_list(struct db *db, const char *owner_id, int64_t before,
                       struct chat_log_line *out, size_t *n) WARN_UNUSED;
