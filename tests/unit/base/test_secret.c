/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/secret.h"
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128], problem[256];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/bsp-secret-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/secret.key", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir); /* nothing else was left there */
}

static void made_once_private_and_read_again(void **state)
{
    (void)state;
    struct secret a, b;
    struct stat st;
    assert_int_equal(secret_open(dir, &a, problem, sizeof problem), E_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 65);
    assert_int_equal(secret_open(dir, &b, problem, sizeof problem), E_OK);
    assert_memory_equal(&a, &b, sizeof a);
}

static void a_damaged_file_is_not_replaced(void **state)
{
    (void)state;
    struct secret s;
    FILE *f = fopen(path, "w");
    fputs("abc\n", f);
    fclose(f);
    assert_int_equal(secret_open(dir, &s, problem, sizeof problem), E_PROTO);
    assert_non_null(strstr(problem, "secret.key"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void hashes_depend_on_key_and_secret(void **state)
{
    (void)state;
    const struct secret a = {.master = {1}}, b = {.master = {2}};
    char h1[STREAM_KEY_HASH_CAP], h2[STREAM_KEY_HASH_CAP];
    stream_key_hash(&a, "key", h1);
    stream_key_hash(&a, "key", h2);
    assert_string_equal(h1, h2);
    assert_int_equal(strlen(h1), 64);
    stream_key_hash(&b, "key", h2);
    assert_string_not_equal(h1, h2);
    stream_key_hash(&a, "kez", h2);
    assert_string_not_equal(h1, h2);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(made_once_private_and_read_again),
        T(a_damaged_file_is_not_replaced),
        T(hashes_depend_on_key_and_secret),
    };
    return RUN_TESTS(tests);
}
