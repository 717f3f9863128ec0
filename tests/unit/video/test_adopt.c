/* SPDX-License-Identifier: MIT */
/* Which recording is the stream's when the browser's own has arrived, on a real database. */
#include "../test.h"
#include "base/log.h"
#include "store/store.h"
#include "video/import_priv.h"
#include "video/uploads.h"
#include <unistd.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct db *db;
};

static int setup(void **state)
{
    static const char *const ROWS[] = {
        "INSERT INTO users (id, name, email, email_key, password_hash, created_at, updated_at)"
        " VALUES ('u', 'Ada', 'a@b', 'a@b', '', 0, 0)",
        "INSERT INTO live_streams (id, user_id, stream_key_hash, stream_key_sealed, created_at,"
        " updated_at) VALUES ('l', 'u', 'h', 'k', 0, 0)",
        "INSERT INTO streams (id, user_id, live_stream_id, title, status, recording_status,"
        " recording_id, duration, started_at, created_at, updated_at)"
        " VALUES ('s', 'u', 'l', 'Tea', 'ENDED', 'PROCESSING', 'server', 600, 1, 0, 0)",
        "INSERT INTO assets (id, user_id, stream_id, status, dir, duration_us, created_at,"
        " updated_at) VALUES ('server', 'u', 's', 'ready', 'server', 600000000, 0, 0)",
        "INSERT INTO assets (id, user_id, stream_id, status, dir, duration_us, upload_id,"
        " created_at, updated_at) VALUES ('browser', 'u', 's', 'ready', 'browser', 0, 'up', 0, 0)",
        "INSERT INTO playback_ids (id, kind, object_id, created_at)"
        " VALUES ('known', 'asset', 'server', 0)",
        "INSERT INTO uploads (id, user_id, stream_id, asset_id, status, timeout_s, created_at,"
        " updated_at) VALUES ('up', 'u', 's', 'browser', 'asset_created', 60, 0, 0)",
    };
    struct fixture *f = calloc(1, sizeof *f);
    char problem[256] = "";
    log_set_level(LOG_ERROR + 1);
    strcpy(f->dir, "/tmp/bsp-adopt-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (store_open(f->dir, &f->store, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    f->db = db_open_thread(f->store);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(db_exec(f->db, ROWS[i], ""), E_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    static const char *const FILES[] = {"bspnode.db", "bspnode.db-wal", "bspnode.db-shm"};
    struct fixture *f = *state;
    store_close(f->store);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->dir, FILES[i]);
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static void adopt(struct fixture *f, int64_t seconds)
{
    assert_int_equal(db_exec(f->db, "UPDATE assets SET duration_us = ?1 WHERE id = 'browser'", "i",
                             seconds * 1000000),
                     E_OK);
    assert_int_equal(import_db_adopt(f->db, "browser", "s"), E_OK);
}

static void expect(struct fixture *f, const char *recording, int64_t seconds)
{
    struct db_rows *q = db_query(f->db,
                                 "SELECT recording_id, recording_status, duration,"
                                 " (SELECT object_id FROM playback_ids WHERE id = 'known')"
                                 " FROM streams WHERE id = 's'",
                                 "");
    assert_true(db_next(q));
    assert_string_equal(db_text(q, 0), recording);
    assert_string_equal(db_text(q, 1), "READY");
    assert_int_equal(db_int(q, 2), seconds);
    assert_string_equal(db_text(q, 3), recording);
    assert_int_equal(db_done(q), E_OK);
}

static void test_takes_its_place(void **state)
{
    adopt(*state, 575);
    expect(*state, "browser", 575);
}

static void test_cut_off_stays_beside(void **state)
{
    adopt(*state, 300);
    expect(*state, "server", 600);
}

static void test_better_than_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_exec(f->db, "UPDATE assets SET status = 'errored' WHERE id = 'server'", ""),
                     E_OK);
    adopt(f, 5);
    expect(f, "browser", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_takes_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off_stays_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_better_than_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
