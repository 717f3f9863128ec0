/* SPDX-License-Identifier: MIT */
/* The queue of jobs on a real database: turns, attempts, restarts. */
#include "../test.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/store.h"
#include "video/jobs.h"
#include <pthread.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct db *db;
    struct jobs *jobs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char order[256]; /* the users, as they were served */
    unsigned n_failed;
    char problem[256];
    enum err answer;    /* of the next ones */
    unsigned good_from; /* the so manieth try is fine */
    unsigned n_run;
    bool hold; /* until the queue is stopped */
};

static enum err run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us, char *problem,
                    size_t cap)
{
    struct fixture *f = ctx;
    (void)db, (void)wait_us;
    pthread_mutex_lock(&f->lock);
    strncat(f->order, j->user_id, sizeof f->order - strlen(f->order) - 1);
    f->n_run++;
    const bool fine = f->answer == E_OK || (f->good_from && f->n_run >= f->good_from);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    while (f->hold && !jobs_stopping(j->jobs)) usleep(1000);
    if (f->hold) return E_CLOSED;
    if (!fine) snprintf(problem, cap, "no luck with %s", j->input);
    return fine ? E_OK : f->answer;
}

static void failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    struct fixture *f = ctx;
    (void)db, (void)j;
    pthread_mutex_lock(&f->lock);
    f->n_failed++;
    snprintf(f->problem, sizeof f->problem, "%s", problem);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static struct job_kind kinds[2];

static void open_queue(struct fixture *f)
{
    kinds[0] = (struct job_kind){"test", false, run, failed, f};
    f->jobs = jobs_new(&(struct jobs_config){.store = f->store, .n_threads = 1, .kinds = kinds});
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char problem[256] = "";
    log_set_level(LOG_ERROR + 1);
    strcpy(f->dir, "/tmp/bsp-jobs-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (store_open(f->dir, &f->store, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    f->db = db_open_thread(f->store);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    static const char *const FILES[] = {"bspnode.db", "bspnode.db-wal", "bspnode.db-shm"};
    struct fixture *f = *state;
    jobs_free(f->jobs);
    store_close(f->store);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->dir, FILES[i]);
        unlink(path);
    }
    rmdir(f->dir);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
    return 0;
}

static void queue(struct fixture *f, const char *user)
{
    assert_int_equal(jobs_queue(f->db, "test", "asset", user, "it"), E_OK);
}

static int64_t number(struct fixture *f, const char *sql)
{
    struct db_rows *q = db_query(f->db, sql, "");
    const int64_t n = db_next(q) ? db_int(q, 0) : -1;
    assert_int_equal(db_done(q), E_OK);
    return n;
}

/* Waits that do not come ready on a loaded machine fail by the test's own time-out. */
static void until_rows(struct fixture *f, int64_t n)
{
    while (number(f, "SELECT COUNT(*) FROM jobs") != n) usleep(2000);
}

static void users_take_turns(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) queue(f, "a");
    queue(f, "b");
    queue(f, "c");
    queue(f, "b");
    open_queue(f);
    jobs_start(f->jobs);
    until_rows(f, 0);
    jobs_stop(f->jobs);
    assert_string_equal(f->order, "abcabaa");
    assert_int_equal(f->n_failed, 0);
}

static void what_cannot_be_fails_at_once(void **state)
{
    struct fixture *f = *state;
    f->answer = E_UNSUPPORTED;
    queue(f, "a");
    open_queue(f);
    jobs_start(f->jobs);
    until_rows(f, 0);
    jobs_stop(f->jobs);
    assert_int_equal(f->n_run, 1);
    assert_int_equal(f->n_failed, 1);
    assert_string_equal(f->problem, "no luck with it");
}

/* The gap before the next attempt is in the row; here it is taken away. */
static void be_due(struct fixture *f)
{
    assert_int_equal(db_exec(f->db, "UPDATE jobs SET not_before = 0", ""), E_OK);
    jobs_wake();
}

static void what_may_pass_is_tried_again(void **state)
{
    struct fixture *f = *state;
    f->answer = E_IO;
    queue(f, "a");
    open_queue(f);
    const int64_t before = clock_wall_us();
    jobs_start(f->jobs);
    for (int64_t n = 1; n < LIMIT_JOB_ATTEMPTS; n++) {
        while (number(f, "SELECT attempts FROM jobs WHERE state = 'queued' AND not_before > 0") !=
               n)
            usleep(2000);
        assert_true(number(f, "SELECT not_before FROM jobs") > before + 4 * US_PER_SEC);
        assert_int_equal(f->n_failed, 0);
        be_due(f);
    }
    until_rows(f, 0);
    jobs_stop(f->jobs);
    assert_int_equal(f->n_run, LIMIT_JOB_ATTEMPTS);
    assert_int_equal(f->n_failed, 1);
}

static void a_stop_is_no_attempt(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    queue(f, "a");
    open_queue(f);
    jobs_start(f->jobs);
    pthread_mutex_lock(&f->lock);
    while (!f->n_run) pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    assert_int_equal(number(f, "SELECT COUNT(*) FROM jobs WHERE state = 'running'"), 1);
    jobs_stop(f->jobs);
    assert_int_equal(number(f, "SELECT attempts FROM jobs WHERE state = 'queued'"), 0);
}

static void what_ran_when_the_server_died_runs_again(void **state)
{
    struct fixture *f = *state;
    queue(f, "a");
    queue(f, "b");
    assert_int_equal(db_exec(f->db, "UPDATE jobs SET state = 'running', attempts = 1", ""), E_OK);
    /* This one has taken the server with it too often. */
    assert_int_equal(db_exec(f->db, "UPDATE jobs SET attempts = ?1 WHERE user_id = 'b'", "i",
                             (int64_t)LIMIT_JOB_ATTEMPTS),
                     E_OK);
    open_queue(f);
    jobs_start(f->jobs);
    until_rows(f, 0);
    jobs_stop(f->jobs);
    assert_string_equal(f->order, "a");
    assert_int_equal(f->n_failed, 1);
}

static void a_user_has_only_so_many(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_begin(f->db), E_OK);
    for (int i = 0; i < LIMIT_JOBS_PER_USER; i++) queue(f, "a");
    assert_int_equal(jobs_queue(f->db, "test", "asset", "a", ""), E_LIMIT);
    assert_int_equal(jobs_queue(f->db, "test", "asset", "b", ""), E_OK);
    assert_int_equal(db_commit(f->db), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(users_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_fails_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_pass_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_is_no_attempt, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ran_when_the_server_died_runs_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_user_has_only_so_many, setup, teardown),
    };
    return RUN_TESTS(tests);
}
