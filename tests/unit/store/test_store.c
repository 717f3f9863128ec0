/* SPDX-License-Identifier: MIT */
/* The store against a real SQLite in a temporary folder. */
#include "../test.h"
#include "base/log.h"
#include "store/backend.h"
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct db *db;
};

static void clean(const char *dir)
{
    static const char *const FILES[] = {"bspnode.db", "bspnode.db-wal", "bspnode.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, FILES[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char problem[256] = "";
    log_set_level(LOG_ERROR + 1);
    strcpy(f->dir, "/tmp/bsp-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (store_open(f->dir, &f->store, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    f->db = db_open_thread(f->store);
    assert_int_equal(db_exec(f->db, "CREATE TABLE t (k TEXT PRIMARY KEY, n BIGINT, b BLOB)", ""),
                     E_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    clean(f->dir);
    free(f);
    return 0;
}

static int64_t count(struct db *db)
{
    struct db_rows *q = db_query(db, "SELECT count(*) FROM t", "");
    assert_true(db_next(q));
    const int64_t n = db_int(q, 0);
    assert_int_equal(db_done(q), E_OK);
    return n;
}

static void values_come_back_as_they_went_in(void **state)
{
    struct fixture *f = *state;
    const char *hostile = "'); DROP TABLE t; --\"\\\x01";
    const uint8_t bytes[] = {0, 1, 0, 255};
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES (?1, ?2, ?3)", "sib", hostile, INT64_MIN,
                             span_of(bytes, 4)),
                     E_OK);
    assert_int_equal(db_changes(f->db), 1);
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k, n) VALUES (?1, ?2)", "si", NULL, INT64_MAX),
                     E_OK);
    struct db_rows *q = db_query(f->db, "SELECT k, n, b FROM t ORDER BY n", "");
    assert_true(db_next(q));
    assert_string_equal(db_text(q, 0), hostile);
    assert_true(db_int(q, 1) == INT64_MIN);
    assert_memory_equal(db_blob(q, 2).p, bytes, 4);
    assert_int_equal(db_blob(q, 2).len, 4);
    assert_true(db_next(q));
    assert_true(db_null(q, 0));
    assert_string_equal(db_text(q, 0), "");
    assert_int_equal(db_blob(q, 2).len, 0);
    assert_false(db_next(q));
    assert_false(db_next(q));
    assert_int_equal(db_done(q), E_OK);
}

static void the_same_statement_may_run_inside_itself(void **state)
{
    struct fixture *f = *state;
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(db_exec(f->db, "INSERT INTO t (k, n) VALUES ('k' || ?1, ?2)", "ii", i, i),
                         E_OK);
    int pairs = 0;
    struct db_rows *a = db_query(f->db, "SELECT n FROM t", "");
    while (db_next(a)) {
        struct db_rows *b = db_query(f->db, "SELECT n FROM t", "");
        while (db_next(b)) pairs++;
        assert_int_equal(db_done(b), E_OK);
    }
    assert_int_equal(db_done(a), E_OK);
    assert_int_equal(pairs, 25);
}

static void errors_are_told_apart(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('a')", ""), E_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('a')", ""), E_CONFLICT);
    assert_int_equal(db_exec(f->db, "INSERT INTO follows VALUES ('h', 'nobody', 1, 1, 2)", ""),
                     E_CONFLICT);
    assert_int_equal(db_exec(f->db, "NOT SQL", ""), E_IO);
    struct db_rows *q = db_query(f->db, "SELECT * FROM no_such_table", "");
    assert_false(db_next(q));
    assert_int_equal(db_done(q), E_IO);
    assert_int_equal(
        db_exec(f->db,
                "INSERT INTO users (id, name, email, email_key, password_hash, role, created_at, "
                "updated_at) VALUES ('u','n','e','e','h','king',1,1)",
                ""),
        E_IO); /* a CHECK is our mistake, not a conflict */
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_begin(f->db), E_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('a')", ""), E_OK);
    db_rollback(f->db);
    assert_int_equal(count(f->db), 0);
    assert_int_equal(db_begin(f->db), E_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('a')", ""), E_OK);
    assert_int_equal(db_commit(f->db), E_OK);
    assert_int_equal(count(f->db), 1);
    db_rollback(f->db); /* nothing to roll back: harmless */
    assert_int_equal(db_commit(f->db), E_IO);
}

