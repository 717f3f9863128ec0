/* SPDX-License-Identifier: MIT */
/* product/account_export.h - what an account has, for its owner to take along: files of rows, each
 * asked for a page at a time, so that no size of it has to be held. No secrets: no password, key or
 * token is in it. A domain adds its table to account_export.c. Pool threads. */
#pragma once
#include "product/account.h"

#define EXPORT_COLUMNS 16

enum export_type { EXPORT_TEXT, EXPORT_NUMBER, EXPORT_TIME, EXPORT_YES };

struct export_file {
    const char *name; /* "streams.json" */
    /* ?1: users.id, ?2: the key of the row before ("" for the first), ?3: how many rows, ?4: where
     * the pages are. The first column is the key: text, in whose order the rows come. */
    const char *sql;
    struct export_column {
        const char *name;
        enum export_type type;
    } columns[EXPORT_COLUMNS]; /* from the second column on; ends with a NULL name */
};

extern const struct export_file ACCOUNT_EXPORT[];
extern const unsigned ACCOUNT_EXPORT_FILES;

/* The rows after `key`; db_done() is the caller's. */
struct db_rows *export_page(struct db *db, const struct export_file *f, const char *user_id,
                            const char *key, const char *origin);
