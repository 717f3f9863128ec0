/* SPDX-License-Identifier: MIT */
/* product/chat.h - what people write to a stream's room.
 *
 * Changes of all rooms go through one struct chat, which gathers those that come at the same time
 * into one transaction and hands them, once they are stored, to whoever tells the readers: in the
 * order of their ids, which grow. Pool threads; a change blocks until it is stored.
 * Limits: LIMIT_CHAT_CHARS, LIMIT_CHAT_PAGE, LIMIT_CHAT_RESUME. */
#pragma once
#include "product/account.h"

struct chat_message {
    int64_t id;
    char stream_id[ID_CAP], user_id[ID_CAP];
    char user_name[TEXT_CAP(LIMIT_NAME_CHARS)], user_image[USER_URL_CAP];
    char content[TEXT_CAP(LIMIT_CHAT_CHARS)];
    int64_t program_at; /* microseconds since 1970, as all times */
    int64_t created_at;
    int64_t deleted_event; /* 0: it is there */
};

/* How changes become events. Called by one thread at a time: hold(true), next_id() for each, then,
 * once all are stored, told() in the order of the ids, hold(false). */
struct chat_events {
    int64_t (*next_id)(void);
    void (*hold)(void *ctx, bool on);                      /* no other event has an id between */
    void (*told)(void *ctx, const struct chat_message *m); /* written, or (deleted_event) deleted */
    void *ctx;
};

struct chat;
struct chat *chat_new(const struct chat_events *events);
void chat_free(struct chat *c); /* NULL is fine */

/* Fills in m->id and created_at; the rest is the caller's, checked. E_NOTFOUND: no such stream. */
enum err chat_add(struct chat *c, struct db *db, struct chat_message *m) WARN_UNUSED;
/* E_NOTFOUND: there is no such message, or it was deleted already. */
enum err chat_delete(struct chat *c, struct db *db, const struct chat_message *m,
                     const char *by_user_id) WARN_UNUSED;

/* E_NOTFOUND: not in this room, or deleted. */
enum err chat_get(struct db *db, const char *stream_id, int64_t id,
                  struct chat_message *out) WARN_UNUSED;
/* What is there with an id below `before`, newest first; *n is the room before and the number
 * after. */
enum err chat_list(struct db *db, const char *stream_id, int64_t before, struct chat_message *out,
                   size_t *n) WARN_UNUSED;
/* What has changed since the event `id`, oldest first. E_LIMIT: more than there is room for. */
enum err chat_since(struct db *db, const char *stream_id, int64_t id, struct chat_message *out,
                    size_t *n) WARN_UNUSED;
/* The highest id there is, 0 without one. */
enum err chat_newest(struct db *db, int64_t *id) WARN_UNUSED;
