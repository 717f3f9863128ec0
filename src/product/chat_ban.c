/* SPDX-License-Identifier: MIT */
#include "product/chat_ban.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "product/chat_priv.h"
#include <stdio.h>

static enum err one_int(struct db_rows *q, int64_t *out)
{
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

/* --- bans ------------------------------------------------------------------------------------- */

struct banned {
    struct chat_change change;
    const struct chat_ban_ask *ask;
    char id[ID_CHARS + 1];
    struct problem *p;
    int64_t now, until;
    int64_t gone[LIMIT_CHAT_PURGE];
    size_t n_gone;
    int64_t gone_event, unpinned, member_event;
};

/* Whom one may not ban, however one came to moderate. */
static enum err may_ban(struct db *db, const struct chat_ban_ask *a, struct problem *p)
{
    struct user target;
    enum chat_role by, role;
    enum err e = account_get(db, a->user_id, &target);
    if (e == E_NOTFOUND)
        return problem_set(p, e, "not_found", "userId", "There is no such account.");
    if (e == E_OK && !strcmp(a->user_id, a->by->id))
        return problem_set(p, E_INVALID, "own_account", "userId", "This is your own account.");
    if (e == E_OK) e = chat_role_get(db, a->owner_id, a->user_id, &role);
    if (e == E_OK) e = chat_role_get(db, a->owner_id, a->by->id, &by);
    if (e != E_OK) return e;
    if (role == CHAT_OWNER || target.admin)
        return problem_set(p, E_AUTH, "forbidden", "userId",
                           "The streamer and administrators cannot be banned.");
    if (role == CHAT_MODERATOR && by != CHAT_OWNER && !a->by->admin)
        return problem_set(p, E_AUTH, "forbidden", "userId",
                           "Only the streamer may ban a moderator.");
    return E_OK;
}

static enum err has_room(struct db *db, const struct chat_ban_ask *a, int64_t now,
                         struct problem *p)
{
    int64_t n;
    const enum err e = one_int(db_query(db,
                                        "SELECT COUNT(*) FROM chat_bans WHERE owner_id = ?1 AND"
                                        " until > ?2",
                                        "si", a->owner_id, now),
                               &n);
    if (e == E_OK && n >= LIMIT_CHAT_BANS)
        return problem_set(p, E_CONFLICT, "too_many", NULL,
                           "%d accounts are banned, which is the most.", LIMIT_CHAT_BANS);
    return e;
}

/* An address changes hands: its ban ends, whatever the account's does. */
static enum err ban_addresses(struct db *db, const struct banned *w)
{
    const int64_t most = w->now + LIMIT_CHAT_ADDRESS_DAYS * INT64_C(86400) * US_PER_SEC;
    return db_exec(db,
                   "INSERT INTO chat_ban_addresses (ban_id, owner_id, address, until)"
                   " SELECT ?1, owner_id, address, ?4 FROM chat_addresses WHERE owner_id = ?2 AND"
                   " user_id = ?3 AND seen_at > ?5 ORDER BY seen_at DESC LIMIT ?6",
                   "sssiii", w->id, w->ask->owner_id, w->ask->user_id,
                   w->until < most ? w->until : most,
                   w->now - LIMIT_CHAT_ADDRESS_DAYS * INT64_C(86400) * US_PER_SEC,
                   (int64_t)LIMIT_CHAT_ADDRESSES);
}

static enum err insert_ban(struct db *db, struct banned *w)
{
    const struct chat_ban_ask *a = w->ask;
    enum err e = db_exec(db, "DELETE FROM chat_bans WHERE owner_id = ?1 AND user_id = ?2", "ss",
                         a->owner_id, a->user_id);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO chat_bans (id, owner_id, user_id, until, reason, by_id,"
                    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    "sssissi", w->id, a->owner_id, a->user_id, w->until, a->reason, a->by->id,
                    w->now);
    if (e == E_OK && a->address) e = ban_addresses(db, w);
    if (e == E_OK)
        e = db_exec(db, "DELETE FROM chat_moderators WHERE owner_id = ?1 AND user_id = ?2", "ss",
                    a->owner_id, a->user_id);
    return e;
}

static enum err log_for(struct chat *c, struct db *db, const struct chat_ban_ask *a,
                        const char *action, int64_t message_id, const char *detail)
{
    return chat_log_add(c, db,
                        &(struct chat_log_entry){.owner_id = a->owner_id,
                                                 .stream_id = a->stream_id,
                                                 .by_id = a->by->id,
                                                 .action = action,
                                                 .user_id = a->user_id,
                                                 .message_id = message_id,
                                                 .detail = detail});
}

static enum err find_recent(struct db *db, struct banned *w)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT id FROM chat_messages WHERE user_id = ?1 AND stream_id ="
                 " ?2 AND deleted_event IS NULL ORDER BY id DESC LIMIT ?3",
                 "ssi", w->ask->user_id, w->ask->stream_id, (int64_t)LIMIT_CHAT_PURGE);
    while (db_next(q)) w->gone[w->n_gone++] = db_int(q, 0);
    return db_done(q);
}

