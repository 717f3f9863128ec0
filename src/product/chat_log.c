/* SPDX-License-Identifier: MIT */
/* What moderators read: bans, moderators, and what was done. */
#include "base/clock.h"
#include "product/chat_ban.h"
#include "product/chat_priv.h"
#include <stdio.h>

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

/* --- lists ------------------------------------------------------------------------------------ */

#define SELECT_BAN                                                                                 \
    "SELECT b.id, u.id, u.name, u.image, COALESCE(o.name, ''), b.reason, b.until, b.created_at,"   \
    " (SELECT COUNT(*) FROM chat_ban_addresses a WHERE a.ban_id = b.id AND a.until > ?2) FROM"     \
    " chat_bans b JOIN users u ON u.id = b.user_id LEFT JOIN users o ON o.id = b.by_id"            \
    " WHERE b.owner_id = ?1 AND b.until > ?2 "

static enum err take_bans(struct db_rows *q, struct chat_ban *out, size_t *n)
{
    const size_t room = *n;
    *n = 0;
    while (*n < room && db_next(q)) {
        struct chat_ban *b = &out[(*n)++];
        TAKE(b->id, 0);
        TAKE(b->user.id, 1);
        TAKE(b->user.name, 2);
        TAKE(b->user.image, 3);
        TAKE(b->by_name, 4);
        TAKE(b->reason, 5);
        b->until = db_int(q, 6);
        b->created_at = db_int(q, 7);
        b->addresses = db_int(q, 8);
    }
    return db_done(q);
}

enum err chat_ban_get(struct db *db, const char *owner_id, const char *ban_id, struct chat_ban *out)
{
    size_t n = 1;
    const enum err e = take_bans(
        db_query(db, SELECT_BAN "AND b.id = ?3", "sis", owner_id, clock_wall_us(), ban_id), out,
        &n);
    return e == E_OK && !n ? E_NOTFOUND : e;
}

enum err chat_ban_list(struct db *db, const char *owner_id, int64_t before, struct chat_ban *out,
                       size_t *n)
{
    return take_bans(
        db_query(db, SELECT_BAN "AND b.created_at < ?3 ORDER BY b.created_at DESC LIMIT ?4", "siii",
                 owner_id, clock_wall_us(), before, (int64_t)*n),
        out, n);
}

static enum err take_people(struct db_rows *q, struct chat_person *out, size_t *n)
{
    const size_t room = *n;
    *n = 0;
    while (*n < room && db_next(q)) {
        struct chat_person *u = &out[(*n)++];
        TAKE(u->id, 0);
        TAKE(u->name, 1);
        TAKE(u->image, 2);
    }
    return db_done(q);
}

enum err chat_moderator_list(struct db *db, const char *owner_id, struct chat_person *out,
                             size_t *n)
{
    return take_people(db_query(db,
                                "SELECT u.id, u.name, u.image FROM chat_moderators m JOIN users u"
                                " ON u.id = m.user_id WHERE m.owner_id = ?1 ORDER BY u.name, u.id"
                                " LIMIT ?2",
                                "si", owner_id, (int64_t)*n),
                       out, n);
}

enum err chat_people_find(struct db *db, const char *text, struct chat_person *out, size_t *n)
{
    char email[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    struct problem p;
    if (text_email(span_str(text), email, key, &p) == E_OK)
        return take_people(
            db_query(db, "SELECT id, name, image FROM users WHERE email_key = ?1", "s", key), out,
            n);
    return take_people(db_query(db,
                                "SELECT id, name, image FROM users WHERE lower(substr(name, 1,"
                                " length(?1))) = lower(?1) ORDER BY length(name), name, id LIMIT"
                                " ?2",
                                "si", text, (int64_t)*n),
                       out, n);
}

/* --- the log ---------------------------------------------------------------------------------- */

enum err chat_log_add(struct chat *c, struct db *db, const struct chat_log_entry *l)
{
    char message[24] = "";
    if (l->message_id) snprintf(message, sizeof message, "%lld", (long long)l->message_id);
    return db_exec(db,
                   "INSERT INTO chat_log (id, owner_id, stream_id, at, by_id, action, user_id,"
                   " message_id, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CAST(?8 AS BIGINT),"
                   " ?9)",
                   "ississsss", chat_next_id(c), l->owner_id, l->stream_id, clock_wall_us(),
                   l->by_id, l->action, l->user_id, l->message_id ? message : NULL,
                   l->detail ? l->detail : "");
}

enum err chat_log_list(struct db *db, const char *owner_id, int64_t before,
                       struct chat_log_line *out, size_t *n)
{
    const size_t room = *n;
    struct db_rows *q = db_query(
        db,
        "SELECT l.id, l.at, l.stream_id, l.action, l.detail, COALESCE(b.id, ''),"
        " COALESCE(b.name, ''), b.image, COALESCE(u.id, ''), COALESCE(u.name, ''), u.image,"
        " COALESCE(m.content, '') FROM chat_log l LEFT JOIN users b ON b.id = l.by_id"
        " LEFT JOIN users u ON u.id = l.user_id LEFT JOIN chat_messages m ON m.id = l.message_id"
        " WHERE l.owner_id = ?1 AND l.id < ?2 ORDER BY l.id DESC LIMIT ?3",
        "sii", owner_id, before, (int64_t)room);
    *n = 0;
    while (*n < room && db_next(q)) {
        struct chat_log_line *l = &out[(*n)++];
        l->id = db_int(q, 0);
        l->at = db_int(q, 1);
        TAKE(l->stream_id, 2);
        TAKE(l->action, 3);
        TAKE(l->detail, 4);
        TAKE(l->by.id, 5);
        TAKE(l->by.name, 6);
        TAKE(l->by.image, 7);
        TAKE(l->user.id, 8);
        TAKE(l->user.name, 9);
        TAKE(l->user.image, 10);
        TAKE(l->content, 11);
    }
    return db_done(q);
}
