/* SPDX-License-Identifier: MIT */
/* SQLite, in one file in the data folder.
 *
 * WAL: readers never wait for the writer. synchronous=FULL: a change that somebody was told of
 * ("your account is made") survives a power cut; writes are few here, media never passes through.
 * The file is mode 0600, and so are the WAL and its index, which take the mode after it. */
#include "base/fold.h"
#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "store/backend.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum {
    BUSY_MS = 5000,   /* longest wait for another writer */
    CACHED_MAX = 200, /* prepared statements kept a connection */
};

struct store_cursor {
    struct store_conn *conn;
    sqlite3_stmt *stmt;
    bool cached, busy;
};

struct store_conn {
    sqlite3 *db;
    struct map statements; /* SQL -> store_cursor */
};

static enum err err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return E_OK;
    case SQLITE_FULL:
        return E_FULL;
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_TIMEOUT;
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_CHECK || rc == SQLITE_CONSTRAINT_NOTNULL ? E_IO : E_CONFLICT;
    default:
        return E_IO;
    }
}

/* A conflict is an answer, not a trouble. */
static enum err failed(struct store_conn *c, int rc, const char *sql)
{
    const enum err e = err_of(rc);
    if (e != E_CONFLICT)
        log_error("database", "code=%d %s: %.120s", rc, sqlite3_errmsg(c->db), sql);
    return e;
}

static enum err lite_script(struct store_conn *c, const char *sql)
{
    const int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? E_OK : failed(c, rc, sql);
}

static void lite_close(struct store_conn *c)
{
    size_t pos = 0;
    void *v;
    while (map_next(&c->statements, &pos, NULL, &v)) {
        struct store_cursor *q = v;
        sqlite3_finalize(q->stmt);
        free(q);
    }
    map_fini(&c->statements);
    sqlite3_close(c->db);
    free(c);
}

static bool lite_exists(const char *data_dir)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/bspnode.db", data_dir) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* fold(text): base/fold.h, for searching. */
static void fold(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    struct str out = {0};
    const void *text = sqlite3_value_text(v[0]);
    (void)n;
    fold_add(&out, span_of(text, (size_t)sqlite3_value_bytes(v[0])));
    sqlite3_result_text(ctx, (const char *)out.p, (int)out.len, SQLITE_TRANSIENT);
    str_fini(&out);
}

static enum err lite_open(const char *data_dir, struct store_conn **out, char *problem, size_t cap)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/bspnode.db", data_dir) >= (int)sizeof path) {
        snprintf(problem, cap, "%s: the path is too long", data_dir);
        return E_LIMIT;
    }
    /* Made here for its mode, and only made: to close a descriptor of an open database would let go
     * of the locks of this process's connections, and another program's last one would then throw
     * the log away under them. */
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) {
        snprintf(problem, cap, "%s: %s", path, strerror(errno));
        return errno == ENOSPC ? E_FULL : E_IO;
    }
    if (fd >= 0) close(fd);

    struct store_conn *c = NEW(struct store_conn);
    int rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum err e = E_IO;
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(c->db, BUSY_MS);
        sqlite3_extended_result_codes(c->db, 1);
        sqlite3_create_function(c->db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, fold,
                                NULL, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        e = lite_script(c, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                           "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;");
    }
    if (e != E_OK) {
        snprintf(problem, cap, "%s: %s", path, c->db ? sqlite3_errmsg(c->db) : "out of memory");
        lite_close(c);
        return e;
    }
    *out = c;
    return E_OK;
}

static enum err lite_migrating(struct store_conn *c, bool on)
{
    return lite_script(c, on ? "PRAGMA foreign_keys = OFF" : "PRAGMA foreign_keys = ON");
}

static enum err bind(struct store_cursor *q, const struct db_param *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const int at = (int)i + 1;
        int rc;
        if (p[i].type == 'i')
            rc = sqlite3_bind_int64(q->stmt, at, p[i].number);
        else if (p[i].type == 's')
            rc = sqlite3_bind_text(q->stmt, at, p[i].text, -1, SQLITE_TRANSIENT);
        else
            rc = sqlite3_bind_blob64(q->stmt, at, p[i].blob.p ? (const void *)p[i].blob.p : "",
                                     p[i].blob.len, SQLITE_TRANSIENT);
        if (rc != SQLITE_OK) return failed(q->conn, rc, sqlite3_sql(q->stmt));
    }
    return E_OK;
}

