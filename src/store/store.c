/* SPDX-License-Identifier: MIT */
/* The face of store.h over a back end, and the connections: one a thread, found again by a
 * thread-local note, all in a list for store_close(). */
#include "base/log.h"
#include "base/xalloc.h"
#include "store/backend.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

struct store {
    const struct store_backend *be;
    char *data_dir;
    uint64_t serial; /* tells a new store at an old one's address from it */
    pthread_mutex_t lock;
    struct db *all;
};

struct db_rows {
    const struct store_backend *be;
    struct store_cursor *cursor; /* NULL: it never started, or is over */
    enum err e;                  /* E_OK while rows come and after the last */
};

static struct db *connection_open(struct store *s, char *problem, size_t cap, enum err *e)
{
    struct store_conn *conn;
    *e = s->be->open(s->data_dir, &conn, problem, cap);
    if (*e != E_OK) return NULL;
    struct db *db = NEW(struct db);
    *db = (struct db){.store = s, .be = s->be, .conn = conn};
    pthread_mutex_lock(&s->lock);
    db->next = s->all;
    s->all = db;
    pthread_mutex_unlock(&s->lock);
    return db;
}

enum err store_open(const char *data_dir, struct store **out, char *problem, size_t cap)
{
    static _Atomic uint64_t serials;
    struct store *s = NEW(struct store);
    s->be = &store_sqlite;
    s->data_dir = xstrdup(data_dir);
    s->serial = atomic_fetch_add(&serials, 1) + 1;
    pthread_mutex_init(&s->lock, NULL);
    enum err e;
    struct db *db = connection_open(s, problem, cap, &e);
    if (db) e = store_migrate(db, store_migrations, store_migrations_len, problem, cap);
    if (e == E_OK)
        *out = s;
    else
        store_close(s);
    return e;
}

enum err store_peek(const char *data_dir, int *have, int *newest, char *problem, size_t cap)
{
    const struct store_backend *be = &store_sqlite;
    struct db db = {.be = be};
    if (!be->exists(data_dir)) return E_NOTFOUND;
    enum err e = be->open(data_dir, &db.conn, problem, cap);
    if (e != E_OK) return e;
    e = store_version(&db, have);
    if (e != E_OK) snprintf(problem, cap, "the database cannot be read (%s)", err_text(e));
    *newest = (int)store_migrations_len;
    be->close(db.conn);
    return e;
}

void store_close(struct store *s)
{
    if (!s) return;
    while (s->all) {
        struct db *db = s->all;
        s->all = db->next;
        s->be->close(db->conn);
        free(db);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->data_dir);
    free(s);
}

struct db *db_open_thread(struct store *s)
{
    static _Thread_local struct {
        uint64_t serial;
        struct db *db;
    } mine;
    static _Atomic uint64_t threads;
    static _Thread_local uint64_t me;
    if (mine.serial == s->serial) return mine.db;
    if (!me) me = atomic_fetch_add(&threads, 1) + 1;

    pthread_mutex_lock(&s->lock);
    struct db *db = s->all;
    while (db && db->thread != me) db = db->next;
    pthread_mutex_unlock(&s->lock);
    if (!db) {
        char problem[256];
        enum err e;
        db = connection_open(s, problem, sizeof problem, &e);
        if (!db) {
            /* The first connection worked. Without this one nothing can go on. */
            log_error("database", "cannot open another connection: %s", problem);
            CHECK(db);
        }
        pthread_mutex_lock(&s->lock); /* it is in the list already */
        db->thread = me;
        pthread_mutex_unlock(&s->lock);
    }
    mine.serial = s->serial;
    mine.db = db;
    return db;
}

static unsigned params_from(const char *types, va_list ap, struct db_param *p)
{
    unsigned n = 0;
    for (; types && types[n]; n++) {
        CHECK(n < STORE_PARAMS_MAX);
        p[n] = (struct db_param){.type = types[n]};
        switch (types[n]) {
        case 's':
            p[n].text = va_arg(ap, const char *);
            break;
        case 'i':
            p[n].number = va_arg(ap, int64_t);
            break;
        case 'b':
            p[n].blob = va_arg(ap, struct span);
            break;
        default:
            CHECK(!"parameter type");
        }
    }
    return n;
}

enum err db_exec(struct db *db, const char *sql, const char *types, ...)
{
    struct db_param p[STORE_PARAMS_MAX];
    va_list ap;
    va_start(ap, types);
    const unsigned n = params_from(types, ap, p);
    va_end(ap);
    struct store_cursor *q;
    enum err e = db->be->start(db->conn, sql, p, n, &q);
    if (e != E_OK) return e;
    do e = db->be->step(q);
    while (e == E_OK); /* rows of RETURNING are passed over */
    db->be->finish(q);
    return e == E_NOTFOUND ? E_OK : e;
}

int64_t db_changes(struct db *db)
{
    return db->be->changes(db->conn);
}

struct db_rows *db_query(struct db *db, const char *sql, const char *types, ...)
{
    struct db_param p[STORE_PARAMS_MAX];
    va_list ap;
    va_start(ap, types);
    const unsigned n = params_from(types, ap, p);
    va_end(ap);
    struct db_rows *q = NEW(struct db_rows);
    q->be = db->be;
    q->e = db->be->start(db->conn, sql, p, n, &q->cursor);
    if (q->e != E_OK) q->cursor = NULL;
    return q;
}

bool db_next(struct db_rows *q)
{
    if (!q->cursor) return false;
    const enum err e = q->be->step(q->cursor);
    if (e == E_OK) return true;
    q->be->finish(q->cursor);
    q->cursor = NULL;
    if (e != E_NOTFOUND) q->e = e;
    return false;
}

const char *db_text(struct db_rows *q, int col)
{
    const char *t = q->be->text(q->cursor, col);
    return t ? t : "";
}

int64_t db_int(struct db_rows *q, int col)
{
    return q->be->number(q->cursor, col);
}

struct span db_blob(struct db_rows *q, int col)
{
    return q->be->blob(q->cursor, col);
}

bool db_null(struct db_rows *q, int col)
{
    return q->be->null(q->cursor, col);
}

enum err db_done(struct db_rows *q)
{
    const enum err e = q->e;
    if (q->cursor) q->be->finish(q->cursor);
    free(q);
    return e;
}

enum err db_begin(struct db *db)
{
    CHECK(!db->be->in_transaction(db->conn));
    return db_exec(db, db->be->begin_sql, "");
}

enum err db_commit(struct db *db)
{
    /* An error that rolled the transaction back by itself must not look like a commit. */
    if (!db->be->in_transaction(db->conn)) return E_IO;
    const enum err e = db_exec(db, "COMMIT", "");
    if (e != E_OK) db_rollback(db);
    return e;
}

void db_rollback(struct db *db)
{
    if (!db->be->in_transaction(db->conn)) return;
    if (db_exec(db, "ROLLBACK", "") != E_OK) log_error("database", "rollback failed");
}
