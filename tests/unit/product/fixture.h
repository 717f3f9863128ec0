/* SPDX-License-Identifier: MIT */
/* A real SQLite in a temporary folder, for the domains' tests. */
#pragma once
#include "../test.h"
#include "base/log.h"
#include "base/secret.h"
#include "product/stream.h"
#include <ftw.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct db *db;
    struct secret secret;
    struct problem p;
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char problem[256] = "";
    log_set_level(LOG_ERROR + 1);
    strcpy(f->dir, "/tmp/bsp-product-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    if (store_open(f->dir, &f->store, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    assert_int_equal(secret_open(f->dir, &f->secret, problem, sizeof problem), E_OK);
    f->db = db_open_thread(f->store);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline struct user add_user(struct fixture *f, const char *name, const char *email)
{
    const struct account_new in = {span_str(name), span_str(email), SPAN_LIT("correct horse"),
                                   false};
    struct user u = {0};
    if (account_add(f->db, &in, &u, &f->p) != E_OK) fail_msg("%s", f->p.text);
    return u;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