static enum err prepare(struct store_conn *c, const char *sql, struct store_cursor **out)
{
    struct store_cursor *q = map_get(&c->statements, span_str(sql));
    if (q && !q->busy) {
        *out = q;
        return E_OK;
    }
    /* The same statement within its own loop gets a second, uncached copy. */
    const bool cache = !q && c->statements.len < CACHED_MAX;
    sqlite3_stmt *stmt;
    const int rc =
        sqlite3_prepare_v3(c->db, sql, -1, cache ? SQLITE_PREPARE_PERSISTENT : 0, &stmt, NULL);
    if (rc != SQLITE_OK) return failed(c, rc, sql);
    q = NEW(struct store_cursor);
    *q = (struct store_cursor){.conn = c, .stmt = stmt, .cached = cache};
    if (cache) map_put(&c->statements, span_str(sql), q);
    *out = q;
    return E_OK;
}

static void lite_finish(struct store_cursor *q)
{
    if (!q->cached) {
        sqlite3_finalize(q->stmt);
        free(q);
        return;
    }
    sqlite3_reset(q->stmt);
    sqlite3_clear_bindings(q->stmt);
    q->busy = false;
}

static enum err lite_start(struct store_conn *c, const char *sql, const struct db_param *p,
                           unsigned n, struct store_cursor **out)
{
    struct store_cursor *q = NULL;
    enum err e = prepare(c, sql, &q);
    if (e != E_OK) return e;
    q->busy = true;
    e = bind(q, p, n);
    if (e == E_OK)
        *out = q;
    else
        lite_finish(q);
    return e;
}

static enum err lite_step(struct store_cursor *q)
{
    const int rc = sqlite3_step(q->stmt);
    if (rc == SQLITE_ROW) return E_OK;
    if (rc == SQLITE_DONE) return E_NOTFOUND;
    return failed(q->conn, rc, sqlite3_sql(q->stmt));
}

static const char *lite_text(struct store_cursor *q, int col)
{
    return (const char *)sqlite3_column_text(q->stmt, col);
}

static int64_t lite_number(struct store_cursor *q, int col)
{
    return sqlite3_column_int64(q->stmt, col);
}

static struct span lite_blob(struct store_cursor *q, int col)
{
    const void *p = sqlite3_column_blob(q->stmt, col);
    return span_of(p, p ? (size_t)sqlite3_column_bytes(q->stmt, col) : 0);
}

static bool lite_null(struct store_cursor *q, int col)
{
    return sqlite3_column_type(q->stmt, col) == SQLITE_NULL;
}

static bool lite_references_hold(struct store_conn *c)
{
    struct store_cursor *q;
    if (lite_start(c, "PRAGMA foreign_key_check", NULL, 0, &q) != E_OK) return false;
    const bool hold = lite_step(q) == E_NOTFOUND;
    if (!hold) log_error("database", "a row of %s refers to nothing", lite_text(q, 0));
    lite_finish(q);
    return hold;
}

static int64_t lite_changes(struct store_conn *c)
{
    return sqlite3_changes64(c->db);
}

static bool lite_in_transaction(struct store_conn *c)
{
    return !sqlite3_get_autocommit(c->db);
}

const struct store_backend store_sqlite = {
    .name = "sqlite",
    .begin_sql = "BEGIN IMMEDIATE",
    .exists = lite_exists,
    .open = lite_open,
    .close = lite_close,
    .script = lite_script,
    .migrating = lite_migrating,
    .references_hold = lite_references_hold,
    .start = lite_start,
    .step = lite_step,
    .text = lite_text,
    .number = lite_number,
    .blob = lite_blob,
    .null = lite_null,
    .finish = lite_finish,
    .changes = lite_changes,
    .in_transaction = lite_in_transaction,
};
