/* SPDX-License-Identifier: MIT */
/* store/store.h - the database behind one small face; SQL is written by the domains above.
 *
 * A back end is a table of functions (store_backend): sqlite.c now, pg.c later. SQL is written so
 * that both take it: `?1` placeholders, plain types (text, integer, blob), times as microseconds
 * since 1970 in integers.
 *
 * Threads: everything here blocks, so it is for pool threads and the command line, never for a
 * loop. db_open_thread() gives each thread its own connection, which lives until store_close().
 * Errors: E_CONFLICT a unique or foreign key stands in the way, E_FULL disk full, E_NOTFOUND from
 * db_one() without a row, E_IO anything else (logged, with the database's words). */
#pragma once
#include "base/err.h"
#include "base/span.h"

struct store;
struct db;      /* one connection, one thread */
struct db_rows; /* the rows of a running query */

/* Opens (makes) the database and runs the migrations that are missing, each in a transaction.
 * E_CONFLICT: made by a newer program. `problem` gets words. */
enum err store_open(const char *data_dir, struct store **out, char *problem,
                    size_t cap) WARN_UNUSED;
/* Looks without changing anything: the schema's number in the folder and the newest one known.
 * E_NOTFOUND: no database yet. For doctor, also beside a running server. */
enum err store_peek(const char *data_dir, int *have, int *newest, char *problem,
                    size_t cap) WARN_UNUSED;
void store_close(struct store *s); /* after all threads that used it have stopped */
struct db *db_open_thread(struct store *s);

/* Parameters follow `types`, one letter each: 's' const char * (NULL is SQL NULL), 'i' int64_t,
 * 'b' struct span (blob). */
enum err db_exec(struct db *db, const char *sql, const char *types, ...) WARN_UNUSED;
int64_t db_changes(struct db *db); /* rows changed by the last db_exec */

/* struct db_rows *q = db_query(db, "SELECT id, n FROM t WHERE a = ?1", "s", a);
 * while (db_next(q)) use(db_text(q, 0), db_int(q, 1));
 * enum err e = db_done(q);                                   always; frees q */
struct db_rows *db_query(struct db *db, const char *sql, const char *types, ...);
bool db_next(struct db_rows *q);
const char *db_text(struct db_rows *q, int col); /* valid until db_next; "" for NULL */
int64_t db_int(struct db_rows *q, int col);      /* 0 for NULL */
struct span db_blob(struct db_rows *q, int col);
bool db_null(struct db_rows *q, int col);
enum err db_done(struct db_rows *q) WARN_UNUSED;

/* Write transactions; they do not nest. Between begin and commit keep it short. */
enum err db_begin(struct db *db) WARN_UNUSED;
enum err db_commit(struct db *db) WARN_UNUSED; /* on failure it has been rolled back */
void db_rollback(struct db *db);