/* All of them are one event, and each has its line in the log. */
static enum err delete_recent(struct chat *c, struct db *db, struct banned *w)
{
    enum err e = find_recent(db, w);
    if (w->n_gone) w->gone_event = chat_next_id(c);
    for (size_t i = 0; i < w->n_gone && e == E_OK; i++) {
        e = db_exec(db,
                    "UPDATE chat_messages SET deleted_event = ?2, deleted_by = ?3 WHERE id = ?1",
                    "iis", w->gone[i], w->gone_event, w->ask->by->id);
        if (e == E_OK) e = log_for(c, db, w->ask, "delete", w->gone[i], "");
        if (e == E_OK && !w->unpinned)
            e = chat_unpin(c, db, w->ask->stream_id, w->gone[i], &w->unpinned);
    }
    return e;
}

static enum err apply_ban(struct chat *c, struct db *db, struct chat_change *x)
{
    struct banned *w = CONTAINER_OF(x, struct banned, change);
    const struct chat_ban_ask *a = w->ask;
    char detail[96 + sizeof((struct chat_ban *)0)->reason];
    w->now = clock_wall_us();
    w->until = a->seconds ? w->now + a->seconds * US_PER_SEC : CHAT_FOR_GOOD;
    rand_id(w->id, ID_CHARS);
    snprintf(detail, sizeof detail, "seconds=%lld%s%s%s", (long long)a->seconds,
             a->address ? " address" : "", a->reason[0] ? " " : "", a->reason);
    enum err e = may_ban(db, a, w->p);
    if (e == E_OK) e = has_room(db, a, w->now, w->p);
    if (e == E_OK) e = insert_ban(db, w);
    if (e == E_OK && a->delete_recent) e = delete_recent(c, db, w);
    w->member_event = chat_next_id(c);
    if (e == E_OK) e = log_for(c, db, a, a->seconds ? "timeout" : "ban", 0, detail);
    if (e == E_OK)
        e = audit_add(db, a->by->id, a->seconds ? "chat.timeout" : "chat.ban", "user", a->user_id,
                      detail);
    return e;
}

static void tell_ban(struct chat *c, struct chat_change *x)
{
    const struct banned *w = CONTAINER_OF(x, struct banned, change);
    const char *room = w->ask->stream_id;
    if (w->n_gone)
        chat_tell(c, &(struct chat_told){.kind = CHAT_TOLD_GONE,
                                         .id = w->gone_event,
                                         .stream_id = room,
                                         .ids = w->gone,
                                         .n_ids = w->n_gone});
    if (w->unpinned)
        chat_tell(
            c, &(struct chat_told){.kind = CHAT_TOLD_PINNED, .id = w->unpinned, .stream_id = room});
    chat_tell(c, &(struct chat_told){.kind = CHAT_TOLD_MEMBER,
                                     .id = w->member_event,
                                     .stream_id = room,
                                     .user_id = w->ask->user_id});
}

enum err chat_ban_add(struct chat *c, struct db *db, const struct chat_ban_ask *ask,
                      char id[ID_CAP], struct problem *p)
{
    struct banned *w = NEW(struct banned);
    w->change = (struct chat_change){.apply = apply_ban, .tell = tell_ban};
    w->ask = ask;
    w->p = p;
    const enum err e = chat_put(c, db, &w->change);
    if (e == E_OK) snprintf(id, ID_CAP, "%s", w->id);
    free(w);
    return e;
}

/* --- changes about one account ---------------------------------------------------------------- */

struct about {
    struct chat_change change;
    const char *stream_id, *owner_id, *by, *action;
    char user_id[ID_CAP];
    const char *ban_id;
    struct problem *p;
    int64_t event;
};

static void tell_about(struct chat *c, struct chat_change *x)
{
    const struct about *w = CONTAINER_OF(x, struct about, change);
    if (w->event)
        chat_tell(c, &(struct chat_told){.kind = CHAT_TOLD_MEMBER,
                                         .id = w->event,
                                         .stream_id = w->stream_id,
                                         .user_id = w->user_id});
}