static void *writer(void *arg)
{
    struct fixture *f = arg;
    struct db *db = db_open_thread(f->store);
    assert_ptr_not_equal(db, f->db);
    assert_ptr_equal(db, db_open_thread(f->store));
    for (int64_t i = 0; i < 50; i++) {
        assert_int_equal(db_begin(db), E_OK);
        assert_int_equal(db_exec(db, "INSERT INTO t (n) VALUES (?1)", "i", i), E_OK);
        assert_int_equal(db_commit(db), E_OK);
    }
    return NULL;
}

static void threads_write_in_turn(void **state)
{
    struct fixture *f = *state;
    pthread_t t[4];
    for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, writer, f);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    assert_int_equal(count(f->db), 200);
}

static void reopening_keeps_rows_and_does_not_migrate_again(void **state)
{
    struct fixture *f = *state;
    char problem[256];
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('kept')", ""), E_OK);
    store_close(f->store);
    assert_int_equal(store_open(f->dir, &f->store, problem, sizeof problem), E_OK);
    f->db = db_open_thread(f->store);
    assert_int_equal(count(f->db), 1);
    struct db_rows *q = db_query(f->db, "SELECT count(*) FROM schema_migrations", "");
    assert_true(db_next(q));
    assert_int_equal(db_int(q, 0), store_migrations_len);
    assert_int_equal(db_done(q), E_OK);
}

static void a_newer_folder_is_refused(void **state)
{
    struct fixture *f = *state;
    char problem[256] = "";
    assert_int_equal(
        db_exec(f->db, "INSERT INTO schema_migrations VALUES (999, 'from_the_future', 1)", ""),
        E_OK);
    struct store *s = NULL;
    int have = 0, newest = 0;
    assert_int_equal(store_peek(f->dir, &have, &newest, problem, sizeof problem), E_OK);
    assert_int_equal(have, 999);
    assert_int_equal(newest, store_migrations_len);
    assert_int_equal(store_peek("/proc", &have, &newest, problem, sizeof problem), E_NOTFOUND);
    assert_int_equal(store_open(f->dir, &s, problem, sizeof problem), E_CONFLICT);
    assert_null(s);
    assert_non_null(strstr(problem, "newer"));
}

static void an_old_folder_is_upgraded_and_a_bad_step_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    const size_t have = store_migrations_len;
    struct migration list[16];
    assert_true(have + 2 <= 16);
    for (size_t i = 0; i < have; i++) list[i] = store_migrations[i];
    list[have] = (struct migration){(int)have + 1, "good", "ALTER TABLE t ADD COLUMN x TEXT;"};
    list[have + 1] = (struct migration){
        (int)have + 2, "bad", "CREATE TABLE half (a TEXT); INSERT INTO nowhere VALUES (1);"};
    char problem[256] = "";
    assert_int_equal(db_exec(f->db, "INSERT INTO t (k) VALUES ('old')", ""), E_OK);
    assert_int_equal(store_migrate(f->db, list, have + 1, problem, sizeof problem), E_OK);
    assert_int_equal(db_exec(f->db, "UPDATE t SET x = 'new' WHERE k = 'old'", ""), E_OK);
    assert_int_equal(store_migrate(f->db, list, have + 2, problem, sizeof problem), E_IO);
    assert_non_null(strstr(problem, "bad"));
    assert_int_equal(db_exec(f->db, "SELECT 1 FROM half", ""), E_IO);
    /* References are checked again afterwards. */
    assert_int_equal(db_exec(f->db, "INSERT INTO follows VALUES ('h', 'nobody', 1, 1, 2)", ""),
                     E_CONFLICT);
}

static void the_file_is_private(void **state)
{
    struct fixture *f = *state;
    static const char *const FILES[] = {"bspnode.db", "bspnode.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", f->dir, FILES[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    char problem[256] = "";
    struct store *s;
    assert_int_equal(store_open("/proc/no/such", &s, problem, sizeof problem), E_IO);
    assert_non_null(strstr(problem, "/proc/no/such"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_come_back_as_they_went_in),
        T(the_same_statement_may_run_inside_itself),
        T(errors_are_told_apart),
        T(a_transaction_is_all_or_nothing),
        T(threads_write_in_turn),
        T(reopening_keeps_rows_and_does_not_migrate_again),
        T(a_newer_folder_is_refused),
        T(an_old_folder_is_upgraded_and_a_bad_step_leaves_nothing),
        T(the_file_is_private),
    };
    return RUN_TESTS(tests);
}
