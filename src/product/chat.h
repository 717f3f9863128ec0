/* SPDX-License-Identifier: MIT */
/* product/chat.h - what people write to a stream's room.
 *
 * Changes of all rooms go through one struct chat, which gathers those that come at the same time
 * into one transaction and hands them, once they are stored, to whoever tells the readers: in the
 * order of their ids, which grow. So a message and a ban are one before the other for everybody:
 * whoever is banned has nothing stored after it. How a room is kept: product/chat_room.h; who may
 * not write in it: product/chat_ban.h. Pool threads; a change blocks until it is stored.
 * Limits: LIMIT_CHAT_CHARS, LIMIT_CHAT_PAGE, LIMIT_CHAT_RESUME. */
#pragma once
#include "base/secret.h"
#include "product/account.h"

enum chat_role { CHAT_READER, CHAT_MODERATOR, CHAT_OWNER };

struct chat_message {
    int64_t id;
    char stream_id[ID_CAP], user_id[ID_CAP];
    char user_name[TEXT_CAP(LIMIT_NAME_CHARS)], user_image[USER_URL_CAP];
    char user_handle[HANDLE_CAP];
    enum chat_role role; /* of its writer, in this room */
    char content[TEXT_CAP(LIMIT_CHAT_CHARS)];
    int64_t program_at; /* microseconds since 1970, as all times */
    int64_t created_at;
    int64_t deleted_event; /* 0: it is there */
};

struct chat_room;

/* What is to be told to the readers of a room. */
enum chat_told_kind {
    CHAT_TOLD_WRITTEN,
    CHAT_TOLD_GONE,
    CHAT_TOLD_SETTINGS,
    CHAT_TOLD_PINNED,
    CHAT_TOLD_MEMBER, /* what an account may do here has changed */
};
struct chat_told {
    enum chat_told_kind kind;
    int64_t id;
    const char *stream_id;
    const struct chat_message *m; /* WRITTEN; PINNED, where NULL is: none any more */
    const int64_t *ids;           /* GONE */
    size_t n_ids;
    const struct chat_room *room; /* SETTINGS */
    const char *user_id;          /* MEMBER */
};

/* How changes become events. Called by one thread at a time: hold(true), next_id() for each, then,
 * once all are stored, told() in the order of the ids, hold(false). */
struct chat_events {
    int64_t (*next_id)(void);
    void (*hold)(void *ctx, bool on); /* no other event has an id between */
    void (*told)(void *ctx, const struct chat_told *t);
    void *ctx;
};

struct chat;
struct chat *chat_new(const struct chat_events *events);
void chat_free(struct chat *c); /* NULL is fine */

/* An address as it is kept: a keyed hash, another one for each streamer. */
#define CHAT_ADDRESS_CAP 33
void chat_address(const struct secret *s, const char *owner_id, const char *peer,
                  char out[CHAT_ADDRESS_CAP]);

/* Who wants to write, or to know whether they may. */
struct chat_writer {
    const char *user_id;
    bool admin;
    char address[CHAT_ADDRESS_CAP]; /* "": not known */
};

/* Fills in m->id, created_at and role; the rest is the caller's, checked. E_NOTFOUND: no such
 * stream. Otherwise why not, with a problem: chat_standing_problem() and, for a word that the room
 * does not take, E_INVALID "word_not_allowed". */
enum err chat_add(struct chat *c, struct db *db, struct chat_message *m,
                  const struct chat_writer *who, struct problem *p) WARN_UNUSED;
/* The pin goes with it. E_NOTFOUND: there is no such message, or it was deleted already. */
enum err chat_delete(struct chat *c, struct db *db, const struct chat_message *m,
                     const char *by_user_id) WARN_UNUSED;

/* --- reading (chat_list.c) -------------------------------------------------------------------- */

/* E_NOTFOUND: not in this room, or deleted. */
enum err chat_get(struct db *db, const char *stream_id, int64_t id,
                  struct chat_message *out) WARN_UNUSED;
/* What is there with an id below `before`, newest first; *n is the room before and the number
 * after. */
enum err chat_list(struct db *db, const char *stream_id, int64_t before, struct chat_message *out,
                   size_t *n) WARN_UNUSED;
/* What has changed since the event `id`, oldest first; messages that were deleted together have the
 * same deleted_event. E_LIMIT: more than there is room for. */
enum err chat_since(struct db *db, const char *stream_id, int64_t id, struct chat_message *out,
                    size_t *n) WARN_UNUSED;
/* The stream whose room belongs to what this public playback id shows: also that of the recording a
 * clip was cut from. E_NOTFOUND. */
enum err chat_played(struct db *db, const char *playback_id, char stream_id[ID_CAP]) WARN_UNUSED;
/* The highest id there is, 0 without one. */
enum err chat_newest(struct db *db, int64_t *id) WARN_UNUSED;
/* Forgets addresses, bans that are over and what was deleted long ago; for a timer. */
enum err chat_sweep(struct db *db) WARN_UNUSED;
