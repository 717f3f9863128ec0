/* SPDX-License-Identifier: MIT */
#include "product/chat.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include <pthread.h>
#include <stdio.h>

/* --- changes, many in one transaction --------------------------------------------------------- */

struct change {
    struct change *next;
    struct chat_message *m;
    const char *deleted_by; /* NULL: it is written */
    enum err e;
    bool done;
};

struct chat {
    struct chat_events ev;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t stored;
    bool busy; /* somebody stores */
    struct change *first, **last;
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

static enum err insert(struct db *db, struct chat_message *m)
{
    m->created_at = clock_wall_us();
    const enum err e = db_exec(
        db,
        "INSERT INTO chat_messages (id, stream_id, user_id, content, program_at,"
        " created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM streams"
        " WHERE id = ?2)",
        "isssii", m->id, m->stream_id, m->user_id, m->content, m->program_at, m->created_at);
    return e == E_OK && !db_changes(db) ? E_NOTFOUND : e;
}

static enum err erase(struct db *db, const struct chat_message *m, const char *by)
{
    const enum err e = db_exec(db,
                               "UPDATE chat_messages SET deleted_event = ?2, deleted_by = ?3"
                               " WHERE id = ?1 AND deleted_event IS NULL",
                               "iis", m->id, m->deleted_event, by);
    return e == E_OK && !db_changes(db) ? E_NOTFOUND : e;
}

static void store(struct chat *c, struct db *db, struct change *all)
{
    c->ev.hold(c->ev.ctx, true);
    enum err e = db_begin(db);
    for (struct change *x = all; x; x = x->next) {
        x->e = e;
        if (e != E_OK) continue;
        *(x->deleted_by ? &x->m->deleted_event : &x->m->id) = c->ev.next_id();
        x->e = x->deleted_by ? erase(db, x->m, x->deleted_by) : insert(db, x->m);
    }
    if (e == E_OK) e = db_commit(db);
    for (struct change *x = all; x; x = x->next) {
        if (e != E_OK) x->e = e;
        if (x->e == E_OK) c->ev.told(c->ev.ctx, x->m);
    }
    c->ev.hold(c->ev.ctx, false);
}

/* Whoever finds nobody storing stores what all of them have brought. */
static enum err put(struct chat *c, struct db *db, struct change *mine)
{
    pthread_mutex_lock(&c->lock);
    *c->last = mine;
    c->last = &mine->next;
    while (!mine->done && c->busy) pthread_cond_wait(&c->stored, &c->lock);
    if (!mine->done) {
        struct change *all = c->first, *next;
        c->first = NULL;
        c->last = &c->first;
        c->busy = true;
        pthread_mutex_unlock(&c->lock);
        store(c, db, all);
        pthread_mutex_lock(&c->lock);
        c->busy = false;
        for (struct change *x = all; x; x = next) {
            next = x->next; /* it is its owner's once it is done */
            x->done = true;
        }
        pthread_cond_broadcast(&c->stored);
    }
    const enum err e = mine->e;
    pthread_mutex_unlock(&c->lock);
    return e;
}

enum err chat_add(struct chat *c, struct db *db, struct chat_message *m)
{
    m->deleted_event = 0;
    return put(c, db, &(struct change){.m = m});
}

enum err chat_delete(struct chat *c, struct db *db, const struct chat_message *m,
                     const char *by_user_id)
{
    struct chat_message gone = *m;
    return put(c, db, &(struct change){.m = &gone, .deleted_by = by_user_id});
}

/* --- reading ---------------------------------------------------------------------------------- */

#define SELECT_MESSAGE                                                                             \
    "SELECT m.id, m.stream_id, m.user_id, u.name, u.image, m.content, m.program_at,"               \
    " m.created_at, COALESCE(m.deleted_event, 0) FROM chat_messages m"                             \
    " JOIN users u ON u.id = m.user_id "

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

static void take(struct db_rows *q, struct chat_message *m)
{
    m->id = db_int(q, 0);
    TAKE(m->stream_id, 1);
    TAKE(m->user_id, 2);
    TAKE(m->user_name, 3);
    TAKE(m->user_image, 4);
    TAKE(m->content, 5);
    m->program_at = db_int(q, 6);
    m->created_at = db_int(q, 7);
    m->deleted_event = db_int(q, 8);
}

static enum err take_all(struct db_rows *q, struct chat_message *out, size_t *n)
{
    const size_t room = *n;
    *n = 0;
    while (*n < room && db_next(q)) take(q, &out[(*n)++]);
    return db_done(q);
}

enum err chat_get(struct db *db, const char *stream_id, int64_t id, struct chat_message *out)
{
    size_t n = 1;
    const enum err e = take_all(db_query(db,
                                         SELECT_MESSAGE "WHERE m.id = ?1 AND m.stream_id = ?2"
                                                        " AND m.deleted_event IS NULL",
                                         "is", id, stream_id),
                                out, &n);
    return e == E_OK && !n ? E_NOTFOUND : e;
}

enum err chat_list(struct db *db, const char *stream_id, int64_t before, struct chat_message *out,
                   size_t *n)
{
    return take_all(db_query(db,
                             SELECT_MESSAGE "WHERE m.stream_id = ?1 AND m.id < ?2 AND"
                                            " m.deleted_event IS NULL ORDER BY m.id DESC LIMIT ?3",
                             "sii", stream_id, before, (int64_t)*n),
                    out, n);
}

/* What was both written and deleted since is nothing to whoever was away. */
enum err chat_since(struct db *db, const char *stream_id, int64_t id, struct chat_message *out,
                    size_t *n)
{
    const size_t room = *n;
    const enum err e = take_all(
        db_query(db,
                 SELECT_MESSAGE "WHERE m.stream_id = ?1 AND ((m.id > ?2 AND m.deleted_event IS"
                                " NULL) OR (m.id <= ?2 AND m.deleted_event > ?2))"
                                " ORDER BY COALESCE(m.deleted_event, m.id) LIMIT ?3",
                 "sii", stream_id, id, (int64_t)room),
        out, n);
    return e == E_OK && *n == room ? E_LIMIT : e;
}

enum err chat_newest(struct db *db, int64_t *id)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT COALESCE(MAX(x), 0) FROM (SELECT MAX(id) AS x FROM chat_messages UNION"
                 " ALL SELECT MAX(deleted_event) FROM chat_messages WHERE deleted_event IS NOT"
                 " NULL) t",
                 "");
    *id = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}
