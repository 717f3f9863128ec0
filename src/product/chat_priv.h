/* SPDX-License-Identifier: MIT */
/* product/chat_priv.h - what the files of the chat share: a change on its way to the database. */
#pragma once
#include "base/list.h"
#include "product/chat.h"
#include "product/chat_room.h"

/* The first member of a change of some kind. */
struct chat_change {
    struct chat_change *next;
    /* In the transaction, with the order of events held; undone when it is not E_OK. */
    enum err (*apply)(struct chat *c, struct db *db, struct chat_change *x);
    void (*tell)(struct chat *c, struct chat_change *x); /* once it is stored */
    enum err e;
    bool done;
};

/* Blocks until it is stored or refused. */
enum err chat_put(struct chat *c, struct db *db, struct chat_change *x);
int64_t chat_next_id(struct chat *c);
void chat_tell(struct chat *c, const struct chat_told *t);

/* A line of the log. `user_id` NULL, `message_id` 0: none. */
struct chat_log_entry {
    const char *owner_id, *stream_id, *by_id, *action, *user_id, *detail;
    int64_t message_id;
};
enum err chat_log_add(struct chat *c, struct db *db, const struct chat_log_entry *l) WARN_UNUSED;
/* Takes the pin away when it is on this message. *event: of the change, 0 without one. */
enum err chat_unpin(struct chat *c, struct db *db, const char *stream_id, int64_t message_id,
                    int64_t *event) WARN_UNUSED;
