/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/xalloc.h"
#include "product/chat_priv.h"
#include <pthread.h>
#include <stdio.h>

/* --- changes, many in one transaction --------------------------------------------------------- */

struct chat {
    struct chat_events ev;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t stored;
    bool busy; /* somebody stores */
    struct chat_change *first, **last;
};

struct chat *chat_new(const struct chat_events *events)
{
    struct chat *c = NEW(struct chat);
    c->ev = *events;
    c->last = &c->first;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->stored, NULL);
    return c;
}

void chat_free(struct chat *c)
{
    if (!c) return;
    pthread_cond_destroy(&c->stored);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

int64_t chat_next_id(struct chat *c)
{
    return c->ev.next_id();
}

void chat_tell(struct chat *c, const struct chat_told *t)
{
    c->ev.told(c->ev.ctx, t);
}

/* One that is refused halfway leaves nothing. */
static enum err apply(struct chat *c, struct db *db, struct chat_change *x)
{
    enum err e = db_exec(db, "SAVEPOINT change", "");
    if (e != E_OK) return e;
    e = x->apply(c, db, x);
    const enum err back = e == E_OK ? E_OK : db_exec(db, "ROLLBACK TO change", "");
    const enum err closed = db_exec(db, "RELEASE change", "");
    return e != E_OK ? e : back != E_OK ? back : closed;
}

static void store(struct chat *c, struct db *db, struct chat_change *all)
{
    c->ev.hold(c->ev.ctx, true);
    enum err e = db_begin(db);
    for (struct chat_change *x = all; x; x = x->next) x->e = e == E_OK ? apply(c, db, x) : e;
    if (e == E_OK) e = db_commit(db);
    for (struct chat_change *x = all; x; x = x->next) {
        if (e != E_OK) x->e = e;
        if (x->e == E_OK) x->tell(c, x);
    }
    c->ev.hold(c->ev.ctx, false);
}

/* Whoever finds nobody storing stores what all of them have brought. */
enum err chat_put(struct chat *c, struct db *db, struct chat_change *mine)
{
    pthread_mutex_lock(&c->lock);
    *c->last = mine;
    c->last = &mine->next;
    while (!mine->done && c->busy) pthread_cond_wait(&c->stored, &c->lock);
    if (!mine->done) {
        struct chat_change *all = c->first, *next;
        c->first = NULL;
        c->last = &c->first;
        c->busy = true;
        pthread_mutex_unlock(&c->lock);
        store(c, db, all);
        pthread_mutex_lock(&c->lock);
        c->busy = false;
        for (struct chat_change *x = all; x; x = next) {
            next = x->next; /* it is its owner's once it is done */
            x->done = true;
        }
        pthread_cond_broadcast(&c->stored);
    }
    const enum err e = mine->e;
    pthread_mutex_unlock(&c->lock);
    return e;
}

/* --- a message -------------------------------------------------------------------------------- */

struct written {
    struct chat_change change;
    struct chat_message *m;
    const struct chat_writer *who;
    struct chat_room *room;
    struct problem *p;
};

static enum err note_address(struct db *db, const struct chat_room *room,
                             const struct chat_writer *who, int64_t now)
{
    if (!who->address[0]) return E_OK;
    enum err e = db_exec(db,
                         "INSERT INTO chat_addresses (owner_id, user_id, address, seen_at) VALUES"
                         " (?1, ?2, ?3, ?4) ON CONFLICT (owner_id, user_id, address) DO UPDATE"
                         " SET seen_at = ?4",
                         "sssi", room->owner_id, who->user_id, who->address, now);
    if (e != E_OK) return e;
    return db_exec(db,
                   "DELETE FROM chat_addresses WHERE owner_id = ?1 AND user_id = ?2 AND seen_at <"
                   " (SELECT MIN(seen_at) FROM (SELECT seen_at FROM chat_addresses WHERE"
                   " owner_id = ?1 AND user_id = ?2 ORDER BY seen_at DESC LIMIT ?3) t)",
                   "ssi", room->owner_id, who->user_id, (int64_t)LIMIT_CHAT_ADDRESSES);
}

static enum err may_write(struct db *db, struct written *w, int64_t now)
{
    struct chat_standing s;
    enum err e = chat_standing_get(db, w->room, w->who, now, &s);
    if (e == E_OK) e = chat_standing_problem(&s, w->room, now, w->p);
    w->m->role = s.role;
    return e;
}

/* Asked once more, now that nothing comes between: a ban may have come before, or another message
 * of a slow room. */
static enum err insert(struct chat *c, struct db *db, struct chat_change *x)
{
    struct written *w = CONTAINER_OF(x, struct written, change);
    struct chat_message *m = w->m;
    m->created_at = clock_wall_us();
    enum err e = chat_room_get(db, m->stream_id, w->room);
    if (e == E_OK) e = may_write(db, w, m->created_at);
    if (e == E_OK && m->role == CHAT_READER) e = note_address(db, w->room, w->who, m->created_at);
    m->id = chat_next_id(c);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO chat_messages (id, stream_id, user_id, content, program_at,"
                    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    "isssii", m->id, m->stream_id, m->user_id, m->content, m->program_at,
                    m->created_at);
    return e;
}

static void tell_written(struct chat *c, struct chat_change *x)
{
    const struct chat_message *m = CONTAINER_OF(x, struct written, change)->m;
    chat_tell(c, &(struct chat_told){
                     .kind = CHAT_TOLD_WRITTEN, .id = m->id, .stream_id = m->stream_id, .m = m});
}

enum err chat_add(struct chat *c, struct db *db, struct chat_message *m,
                  const struct chat_writer *who, struct problem *p)
{
    struct written w = {{.apply = insert, .tell = tell_written}, m, who, NEW(struct chat_room), p};
    m->deleted_event = 0;
    enum err e = chat_room_get(db, m->stream_id, w.room);
    /* What is refused in any case is refused before it gets into the way of others. */
    if (e == E_OK) e = may_write(db, &w, clock_wall_us());
    if (e == E_OK && m->role == CHAT_READER && !who->admin &&
        chat_words_find(w.room->words, m->content))
        e = problem_set(p, E_INVALID, "word_not_allowed", "content",
                        "There is a word in it that this chat does not allow.");
    if (e == E_OK) e = chat_put(c, db, &w.change);
    free(w.room);
    return e;
}

/* --- deleting --------------------------------------------------------------------------------- */

struct erased {
    struct chat_change change;
    const struct chat_message *m;
    const char *by;
    int64_t event, unpinned;
};

static enum err erase(struct chat *c, struct db *db, struct chat_change *x)
{
    struct erased *w = CONTAINER_OF(x, struct erased, change);
    struct chat_room *room = NEW(struct chat_room);
    w->event = chat_next_id(c);
    enum err e = chat_room_get(db, w->m->stream_id, room);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE chat_messages SET deleted_event = ?2, deleted_by = ?3"
                    " WHERE id = ?1 AND deleted_event IS NULL",
                    "iis", w->m->id, w->event, w->by);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK) e = chat_unpin(c, db, w->m->stream_id, w->m->id, &w->unpinned);
    if (e == E_OK)
        e = chat_log_add(c, db,
                         &(struct chat_log_entry){.owner_id = room->owner_id,
                                                  .stream_id = w->m->stream_id,
                                                  .by_id = w->by,
                                                  .action = "delete",
                                                  .user_id = w->m->user_id,
                                                  .message_id = w->m->id});
    free(room);
    return e;
}

static void tell_erased(struct chat *c, struct chat_change *x)
{
    const struct erased *w = CONTAINER_OF(x, struct erased, change);
    const char *room = w->m->stream_id;
    chat_tell(c, &(struct chat_told){.kind = CHAT_TOLD_GONE,
                                     .id = w->event,
                                     .stream_id = room,
                                     .ids = &w->m->id,
                                     .n_ids = 1});
    if (w->unpinned)
        chat_tell(
            c, &(struct chat_told){.kind = CHAT_TOLD_PINNED, .id = w->unpinned, .stream_id = room});
}

enum err chat_delete(struct chat *c, struct db *db, const struct chat_message *m,
                     const char *by_user_id)
{
    struct erased w = {.change = {.apply = erase, .tell = tell_erased}, .m = m, .by = by_user_id};
    return chat_put(c, db, &w.change);
}
