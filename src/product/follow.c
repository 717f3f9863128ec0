/* SPDX-License-Identifier: MIT */
#include "product/follow.h"
#include "base/clock.h"
#include <stdio.h>

static enum err count(struct db *db, const char *sql, const char *id, int64_t *out)
{
    struct db_rows *q = db_query(db, sql, "s", id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

/* The time is unlike any other of this follower, so that pages of follow_list() lose nothing. */
static enum err insert(struct db *db, const char *follower_id, const char *user_id,
                       struct follow_choice choice)
{
    return db_exec(db,
                   "INSERT INTO follows (user_id, follower_id, by_mail, by_push, created_at) "
                   "VALUES (?1, ?2, ?3, ?4, (SELECT max(?5, coalesce(max(created_at) + 1, 0)) "
                   "FROM follows WHERE follower_id = ?2)) ON CONFLICT (user_id, follower_id) "
                   "DO UPDATE SET by_mail = excluded.by_mail, by_push = excluded.by_push",
                   "ssiii", user_id, follower_id, (int64_t)choice.by_mail, (int64_t)choice.by_push,
                   clock_wall_us());
}

enum err follow_add(struct db *db, const char *follower_id, const char *user_id,
                    struct follow_choice choice, struct problem *p)
{
    int64_t have = 0;
    if (strcmp(follower_id, user_id) == 0)
        return problem_set(p, E_INVALID, "own_channel", NULL, "This is your own channel.");
    enum err e =
        count(db, "SELECT count(*) FROM follows WHERE follower_id = ?1", follower_id, &have);
    if (e == E_OK && have >= LIMIT_FOLLOWS_PER_USER)
        return problem_set(p, E_INVALID, "too_many_follows", NULL,
                           "You follow %d channels, which is the most.", LIMIT_FOLLOWS_PER_USER);
    if (e == E_OK) e = insert(db, follower_id, user_id, choice);
    if (e == E_CONFLICT)
        return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such channel.");
    return problem_of(p, e);
}

enum err follow_remove(struct db *db, const char *follower_id, const char *user_id)
{
    return db_exec(db, "DELETE FROM follows WHERE user_id = ?1 AND follower_id = ?2", "ss", user_id,
                   follower_id);
}

static void read_row(struct db_rows *q, struct follow *f)
{
    snprintf(f->user_id, sizeof f->user_id, "%s", db_text(q, 0));
    snprintf(f->follower_id, sizeof f->follower_id, "%s", db_text(q, 1));
    f->choice = (struct follow_choice){db_int(q, 2) != 0, db_int(q, 3) != 0};
    f->at = db_int(q, 4);
}

#define SELECT "SELECT user_id, follower_id, by_mail, by_push, created_at FROM follows "

enum err follow_get(struct db *db, const char *follower_id, const char *user_id, struct follow *out)
{
    struct follow f;
    struct db_rows *q =
        db_query(db, SELECT "WHERE user_id = ?1 AND follower_id = ?2", "ss", user_id, follower_id);
    const bool found = db_next(q);
    if (found) read_row(q, &f);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!found) return E_NOTFOUND;
    *out = f;
    return E_OK;
}

enum err follow_since(struct db *db, const char *follower_id, const char *user_id, int64_t *at)
{
    struct follow f;
    const enum err e = follow_get(db, follower_id, user_id, &f);
    if (e == E_OK) *at = f.at;
    return e;
}

enum err follow_count(struct db *db, const char *user_id, int64_t *out)
{
    return count(db, "SELECT count(*) FROM follows WHERE user_id = ?1", user_id, out);
}

enum err follow_followers(struct db *db, const char *user_id, const char *after_id,
                          struct follow *out, size_t *n)
{
    size_t got = 0;
    struct db_rows *q =
        db_query(db, SELECT "WHERE user_id = ?1 AND follower_id > ?2 ORDER BY follower_id LIMIT ?3",
                 "ssi", user_id, after_id, (int64_t)*n);
    while (got < *n && db_next(q)) read_row(q, &out[got++]);
    const enum err e = db_done(q);
    if (e == E_OK) *n = got;
    return e;
}

enum err follow_list(struct db *db, const char *follower_id, int64_t before, struct followed *out,
                     size_t *n)
{
    size_t got = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT f.by_mail, f.by_push, f.created_at, u.id, u.handle, u.name, u.image "
                 "FROM follows f JOIN users u ON u.id = f.user_id WHERE f.follower_id = ?1 "
                 "AND f.created_at < ?2 ORDER BY f.created_at DESC LIMIT ?3",
                 "sii", follower_id, before, (int64_t)*n);
    for (; got < *n && db_next(q); got++) {
        struct followed *f = &out[got];
        f->choice = (struct follow_choice){db_int(q, 0) != 0, db_int(q, 1) != 0};
        f->at = db_int(q, 2);
        snprintf(f->id, sizeof f->id, "%s", db_text(q, 3));
        snprintf(f->handle, sizeof f->handle, "%s", db_text(q, 4));
        snprintf(f->name, sizeof f->name, "%s", db_text(q, 5));
        snprintf(f->image, sizeof f->image, "%s", db_text(q, 6));
    }
    const enum err e = db_done(q);
    if (e == E_OK) *n = got;
    return e;
}