static enum err note_about(struct chat *c, struct db *db, struct about *w)
{
    char action[32];
    w->event = chat_next_id(c);
    snprintf(action, sizeof action, "chat.%s", w->action);
    enum err e = chat_log_add(c, db,
                              &(struct chat_log_entry){.owner_id = w->owner_id,
                                                       .stream_id = w->stream_id,
                                                       .by_id = w->by,
                                                       .action = w->action,
                                                       .user_id = w->user_id});
    if (e == E_OK) e = audit_add(db, w->by, action, "user", w->user_id, w->stream_id);
    return e;
}

static enum err apply_unban(struct chat *c, struct db *db, struct chat_change *x)
{
    struct about *w = CONTAINER_OF(x, struct about, change);
    struct chat_ban *ban = NEW(struct chat_ban);
    enum err e = chat_ban_get(db, w->owner_id, w->ban_id, ban);
    snprintf(w->user_id, sizeof w->user_id, "%s", ban->user.id);
    free(ban);
    if (e == E_OK) e = db_exec(db, "DELETE FROM chat_bans WHERE id = ?1", "s", w->ban_id);
    return e == E_OK ? note_about(c, db, w) : e;
}

enum err chat_ban_remove(struct chat *c, struct db *db, const char *stream_id, const char *owner_id,
                         const char *ban_id, const char *by_id)
{
    struct about w = {.change = {.apply = apply_unban, .tell = tell_about},
                      .stream_id = stream_id,
                      .owner_id = owner_id,
                      .by = by_id,
                      .action = "unban",
                      .ban_id = ban_id};
    return chat_put(c, db, &w.change);
}

static enum err apply_moderator(struct chat *c, struct db *db, struct chat_change *x)
{
    struct about *w = CONTAINER_OF(x, struct about, change);
    struct user u;
    int64_t n;
    enum err e = account_get(db, w->user_id, &u);
    if (e == E_NOTFOUND)
        return problem_set(w->p, e, "not_found", NULL, "There is no such account.");
    if (e == E_OK)
        e = one_int(db_query(db, "SELECT COUNT(*) FROM chat_moderators WHERE owner_id = ?1", "s",
                             w->owner_id),
                    &n);
    if (e == E_OK && n >= LIMIT_CHAT_MODERATORS)
        return problem_set(w->p, E_INVALID, "too_many", NULL,
                           "There are %d moderators, which is the most.", LIMIT_CHAT_MODERATORS);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO chat_moderators (owner_id, user_id, created_at) VALUES (?1, ?2,"
                    " ?3) ON CONFLICT (owner_id, user_id) DO NOTHING",
                    "ssi", w->owner_id, w->user_id, clock_wall_us());
    if (e != E_OK || !db_changes(db)) return e; /* is one already */
    e = db_exec(db, "DELETE FROM chat_bans WHERE owner_id = ?1 AND user_id = ?2", "ss", w->owner_id,
                w->user_id);
    return e == E_OK ? note_about(c, db, w) : e;
}

static enum err apply_dismissal(struct chat *c, struct db *db, struct chat_change *x)
{
    struct about *w = CONTAINER_OF(x, struct about, change);
    const enum err e =
        db_exec(db, "DELETE FROM chat_moderators WHERE owner_id = ?1 AND user_id = ?2", "ss",
                w->owner_id, w->user_id);
    if (e != E_OK) return e;
    return db_changes(db) ? note_about(c, db, w) : E_NOTFOUND;
}

enum err chat_moderator_add(struct chat *c, struct db *db, const char *stream_id,
                            const char *owner_id, const char *user_id, struct problem *p)
{
    struct about w = {.change = {.apply = apply_moderator, .tell = tell_about},
                      .stream_id = stream_id,
                      .owner_id = owner_id,
                      .by = owner_id,
                      .action = "moderator",
                      .p = p};
    if (!strcmp(owner_id, user_id))
        return problem_set(p, E_INVALID, "own_account", NULL, "This is your own account.");
    snprintf(w.user_id, sizeof w.user_id, "%s", user_id);
    return chat_put(c, db, &w.change);
}

enum err chat_moderator_remove(struct chat *c, struct db *db, const char *stream_id,
                               const char *owner_id, const char *user_id)
{
    struct about w = {.change = {.apply = apply_dismissal, .tell = tell_about},
                      .stream_id = stream_id,
                      .owner_id = owner_id,
                      .by = owner_id,
                      .action = "unmoderator"};
    snprintf(w.user_id, sizeof w.user_id, "%s", user_id);
    return chat_put(c, db, &w.change);
}
