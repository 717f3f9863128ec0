/* SPDX-License-Identifier: MIT */
#include "product/channel.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include <stdio.h>
#include <stdlib.h>

static void read_row(struct db_rows *q, struct channel *c)
{
    snprintf(c->id, sizeof c->id, "%s", db_text(q, 0));
    snprintf(c->handle, sizeof c->handle, "%s", db_text(q, 1));
    snprintf(c->name, sizeof c->name, "%s", db_text(q, 2));
    snprintf(c->image, sizeof c->image, "%s", db_text(q, 3));
    snprintf(c->about, sizeof c->about, "%s", db_text(q, 4));
    c->created_at = db_int(q, 5);
    c->followers = db_int(q, 6);
}

enum err channel_get(struct db *db, const char *typed, struct channel *out, struct problem *p)
{
    char handle[HANDLE_CAP];
    bool found = false;
    if (handle_parse(typed, handle)) {
        struct db_rows *q =
            db_query(db,
                     "SELECT id, handle, name, image, about, created_at, (SELECT count(*) FROM "
                     "follows f WHERE f.user_id = u.id) FROM users u WHERE handle = ?1",
                     "s", handle);
        found = db_next(q);
        if (found) read_row(q, out);
        const enum err e = db_done(q);
        if (e != E_OK) return problem_of(p, e);
    }
    return found ? E_OK
                 : problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such channel.");
}

static enum err write_both(struct db *db, const char *user_id, const struct channel_fields *f,
                           const char *about, struct problem *p)
{
    enum err e = E_OK;
    if (about)
        e = problem_of(p, db_exec(db, "UPDATE users SET about = ?2, updated_at = ?3 WHERE id = ?1",
                                  "ssi", user_id, about, clock_wall_us()));
    if (e == E_OK && f->handle.p) e = handle_change(db, user_id, f->handle, p);
    return e;
}

enum err channel_change(struct db *db, const char *user_id, const struct channel_fields *f,
                        struct problem *p)
{
    char *about = NULL;
    enum err e = E_OK;
    if (f->about.p) {
        about = xmalloc(TEXT_CAP(LIMIT_ABOUT_CHARS));
        e = text_check(f->about, TEXT_LINES, LIMIT_ABOUT_CHARS, "about", about, p);
    }
    if (e == E_OK) e = problem_of(p, db_begin(db));
    if (e == E_OK) {
        e = write_both(db, user_id, f, about, p);
        if (e == E_OK)
            e = problem_of(p, db_commit(db));
        else
            db_rollback(db);
    }
    free(about);
    return e;
}
