/* SPDX-License-Identifier: MIT */
/* store/backend.h - what a database engine has to be able to do; private to store/.
 *
 * A back end is one file with one table of functions. It gets parameters as values, not as its
 * own library's types, and answers with the errors of store.h. */
#pragma once
#include "store/store.h"

#define STORE_PARAMS_MAX 32

struct db_param {
    char type; /* 's', 'i' or 'b', as in store.h */
    const char *text;
    int64_t number;
    struct span blob;
};

struct store_conn;   /* a connection of the back end */
struct store_cursor; /* a running statement */

struct store_backend {
    const char *name;
    /* What starts a transaction that is going to write. */
    const char *begin_sql;
    enum err (*open)(const char *data_dir, struct store_conn **out, char *problem, size_t cap);
    bool (*exists)(const char *data_dir);
    void (*close)(struct store_conn *c);
    /* Several statements, no parameters, no rows. */
    enum err (*script)(struct store_conn *c, const char *sql);
    /* Migrations may rebuild tables: references are not checked while they run, but as a whole
     * before each is committed (references_hold). */
    enum err (*migrating)(struct store_conn *c, bool on);
    bool (*references_hold)(struct store_conn *c);
    /* On E_OK a cursor that finish() must be called for. */
    enum err (*start)(struct store_conn *c, const char *sql, const struct db_param *p, unsigned n,
                      struct store_cursor **out);
    /* E_OK: a row; E_NOTFOUND: no more; otherwise it failed. */
    enum err (*step)(struct store_cursor *q);
    const char *(*text)(struct store_cursor *q, int col);
    int64_t (*number)(struct store_cursor *q, int col);
    struct span (*blob)(struct store_cursor *q, int col);
    bool (*null)(struct store_cursor *q, int col);
    void (*finish)(struct store_cursor *q);
    int64_t (*changes)(struct store_conn *c);
    /* Inside a transaction (it may have been rolled back by an error). */
    bool (*in_transaction)(struct store_conn *c);
};

extern const struct store_backend store_sqlite;

struct migration {
    int version; /* 1, 2, 3 ... */
    const char *name, *sql;
};
extern const struct migration store_migrations[]; /* generated from migrations/ */
extern const size_t store_migrations_len;

/* Brings the database up to the newest of `list`. E_CONFLICT: it is newer than that. */
enum err store_migrate(struct db *db, const struct migration *list, size_t n, char *problem,
                       size_t cap) WARN_UNUSED;

/* The number of the last migration that has run; 0 before the first. */
enum err store_version(struct db *db, int *out) WARN_UNUSED;

struct db {
    struct store *store;
    const struct store_backend *be;
    struct store_conn *conn;
    struct db *next;
    uint64_t thread;
};
